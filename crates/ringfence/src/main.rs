//! `ringfence`

use std::process::ExitCode;

use clap::Parser;
use ringfence::cli::Cli;
use ringfence::{commands, telemetry};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            drop(error.print());
            // Help and version were asked for; anything else is wrong input, whose code is 1 and not the library's 2.
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    telemetry::begin();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            tracing::error!(%error, "the process cannot start its threads: {error}");
            return ExitCode::from(2);
        }
    };
    match runtime.block_on(commands::dispatch(cli)) {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            failure.print();
            ExitCode::from(failure.code())
        }
    }
}
