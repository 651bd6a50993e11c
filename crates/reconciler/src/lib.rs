//! The fate of calls: asking the vendor, settling, and cleaning up after owners that died.
//!
//! [`Reconciler::run_once`] sweeps, asks about placed calls that may be over, looks for calls
//! whose answer was lost, and settles what it learned. Outcomes become decisions inside the
//! store's transaction; nothing here decides.

mod asking;
mod campaigns;
mod finding;
mod inquiry;
mod poll_backoff;
mod reconcile;
mod reports;
mod round;
mod set_clock;
mod slots;

pub use inquiry::inquire;
pub use reconcile::{Reconciled, Reconciler};
