//! The care of runs that needs no dialling: campaigns whose last day is over, closed runs with
//! contacts that still wait, canaries.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use ringfence_domain::{CampaignState, Clock, ClockReading, LaneEffect, Moment, PausedBy, Span, StopReason};
use ringfence_store::{Canary, Database, LaneLease, StopOrder, StopScope, StoreError, TroubleKind};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// How often [`Maintenance`] looks.
const ROUND: Duration = Duration::from_secs(1);
/// How long the lane is told to rest, again and again, while the clock is in doubt or the witness
/// cannot be written.
const RESTS: Span = Span::from_secs(10);
/// How often the lane is told so, in milliseconds. It is told again because a rest is set back
/// together with the clock.
const SAY_AGAIN: u64 = 4_000;

/// Looks after the runs of one lane for as long as it is ours.
#[derive(Debug)]
pub struct Maintenance {
    store: Arc<Database>,
    clock: Arc<dyn Clock>,
    lease: Arc<LaneLease>,
    /// Whether the clock was in doubt, or is new to us, so that it may have been set back.
    doubted: AtomicBool,
    /// The boot time, in milliseconds, at which the lane was last told to rest for that.
    said_at: AtomicU64,
}

impl Maintenance {
    /// Makes the maintenance of the lane of `lease`.
    pub fn new(store: Arc<Database>, clock: Arc<dyn Clock>, lease: Arc<LaneLease>) -> Self {
        Self { store, clock, lease, doubted: AtomicBool::new(true), said_at: AtomicU64::new(0) }
    }

    /// Looks again and again until told to stop. Rings `changed` when contacts may be dialled that
    /// were held back.
    pub async fn run(self, changed: Arc<Notify>, stop: CancellationToken) {
        while !stop.is_cancelled() && self.lease.holds(self.clock.boot()) {
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

    /// Looks once. Returns true when contacts that were held back may be dialled now.
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
        for (run, reason) in self.store.closed_runs_with_waiting(self.lease.lane).await? {
            let order = StopOrder::new(run, StopScope::All, reason, self.clock.read().now);
            let stopped = order.carry_out(&self.store).await?;
            tracing::info!("{stopped} contacts were stopped: {reason}");
        }
        // An undo may have been cut short before it had stopped everyone.
        for (run, import) in self.store.undone_with_waiting(self.lease.lane).await? {
            let order = StopOrder::new(run, StopScope::Import(import), StopReason::Undone, self.clock.read().now);
            order.carry_out(&self.store).await?;
        }
        let uncapped = self.store.uncap(self.lease.lane, self.clock.read().now).await?;
        let mut released = set_right || uncapped;
        for canary in self.store.canaries(self.lease.lane, self.clock.read().now).await? {
            released |= self.judge(&canary).await?;
        }
        Ok(released)
    }

    /// Shows on the lane that nobody is dialled because the clock is in doubt.
    async fn doubt(&self, reading: ClockReading) -> Result<(), StoreError> {
        self.doubted.store(true, Ordering::Relaxed);
        let why = "the clock of the database was set, or cannot be read: nobody is dialled before it has been steady \
                   for a minute";
        self.say(reading.now, why.to_owned()).await
    }

    /// Lets the lane rest for [`RESTS`], with the reason `why`, unless it was told so a moment ago.
    async fn say(&self, now: Moment, why: String) -> Result<(), StoreError> {
        let boot = self.clock.boot().as_millis() as u64;
        if boot.saturating_sub(self.said_at.load(Ordering::Relaxed)) >= SAY_AGAIN {
            self.store.affect_lane(self.lease.lane, LaneEffect::Slow(now + RESTS, why), now).await?;
            self.said_at.store(boot, Ordering::Relaxed);
        }
        Ok(())
    }

    /// Makes contacts due again whose moments were computed by a clock that was set back since.
    /// Returns true when there are such contacts.
    async fn set_right(&self, now: Moment) -> Result<bool, StoreError> {
        if !self.doubted.load(Ordering::Relaxed) {
            return Ok(false);
        }
        let moved = self.store.set_right(self.lease.lane, now).await?;
        if moved > 0 {
            tracing::warn!("the clock was set back: {moved} contacts are due by the new time");
        }
        self.doubted.store(false, Ordering::Relaxed);
        Ok(moved > 0)
    }

    /// Closes the current run of each campaign whose last day is over, so that nobody of it waits
    /// any more.
    async fn end_campaigns(&self) -> Result<(), StoreError> {
        let reading = self.clock.read();
        for id in self.store.campaigns_of(self.lease.lane).await? {
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
                self.store.end_run(campaign.id, campaign.revision, reading.now).await?;
            }
        }
        Ok(())
    }

    /// Releases the rest of an import, or pauses its campaign, once the canary's calls are over.
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
