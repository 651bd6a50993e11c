//! Other programs, and what is said when one fails.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// The folder of the whole project.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().map(Path::to_owned).unwrap_or_default()
}

/// Runs cargo on the whole project, and says so.
pub(crate) fn cargo(args: &[&str], variables: &[(&str, &str)]) -> Result<(), String> {
    let name = format!("cargo {}", args.join(" "));
    println!("{name}");
    attended(cargo_command(args).envs(variables.iter().copied()), &name)
}

/// Runs a program to its end, and passes on what asks this one to end.
pub(crate) fn attended(command: &mut Command, name: &str) -> Result<(), String> {
    let mut child = command.spawn().map_err(|error| format!("{name} cannot be started: {error}"))?;
    let told = &*TOLD_TO_END;
    let mut passed_on = false;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() && !passed_on => return Ok(()),
            Ok(Some(_)) if passed_on => return Err("ended by a signal".to_owned()),
            Ok(Some(_)) => return Err(format!("{name} failed")),
            Ok(None) => {}
            Err(error) => return Err(format!("{name} cannot be waited for: {error}")),
        }
        // A terminal tells the whole group; a supervisor tells this process only.
        if told.load(Ordering::Relaxed) && !passed_on {
            passed_on = true;
            drop(Command::new("kill").args(["-TERM", &child.id().to_string()]).status());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A signal asks this process to end: servers that it started are stopped first.
static TOLD_TO_END: LazyLock<Arc<AtomicBool>> = LazyLock::new(|| {
    let told = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        if let Err(error) = signal_hook::flag::register(signal, told.clone()) {
            eprintln!("signal {signal} cannot be heard: {error}");
        }
    }
    told
});

/// The cargo that runs this program.
pub(crate) fn cargo_command(args: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.args(args).current_dir(root());
    // `cargo run` describes this package in them. Build scripts that read them (ring's) would be
    // run again, and half of the dependencies compiled again, whenever cargo is started here and
    // then by hand.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&*name);
        }
    }
    command
}

/// A program that cargo has built, in the folder that it builds into here: `CARGO_TARGET_DIR` and
/// cargo's own settings may name another one than `target`.
pub(crate) fn built(profile: &str, name: &str) -> Result<PathBuf, String> {
    let described = cargo_command(&["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .output()
        .map_err(|error| format!("cargo metadata cannot be started: {error}"))?;
    let described: serde_json::Value =
        serde_json::from_slice(&described.stdout).map_err(|error| format!("what cargo metadata prints: {error}"))?;
    let target = described["target_directory"].as_str().ok_or("cargo does not say where it builds")?;
    Ok(Path::new(target).join(profile).join(name))
}

/// What a program prints, if it succeeds.
pub(crate) fn output(program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).output().ok().filter(|output| output.status.success())?;
    String::from_utf8(output.stdout).ok()
}

/// Runs a program whose output only matters when it fails.
pub(crate) fn quietly(command: &mut Command) -> Result<(), String> {
    // The server keeps whatever output it inherits open; a file does not make anyone wait for it.
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let program = format!("{output:?}");
    let is_server = program.contains("pg_ctl") && program.ends_with("\"start\"");
    if is_server {
        output.stderr(Stdio::null());
    }
    let done = output.output().map_err(|error| format!("{program}: {error}"))?;
    if done.status.success() {
        return Ok(());
    }
    Err(format!("{program} failed: {}", String::from_utf8_lossy(&done.stderr).trim()))
}
