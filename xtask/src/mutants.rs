//! Changes one thing in the code, runs its tests, and tells of each change that no test sees.

use std::path::Path;

use crate::postgres::Postgres;
use crate::run::{cargo, root};
use crate::tools::MUTANTS;

/// Code that is changed, and the tests that must see it.
struct Room {
    name: &'static str,
    package: &'static str,
    /// What is built and run for each change.
    tests: &'static [&'static str],
    files: &'static [&'static str],
}

const ROOMS: [Room; 4] = [
    Room {
        name: "rules",
        package: "ringfence-domain",
        tests: &["--cargo-arg=--lib"],
        files: &[
            "crates/domain/src/cap.rs",
            "crates/domain/src/cool_off.rs",
            "crates/domain/src/decision.rs",
            "crates/domain/src/number_limits.rs",
            "crates/domain/src/verdict/*.rs",
            "crates/domain/src/window/**/*.rs",
        ],
    },
    Room {
        name: "classifier",
        package: "ringfence-providers",
        tests: &["--cargo-arg=--lib", "--cargo-arg=--test=it"],
        files: &[
            "crates/providers/src/account.rs",
            "crates/providers/src/answer.rs",
            "crates/providers/src/call.rs",
            "crates/providers/src/fault.rs",
            "crates/providers/src/lenient.rs",
            "crates/providers/src/status_word.rs",
            "crates/providers/src/*/place.rs",
            "crates/providers/src/knovvu/*.rs",
        ],
    },
    Room {
        name: "pace",
        package: "ringfence-providers",
        tests: &["--cargo-arg=--lib", "--", "--", "pacer"],
        files: &["crates/providers/src/pacer/*.rs"],
    },
    Room {
        name: "claim",
        package: "ringfence-store",
        tests: &[
            "--test-package=ringfence-store",
            "--test-package=ringfence-tests",
            "--",
            "--",
            "verdicts",
            "conformance",
        ],
        files: &[
            "crates/store/src/attempts/claim.rs",
            "crates/store/src/session/claim_fence.rs",
            "crates/store/src/verdicts.rs",
        ],
    },
];

/// Of a hundred changes, so many must be seen.
const WANTED: usize = 95;

/// Changes that may stay unseen, a line each: the change, a bar, and why.
const SURVIVORS: &str = include_str!("../survivors.txt");

/// `[ROOM]`: one room, or all of them.
pub(crate) fn mutants(args: &[String]) -> Result<(), String> {
    let names = ROOMS.map(|room| room.name).join(", ");
    let rooms: Vec<&Room> = match args {
        [] => ROOMS.iter().collect(),
        [name] => ROOMS.iter().filter(|room| room.name == name).collect(),
        _ => Vec::new(),
    };
    if rooms.is_empty() {
        return Err(format!("cargo xtask mutants [ROOM]; a room is one of {names}"));
    }
    MUTANTS.provide()?;
    // Thousands of databases of tests would fill what is kept in memory.
    let server = Postgres::start(&std::env::temp_dir())?;
    let told: Vec<String> = rooms.into_iter().filter_map(|room| room.try_all(&server.url).err()).collect();
    if told.is_empty() { Ok(()) } else { Err(told.join("\n")) }
}

impl Room {
    fn try_all(&self, postgres: &str) -> Result<(), String> {
        let output = root().join("target/mutants").join(self.name);
        std::fs::create_dir_all(&output).map_err(|error| format!("{}: {error}", output.display()))?;
        let folder = output.display().to_string();
        let mut all = vec!["mutants", "--package", self.package, "--profile", "mutants", "--timeout", "120"];
        all.extend(["--output", folder.as_str()]);
        all.extend(self.files.iter().flat_map(|file| ["--file", file]));
        all.extend(self.tests);
        let ran = cargo(&all, &[("RINGFENCE_TEST_POSTGRES", postgres)]);
        self.judge(&output.join("mutants.out")).map_err(|why| match ran {
            // It fails whenever a change stays unseen, too.
            Err(failed) if why.is_empty() => failed,
            _ => why,
        })
    }

    /// Prints what came of the changes. The error is empty when none was tried.
    fn judge(&self, folder: &Path) -> Result<(), String> {
        let [caught, hung, missed] = ["caught.txt", "timeout.txt", "missed.txt"].map(|name| lines(&folder.join(name)));
        let (seen, all) = (caught.len() + hung.len(), caught.len() + hung.len() + missed.len());
        if all == 0 {
            return Err(String::new());
        }
        let unlisted: Vec<&String> = missed.iter().filter(|change| !is_listed(change)).collect();
        println!(
            "{}: {all} changes, {seen} seen by a test ({:.1} %), {} unseen, of which {} for a reason that is written down",
            self.name,
            100.0 * seen as f64 / all as f64,
            missed.len(),
            missed.len() - unlisted.len()
        );
        if !unlisted.is_empty() {
            let list = unlisted.iter().map(|change| format!("\n  {change}")).collect::<String>();
            return Err(format!(
                "{}: no test sees these changes; write one, or the reason into xtask/survivors.txt:{list}",
                self.name
            ));
        }
        if seen * 100 < all * WANTED {
            return Err(format!("{}: fewer than {WANTED} of 100 changes are seen", self.name));
        }
        Ok(())
    }
}

fn lines(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(nameable).collect()
}

/// A change without its line and column, which move: `file: what`.
fn nameable(change: &str) -> String {
    let mut parts = change.splitn(4, ':');
    match (parts.next(), parts.nth(2)) {
        (Some(file), Some(what)) => format!("{file}:{what}"),
        _ => change.to_owned(),
    }
}

fn is_listed(change: &str) -> bool {
    SURVIVORS.lines().filter_map(|line| line.split_once(" | ")).any(|(listed, _)| listed == change)
}
