//! Who is dialled next: owning lanes, reading windows, sharing slots.
//!
//! It talks to nobody but the store, and never sends anything. [`Keeper`] owns lanes, [`Planner`] opens attempts, [`Caretaker`]
//! ends what is over and lets go what was held back; each is a `run_once` that tests call and a loop around it.
//!
//! Adding a reason not to dial: a question in `ringfence_domain::claim`, and here only what keeps planning from opening
//! what the claim would refuse.

mod caretaker;
mod keeper;
mod planner;
mod rules;
mod share;

pub use caretaker::Caretaker;
pub use keeper::{Keeper, Kept, LEASE, RENEW_EVERY};
pub use planner::{Planner, Tick};
pub use rules::Rules;
