//! Looks for inputs that break a reader, guided by the code that they reach.

use std::process::Command;

use crate::run::{self, attended, cargo, root};

/// Counters in the compiled code, by which libFuzzer sees what an input reaches:
/// <https://clang.llvm.org/docs/SanitizerCoverage.html>
const COUNTED: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1";

/// `[TARGET] [--minutes N]`: one target, or all of them one after the other, in so many minutes.
pub(crate) fn fuzz(args: &[String]) -> Result<(), String> {
    let (mut wanted, mut minutes) = (None, 10_u64);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--minutes" {
            let number = args.next().and_then(|number| number.parse().ok());
            minutes = number.ok_or("--minutes takes a number")?;
        } else {
            wanted = Some(arg.clone());
        }
    }
    let targets = match wanted {
        Some(name) if corpus(&name).is_dir() => vec![name],
        Some(name) => return Err(format!("`{name}` is none of {}", all()?.join(", "))),
        None => all()?,
    };
    let program = build()?;
    let seconds = (minutes * 60 / targets.len() as u64).max(1);
    let broken: Vec<String> = targets.into_iter().filter(|name| !holds(&program, name, seconds)).collect();
    if broken.is_empty() {
        println!("no input broke a reader");
        return Ok(());
    }
    let found = root().join("target/fuzz/found");
    Err(format!(
        "broken: {}; the inputs are in {}: mend the reader, and keep them in tests/fuzz/corpus",
        broken.join(", "),
        found.display()
    ))
}

fn corpus(name: &str) -> std::path::PathBuf {
    root().join("tests/fuzz/corpus").join(name)
}

fn all() -> Result<Vec<String>, String> {
    let folders = std::fs::read_dir(root().join("tests/fuzz/corpus")).map_err(|error| error.to_string())?;
    let mut names: Vec<String> = folders.filter_map(|folder| folder.ok()?.file_name().into_string().ok()).collect();
    names.sort();
    Ok(names)
}

/// Builds it apart from everything else. A target that is named keeps the counters out of build
/// scripts and macros.
fn build() -> Result<std::path::PathBuf, String> {
    let host = run::output("rustc", &["--print", "host-tuple"]).ok_or("rustc does not say what it builds for")?;
    let host = host.trim();
    cargo(
        &[
            "build",
            "--package",
            "ringfence-fuzz",
            "--features",
            "guided",
            "--profile",
            "fuzz",
            "--target",
            host,
            "--target-dir",
            "target/fuzz",
        ],
        &[("RUSTFLAGS", COUNTED)],
    )?;
    Ok(root().join("target/fuzz").join(host).join("fuzz/ringfence-fuzz"))
}

/// Whether no input of so many seconds breaks it.
fn holds(program: &std::path::Path, name: &str, seconds: u64) -> bool {
    let (known, found) = (root().join("target/fuzz/known").join(name), root().join("target/fuzz/found"));
    if let Err(error) = std::fs::create_dir_all(&known).and_then(|()| std::fs::create_dir_all(&found)) {
        eprintln!("{}: {error}", known.display());
        return false;
    }
    let mut command = Command::new(program);
    command
        .env("RINGFENCE_FUZZ", name)
        .current_dir(root())
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-artifact_prefix={}/{name}-", found.display()))
        .args(["-max_len=65536", "-malloc_limit_mb=256", "-rss_limit_mb=2048", "-timeout=20", "-print_final_stats=1"])
        .args([known, corpus(name)]);
    println!("{name}: {seconds} s");
    attended(&mut command, name).map_err(|error| eprintln!("{error}")).is_ok()
}
