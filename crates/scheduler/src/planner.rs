//! The planner of one lane: it chooses which contacts get an attempt now.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use ringfence_domain::{BucketId, CampaignId, Clock, ClockReading, LaneState, Moment, Rate, RunId, Span, StopSwitch};
use ringfence_store::{
    Closed, Database, EligibleBucket, LaneLease, LaneLoad, LaneStanding, Opened, Pick, Plan, RulesCache, StoreError,
};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::fair_share::{Candidate, Turns, fair_share};

/// The time within which an open attempt must be dialled; after it, the contact is planned again.
const DIAL_WITHIN: Span = Span::from_secs(30);
/// The time of dialling that attempts are opened for. With more of them, some would wait until
/// they lapse.
const AHEAD: Duration = Duration::from_secs(5);
/// The most attempts that one transaction opens, so that the first of them are dialled while the
/// next are opened.
const AT_ONCE: u32 = 1_000;
/// The same while nobody is being dialled: a window has just opened, and the first call waits for this
/// transaction.
const AT_FIRST: u32 = 50;
/// The most buckets that one tick looks at.
const BUCKETS: u32 = 2_000;
/// The wait before the next look at a window that does not open within the calendar's horizon.
const NEVER_WAIT: Span = Span::from_days(1);
/// The wait before the next look at rules that cannot be read.
const UNREADABLE_WAIT: Span = Span::from_minutes(1);
/// The wait for the next tick while nothing rings: another process may have changed something.
const IDLE: Duration = Duration::from_millis(500);

/// The pause before the next try for rows that other transactions have locked.
const BREATH: Duration = Duration::from_millis(5);

/// The result of a tick.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tick {
    /// Attempts opened.
    pub opened: u32,
    /// Buckets found closed.
    pub closed: u32,
    /// Whether more can be opened at once.
    pub again: bool,
    /// When the next contact becomes due, as far as is known.
    pub next_at: Option<Moment>,
}

/// What was seen of the buckets in one tick.
#[derive(Debug, Default)]
struct Looked {
    closed: Vec<Closed>,
    /// Until when what is opened must be dialled.
    until: HashMap<BucketId, Moment>,
    /// How much of each run may be opened.
    capacity: HashMap<RunId, u32>,
    candidates: Vec<Candidate>,
}

/// Plans one lane for as long as it is ours.
#[derive(Debug)]
pub struct Planner {
    store: Arc<Database>,
    clock: Arc<dyn Clock>,
    lease: Arc<LaneLease>,
    stop_switch: Arc<dyn StopSwitch>,
    only: Option<CampaignId>,
    rules: Arc<RulesCache>,
    turns: Turns,
    /// The lane was seen paused.
    was_paused: bool,
    /// Rung when a paused lane is open again: its secrets may be other ones by then.
    reopen: Arc<Notify>,
}

impl Planner {
    /// Makes the planner of the lane of `lease`, for all its campaigns or for one.
    pub fn new(
        store: Arc<Database>,
        clock: Arc<dyn Clock>,
        lease: Arc<LaneLease>,
        stop_switch: Arc<dyn StopSwitch>,
        only: Option<CampaignId>,
        rules: Arc<RulesCache>,
        reopen: Arc<Notify>,
    ) -> Self {
        let turns = Turns::new(lease.settings.lower_priorities);
        Self { store, clock, lease, stop_switch, only, rules, turns, was_paused: false, reopen }
    }

    /// Ticks until told to stop. `wake` rings when something changed in this process; the planner
    /// rings `opened` when it has opened attempts.
    pub async fn run(mut self, wake: Arc<Notify>, opened: Arc<Notify>, stop: CancellationToken) {
        while !stop.is_cancelled() && self.lease.holds(self.clock.boot()) {
            let mut wait = IDLE;
            match self.run_once().await {
                Ok(tick) => {
                    if tick.opened > 0 {
                        opened.notify_one();
                    }
                    if tick.again {
                        // What others hold for a moment is left to them for a moment.
                        wait = if tick.opened > 0 { Duration::ZERO } else { BREATH };
                    } else if let Some(at) = tick.next_at {
                        wait = wait.min(at.since(self.clock.read().now).duration());
                    }
                }
                Err(error) => {
                    tracing::error!(%error, "nothing is planned on lane {}: {error}", self.lease.settings.name);
                    wait = Duration::from_secs(1);
                }
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = wake.notified() => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Plans once.
    pub async fn run_once(&mut self) -> Result<Tick, StoreError> {
        let reading = self.clock.read();
        if reading.in_doubt() || !self.lease.holds(self.clock.boot()) {
            return Ok(Tick::default());
        }
        // It works without the database.
        if self.stop_switch.active().is_some() {
            return Ok(Tick::default());
        }
        let standing = self.store.lane_standing(self.lease.lane, reading.now).await?;
        if standing.lane.epoch != self.lease.epoch {
            return Ok(Tick::default());
        }
        if self.was_paused && standing.lane.state == LaneState::Open {
            self.was_paused = false;
            self.reopen.notify_one();
            return Ok(Tick::default());
        }
        self.was_paused = standing.lane.state == LaneState::Paused;
        if let Some(held) = standing.held_by(None, reading) {
            // By then it allows a call for certain, whatever the clock's error.
            let next_at = held.from(reading).map(|from| from + reading.error);
            return Ok(Tick { next_at, ..Tick::default() });
        }
        let mut buckets = self.store.eligible_buckets(self.lease.lane, reading.now, BUCKETS).await?;
        buckets.retain(|bucket| self.only.is_none_or(|only| bucket.campaign == only));
        if buckets.is_empty() {
            return Ok(Tick { next_at: self.next_at(reading).await?, ..Tick::default() });
        }
        let live = self.store.in_hand(&standing.lane, reading.now).await?;
        let LaneStanding { lane, left_today, stop } = standing;
        let load = LaneLoad { lane, live, left_today, stop };
        let all_free = self.free(&load);
        let free = all_free.min(if load.all().open > 0 { AT_ONCE } else { AT_FIRST });
        if free == 0 {
            return Ok(Tick::default());
        }
        let mut looked = Looked::default();
        for bucket in &buckets {
            self.look(bucket, &load, reading, &mut looked).await?;
        }
        let picks = self.picks(&buckets, &looked, free, reading);
        let closed = looked.closed;
        let asked: u32 = picks.iter().map(|pick| pick.count).sum();
        let mut tick = Tick { closed: closed.len() as u32, ..Tick::default() };
        if !picks.is_empty() || !closed.is_empty() {
            let plan = Plan { lane: self.lease.lane, epoch: self.lease.epoch, now: reading.now, picks, closed };
            let Opened { opened, number_busy, not_ours } = self.store.open_attempts(plan).await?;
            tick.opened = opened;
            // Buckets promised more than was due: what they did not take may go to others at once.
            tick.again = !not_ours
                && (opened + number_busy < asked
                    || (opened + number_busy >= free && free < all_free)
                    || (opened == 0 && tick.closed > 0));
        }
        // What is eligible now and was not opened waits for a slot, and a slot that comes free
        // rings.
        tick.next_at = self.next_at(reading).await?;
        Ok(tick)
    }

    /// When the next bucket becomes eligible; none when one is.
    async fn next_at(&self, reading: ClockReading) -> Result<Option<Moment>, StoreError> {
        Ok(self.store.next_eligible(self.lease.lane).await?.filter(|at| *at > reading.now))
    }

    /// Looks whether a bucket is open, and how much of it may be opened.
    async fn look(
        &self,
        bucket: &EligibleBucket,
        load: &LaneLoad,
        reading: ClockReading,
        looked: &mut Looked,
    ) -> Result<(), StoreError> {
        let (id, revision) = (bucket.id, bucket.revision);
        let mut close = |until| looked.closed.push(Closed { bucket: id, until, revision });
        let rules = match self.rules.at(&self.store, bucket.campaign, bucket.revision).await {
            Ok(rules) if rules.revision == revision => rules,
            // The campaign has a newer revision: the next tick finds it.
            Ok(_) => return Ok(()),
            // Rules that cannot be read are closed, and hold up nobody else.
            Err(error @ StoreError::Corrupt { .. }) => {
                tracing::error!(%error, campaign.id = %bucket.campaign, "nobody of a campaign is dialled: {error}");
                close(reading.now + UNREADABLE_WAIT);
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let limits = &rules.campaign.limits;
        let own = load.live.get(&bucket.run).copied().unwrap_or_default();
        let slots = limits.concurrent.map_or(u32::MAX, |concurrent| own.free(concurrent));
        let pace = limits.calls.map_or(u32::MAX, |rate| ahead(rate).saturating_sub(own.open));
        looked.capacity.insert(bucket.run, slots.min(pace));
        let vendor = self.lease.settings.vendor_hours();
        let (window, reopens) = rules.ask_window(&bucket.zones, vendor.as_ref(), |calendar| {
            let window = calendar.at(reading.earliest());
            let closes_now = window.open && window.next_change.is_some_and(|closing| closing <= reading.latest());
            let reopens =
                if closes_now { window.next_change.map(|closing| calendar.next_opening(closing)) } else { None };
            (window, reopens)
        });
        match (window.open, reopens) {
            (false, _) => close(window.next_change.unwrap_or(reading.now + NEVER_WAIT)),
            (true, Some(reopens)) => {
                let next = reopens.unwrap_or(reading.now + NEVER_WAIT);
                close(next.max(reading.now + Span::from_secs(1)));
            }
            (true, None) => {
                let closing = window.next_change.unwrap_or(Moment::NEVER);
                looked.until.insert(bucket.id, closing.min(reading.now + DIAL_WITHIN));
                looked.candidates.push(candidate(bucket));
            }
        }
        Ok(())
    }

    /// What to open of the buckets that are open.
    fn picks(&mut self, buckets: &[EligibleBucket], looked: &Looked, free: u32, reading: ClockReading) -> Vec<Pick> {
        let shares = fair_share(&looked.candidates, free, &looked.capacity, &mut self.turns);
        let pick = |(id, count)| {
            let bucket = buckets.iter().find(|bucket| bucket.id == id)?;
            let (dial_after, dial_before) = (reading.earliest(), *looked.until.get(&id)?);
            Some(Pick { bucket: id, count, dial_after, dial_before, revision: bucket.revision })
        };
        shares.into_iter().filter_map(pick).collect()
    }

    /// Returns how many attempts may be opened now.
    fn free(&self, load: &LaneLoad) -> u32 {
        let limits = &self.lease.settings.limits;
        let all = load.all();
        let (open, sending) = (all.open, all.sending);
        let free = all.free(limits.concurrent).min(ahead(limits.calls).saturating_sub(open));
        let free = load.left_today.map_or(free, |left| free.min(left.saturating_sub(open)));
        // After trouble one call tries whether it is over.
        if load.lane.consecutive_failures > 0 { free.min(1_u32.saturating_sub(open + sending)) } else { free }
    }
}

/// Returns how many calls a rate allows within the time that is planned ahead.
fn ahead(rate: Rate) -> u32 {
    (AHEAD.as_secs_f64() / rate.spacing().as_secs_f64()).ceil().max(1.0) as u32
}

fn candidate(bucket: &EligibleBucket) -> Candidate {
    Candidate {
        bucket: bucket.id,
        run: bucket.run,
        priority: bucket.priority,
        class: bucket.class,
        waiting: bucket.waiting.max(1),
    }
}
