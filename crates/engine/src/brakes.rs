//! The brakes beside the rows: each forbids every new call of a process, whatever the database
//! says.

use std::path::Path;
use std::sync::Arc;

use ringfence_domain::Brake;
use ringfence_domain::brake::Brakes;
use ringfence_store::Database;

use crate::stop_file::StopFile;

/// Returns the brake of the file `STOP` beside this configuration.
pub fn stop_file(config: &Path) -> Arc<dyn Brake> {
    Arc::new(StopFile::beside(config))
}

/// Returns every brake of a process that dials: the file `STOP` beside its configuration, and a
/// database file that is gone.
pub fn all(config: &Path, store: &Database) -> Arc<dyn Brake> {
    let file = store.file().map(|file| Arc::new(file) as Arc<dyn Brake>);
    Arc::new(Brakes(std::iter::once(stop_file(config)).chain(file).collect()))
}
