//! A browser, and the driver between it and the tests.

use crate::system;

/// Installs Chromium and its driver, unless both are there.
pub(crate) fn provide() -> Result<(), String> {
    system::provide("chromium", "chromium")?;
    system::provide("chromedriver", "chromium-driver")
}
