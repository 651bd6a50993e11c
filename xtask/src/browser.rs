//! A browser, and the driver between it and the tests.

use std::path::Path;

use crate::run::output;
use crate::system;

/// Installs Chromium and its driver, unless both are there.
pub(crate) fn provide() -> Result<(), String> {
    for (program, package) in [("chromium", "chromium"), ("chromedriver", "chromium-driver")] {
        let there = || Path::new("/usr/bin").join(program).exists() || output(program, &["--version"]).is_some();
        if !there() {
            system::install(package, "a browser, Chromium, and its driver")?;
        }
        if !there() {
            return Err(format!("`{program}` is not there, although `{package}` was installed"));
        }
    }
    Ok(())
}
