//! Numbers of contacts that an import has just brought, known by heart.
//!
//! Numbers are kept by their hash, so those of a file go all over the index that says whose each
//! is: a page of it for each row. They are therefore entered many at a time and in the order of the
//! index, see [`super::owners`]. Until then only the process that reads the file knows them. One
//! that does not, as it was killed meanwhile or another one took a turn, has them entered first.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use ringfence_domain::{ContactId, ImportId, NumberKey};

/// An import knows about as many numbers by heart, at most: some 5 MB, and 3 more while they are entered.
const MOST: usize = 200_000;

/// The most imports that know some at once.
const IMPORTS: usize = 2;

/// The numbers of an import that are not entered yet.
#[derive(Debug)]
pub(crate) struct RecentNumbers {
    /// The line of each.
    lines: HashMap<NumberKey, i64>,
    /// The number of contacts that have them.
    pub(super) contacts: i64,
    /// The contact that these come after.
    pub(super) after: ContactId,
}

impl RecentNumbers {
    /// None are known, as all were entered up to this contact.
    pub(super) fn since(after: ContactId) -> Self {
        Self { lines: HashMap::new(), contacts: 0, after }
    }

    /// The line that brought a number.
    pub(super) fn line(&self, number: NumberKey) -> Option<i64> {
        self.lines.get(&number).copied()
    }

    pub(super) fn extend(&mut self, lines: impl Iterator<Item = (NumberKey, i64)>) {
        self.lines.extend(lines);
    }

    pub(super) fn is_full(&self) -> bool {
        self.lines.len() >= MOST
    }
}

/// The recent numbers of the imports that this process reads.
#[derive(Debug, Default)]
pub(crate) struct RecentImports {
    imports: Mutex<HashMap<ImportId, RecentNumbers>>,
}

impl RecentImports {
    /// What is known of an import. Who takes it and fails keeps nothing: all is entered then.
    pub(super) fn take(&self, import: ImportId) -> RecentNumbers {
        self.imports
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&import)
            .unwrap_or_else(|| RecentNumbers::since(ContactId(0)))
    }

    pub(super) fn keep(&self, import: ImportId, recent: RecentNumbers) {
        let mut imports = self.imports.lock().unwrap_or_else(PoisonError::into_inner);
        // Those of files that are read no more must not stay in memory for good.
        if imports.len() >= IMPORTS {
            imports.clear();
        }
        if recent.contacts > 0 {
            imports.insert(import, recent);
        }
    }
}
