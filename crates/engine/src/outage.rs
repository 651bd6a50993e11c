//! A process that cannot use its database for a minute ends, so that a supervisor starts it anew.

use std::sync::Arc;
use std::time::Duration;

use ringfence_store::{Database, Outage};

/// A database that cannot be used for this long is not waited for.
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK: Duration = Duration::from_secs(1);

/// Returns once the database, or its witness, has not been usable for a minute.
pub async fn lasts(store: &Arc<Database>) -> Outage {
    outlasts(store, PATIENCE).await
}

/// Does the same for another patience.
pub async fn outlasts(store: &Arc<Database>, patience: Duration) -> Outage {
    loop {
        tokio::time::sleep(LOOK).await;
        if let Some(outage) = store.outage().filter(|outage| outage.lasts >= patience) {
            return outage;
        }
    }
}
