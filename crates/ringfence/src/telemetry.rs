//! Logs, on stderr: for people on a terminal, as JSON elsewhere. `RINGFENCE_LOG` chooses how much.

use std::io::{IsTerminal, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::Directive;
use tracing_subscriber::fmt::MakeWriter;

use crate::screen::PROGRESS;

/// Begins logging. Numbers never reach a log whole: their type prints itself masked.
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
            .with_writer(AroundProgress)
            .init();
    } else {
        tracing_subscriber::fmt().with_env_filter(filter).json().with_writer(std::io::stderr).init();
    }
}

/// Writes lines above the progress bar instead of through it.
struct AroundProgress;

impl Write for AroundProgress {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        PROGRESS.suspend(|| std::io::stderr().write(line))
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

impl<'a> MakeWriter<'a> for AroundProgress {
    type Writer = AroundProgress;

    fn make_writer(&'a self) -> Self::Writer {
        AroundProgress
    }
}
