//! The signs of life of this process, for all who ask whether somebody dials.

use std::sync::Arc;
use std::time::Duration;

use ringfence_domain::Clock;
use ringfence_store::{Database, StoreError};
use tokio_util::sync::CancellationToken;

/// How often a process gives a sign. A reader takes one without a sign for three times as long to
/// be gone.
const EVERY: Duration = Duration::from_secs(10);

/// The same for a process that shares lanes: nobody is to hand a lane to one that is gone.
const EVERY_OF_SHARING: Duration = Duration::from_secs(2);

/// How long a process that leaves waits for a database to take its last word.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Introduces the process of this name, which carries out `command`.
pub async fn introduce(store: &Database, clock: &dyn Clock, name: &str, command: &str) -> Result<(), StoreError> {
    store.begin_process(name.to_owned(), command.to_owned(), clock.read().now).await
}

/// Gives signs of life until `stop`, and then says that the process leaves.
pub async fn stay(store: Arc<Database>, clock: Arc<dyn Clock>, name: String, stop: CancellationToken) {
    give_signs(store, clock, name, stop, EVERY).await;
}

/// The same for a process that shares its lanes.
pub async fn stay_sharing(store: Arc<Database>, clock: Arc<dyn Clock>, name: String, stop: CancellationToken) {
    give_signs(store, clock, name, stop, EVERY_OF_SHARING).await;
}

async fn give_signs(
    store: Arc<Database>,
    clock: Arc<dyn Clock>,
    name: String,
    stop: CancellationToken,
    every: Duration,
) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = stop.cancelled() => break,
        }
        // The lanes' own loops speak of a database that does not answer.
        if let Err(error) = store.sign_of_life(name.clone(), clock.read().now).await {
            tracing::debug!(%error, "no sign of life: {error}");
        }
    }
    drop(tokio::time::timeout(LAST_WORD, store.end_process(name, clock.read().now)).await);
}
