//! The machine, and what its package system brings.

use std::path::Path;
use std::process::Command;

use crate::run::{output, quietly};

/// Installs a package of Debian, or says what to install elsewhere. `brings`: what is needed of it.
pub(crate) fn install(package: &str, brings: &str) -> Result<(), String> {
    if !is_root() || !Path::new("/usr/bin/apt-get").exists() {
        return Err(format!("this needs {brings}; install the package `{package}` and run this again"));
    }
    println!("installing the system package `{package}`, which this needs");
    quietly(Command::new("apt-get").args(["update", "-qq"]))?;
    let quiet = ("DEBIAN_FRONTEND", "noninteractive");
    quietly(Command::new("apt-get").env(quiet.0, quiet.1).args(["install", "-y", "-qq", package]))
}

/// Installs a package unless its program is there.
pub(crate) fn provide(program: &str, package: &str) -> Result<(), String> {
    let is_there = || Path::new("/usr/bin").join(program).exists() || output(program, &["--version"]).is_some();
    if !is_there() {
        install(package, &format!("`{program}`"))?;
    }
    if is_there() { Ok(()) } else { Err(format!("`{program}` is not there, although `{package}` was installed")) }
}

pub(crate) fn is_root() -> bool {
    output("id", &["-u"]).is_some_and(|id| id.trim() == "0")
}
