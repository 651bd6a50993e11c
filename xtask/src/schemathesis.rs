//! schemathesis, a Python program that tries an HTTP API by its own document.

use std::path::PathBuf;
use std::process::Command;

use crate::run::{output, quietly, root};
use crate::system;

/// The packages, each with its version.
const PACKAGES: &str = "tests/schemathesis.txt";

/// Installs it beside what cargo builds, unless it is there. Returns its folder.
pub(crate) fn provide() -> Result<PathBuf, String> {
    let wanted = std::fs::read_to_string(root().join(PACKAGES)).map_err(|error| format!("{PACKAGES}: {error}"))?;
    let folder = root().join("target/schemathesis");
    // Written last, so that an installation that was cut off is begun anew.
    let mark = folder.join("installed.txt");
    if std::fs::read_to_string(&mark).is_ok_and(|installed| installed == wanted) {
        return Ok(folder);
    }
    if output("python3", &["-m", "pip", "--version"]).is_none() {
        system::install("python3-pip", "Python 3 with pip")?;
    }
    println!("installing schemathesis, which the tests need: python3 -m pip install --requirement {PACKAGES}");
    drop(std::fs::remove_dir_all(&folder));
    let mut pip = Command::new("python3");
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target"]).arg(&folder);
    quietly(pip.arg("--requirement").arg(root().join(PACKAGES)))?;
    std::fs::write(&mark, wanted).map_err(|error| format!("{}: {error}", mark.display()))?;
    Ok(folder)
}
