//! The recorder: it writes the results of requests, as many in one transaction as have come
//! together.

use std::sync::Arc;
use std::time::Duration;

use ringfence_domain::{AttemptId, Clock, LaneEffect, Placement, Span};
use ringfence_store::{Database, Sent, StoreError};
use tokio::sync::{Notify, mpsc};

/// The most results in one transaction.
const BATCH: usize = 1_024;
/// The first pause between two tries while the database takes nothing. The pauses grow up to the
/// longest.
const AGAIN: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(3);
/// The time after which results that the database has not taken are written into the file.
const SOON: Duration = Duration::from_secs(2);

/// Records results until every sender is gone and everything is written.
#[derive(Debug)]
pub struct Recorder {
    store: Arc<Database>,
    clock: Arc<dyn Clock>,
    results: mpsc::Receiver<Sent>,
}

impl Recorder {
    /// Makes a recorder. Returns it together with the sender that results go to.
    pub fn new(store: Arc<Database>, clock: Arc<dyn Clock>) -> (mpsc::Sender<Sent>, Self) {
        let (sender, results) = mpsc::channel(4 * BATCH);
        (sender, Self { store, clock, results })
    }

    /// Writes results until no more can come. Rings `recorded` after each transaction, and names the
    /// attempts whose calls were placed to `placed`.
    pub async fn run(mut self, recorded: Arc<Notify>, placed: mpsc::UnboundedSender<Vec<AttemptId>>) {
        let mut batch = Vec::with_capacity(BATCH);
        while self.results.recv_many(&mut batch, BATCH).await > 0 {
            let is_placed = |sent: &&Sent| matches!(sent.placement, Placement::Accepted { .. });
            let attempts = batch.iter().filter(is_placed).map(|sent| sent.attempt).collect();
            self.write(std::mem::take(&mut batch)).await;
            recorded.notify_one();
            // Nobody asks any more: the lane is left.
            drop(placed.send(attempts));
        }
    }

    /// Writes results. No receipt is lost: each is kept until the database has it, and is written
    /// into a file while the database does not take it.
    async fn write(&self, batch: Vec<Sent>) {
        match self.insist(batch.clone()).await {
            Ok(late) if late > 0 => tracing::warn!(late, "{late} results came after their attempt was settled"),
            Ok(_) | Err(StoreError::Stopping) => {}
            Err(error) => self.write_singly(batch, &error).await,
        }
    }

    /// Tries until the database takes the results, or refuses them for their own sake. Returns how
    /// many came after their attempt was settled.
    async fn insist(&self, batch: Vec<Sent>) -> Result<u32, StoreError> {
        let mut pause = AGAIN;
        loop {
            let recording = self.store.record(batch.clone(), self.clock.read().now);
            tokio::pin!(recording);
            let recorded = tokio::select! {
                recorded = &mut recording => recorded,
                // A process that hangs may be killed. What only this process knows must not be lost
                // with it.
                () = tokio::time::sleep(SOON) => {
                    self.write_down().await;
                    recording.await
                }
            };
            match recorded {
                Ok(recorded) => {
                    self.taken(&batch);
                    return Ok(recorded.late);
                }
                Err(error @ StoreError::Unavailable(_)) => {
                    tracing::error!(%error, results = batch.len(), "results cannot be written yet: {error}");
                    self.write_down().await;
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(LONGEST);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Writes results one by one, so that a result which the database refuses does not hold up the
    /// others. The call of a refused result becomes one of unknown fate.
    async fn write_singly(&self, batch: Vec<Sent>, error: &StoreError) {
        tracing::error!(%error, results = batch.len(), "results were refused together, and are written one by one: {error}");
        for sent in batch {
            let Err(error) = self.insist(vec![sent.clone()]).await else { continue };
            if matches!(error, StoreError::Stopping) {
                return;
            }
            let said = format!("{:?}", sent.placement);
            tracing::error!(%error, attempt.id = %sent.attempt, "the database refused {said}: {error}");
            let cause = format!("the provider's answer could not be stored: {said}");
            let overdue_at = self.clock.read().now + Span::from_hours(1);
            let placement = Placement::Unknown { cause };
            let unknown = Sent { placement, overdue_at, effect: LaneEffect::Nothing, ..sent };
            if let Err(error) = self.insist(vec![unknown.clone()]).await {
                tracing::error!(%error, "a result could not be written; the sweep will doubt it: {error}");
            }
            self.taken(&[unknown]);
        }
    }

    fn taken(&self, batch: &[Sent]) {
        let attempts: Vec<_> = batch.iter().map(|sent| sent.attempt).collect();
        self.store.receipts().taken(&attempts);
    }

    async fn write_down(&self) {
        let store = self.store.clone();
        let written = tokio::task::spawn_blocking(move || store.receipts().write_down()).await;
        if let Ok(Err(error)) = written {
            tracing::warn!(%error, "what providers said is kept in this process only: {error}");
        }
    }
}
