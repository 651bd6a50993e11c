//! The brake that works without a database.

/// A thing beside the rows that forbids every new call, such as the file `STOP`. Implementations
/// live outside this crate. A brake is asked before planning, before a claim, and once more before
/// a request leaves.
pub trait Brake: Send + Sync + std::fmt::Debug {
    /// Returns why nothing may be dialled now; none when the brake is off. A brake that cannot be
    /// looked at is on.
    fn pulled(&self) -> Option<String>;
}

/// The brake that is never on: only the database's brakes hold then.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoBrake;

impl Brake for NoBrake {
    fn pulled(&self) -> Option<String> {
        None
    }
}

/// Several brakes: one that is on is enough.
#[derive(Debug, Clone)]
pub struct Brakes(pub Vec<std::sync::Arc<dyn Brake>>);

impl Brake for Brakes {
    fn pulled(&self) -> Option<String> {
        self.0.iter().find_map(|brake| brake.pulled())
    }
}
