//! Every test, each in a process of its own.

use std::path::Path;

use crate::browser;
use crate::postgres::{self, Postgres};
use crate::run::cargo;
use crate::schemathesis;
use crate::tools::NEXTEST;

/// Builds the binary and the tests, starts what they need, and runs them and the examples of the
/// documentation.
pub(crate) fn test(args: &[String]) -> Result<(), String> {
    NEXTEST.provide()?;
    browser::provide()?;
    let schemathesis = schemathesis::provide()?.display().to_string();
    cargo(&["build", "--workspace", "--bins", "--tests"], &[])?;
    let parent = postgres::in_memory().unwrap_or_else(std::env::temp_dir);
    let server = Postgres::start(&parent)?;
    let scratch = Scratch::make(&parent)?;
    let variables = [
        ("RINGFENCE_TEST_POSTGRES", server.url.as_str()),
        ("RINGFENCE_TEST_SCHEMATHESIS", schemathesis.as_str()),
        ("TMPDIR", scratch.0.as_str()),
        ("RUST_BACKTRACE", "0"),
    ];
    let mut all = vec!["nextest", "run", "--workspace"];
    all.extend(args.iter().map(String::as_str));
    cargo(&all, &variables)?;
    if args.is_empty() {
        // Each test stands in a process of its own, but for the examples of the documentation,
        // which only rustdoc runs.
        cargo(&["test", "--workspace", "--doc", "--quiet"], &variables)?;
    }
    Ok(())
}

/// A folder for what the tests write.
struct Scratch(String);

impl Scratch {
    fn make(parent: &Path) -> Result<Self, String> {
        let folder = parent.join(format!("ringfence-tests-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder.display().to_string()))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}
