//! Everything that reads what others wrote, by the bytes that it is given: no input may end the
//! program, take much memory, or be understood as something that it is not.
//!
//! Each target has a folder of inputs in `corpus/`, and may begin from fixtures of other tests. Every
//! test run goes through all of them and through changed ones; `cargo xtask fuzz` looks for more,
//! guided by the code that they reach.

mod answers;
mod api;
mod contacts;
mod files;
mod mutate;
mod texts;

pub use self::api::operations;
pub use self::mutate::Mutator;

use std::path::PathBuf;

/// One reader of bytes.
#[derive(Debug, Clone, Copy)]
pub struct Target {
    /// What it is called, and its folder in `corpus/`.
    pub name: &'static str,
    /// Reads an input. It panics when a promise is broken.
    pub read: fn(&[u8]),
    /// Folders of the project with more inputs to begin from.
    pub seeds: &'static [&'static str],
    /// Changed inputs in a test run.
    pub tries: usize,
}

/// Every target: a line each.
pub const TARGETS: &[Target] = &[
    Target { name: "answers", read: answers::read, seeds: ANSWERS, tries: 3_000 },
    Target { name: "reports", read: answers::reported, seeds: ANSWERS, tries: 10_000 },
    Target { name: "api", read: api::read, seeds: &[], tries: 600 },
    Target { name: "contacts", read: contacts::read, seeds: CONTACTS, tries: 2_000 },
    Target { name: "json_contacts", read: contacts::read_json, seeds: &[], tries: 10_000 },
    Target { name: "campaign", read: files::campaign, seeds: &["campaigns", "campaigns/vendors"], tries: 2_000 },
    Target { name: "configuration", read: files::configuration, seeds: &["campaigns", "deploy"], tries: 2_000 },
    Target { name: "hours", read: texts::hours, seeds: &[], tries: 2_000 },
    Target { name: "number", read: texts::number, seeds: &[], tries: 3_000 },
    Target { name: "cron", read: texts::cron, seeds: &[], tries: 2_000 },
    Target { name: "callback", read: texts::callback, seeds: &[], tries: 10_000 },
    Target { name: "template", read: texts::template, seeds: &[], tries: 10_000 },
    Target { name: "amounts", read: texts::amounts, seeds: &[], tries: 10_000 },
];

const ANSWERS: &[&str] = &[
    "crates/providers/tests/fixtures/twenty2",
    "crates/providers/tests/fixtures/unleashx",
    "crates/providers/tests/fixtures/iqra",
    "crates/providers/tests/fixtures/knovvu",
];
const CONTACTS: &[&str] =
    &["crates/intake/tests/fixtures/tables", "crates/intake/tests/fixtures/contacts", "campaigns", "campaigns/vendors"];

impl Target {
    /// The target of this name.
    pub fn named(name: &str) -> Option<Self> {
        TARGETS.iter().find(|target| target.name == name).copied()
    }

    /// The inputs that are kept, by file name: in its corpus, and in the folders that it begins from.
    pub fn inputs(&self) -> Vec<Vec<u8>> {
        let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let project = own.parent().and_then(|tests| tests.parent()).expect("the project's folder");
        let folders = std::iter::once(own.join("corpus").join(self.name))
            .chain(self.seeds.iter().map(|folder| project.join(folder)));
        let mut files: Vec<PathBuf> = folders
            .flat_map(|folder| {
                std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
            })
            .map(|file| file.expect("a file").path())
            .filter(|path| path.is_file())
            .collect();
        files.sort();
        files.iter().map(|path| std::fs::read(path).expect("an input")).collect()
    }
}

/// The input as text, if it is one.
fn text(input: &[u8]) -> Option<&str> {
    std::str::from_utf8(input).ok()
}
