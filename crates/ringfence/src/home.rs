//! The workspace of a command: where its flags say that configuration and database are.

use std::path::Path;
use std::sync::Arc;

use ringfence_domain::StopSwitch;
use ringfence_engine::stop_switches;
use ringfence_intake::Config;

use crate::common::Common;
use crate::failure::Failure;

pub use ringfence_operations::Workspace as Home;
pub use ringfence_operations::workspace::{is_listed, provider, report_address};

/// Reads the configuration; an empty one when there is no file.
pub fn read_config(common: &Common, campaign: Option<&Path>) -> Result<Config, Failure> {
    ringfence_operations::workspace::read_config(&common.place(), campaign)
}

/// Returns the stop switch of the file `STOP` beside the configuration.
pub fn stop_switch(config: &Config) -> Arc<dyn StopSwitch> {
    stop_switches::stop_file(&config.path)
}
