//! Everything that must hold before a change lands.

use std::time::Instant;

use crate::run::{built, cargo, output, root};
use crate::test;
use crate::tools::{DENY, MACHETE, TYPOS};

type Step = (&'static str, fn() -> Result<(), String>);

/// What costs seconds comes first. All steps that compile use the same features of the same
/// packages, and so share what they have compiled.
const STEPS: &[Step] = &[
    ("formatting", || cargo(&["fmt", "--all", "--check"], &[])),
    ("spelling", spelling),
    ("dependencies that nobody uses", unused_dependencies),
    ("dependencies and licences", licences),
    ("lints", || cargo(&["clippy", "--workspace", "--all-targets", "--quiet", "--", "-D", "warnings"], &[])),
    ("documentation", || cargo(&["doc", "--workspace", "--no-deps", "--quiet"], &[("RUSTDOCFLAGS", "-D warnings")])),
    ("the product's main job", demo),
    ("tests, on SQLite and on a throwaway Postgres", || test::test(&[])),
    ("processes that die", || crate::torture(&["--minutes".to_owned(), "1".to_owned()])),
    ("a clean tree", clean_tree),
];

/// Runs every step, and ends at the first that fails.
#[expect(clippy::disallowed_methods, reason = "it tells a person how long a step took")]
pub(crate) fn check() -> Result<(), String> {
    let mut times = Vec::new();
    for (name, step) in STEPS {
        println!("\n=== {name}");
        let began = Instant::now();
        step().map_err(|error| format!("{name}: {error}"))?;
        times.push((began.elapsed().as_secs(), name));
    }
    println!("\n=== how long each step took");
    for (seconds, name) in &times {
        println!("{seconds:>5} s  {name}");
    }
    println!("all steps passed");
    Ok(())
}

fn spelling() -> Result<(), String> {
    TYPOS.provide()?;
    let status = std::process::Command::new("typos")
        .current_dir(root())
        .status()
        .map_err(|error| format!("typos cannot be started: {error}"))?;
    let mend = "mend the words, or name those that are meant in _typos.toml";
    if status.success() { Ok(()) } else { Err(mend.to_owned()) }
}

fn unused_dependencies() -> Result<(), String> {
    MACHETE.provide()?;
    cargo(&["machete"], &[]).map_err(|_| "take the dependencies named above out of their Cargo.toml".to_owned())
}

fn licences() -> Result<(), String> {
    DENY.provide()?;
    cargo(&["deny", "check", "bans", "licenses", "sources"], &[])
}

/// The command that the README begins with, on fewer contacts. A release, in which some lines are
/// left out, is checked and not built: that would take as long as the tests.
fn demo() -> Result<(), String> {
    // What tells the compiler a release from other builds.
    let release = [("CARGO_PROFILE_DEV_DEBUG_ASSERTIONS", "false")];
    cargo(&["check", "--quiet", "--workspace"], &release)?;
    cargo(&["build", "--quiet", "--workspace", "--bins"], &[])?;
    let args = ["demo", "--contacts", "60", "--json"];
    println!("ringfence {}", args.join(" "));
    let ran = std::process::Command::new(built("debug", "ringfence")?)
        .args(args)
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| format!("ringfence cannot be started: {error}"))?;
    let printed = String::from_utf8_lossy(&ran.stdout);
    if ran.status.success() && printed.contains("\"state\": \"done\"") {
        println!("demo: done");
        return Ok(());
    }
    Err(format!("the demo was not dialled to its end:\n{printed}"))
}

fn clean_tree() -> Result<(), String> {
    let folder = root().display().to_string();
    match output("git", &["-C", &folder, "status", "--porcelain"]) {
        Some(changed) if changed.is_empty() => Ok(()),
        Some(changed) => {
            Err(format!("these files were changed or made by the steps, or wait for a commit:\n{changed}"))
        }
        None => Err("git says nothing about the tree".to_owned()),
    }
}
