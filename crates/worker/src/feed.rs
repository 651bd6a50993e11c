//! The feeder: it reads open attempts and hands them on in bursts.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use ringfence_domain::{AttemptId, Clock};
use ringfence_store::{Burst, Database, LaneLease, StoreError};
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

/// The most open attempts that are read at once.
const READ: u32 = 4_096;
/// The most attempts that are claimed together.
pub(crate) const BURST: usize = 512;
const START: AttemptId = AttemptId(0);
/// The wait before the next look at the store while nothing rings.
const IDLE: Duration = Duration::from_secs(1);

/// Reads the open attempts of one lane and hands each on once.
#[derive(Debug)]
pub struct Feeder {
    store: Arc<Database>,
    clock: Arc<dyn Clock>,
    lease: Arc<LaneLease>,
    handed: HashSet<AttemptId>,
    /// The last attempt that was read; newer ones have greater ids.
    after: AttemptId,
}

impl Feeder {
    /// Makes the feeder of the lane of `lease`.
    pub fn new(store: Arc<Database>, clock: Arc<dyn Clock>, lease: Arc<LaneLease>) -> Self {
        Self { store, clock, lease, handed: HashSet::new(), after: START }
    }

    /// Hands bursts to the queue until told to stop. `opened` is rung when attempts were opened.
    pub async fn run(mut self, queue: mpsc::Sender<Burst>, opened: Arc<Notify>, stop: CancellationToken) {
        while !stop.is_cancelled() && self.lease.holds(self.clock.boot()) {
            match self.run_once().await {
                Ok((bursts, more)) => {
                    for burst in bursts {
                        tokio::select! {
                            sent = queue.send(burst) => if sent.is_err() { return },
                            () = stop.cancelled() => return,
                        }
                    }
                    if more {
                        continue;
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "open attempts cannot be read: {error}");
                    tokio::time::sleep(IDLE).await;
                }
            }
            tokio::select! {
                () = opened.notified() => {}
                // Now and then everything open is looked at again, also what an older id was left
                // with.
                () = tokio::time::sleep(IDLE) => self.after = START,
                () = stop.cancelled() => {}
            }
        }
    }

    /// Returns the bursts that were not handed on yet, and whether there are more to read.
    pub async fn run_once(&mut self) -> Result<(Vec<Burst>, bool), StoreError> {
        let mut bursts = self.store.bursts(self.lease.lane, self.lease.epoch, self.after, READ, BURST).await?;
        let open: HashSet<AttemptId> = bursts.iter().flat_map(|burst| &burst.calls).map(|call| call.attempt).collect();
        let more = open.len() >= READ as usize;
        if self.after == START && !more {
            self.handed.retain(|attempt| open.contains(attempt));
        }
        self.after = open.iter().max().copied().unwrap_or(self.after);
        for burst in &mut bursts {
            burst.calls.retain(|call| self.handed.insert(call.attempt));
        }
        bursts.retain(|burst| !burst.calls.is_empty());
        Ok((bursts, more))
    }
}
