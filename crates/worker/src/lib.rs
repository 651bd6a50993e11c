//! Dialling: bursts of open attempts are claimed and sent, each by exactly one request.
//!
//! [`Feeder`] reads bursts from the store, [`queue`] hands them to apalis' workers, [`Dialer`]
//! claims and sends them, and [`Recorder`] writes what became of them, many at a time. A dial that
//! was claimed runs in a task of its own: whatever happens to the worker, its result is recorded.
//!
//! Only `queue.rs` names apalis. Its tests pin the behaviour that we rely on, so that an upgrade
//! shows what moved.

mod dial;
mod feed;
pub mod measures;
pub mod queue;
mod record;

pub use dial::{Dialer, Wanted, request};
pub use feed::Feeder;
pub use record::Recorder;
