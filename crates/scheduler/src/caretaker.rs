//! What nobody dials for: campaigns whose last day is over, closed runs in which somebody still waits, canaries.

use std::sync::Arc;
use std::time::Duration;

use ringfence_domain::{CampaignState, Clock, PausedBy, StopReason};
use ringfence_store::{Canary, Database, StopOrder, Store, StoreError, Tenure, Whom};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How often it looks.
const ROUND: Duration = Duration::from_secs(1);

/// Looks after the runs of one lane for as long as it is ours.
#[derive(Debug)]
pub struct Caretaker {
    store: Arc<Database>,
    clock: Arc<dyn Clock>,
    tenure: Arc<Tenure>,
}

impl Caretaker {
    /// A caretaker of the lane of `tenure`.
    pub fn new(store: Arc<Database>, clock: Arc<dyn Clock>, tenure: Arc<Tenure>) -> Self {
        Self { store, clock, tenure }
    }

    /// Looks again and again until told to stop. `changed`: rung when somebody may be dialled who could not.
    pub async fn run(self, changed: Arc<Notify>, stop: CancellationToken) {
        while !stop.is_cancelled() && self.tenure.holds(self.clock.boot()) {
            match self.run_once().await {
                Ok(true) => changed.notify_one(),
                Ok(false) => {}
                Err(error) => tracing::error!(%error, "runs cannot be looked after: {error}"),
            }
            tokio::select! {
                () = tokio::time::sleep(ROUND) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// One look. True when contacts that were held back may be dialled now.
    pub async fn run_once(&self) -> Result<bool, StoreError> {
        self.end_campaigns().await?;
        for (run, reason) in self.store.closed_runs_with_waiting(self.tenure.lane).await? {
            let order = StopOrder::new(run, Whom::All, reason, self.clock.read().now);
            let stopped = order.carry_out(&*self.store).await?;
            tracing::info!("{stopped} contacts were stopped: {reason}");
        }
        // An undo may have been cut short before it had stopped everyone.
        for (run, import) in self.store.undone_with_waiting(self.tenure.lane).await? {
            let order = StopOrder::new(run, Whom::Import(import), StopReason::Undone, self.clock.read().now);
            order.carry_out(&*self.store).await?;
        }
        let mut released = false;
        for canary in self.store.canaries(self.tenure.lane, self.clock.read().now).await? {
            released |= self.judge(&canary).await?;
        }
        Ok(released)
    }

    /// Nobody of a campaign waits any more once its last day is over.
    async fn end_campaigns(&self) -> Result<(), StoreError> {
        let reading = self.clock.read();
        for id in self.store.campaigns_of(self.tenure.lane).await? {
            let campaign = match self.store.campaign_by_id(id).await {
                Ok(campaign) => campaign,
                // The planner says so, and dials nobody of it.
                Err(StoreError::Corrupt { .. }) => continue,
                Err(error) => return Err(error),
            };
            let over = campaign.rules.schedule.over_at(campaign.rules.calling.timezone);
            if campaign.state != CampaignState::Cancelled
                && over.is_some_and(|over| over <= reading.earliest())
                && self.store.run(campaign.run).await?.closed_for.is_none()
            {
                tracing::info!(campaign = campaign.rules.name, "the last day of {} is over", campaign.rules.name);
                self.store.end_run(campaign.id, campaign.revision).await?;
            }
        }
        Ok(())
    }

    /// Lets the rest of an import go, or pauses its campaign, once the canary's calls are over.
    async fn judge(&self, canary: &Canary) -> Result<bool, StoreError> {
        if canary.pending > 0 {
            return Ok(false);
        }
        let campaign = match self.store.campaign_by_id(canary.campaign).await {
            Ok(campaign) => campaign,
            Err(StoreError::Corrupt { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        let now = self.clock.read().now;
        if canary.put_off > 0 {
            self.store.replace_canaries(canary.import, now).await?;
            return Ok(true);
        }
        let Some(reason) = campaign.rules.safety.judge_canary(canary.failures, canary.calls) else {
            self.store.release_import(campaign.run, canary.import, now).await?;
            return Ok(true);
        };
        if campaign.state == CampaignState::Running {
            tracing::error!("{} is paused: {reason}", campaign.rules.name);
            self.store.pause_campaign(canary.campaign, PausedBy::Safety, reason, now).await?;
        }
        Ok(false)
    }
}
