//! Counts of a run, kept beside the rows that they count.

mod counter;
mod deltas;

pub use self::counter::{Counter, UnknownCounter};
pub(crate) use self::deltas::{Deltas, HOUR, Place};
