//! The stop switch that works without a database.

/// A thing beside the rows that forbids every new call, such as the file `STOP`. Implementations
/// live outside this crate. A stop switch is asked before planning, before a claim, and once more
/// before a request leaves.
pub trait StopSwitch: Send + Sync + std::fmt::Debug {
    /// Returns why nothing may be dialled now; none when the stop switch is off. A stop switch that
    /// cannot be looked at is on.
    fn active(&self) -> Option<String>;
}

/// The stop switch that is never on: only the database's stop switches hold then.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoStopSwitch;

impl StopSwitch for NoStopSwitch {
    fn active(&self) -> Option<String> {
        None
    }
}

/// Several stop switches: one that is on is enough.
#[derive(Debug, Clone)]
pub struct StopSwitches(pub Vec<std::sync::Arc<dyn StopSwitch>>);

impl StopSwitch for StopSwitches {
    fn active(&self) -> Option<String> {
        self.0.iter().find_map(|stop_switch| stop_switch.active())
    }
}
