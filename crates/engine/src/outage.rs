//! The end of a process that cannot use its database for a minute, so that a supervisor starts it
//! anew.

use std::sync::Arc;
use std::time::Duration;

use ringfence_store::{Database, Outage};

/// How long the process waits for a database that cannot be used.
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK: Duration = Duration::from_secs(1);

/// Returns once the database, or its witness, has not been usable for a minute.
pub async fn lasts(store: &Arc<Database>) -> Outage {
    outlasts(store, PATIENCE).await
}

/// Returns once the outage has lasted for `wait`.
pub async fn outlasts(store: &Arc<Database>, wait: Duration) -> Outage {
    loop {
        tokio::time::sleep(LOOK).await;
        if let Some(outage) = store.outage().filter(|outage| outage.lasts >= wait) {
            return outage;
        }
    }
}
