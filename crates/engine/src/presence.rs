//! The signs of life of this process, for all who ask whether somebody dials.

use std::sync::Arc;
use std::time::Duration;

use ringfence_domain::{Clock, StopSwitch};
use ringfence_store::{Database, StoreError, Takes};
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
    give_signs(store, clock, name, stop, EVERY, None).await;
}

/// The same for a process that shares its lanes.
pub async fn stay_sharing(
    store: Arc<Database>,
    clock: Arc<dyn Clock>,
    name: String,
    stop: CancellationToken,
    share: Share,
) {
    give_signs(store, clock, name, stop, EVERY_OF_SHARING, Some(share)).await;
}

/// What a process takes of the lanes that several share.
#[derive(Debug)]
pub struct Share {
    /// The lanes that it can dial, each with its settings.
    pub takes: Takes,
    /// What keeps it from dialling. While it is active the process keeps the lanes that it has, so that calls which are
    /// out are asked about, and takes none from another process, which can dial them.
    pub stop_switch: Arc<dyn StopSwitch>,
}

impl Share {
    /// Says which lanes the process takes, unless it `said` the same before.
    async fn say(&self, store: &Database, name: &str, said: &mut Option<bool>) -> Result<(), StoreError> {
        let is_stopped = self.stop_switch.active().is_some();
        if *said != Some(is_stopped) {
            let takes = if is_stopped { Takes::new() } else { self.takes.clone() };
            store.share_lanes(name.to_owned(), takes).await?;
            *said = Some(is_stopped);
        }
        Ok(())
    }
}

async fn give_signs(
    store: Arc<Database>,
    clock: Arc<dyn Clock>,
    name: String,
    stop: CancellationToken,
    every: Duration,
    share: Option<Share>,
) {
    let mut said = None;
    loop {
        if let Some(share) = &share
            && let Err(error) = share.say(&store, &name, &mut said).await
        {
            tracing::debug!(%error, "no word on the lanes that are shared: {error}");
        }
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
