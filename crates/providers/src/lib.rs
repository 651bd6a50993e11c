//! The vendors that calls are placed through; the only crate that speaks HTTP to the outside.
//!
//! A vendor is one file and one line in [`registry`]. It never sees the store: it gets a request to send, and says
//! what became of it in the words of [`call`].
//!
//! Adding a vendor: a file here with its settings, wire types, [`Provider`] and a `VENDOR` that declares them; one line
//! in [`registry::VENDORS`]; a section in `deploy/ringfence.toml`.

pub mod call;
pub mod money;
pub mod pacer;
pub mod provider;
pub mod registry;
pub mod secret;
pub mod transport;
pub mod twenty2;
pub mod vendor;

pub use call::{AskError, CallRequest, Candidate, LostCall, News, OutCall, Placing};
pub use pacer::{Pacer, Permit};
pub use provider::{Budget, Provider};
pub use secret::Secret;
pub use transport::{HttpTransport, Transport, WireError};
pub use vendor::{LaneSetup, SettingKey, SettingKind, Vendor};
