//! The vendors that calls are placed through; the only crate that speaks HTTP to the outside.
//!
//! A vendor is one file (or folder) and one line in [`registry`]. It never sees the store: it gets
//! a request to send, and answers with the result in the words of [`call`].
//!
//! A vendor with many shapes is a folder. What all vendors read alike is in `answer.rs` (answers),
//! `status_word.rs` (status words) and `account.rs` (requests).
//!
//! Adding a vendor: a file here with its settings, wire types, [`Provider`] and a `VENDOR` that
//! declares them; one line in [`registry::VENDORS`]; a section in `deploy/ringfence.toml`.

mod account;
mod answer;
pub mod call;
mod fault;
mod iqra;
mod knovvu;
mod lenient;
#[cfg(test)]
mod logged;
pub mod measures;
pub mod money;
mod number_format;
pub mod pacer;
pub mod provider;
mod public_address;
pub mod registry;
pub mod report;
mod singly;
mod status_word;
pub mod transport;
pub mod twenty2;
mod unleashx;
pub mod vendor;
mod wire_log;

pub use call::{AskError, CallRequest, Candidate, Findings, ListedCall, Listing, LostCall, OutCall};
pub use fault::{Cause, Fault};
pub use number_format::NumberFormat;
pub use pacer::{Pacer, Permit};
pub use provider::{Budget, Checked, Provider};
pub use transport::{HttpTransport, Transport, WireError};
pub use vendor::{CampaignFacts, Capabilities, Finds, LaneSetup, Objection, SettingKey, SettingKind, Vendor};
