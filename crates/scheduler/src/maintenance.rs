//! What nobody dials for: campaigns whose last day is over, closed runs in which somebody still
//! waits, canaries.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use ringfence_domain::{CampaignState, Clock, Moment, PausedBy, Reading, Span, StopReason};
use ringfence_store::{Canary, Database, LaneEffect, LaneLease, StopOrder, StopScope, StoreError, TroubleKind};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How often it looks.
const ROUND: Duration = Duration::from_secs(1);
/// While the clock is in doubt, or the witness cannot be written, the lane is told again and again
/// to rest for so long.
const RESTS: Span = Span::from_secs(10);
/// So often, in milliseconds: what was told by one clock is set back with it.
const SAY_AGAIN: u64 = 4_000;

/// Looks after the runs of one lane for as long as it is ours.
#[derive(Debug)]
pub struct Maintenance {
    store: Arc<Database>,
    clock: Arc<dyn Clock>,
    tenure: Arc<LaneLease>,
    /// The clock was in doubt, or is new to us: it may have been set back.
    doubted: AtomicBool,
    /// The boot time, in milliseconds, at which the lane was last told that it rests for that.
    said_at: AtomicU64,
}

impl Maintenance {
    /// A caretaker of the lane of `tenure`.
    pub fn new(store: Arc<Database>, clock: Arc<dyn Clock>, tenure: Arc<LaneLease>) -> Self {
        Self { store, clock, tenure, doubted: AtomicBool::new(true), said_at: AtomicU64::new(0) }
    }

    /// Looks again and again until told to stop. `changed`: rung when somebody may be dialled who
    /// could not.
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
        let reading = self.clock.read();
        if reading.in_doubt() {
            self.doubt(reading).await?;
            return Ok(false);
        }
        if let Some(outage) = self.store.outage().filter(|outage| outage.trouble.kind == TroubleKind::Witness) {
            let why = format!("{}; {}", outage.trouble, outage.trouble.hint());
            self.say(reading.now, why).await?;
        }
        let set_right = self.set_right(reading.now).await?;
        self.end_campaigns().await?;
        for (run, reason) in self.store.closed_runs_with_waiting(self.tenure.lane).await? {
            let order = StopOrder::new(run, StopScope::All, reason, self.clock.read().now);
            let stopped = order.carry_out(&self.store).await?;
            tracing::info!("{stopped} contacts were stopped: {reason}");
        }
        // An undo may have been cut short before it had stopped everyone.
        for (run, import) in self.store.undone_with_waiting(self.tenure.lane).await? {
            let order = StopOrder::new(run, StopScope::Import(import), StopReason::Undone, self.clock.read().now);
            order.carry_out(&self.store).await?;
        }
        let uncapped = self.store.uncap(self.tenure.lane, self.clock.read().now).await?;
        let mut released = set_right || uncapped;
        for canary in self.store.canaries(self.tenure.lane, self.clock.read().now).await? {
            released |= self.judge(&canary).await?;
        }
        Ok(released)
    }

    /// Says, where people look, why nobody is dialled.
    async fn doubt(&self, reading: Reading) -> Result<(), StoreError> {
        self.doubted.store(true, Ordering::Relaxed);
        let why = "the clock of the database was set, or cannot be read: nobody is dialled before it has been steady \
                   for a minute";
        self.say(reading.now, why.to_owned()).await
    }

    /// The lane rests, and says why, for as long as this is said again.
    async fn say(&self, now: Moment, why: String) -> Result<(), StoreError> {
        let boot = self.clock.boot().as_millis() as u64;
        if boot.saturating_sub(self.said_at.load(Ordering::Relaxed)) >= SAY_AGAIN {
            self.store.affect_lane(self.tenure.lane, LaneEffect::Slow(now + RESTS, why), now).await?;
            self.said_at.store(boot, Ordering::Relaxed);
        }
        Ok(())
    }

    /// What was reckoned by a clock that was later does not wait until it is as late again. True
    /// when somebody is due for it.
    async fn set_right(&self, now: Moment) -> Result<bool, StoreError> {
        if !self.doubted.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let moved = self.store.set_right(self.tenure.lane, now).await?;
        if moved > 0 {
            tracing::warn!("the clock was set back: {moved} contacts are due by the new time");
        }
        self.doubted.store(false, Ordering::Relaxed);
        Ok(moved > 0)
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
