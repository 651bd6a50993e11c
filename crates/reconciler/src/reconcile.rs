//! The reconciler of one lane, in rounds.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use ringfence_domain::{AttemptId, AttemptState, Campaign, CampaignId, Clock, LaneEffect, Moment, Span};
use ringfence_providers::{AskError, Pacer, Provider};
use ringfence_store::{Database, LaneLease, LiveCall, Settlement, StoreError, SweepOrder};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::poll_backoff::PollBackoff;

/// The time after its claim within which a request is over: the sending limit, connecting and
/// answering, and some room.
const SENDING_FOR: Span = Span::from_secs(2 + 15 + 5);
/// The time within which a call is over, from the moment that the vendor begins to dial.
pub(crate) const RING_AND_TALK: Span = Span::from_hours(1);
/// The time after its claim before which nobody looks for a lost call: the vendor's list lags
/// behind.
const GRACE: Span = Span::from_secs(3);
/// How often a round looks whether the lane is still ours.
const LOOK_AT_LEASE: Duration = Duration::from_millis(250);
const SWEEP_EVERY: Span = Span::from_secs(2);
const REPORTS_EVERY: Span = Span::from_millis(500);
/// The number of questions in a row without an answer after which the lane rests and says so.
const TROUBLES: u32 = 5;
/// The longest and the shortest pause between two rounds.
const ROUND: Duration = Duration::from_millis(250);
const SHORTEST_ROUND: Duration = Duration::from_millis(100);
/// The pause between two readings of the list of calls that are out, in multiples of the time that a
/// reading takes. Calls that this process places meanwhile are known without it.
const READING: u32 = 20;
/// The list is no older than this: other processes may have changed something.
const LONGEST_READING: Duration = Duration::from_secs(10);

/// The result of a round.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Attempts that were settled.
    pub settled: u32,
    /// Attempts that nobody worked on any more, and that were swept.
    pub swept: u32,
    /// Whether more calls are due to be asked about.
    pub again: bool,
}

/// Reconciles one lane for as long as it is ours.
#[derive(Debug)]
pub struct Reconciler {
    pub(crate) store: Arc<Database>,
    clock: Arc<dyn Clock>,
    pub(crate) lease: Arc<LaneLease>,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) pacer: Arc<Pacer>,
    pub(crate) backoff: PollBackoff,
    /// Attempts whose calls were placed.
    placed: mpsc::UnboundedReceiver<Vec<AttemptId>>,
    /// The list of calls that are out is read again from then on.
    read_at: Instant,
    rest_until: Moment,
    pub(crate) consecutive_failures: u32,
    sweep_at: Moment,
    reports_at: Moment,
    pub(crate) inquire_at: Moment,
    pub(crate) usual_at: Moment,
    pub(crate) usual: Option<Span>,
    pub(crate) forget_at: Moment,
    /// Calls that were reported to the addresses of single attempts of unknown fate.
    pub(crate) reported: HashMap<AttemptId, Vec<String>>,
    /// The rules of campaigns that have calls out; none for rules that cannot be read: their calls
    /// wait until they can.
    pub(crate) campaigns: HashMap<CampaignId, Option<Campaign>>,
    pub(crate) campaigns_at: Moment,
    /// The difference, in milliseconds, of the clock to the one that nobody sets, in the last
    /// round.
    pub(crate) clock_offset: Option<i64>,
    /// By how many milliseconds the clock was set since each call was sent.
    pub(crate) set_by: HashMap<AttemptId, i64>,
}

impl Reconciler {
    /// Makes the reconciler of the lane of `lease`. `placed`: attempts whose calls were placed, so that
    /// they are known before the list is read again.
    pub fn new(
        store: Arc<Database>,
        clock: Arc<dyn Clock>,
        lease: Arc<LaneLease>,
        provider: Arc<dyn Provider>,
        pacer: Arc<Pacer>,
        placed: mpsc::UnboundedReceiver<Vec<AttemptId>>,
    ) -> Self {
        let backoff = PollBackoff::new(lease.settings.limits.requests);
        let start = Moment::default();
        Self {
            store,
            clock,
            lease,
            provider,
            pacer,
            backoff,
            placed,
            read_at: Instant::now(),
            rest_until: start,
            consecutive_failures: 0,
            sweep_at: start,
            reports_at: start,
            inquire_at: start,
            usual_at: start,
            usual: None,
            forget_at: start,
            reported: HashMap::new(),
            campaigns: HashMap::new(),
            campaigns_at: start,
            clock_offset: None,
            set_by: HashMap::new(),
        }
    }

    /// Does rounds until told to stop. Rings `settled` when slots may have come free.
    pub async fn run(mut self, settled: Arc<Notify>, stop: CancellationToken) {
        let (lease, clock) = (self.lease.clone(), self.clock.clone());
        while !stop.is_cancelled() && self.lease.holds(self.clock.boot()) {
            let round = tokio::select! {
                round = self.run_once() => round,
                () = stop.cancelled() => return,
                // Nothing is asked past the end of the lease, as another owner may ask by then.
                () = lease_ends(&lease, &*clock) => return,
            };
            let mut wait = ROUND;
            match round {
                Ok(done) => {
                    if done.settled + done.swept > 0 {
                        settled.notify_one();
                    }
                    let next = self.backoff.next().map_or(ROUND, |at| at.since(self.tick()).duration());
                    wait = if done.again { Duration::ZERO } else { next.clamp(SHORTEST_ROUND, ROUND) };
                }
                Err(error) => {
                    tracing::error!(%error, "calls cannot be reconciled: {error}");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Does one round.
    pub async fn run_once(&mut self) -> Result<Reconciled, StoreError> {
        let mut done = Reconciled::default();
        let (reading, tick) = (self.clock.read(), self.tick());
        // Nothing is concluded from the age of a call while nobody knows the time.
        if reading.in_doubt() {
            return Ok(done);
        }
        let now = reading.now;
        self.heed_clock(now, tick).await?;
        if tick >= self.sweep_at {
            self.sweep_at = tick + SWEEP_EVERY;
            let order = SweepOrder {
                lane: self.lease.lane,
                epoch: self.lease.epoch,
                now,
                sending_for: SENDING_FOR,
                overdue_at: self.provider.held_until(now) + RING_AND_TALK,
                lapse_before: now,
            };
            let swept = self.store.sweep(order).await?;
            done.swept = swept.lapsed + swept.unknown;
        }
        if tick >= self.reports_at {
            self.reports_at = tick + REPORTS_EVERY;
            self.read_reports(now).await?;
        }
        if tick >= self.inquire_at {
            self.inquire(now, tick).await?;
        }
        self.learn_usual(tick).await?;
        if tick < self.rest_until || !self.lease.holds(self.clock.boot()) {
            return Ok(done);
        }
        self.look_over(now, tick).await?;
        let most = self.provider.asks_together();
        let due = self.backoff.due(tick, most);
        if due.is_empty() {
            return Ok(done);
        }
        let calls = self.store.live_calls_of(self.lease.lane, due.clone()).await?;
        let out: HashSet<AttemptId> = calls.iter().map(|call| call.attempt).collect();
        for attempt in due.iter().filter(|attempt| !out.contains(attempt)) {
            self.backoff.forget(*attempt);
        }
        self.read_campaigns(&calls).await?;
        // Without rules nobody is asked, and slots are freed in time all the same.
        let (readable, unread): (Vec<&LiveCall>, Vec<&LiveCall>) =
            calls.iter().partition(|call| self.rules_of(call.campaign).is_some());
        for call in &unread {
            self.backoff.still_pending(call.attempt, tick);
        }
        let mut settlements: Vec<_> = self.silent(unread.into_iter(), now).collect();
        let (unknown, placed): (Vec<&LiveCall>, Vec<&LiveCall>) =
            readable.into_iter().partition(|call| call.state == AttemptState::Unknown);
        if !placed.is_empty() {
            self.ask(&placed, now, &mut settlements).await?;
        }
        if !unknown.is_empty() {
            self.find(&unknown, now, &mut settlements).await?;
        }
        if !settlements.is_empty() {
            done.settled = self.settle(settlements).await?;
        }
        done.again = due.len() == most;
        Ok(done)
    }

    /// Learns which calls are out: from the list now and then, and in between from what was placed.
    async fn look_over(&mut self, now: Moment, tick: Moment) -> Result<(), StoreError> {
        let mut placed = Vec::new();
        while let Ok(some) = self.placed.try_recv() {
            placed.extend(some);
        }
        let begun = Instant::now();
        if begun >= self.read_at {
            let out = self.store.call_ages(self.lease.lane).await?;
            let ids: HashSet<AttemptId> = out.iter().map(|call| call.attempt).collect();
            self.backoff.retain(|attempt| ids.contains(attempt));
            self.set_by.retain(|attempt, _| ids.contains(attempt));
            for call in out {
                // Reckoned by the clock that nobody sets: a call that was sent in the future was
                // sent just now.
                let since = tick - now.since(call.sending_at);
                if call.state == AttemptState::Unknown {
                    self.backoff.begin_lost(call.attempt, since + GRACE);
                } else {
                    self.backoff.begin(call.attempt, since);
                }
            }
            let end = Instant::now();
            self.read_at = end + ((end - begun) * READING).min(LONGEST_READING);
        }
        for attempt in placed {
            self.backoff.begin(attempt, tick);
        }
        Ok(())
    }

    /// Returns the present by the clock that nobody sets. Work at intervals goes by it, because the
    /// database's clock may be set back.
    pub(crate) fn tick(&self) -> Moment {
        Moment::from_millis(self.clock.boot().as_millis() as i64)
    }

    /// Settles attempts. When the database refuses one of them, the others are settled all the
    /// same.
    async fn settle(&self, settlements: Vec<(AttemptId, Settlement)>) -> Result<u32, StoreError> {
        let now = self.clock.read().now;
        match self.store.settle(settlements.clone(), now).await {
            Err(StoreError::Refused(error)) => {
                tracing::error!(%error, "settling together was refused, and is done one by one: {error}");
                let mut settled = 0;
                for one in settlements {
                    let attempt = one.0;
                    match self.store.settle(vec![one], now).await {
                        Ok(done) => settled += done.settled,
                        Err(error) => {
                            tracing::error!(%error, attempt.id = %attempt, "attempt {attempt} cannot be settled: {error}");
                        }
                    }
                }
                Ok(settled)
            }
            done => Ok(done?.settled),
        }
    }

    /// Notes a question that was not answered, and lets the lane rest or pause for it.
    pub(crate) async fn trouble(&mut self, error: &AskError, now: Moment) -> Result<(), StoreError> {
        tracing::warn!(%error, "lane {} does not say how its calls stand: {error}", self.lease.settings.name);
        let effect = match error {
            AskError::LaneFault(cause) => {
                self.rest_until = self.tick() + Span::from_secs(30);
                LaneEffect::Pause(cause.clone())
            }
            AskError::Throttled { cause, retry_after } => {
                let rest = retry_after.unwrap_or(Span::from_secs(10));
                self.rest_until = self.tick() + rest;
                LaneEffect::Slow(now + rest, cause.clone())
            }
            AskError::Trouble(cause) => {
                self.rest_until = self.tick() + Span::from_secs(2);
                self.consecutive_failures += 1;
                // Now and then nobody answers; who never does must be seen, before every slot waits
                // for an outcome.
                if self.consecutive_failures < TROUBLES {
                    return Ok(());
                }
                LaneEffect::Trouble(format!("it does not say how calls stand: {cause}"))
            }
        };
        self.store.affect_lane(self.lease.lane, effect, now).await
    }
}

/// Returns when the lease is over.
async fn lease_ends(lease: &LaneLease, clock: &dyn Clock) {
    while lease.holds(clock.boot()) {
        tokio::time::sleep(LOOK_AT_LEASE).await;
    }
}
