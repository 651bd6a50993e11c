//! What the tests of several crates begin from. It needs no database.

mod campaigns;
mod hand_clock;
pub mod vendors;

pub use campaigns::{lane_settings, noon, number, rules};
pub use hand_clock::HandClock;
