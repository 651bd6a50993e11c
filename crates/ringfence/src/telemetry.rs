//! Logs, on stderr: for people on a terminal, as JSON elsewhere. `RINGFENCE_LOG` chooses how much.

use std::io::IsTerminal;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Directive;

use crate::stderr::Log;

/// Begins logging, which never holds up anything. Numbers never reach a log whole: their type
/// prints itself masked.
pub fn begin() {
    let terminal = std::io::stderr().is_terminal();
    // The library that reads numbers would write them out at its finest level.
    let silent = "rlibphonenumber=off".parse::<Directive>().expect("a directive");
    let filter = EnvFilter::try_from_env("RINGFENCE_LOG")
        .unwrap_or_else(|_| EnvFilter::new(if terminal { "warn" } else { "info,sqlx=warn,apalis=warn" }))
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
