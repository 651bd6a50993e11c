//! `ringfence`

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use mimalloc::MiMalloc;
use ringfence::cli::Cli;
use ringfence::{dispatch, failure, private, stderr, telemetry};

/// Calls and rows of lists are many short texts: the system's allocator takes a fifth of the time.
/// SQLite's memory is mimalloc's, too. mimalloc 2 gives back late what another thread freed.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// How long the end of a process waits for work in the background.
const LAST_WORK: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            drop(error.print());
            // Help and version were asked for; anything else is wrong input, whose code is 1 and
            // not the library's 2.
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    telemetry::begin();
    private::keep();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "the process cannot start its threads: {error}");
            stderr::finish();
            return ExitCode::from(2);
        }
    };
    let code = match runtime.block_on(dispatch::dispatch(cli)) {
        Ok(code) => code,
        Err(failure) => {
            failure::print(&failure);
            failure::code(&failure)
        }
    };
    // What was to be done is done; work that nobody waits for must not keep the process.
    runtime.shutdown_timeout(LAST_WORK);
    stderr::finish();
    ExitCode::from(code)
}
