//! Writing what became of requests: as many in one transaction as have come together.

use std::sync::Arc;
use std::time::Duration;

use ringfence_domain::{Clock, Span};
use ringfence_store::{Database, LaneEffect, Sent, SentResult, Store, StoreError};
use tokio::sync::{Notify, mpsc};

/// Results in one transaction at most.
const BATCH: usize = 512;
/// Pause between tries when the database does not answer.
const AGAIN: Duration = Duration::from_millis(500);

/// Records results. It goes on until every sender is gone and everything is written.
#[derive(Debug)]
pub struct Recorder {
    store: Arc<Database>,
    clock: Arc<dyn Clock>,
    results: mpsc::Receiver<Sent>,
}

impl Recorder {
    /// A recorder, and where results go.
    pub fn new(store: Arc<Database>, clock: Arc<dyn Clock>) -> (mpsc::Sender<Sent>, Self) {
        let (sender, results) = mpsc::channel(4 * BATCH);
        (sender, Self { store, clock, results })
    }

    /// Writes results until there will be no more. `recorded` is rung after each transaction.
    pub async fn run(mut self, recorded: Arc<Notify>) {
        let mut batch = Vec::with_capacity(BATCH);
        while self.results.recv_many(&mut batch, BATCH).await > 0 {
            self.write(std::mem::take(&mut batch)).await;
            recorded.notify_one();
        }
    }

    /// One result that the database will not take must not hold up the others: its call counts as of unknown fate.
    async fn write_singly(&self, batch: Vec<Sent>, error: &(dyn std::error::Error + Sync)) {
        tracing::error!(%error, results = batch.len(), "results were refused together, and are written one by one: {error}");
        for sent in batch {
            let now = self.clock.read().now;
            if self.store.record(vec![sent.clone()], now).await.is_ok() {
                continue;
            }
            let cause = "the provider's answer could not be stored".to_owned();
            let overdue_at = now + Span::from_hours(1);
            let unknown =
                Sent { result: SentResult::Unknown { cause, overdue_at }, effect: LaneEffect::Nothing, ..sent };
            if let Err(error) = self.store.record(vec![unknown], now).await {
                tracing::error!(%error, "a result could not be written; the sweep will doubt it: {error}");
            }
        }
    }

    /// A receipt is not to be lost for as long as this process lives.
    async fn write(&self, batch: Vec<Sent>) {
        loop {
            match self.store.record(batch.clone(), self.clock.read().now).await {
                Ok(recorded) => {
                    if recorded.late > 0 {
                        tracing::warn!(
                            late = recorded.late,
                            "{} results came after their attempt was settled",
                            recorded.late
                        );
                    }
                    return;
                }
                Err(StoreError::Stopping) => return,
                Err(StoreError::Refused(error)) => return self.write_singly(batch, &error).await,
                Err(error) => {
                    tracing::error!(%error, results = batch.len(), "results cannot be written yet: {error}");
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }
}
