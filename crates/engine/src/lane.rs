//! The engine of one lane: scheduler, worker and reconciler, put together for as long as the lane
//! is ours.
//!
//! The three meet in the store. Only signals pass between them here ("something may have changed",
//! "these attempts were placed"), which spare waiting and reading. What they are about is read
//! from the rows.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use ringfence_domain::lane::LaneSettings;
use ringfence_domain::stop_switch::NoStopSwitch;
use ringfence_domain::{CampaignId, Clock, LaneId, Moment, ReportAddress, Span, StopSwitch};
use ringfence_providers::{Pacer, Provider};
use ringfence_reconciler::Reconciler;
use ringfence_scheduler::{LEFT_TO_OTHERS, LeaseHolder, LeaseOutcome, Maintenance, Planner, RENEW_EVERY};
use ringfence_store::{Database, LaneLease, RulesCache, StoreError, SweepOrder};
use ringfence_worker::{Dialer, Feeder, Recorder, queue};
use tokio::sync::{Notify, mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{Instrument, Span as TracingSpan, info_span};

use crate::handing_over::{Parting, hand_to};

/// The most bursts that are worked on at once.
const CONCURRENCY: usize = 4;
/// How long a stop waits for the answers to requests under way.
const LAST_ANSWERS: Duration = Duration::from_millis(15_500);
/// How long a stop then waits, at least, until everything is given back.
const LEAVE: Duration = Duration::from_secs(3);
/// How often this process asks for a lane that another one has.
const ASK_AGAIN: Duration = Duration::from_secs(1);
/// The time after which the use of the limits by the last owner does not matter: no limit has a
/// longer window.
const LONGEST_WINDOW: Span = Span::from_hours(1);

/// Whether this process dials the lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ownership {
    /// Not known yet.
    Asking,
    /// This process dials it.
    Ours,
    /// Another process does.
    Theirs {
        /// The name of that process.
        owner: String,
        /// It has other settings for the lane than this process's file.
        other_settings: bool,
    },
}

/// The engine of one lane.
#[derive(Debug)]
pub struct LaneEngine {
    store: Arc<Database>,
    clock: Arc<dyn Clock>,
    owner: String,
    lane: LaneId,
    settings: LaneSettings,
    /// With the secrets that were read last.
    provider: Mutex<Arc<dyn Provider>>,
    stop_switch: Arc<dyn StopSwitch>,
    reports: Option<ReportAddress>,
    only: Option<CampaignId>,
    ownership: watch::Sender<Ownership>,
    opener: Option<OpenProvider>,
    reopen: Arc<Notify>,
    is_shared: bool,
}

/// Makes the provider of a lane anew, with the secrets that its files hold by then.
#[derive(Clone)]
pub struct OpenProvider(pub Arc<dyn Fn() -> Result<Arc<dyn Provider>, String> + Send + Sync>);

impl std::fmt::Debug for OpenProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OpenProvider")
    }
}

impl LaneEngine {
    /// Makes the engine of a lane in the process named `owner`.
    pub fn new(
        store: Arc<Database>,
        clock: Arc<dyn Clock>,
        owner: String,
        lane: LaneId,
        settings: LaneSettings,
        provider: Arc<dyn Provider>,
    ) -> Self {
        let ownership = watch::Sender::new(Ownership::Asking);
        let stop_switch = Arc::new(NoStopSwitch);
        Self {
            store,
            clock,
            owner,
            lane,
            settings,
            provider: Mutex::new(provider),
            stop_switch,
            reports: None,
            only: None,
            ownership,
            opener: None,
            reopen: Arc::default(),
            is_shared: false,
        }
    }

    /// Sets the stop switch that is asked beside those of the database.
    #[must_use]
    pub fn with_stop_switch(mut self, stop_switch: Arc<dyn StopSwitch>) -> Self {
        self.stop_switch = stop_switch;
        self
    }

    /// Sets the addresses that the vendor may report calls to.
    #[must_use]
    pub fn reported_to(mut self, address: Option<ReportAddress>) -> Self {
        self.reports = address;
        self
    }

    /// Restricts the engine to one campaign, whatever else waits on the lane.
    #[must_use]
    pub fn only(mut self, campaign: CampaignId) -> Self {
        self.only = Some(campaign);
        self
    }

    /// Sets how the provider is made anew, whenever this process begins to dial the lane, and after
    /// a pause.
    #[must_use]
    pub fn opened_by(mut self, opener: OpenProvider) -> Self {
        self.opener = Some(opener);
        self
    }

    /// Hands the lane to another process that dials it and has fewer.
    #[must_use]
    pub fn shared(mut self) -> Self {
        self.is_shared = true;
        self
    }

    /// Returns the bell that lets the lane go and takes it again, with the secrets of that time.
    pub fn reopen(&self) -> Arc<Notify> {
        self.reopen.clone()
    }

    /// Returns whether this process dials the lane, as it changes.
    pub fn ownership(&self) -> watch::Receiver<Ownership> {
        self.ownership.subscribe()
    }

    /// Owns and dials the lane until `stop` is cancelled. After a stop, requests under way are
    /// finished and recorded.
    pub async fn run(self, stop: CancellationToken) {
        let span = info_span!("lane", lane = %self.settings.name);
        self.take_and_serve(stop).instrument(span).await;
    }

    async fn take_and_serve(self, stop: CancellationToken) {
        let holder = LeaseHolder::new(
            self.store.clone(),
            self.clock.clone(),
            self.owner.clone(),
            self.lane,
            self.settings.clone(),
        );
        let mut not_to = None;
        while !stop.is_cancelled() {
            let mut ask_again = ASK_AGAIN;
            match holder.acquire(self.stop_switch.active().is_some()).await {
                Ok(LeaseOutcome::Ours(lease)) => {
                    self.ownership.send_replace(Ownership::Ours);
                    let parting = self.serve(&holder, lease, &stop, not_to.take()).await;
                    if let Parting::HandedTo(name) = parting {
                        // It leaves the lane to us again if it cannot take it.
                        not_to = Some(name);
                        ask_again = LEFT_TO_OTHERS.duration();
                    }
                    self.ownership.send_replace(Ownership::Asking);
                }
                Ok(LeaseOutcome::Theirs { owner, other_settings }) => {
                    not_to = None;
                    let theirs = Ownership::Theirs { owner, other_settings };
                    self.ownership.send_if_modified(|known| {
                        let is_news = *known != theirs;
                        known.clone_from(&theirs);
                        is_news
                    });
                }
                Err(error) => tracing::error!(%error, "lane {} cannot be taken: {error}", self.settings.name),
            }
            tokio::select! {
                () = tokio::time::sleep(ask_again) => {}
                () = stop.cancelled() => {}
            }
        }
    }

    /// Returns the provider with the secrets of this time. While they cannot be read, those that
    /// were read last are used.
    fn provider(&self) -> Arc<dyn Provider> {
        match self.opener.as_ref().map(|opener| (opener.0)()) {
            Some(Ok(provider)) => *self.provider.lock().unwrap_or_else(PoisonError::into_inner) = provider,
            Some(Err(error)) => {
                tracing::error!("the secrets of lane {} cannot be read again: {error}", self.settings.name);
            }
            None => {}
        }
        self.last_provider()
    }

    fn last_provider(&self) -> Arc<dyn Provider> {
        self.provider.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Dials the lane. `not_to`: the process that it was handed to last, and that did not take it.
    async fn serve(
        &self,
        holder: &LeaseHolder,
        lease: Arc<LaneLease>,
        stop: &CancellationToken,
        not_to: Option<String>,
    ) -> Parting {
        let ending = stop.child_token();
        // Who rang before now is answered by what is read here.
        let _ = self.reopen.notified().now_or_never();
        let provider = self.provider();
        let pacer = self.pacer(&lease);
        let (opened, slot_free) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let sending = TaskTracker::new();
        let (results, recorder) = Recorder::new(self.store.clone(), self.clock.clone());
        let (bursts, queue) = mpsc::channel(CONCURRENCY);
        let (placed, news) = mpsc::unbounded_channel();
        let rules = Arc::new(RulesCache::default());
        let dialer = Dialer::new(
            self.store.clone(),
            self.clock.clone(),
            lease.clone(),
            provider.clone(),
            pacer.clone(),
            self.stop_switch.clone(),
            self.reports.clone(),
            results,
            sending.clone(),
            rules.clone(),
            ending.clone(),
        );

        let planner = Planner::new(
            self.store.clone(),
            self.clock.clone(),
            lease.clone(),
            self.stop_switch.clone(),
            self.only,
            rules,
            self.reopen.clone(),
        );
        let maintenance = Maintenance::new(self.store.clone(), self.clock.clone(), lease.clone());
        let feeder = Feeder::new(self.store.clone(), self.clock.clone(), lease.clone());
        let reconciler =
            Reconciler::new(self.store.clone(), self.clock.clone(), lease.clone(), provider, pacer.clone(), news);
        let loops = TaskTracker::new();
        let recorder = tokio::spawn(recorder.run(slot_free.clone(), placed).in_current_span());
        loops.spawn(planner.run(slot_free.clone(), opened.clone(), ending.clone()).in_current_span());
        loops.spawn(feeder.run(bursts, opened, ending.clone()).in_current_span());
        loops.spawn(maintenance.run(slot_free.clone(), ending.clone()).in_current_span());
        loops.spawn(reconciler.run(slot_free, ending.clone()).in_current_span());
        let name = self.settings.name.clone();
        let stopping = ending.clone();
        // The job runner has spans of its own, and tasks without ours.
        let span = TracingSpan::current();
        loops.spawn(async move {
            queue::work(&name, queue, CONCURRENCY, stopping, move |burst| {
                let dialer = dialer.clone();
                async move { dialer.dial(burst).await }.instrument(span.clone())
            })
            .await;
        });
        loops.close();

        let parting = self.renew(holder, &lease, &pacer, &ending, not_to.as_deref()).await;
        ending.cancel();
        let finish = async {
            loops.wait().await;
            sending.close();
            sending.wait().await;
            // The last sender of results is gone with the last request.
            drop(recorder.await);
        };
        self.finish(holder, &lease, &pacer, finish).await;
        parting
    }

    /// Waits for the last answers while the lease is renewed, then gives the lane back.
    async fn finish(&self, holder: &LeaseHolder, lease: &LaneLease, pacer: &Pacer, last: impl Future<Output = ()>) {
        // Answers that come early leave a slow database more time.
        let end = tokio::time::Instant::now() + LAST_ANSWERS + LEAVE;
        let renewing = async {
            loop {
                tokio::time::sleep(RENEW_EVERY).await;
                drop(holder.renew(lease, pacer.levels(self.clock.read().now)).await);
            }
        };
        tokio::select! {
            () = last => {}
            () = renewing => {}
            () = tokio::time::sleep(LAST_ANSWERS) => {}
        }
        let leaving = async {
            self.give_back(lease).await?;
            let spent = pacer.spent(&self.settings.limits, self.clock.read().latest());
            holder.release(lease, spent).await
        };
        match tokio::time::timeout_at(end, leaving).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::warn!(%error, "lane {} could not be given back: {error}", self.settings.name),
            Err(_) => {
                tracing::warn!("lane {} could not be given back: the database does not answer", self.settings.name);
            }
        }
    }

    /// Makes the lane's budget, less what the owner before has used of it, or may have used.
    fn pacer(&self, lease: &LaneLease) -> Arc<Pacer> {
        let reading = self.clock.read();
        if let Some(spent) = &lease.spent {
            return Pacer::after(spent, reading.earliest());
        }
        let used_ago = reading.now.since(lease.used_until);
        let used = (lease.used_until > Moment::from_millis(0) && used_ago < LONGEST_WINDOW).then_some(used_ago);
        Pacer::new(&self.settings.limits, used)
    }

    /// Renews the lease until the lane is lost, handed over, or a stop is asked for.
    async fn renew(
        &self,
        holder: &LeaseHolder,
        lease: &LaneLease,
        pacer: &Pacer,
        ending: &CancellationToken,
        not_to: Option<&str>,
    ) -> Parting {
        loop {
            tokio::select! {
                () = tokio::time::sleep(RENEW_EVERY) => {}
                () = self.reopen.notified() => {
                    tracing::info!("lane {} is opened again, with the secrets of now", self.settings.name);
                    return Parting::Over;
                }
                () = ending.cancelled() => return Parting::Over,
            }
            match holder.renew(lease, pacer.levels(self.clock.read().now)).await {
                Ok(true) if self.is_shared && pacer.can_be_handed_on() => {
                    if let Some(to) = hand_to(holder, &*self.stop_switch, ending, not_to).await {
                        tracing::info!("lane {} is handed to {to}, which has fewer lanes", self.settings.name);
                        return Parting::HandedTo(to);
                    }
                }
                Ok(true) => {}
                Ok(false) => {
                    tracing::warn!("lane {} is not ours any more: taken over, or renewed too late", self.settings.name);
                    return Parting::Over;
                }
                Err(error) => {
                    tracing::error!(%error, "the lease of lane {} cannot be renewed: {error}", self.settings.name);
                }
            }
            if !lease.holds(self.clock.boot()) {
                tracing::warn!("the lease of lane {} ran out", self.settings.name);
                return Parting::Over;
            }
        }
    }

    /// Gives the lane's attempts back at the end: open ones lapse, so that their numbers are free
    /// for others, and one that is still being sent becomes unknown, so that none stays `sending`.
    async fn give_back(&self, lease: &LaneLease) -> Result<(), StoreError> {
        let now = self.clock.read().now;
        let held_until = self.last_provider().held_until(now);
        let order = SweepOrder {
            lane: lease.lane,
            epoch: lease.epoch,
            now,
            sending_for: Span::ZERO,
            lapse_before: Moment::NEVER,
            overdue_at: held_until + Span::from_hours(1),
        };
        self.store.sweep(order).await.map(drop)
    }
}
