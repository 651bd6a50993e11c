//! The project's own errands: `cargo xtask test`, `cargo xtask bench`, `cargo xtask zones`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it speaks to the person who started it")]

mod postgres;
mod zones;

use std::process::{Command, ExitCode};

use postgres::Postgres;

const HELP: &str = "\
cargo xtask test [ARGS]   build the binary, start a throwaway Postgres, run every test; ARGS go to `cargo test`
cargo xtask bench [N]     durable dials per second on both databases, rows per second imported, memory; N contacts
cargo xtask zones FILE    make crates/domain/data/number_zones.txt from libphonenumber's timezone map
                          (tzdata/data0.py of the PyPI package `phonenumbers`)";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.first().map(String::as_str) {
        Some("test") => test(&args[1..]),
        Some("bench") => bench(&args[1..]),
        Some("zones") if args.len() == 2 => zones::make(&args[1]),
        _ => Err(HELP.to_owned()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn test(args: &[String]) -> Result<(), String> {
    cargo(&["build", "--package", "ringfence"], &[])?;
    let server = Postgres::start()?;
    let variables = [("RINGFENCE_TEST_POSTGRES", server.url.as_str()), ("RUST_BACKTRACE", "0")];
    let mut all = vec!["test", "--workspace"];
    all.extend(args.iter().map(String::as_str));
    cargo(&all, &variables)
}

fn bench(args: &[String]) -> Result<(), String> {
    let server = Postgres::start()?;
    let mut all = vec!["run", "--release", "--package", "ringfence-tests", "--bin", "bench", "--"];
    all.extend(args.iter().map(String::as_str));
    cargo(&all, &[("RINGFENCE_TEST_POSTGRES", server.url.as_str())])
}

fn cargo(args: &[&str], variables: &[(&str, &str)]) -> Result<(), String> {
    println!("cargo {}", args.join(" "));
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(program)
        .args(args)
        .envs(variables.iter().copied())
        .status()
        .map_err(|error| format!("cargo cannot be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("cargo {} failed", args.join(" "))) }
}
