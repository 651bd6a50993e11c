//! The brake that works without a database.

/// Something beside the rows that forbids every new call: the file `STOP`. Whoever implements it
/// lives outside this crate; it is asked before planning, before a claim, and once more before a
/// request leaves.
pub trait Brake: Send + Sync + std::fmt::Debug {
    /// Why nothing may be dialled now, if so. A brake that cannot be looked at is on.
    fn pulled(&self) -> Option<String>;
}

/// No brake but the database's.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoBrake;

impl Brake for NoBrake {
    fn pulled(&self) -> Option<String> {
        None
    }
}

/// Several brakes: each of them is enough.
#[derive(Debug, Clone)]
pub struct Brakes(pub Vec<std::sync::Arc<dyn Brake>>);

impl Brake for Brakes {
    fn pulled(&self) -> Option<String> {
        self.0.iter().find_map(|brake| brake.pulled())
    }
}
