//! Campaigns, their runs and their schedules.

pub(crate) mod apply;
mod changed_keys;
pub(crate) mod hold;
pub(crate) mod recent_failures;
pub(crate) mod rows;
pub(crate) mod run_leader;
pub(crate) mod runs;
pub(crate) mod schedules;
pub(crate) mod uncap;
