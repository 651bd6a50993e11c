//! The signs of life of this process, for all who ask whether somebody dials.

use std::sync::Arc;
use std::time::Duration;

use ringfence_domain::Clock;
use ringfence_store::{Database, StoreError};
use tokio_util::sync::CancellationToken;

/// How often a process gives a sign. Those that share lanes with it miss it sooner than those who only
/// tell people whether somebody dials.
const EVERY: Duration = Duration::from_secs(2);

/// How long a process that leaves waits for a database to take its last word.
const LAST_WORD: Duration = Duration::from_secs(2);

/// Introduces the process of this name, which carries out `command`.
pub async fn introduce(store: &Database, clock: &dyn Clock, name: &str, command: &str) -> Result<(), StoreError> {
    store.begin_process(name.to_owned(), command.to_owned(), clock.read().now).await
}

/// Gives signs of life until `stop`, and then says that the process leaves.
pub async fn stay(store: Arc<Database>, clock: Arc<dyn Clock>, name: String, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => break,
        }
        // The lanes' own loops speak of a database that does not answer.
        if let Err(error) = store.sign_of_life(name.clone(), clock.read().now).await {
            tracing::debug!(%error, "no sign of life: {error}");
        }
    }
    drop(tokio::time::timeout(LAST_WORD, store.end_process(name, clock.read().now)).await);
}
