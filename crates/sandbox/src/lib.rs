//! Simulated vendors: what they are asked to do goes on a tape before they answer, and the answer
//! may be anything that a vendor, a proxy or a network can do to it.
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

pub use behaviour::{Behaviour, BehaviourError, Fault, IqraDialect, by_number};
pub use simulator::{Asked, PlacedCall, Simulator, Verdict};
pub use tape::{Event, Tape, TapeEntry};
pub use transport::{InProcess, serve};
pub use vendor::{MachineClock, VENDOR};

/// One simulated account, spoken to in every vendor's own way, on the paths that it has at the
/// vendor.
pub fn router(simulator: &std::sync::Arc<Simulator>) -> axum::Router {
    [twenty2::router, unleashx::router, iqra::router, knovvu::router]
        .into_iter()
        .map(|vendor| vendor(simulator.clone()))
        .fold(axum::Router::new(), axum::Router::merge)
}

/// Each kind of provider and the path that its `base_url` ends with here.
pub const PATHS: &[(&str, &str)] =
    &[("twenty2", "/api"), ("unleashx", "/api/v1/global"), ("iqra", "/api/v1"), ("knovvu", "")];
