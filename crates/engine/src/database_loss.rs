//! The ends that a database gives to a process: its file is gone, or it cannot be used for too
//! long.

use std::sync::Arc;
use std::time::Duration;

use ringfence_domain::StopSwitch;
use ringfence_store::{Database, Outage};

use crate::outage;

/// How often the process looks whether the file is still there.
const LOOK: Duration = Duration::from_millis(250);

/// Why a process cannot go on with its database.
#[derive(Debug)]
pub enum DatabaseLoss {
    /// The file was deleted, moved or replaced under this process; with a sentence for people.
    Gone(String),
    /// The database cannot be used.
    Unusable(Outage),
}

impl DatabaseLoss {
    /// Returns the loss of the file when another file, or none, stands where it was opened. Nobody
    /// is dialled from then on.
    pub fn of_file(store: &Database) -> Option<Self> {
        store.file().and_then(|file| file.active()).map(Self::Gone)
    }

    /// Returns once the database is lost.
    pub async fn comes(store: &Arc<Database>) -> Self {
        tokio::select! {
            gone = vanishes(store) => gone,
            outage = outage::lasts(store) => Self::Unusable(outage),
        }
    }
}

async fn vanishes(store: &Database) -> DatabaseLoss {
    loop {
        if let Some(gone) = DatabaseLoss::of_file(store) {
            return gone;
        }
        tokio::time::sleep(LOOK).await;
    }
}
