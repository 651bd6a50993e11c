//! Simulated vendors: each request goes on a tape before it is answered, and the answer may be
//! anything that a vendor, a proxy or a network can make of it.
//!
//! The same [`Simulator`] stands behind HTTP (`ringfence sandbox`) and inside the process
//! (`kind = "sandbox"`, tests). Each vendor's own wire format is one file and one line in
//! [`router`].

mod behaviour;
mod broken;
mod iqra;
mod knovvu;
mod simulator;
mod tape;
mod transport;
mod twenty2;
mod unleashx;
mod vendor;

pub use behaviour::{Behaviour, BehaviourError, Fault, IqraDialect, Reports, by_number};
pub use simulator::{Asked, PlacedCall, SimulatedResult, Simulator};
pub use tape::{Event, Tape, TapeEntry};
pub use transport::{InProcess, serve};
pub use vendor::{MachineClock, VENDOR};

/// Makes the routes of one simulated account: every vendor's own wire format, on the paths that it
/// has at the vendor.
pub fn router(simulator: &std::sync::Arc<Simulator>) -> axum::Router {
    [twenty2::router, unleashx::router, iqra::router, knovvu::router]
        .into_iter()
        .map(|vendor| vendor(simulator.clone()))
        .fold(axum::Router::new(), axum::Router::merge)
}

/// Each kind of provider and the path that its `base_url` ends with here.
pub const PATHS: &[(&str, &str)] =
    &[("twenty2", "/api"), ("unleashx", "/api/v1/global"), ("iqra", "/api/v1"), ("knovvu", "")];
