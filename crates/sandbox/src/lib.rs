//! Simulated vendors: what they are asked to do goes on a tape before they answer, and the answer may be anything that
//! a vendor, a proxy or a network can do to it.
//!
//! The same [`Simulator`] stands behind HTTP (`ringfence sandbox`) and inside the process (`kind = "sandbox"`, tests).
//! Each vendor's own wire format is one file; Twenty2 is the first.

mod behaviour;
mod simulator;
mod tape;
mod transport;
mod twenty2;
mod vendor;

pub use behaviour::{Behaviour, BehaviourError, Fault, by_number};
pub use simulator::{PlacedCall, Simulator, Verdict};
pub use tape::{Event, Tape, TapeEntry};
pub use transport::{InProcess, serve};
pub use twenty2::router;
pub use vendor::{MachineClock, VENDOR};
