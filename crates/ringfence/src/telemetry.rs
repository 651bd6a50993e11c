//! Logs, on stderr: for people on a terminal, as JSON elsewhere. `RINGFENCE_LOG` chooses how much.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Directive;

use crate::stderr::Log;

/// Libraries that tell each statement and each byte, unless somebody asks for them by name.
const LIBRARIES: [&str; 6] = ["sqlx", "apalis", "hyper", "hyper_util", "reqwest", "rustls"];

/// A filter in which `debug` means our own messages.
fn of_ours(wanted: &str) -> String {
    let quiet = LIBRARIES.iter().filter(|name| !wanted.contains(*name)).map(|name| format!("{name}=warn"));
    // A statement that took a second is no news for people: what held the writer is told by ourselves.
    let slow = (!wanted.contains("sqlx")).then(|| "sqlx::query=error".to_owned());
    quiet.chain(slow).chain([wanted.to_owned()]).collect::<Vec<_>>().join(",")
}

/// Begins logging, which never holds up anything. Numbers never reach a log whole: their type
/// prints itself masked.
pub fn begin() {
    let terminal = std::io::stderr().is_terminal();
    // The library that reads numbers would write them out at its finest level.
    let silent = "rlibphonenumber=off".parse::<Directive>().expect("a directive");
    let wanted = std::env::var("RINGFENCE_LOG").ok().filter(|wanted| !wanted.trim().is_empty());
    let usual = if terminal { "warn" } else { "info" };
    let filter = EnvFilter::try_new(of_ours(wanted.as_deref().unwrap_or(usual)))
        .unwrap_or_else(|_| EnvFilter::new(of_ours(usual)))
        .add_directive(silent);
    if terminal {
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_target(false)
            .with_ansi(crate::screen::colours_on_stderr())
            .with_writer(|| Log)
            .init();
    } else {
        tracing_subscriber::fmt().with_env_filter(filter).json().with_writer(|| Log).init();
    }
}
