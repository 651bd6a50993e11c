//! Some rows of a contact file, and what becomes of each.

use ringfence_domain::template::Row as Fields;
use ringfence_domain::{ImportId, Moment, NumberKey, PhoneNumber, RunId, ZoneSet};
use serde::{Deserialize, Serialize};

use super::rejects::Reject;

/// A row that can be called.
#[derive(Debug, Clone)]
pub struct NewContact {
    /// Its place in the file, counted from 1 without the header.
    pub row_number: i64,
    /// Its line in the file, counted from 1.
    pub line: i64,
    /// The person's numbers, each with what it is looked up by, in the order in which they are
    /// tried. Never empty.
    pub numbers: Vec<(PhoneNumber, NumberKey)>,
    /// Where the person may be.
    pub zones: ZoneSet,
    /// What the operator's own system calls the person.
    pub external_id: Option<String>,
    /// The row.
    pub fields: Fields,
}

/// Some rows of a file, in their order.
#[derive(Debug, Clone)]
pub struct ImportChunk {
    /// The import.
    pub import: ImportId,
    /// Its run.
    pub run: RunId,
    /// Rows to be called.
    pub contacts: Vec<NewContact>,
    /// Rows that cannot be.
    pub rejects: Vec<Reject>,
    /// The columns of the file, in whose order a duplicate row is kept.
    pub columns: Vec<String>,
    /// When.
    pub now: Moment,
}

/// What became of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowVerdict {
    /// It is a contact now, or was made one by this same row before.
    Accepted,
    /// A known contact with new data, for its next call once the import is released.
    Updated,
    /// A known contact; nothing changed.
    Unchanged,
    /// The number, or the id, stands elsewhere.
    Duplicate {
        /// The line where it stood first.
        line: i64,
        /// Whether that is a line of this same file.
        same_file: bool,
    },
}

/// What is new of a known contact.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Change {
    pub(crate) numbers: Vec<(String, NumberKey)>,
    pub(crate) zones: ZoneSet,
    pub(crate) external_id: Option<String>,
    pub(crate) fields: Fields,
}
