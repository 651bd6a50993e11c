//! The files that operators write: `ringfence.toml`, campaign files, contact files.
//!
//! Every mistake is found in one pass and told with its place and its mend. Nothing here dials or
//! keeps anything.
//!
//! Adding a key: one line in its list in [`keys`], and one where its section is read, in [`config`]
//! or [`campaign`]. A key that nobody reads is an error, so nothing is ever silently accepted.

pub mod campaign;
pub mod config;
pub mod contact_files;
pub mod contacts;
pub mod json_table;
pub mod keys;
mod mistake;
pub mod places;
mod pointers;
pub use campaign::presets;
pub mod regular;
mod required;
mod section;
pub mod table;
pub mod zone_folder;

pub use config::{Config, ConfigLane, Http};
pub use contacts::{ContactFile, ContactRow, RejectedRow};
pub use mistake::{Mistake, Mistakes};
pub use pointers::MistakeAt;
pub use table::{Problem, Record, Table, TableError};
