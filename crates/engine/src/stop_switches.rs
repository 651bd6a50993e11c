//! The stop switches beside the rows: each forbids every new call of a process, whatever the
//! database says.

use std::path::Path;
use std::sync::Arc;

use ringfence_domain::StopSwitch;
use ringfence_domain::stop_switch::StopSwitches;
use ringfence_store::Database;

use crate::stop_file::StopFile;

/// Returns the stop switch of the file `STOP` beside this configuration.
pub fn stop_file(config: &Path) -> Arc<dyn StopSwitch> {
    Arc::new(StopFile::beside(config))
}

/// Returns every stop switch of a process that dials: the file `STOP` beside its configuration, and
/// a database file that is gone.
pub fn all(config: &Path, store: &Database) -> Arc<dyn StopSwitch> {
    let file = store.file().map(|file| Arc::new(file) as Arc<dyn StopSwitch>);
    Arc::new(StopSwitches(std::iter::once(stop_file(config)).chain(file).collect()))
}
