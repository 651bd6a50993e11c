//! The project's own errands: `cargo xtask test`, `check`, `dev`, `bench`, `torture`, `simulate`,
//! `fuzz`, `mutants`, `screenshots` and `zones`.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "it speaks to the person who started it")]

mod browser;
mod check;
mod dev;
mod fuzz;
mod mutants;
mod postgres;
mod run;
mod schemathesis;
mod system;
mod test;
mod tools;
mod zones;

use std::process::ExitCode;

use postgres::Postgres;
use run::cargo;

const HELP: &str = "\
cargo xtask test [ARGS]   build what the tests need, start a throwaway Postgres, run every test; ARGS go to
                          `cargo nextest run` (a filter, -p CRATE, --no-capture)
cargo xtask check         everything that must hold before a change lands: what the CI runs
cargo xtask dev [SERVER]  a simulated provider, a database and `ringfence serve` with a sample campaign, until
                          Ctrl-C; SERVER is sqlite (the default) or postgres
cargo xtask bench [N]     durable dials per second on both databases, rows per second imported, memory; N contacts
cargo xtask bench reads [N]   what reads over HTTP and pages take while 500 calls a second are dialled and N
                          contacts wait, a multiple of 500,000; 1,000,000 when N is left out
cargo xtask bench page    what an open page costs, server and browser, while 10,000 events a minute happen
cargo xtask bench processes   calls a second of one process and of four on one Postgres, with a slow vendor
cargo xtask bench slots   how much of its slots a lane uses with calls of 5, 20 and 60 seconds; ten minutes
cargo xtask bench history [N]   what calls take on Postgres with N calls behind and a long reader; 10,000,000 when N is
                          left out, which needs 20 GB of disk
cargo xtask torture [--minutes N] [--seed S] [--only CELL]   end processes at every named moment while everything
                          goes wrong at the vendor, and verify every call afterwards; what RELIABILITY.md reports
cargo xtask simulate [--minutes N] [--seed S] [--steps N] [--file FILE]   the real engine in virtual time: the same
                          seed is the same run; one that breaks a promise is made smaller and printed
cargo xtask fuzz [TARGET] [--minutes N]   look for inputs that break a reader (tests/fuzz), guided by the code that
                          they reach; all of them together take N minutes, 10 when it is left out
cargo xtask mutants [ROOM]   change one thing in the rules, the classifier, the pacer or the claim, run its tests, and tell of
                          each change that no test sees; hours for all of them
cargo xtask screenshots   pictures of the dashboard over the demo, into docs/screenshots; two minutes
cargo xtask zones FILE    make crates/domain/data/number_zones.txt from libphonenumber's timezone map
                          (tzdata/data0.py of the PyPI package `phonenumbers`)";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let done = match args.first().map(String::as_str) {
        Some("test") => test::test(&args[1..]),
        Some("check") if args.len() == 1 => check::check(),
        Some("dev") => dev::dev(&args[1..]),
        Some("bench") => bench(&args[1..]),
        Some("torture") => torture(&args[1..]),
        Some("simulate") => simulate(&args[1..]),
        Some("fuzz") => fuzz::fuzz(&args[1..]),
        Some("mutants") => mutants::mutants(&args[1..]),
        Some("screenshots") if args.len() == 1 => screenshots(),
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

fn screenshots() -> Result<(), String> {
    browser::provide()?;
    cargo(&["build", "--package", "ringfence"], &[])?;
    let binary = run::built("debug", "ringfence")?.display().to_string();
    cargo(
        &["run", "--package", "ringfence-tests", "--bin", "screenshots"],
        &[("RINGFENCE_TEST_BINARY", binary.as_str())],
    )
}

fn simulate(args: &[String]) -> Result<(), String> {
    let mut all = vec!["run", "--package", "ringfence-simulation", "--"];
    all.extend(args.iter().map(String::as_str));
    cargo(&all, &[])
}

fn torture(args: &[String]) -> Result<(), String> {
    // Crash points are in builds with debug assertions only.
    cargo(&["build", "--workspace", "--bins"], &[])?;
    let parent = postgres::in_memory().unwrap_or_else(std::env::temp_dir);
    let server = Postgres::start(&parent)?;
    let binary = run::built("debug", "ringfence")?.display().to_string();
    let folder = parent.display().to_string();
    let variables = [
        ("RINGFENCE_TEST_POSTGRES", server.url.as_str()),
        ("RINGFENCE_TEST_BINARY", binary.as_str()),
        ("TMPDIR", folder.as_str()),
    ];
    let mut torture = std::process::Command::new(run::built("debug", "torture")?);
    run::attended(torture.args(args).envs(variables), "torture")
}

fn bench(args: &[String]) -> Result<(), String> {
    if args.first().map(String::as_str) == Some("page") {
        browser::provide()?;
        cargo(&["build", "--profile", "dist", "--package", "ringfence"], &[])?;
        let binary = run::built("dist", "ringfence")?.display().to_string();
        let run = ["run", "--profile", "dist", "--package", "ringfence-tests", "--bin", "bench", "--", "page"];
        return cargo(&run, &[("RINGFENCE_TEST_BINARY", binary.as_str())]);
    }
    if args.first().is_none_or(|first| !["reads", "processes", "slots", "history"].contains(&first.as_str())) {
        // The peer is a program of Node.js.
        system::provide("node", "nodejs")?;
        system::provide("npm", "npm")?;
    }
    // On a disk, as its numbers are about.
    let server = Postgres::start(&std::env::temp_dir())?;
    let mut all = vec!["run", "--profile", "dist", "--package", "ringfence-tests", "--bin", "bench", "--"];
    all.extend(args.iter().map(String::as_str));
    // Processes are started from the program itself.
    let is_of_processes = args.first().is_some_and(|first| first == "processes" || first == "slots");
    if is_of_processes {
        cargo(&["build", "--profile", "dist", "--package", "ringfence"], &[])?;
    }
    let binary = run::built("dist", "ringfence")?.display().to_string();
    let variables = [("RINGFENCE_TEST_POSTGRES", server.url.as_str()), ("RINGFENCE_TEST_BINARY", binary.as_str())];
    cargo(&all, if is_of_processes { &variables } else { &variables[..1] })
}
