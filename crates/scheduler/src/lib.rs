//! The choice of who is dialled next: owning lanes, reading windows, sharing slots.
//!
//! The crate talks to nobody but the store, and never sends anything. [`LeaseHolder`] owns lanes,
//! [`Planner`] opens attempts, [`Maintenance`] ends what is over and releases what was held back;
//! each is a `run_once` that tests call and a loop around it.
//!
//! Adding a reason not to dial: a variant of `ringfence_domain::verdict::Verdict`, and here only
//! code that keeps the planner from opening an attempt that the claim would refuse.

mod fair_share;
mod lane_shares;
mod lease_holder;
mod maintenance;
mod planner;

pub use lease_holder::{LEASE, LEFT_TO_OTHERS, LeaseHolder, LeaseOutcome, RENEW_EVERY};
pub use maintenance::Maintenance;
pub use planner::{Planner, Tick};
