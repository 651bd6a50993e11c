//! Programs of other projects that the checks need. What is missing is installed.

use crate::run::{cargo_command, output};

/// One program that cargo installs.
pub(crate) struct Tool {
    /// Its package.
    package: &'static str,
    /// How it says its version.
    asked: (&'static str, &'static [&'static str]),
}

pub(crate) const NEXTEST: Tool = Tool { package: "cargo-nextest", asked: ("cargo", &["nextest", "--version"]) };
pub(crate) const DENY: Tool = Tool { package: "cargo-deny", asked: ("cargo", &["deny", "--version"]) };
pub(crate) const MACHETE: Tool = Tool { package: "cargo-machete", asked: ("cargo", &["machete", "--version"]) };
pub(crate) const MUTANTS: Tool = Tool { package: "cargo-mutants", asked: ("cargo", &["mutants", "--version"]) };
pub(crate) const TYPOS: Tool = Tool { package: "typos-cli", asked: ("typos", &["--version"]) };

impl Tool {
    /// Installs the program unless it is there.
    pub(crate) fn provide(&self) -> Result<(), String> {
        if output(self.asked.0, self.asked.1).is_some() {
            return Ok(());
        }
        println!(
            "installing {}, which this needs and is missing: cargo install {} --locked",
            self.package, self.package
        );
        // Its own work takes a second or two here; optimising it would take minutes.
        let cheap = [
            ("CARGO_PROFILE_RELEASE_OPT_LEVEL", "1"),
            ("CARGO_PROFILE_RELEASE_LTO", "off"),
            ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
        ];
        let status = cargo_command(&["install", self.package, "--locked", "--quiet"])
            .envs(cheap)
            .status()
            .map_err(|error| format!("cargo cannot be started: {error}"))?;
        if status.success() { Ok(()) } else { Err(format!("{} could not be installed", self.package)) }
    }
}
