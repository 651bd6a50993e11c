//! A clock that moves with tokio's paused timers, and a dialer that runs under it with a simulated
//! vendor.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ringfence_domain::lane::LaneSettings;
use ringfence_domain::{Campaign, Clock, ClockReading, LaneId, Moment, ReportAddress, Span};
use ringfence_engine::LaneEngine;
use ringfence_providers::{Provider, Transport, WireError};
pub use ringfence_samples::HandClock;
pub use ringfence_samples::vendors::{twenty2, twenty2_at};
use ringfence_sandbox::{Behaviour, InProcess, Simulator, Tape, router};
use ringfence_store::{Begin, CampaignRow, Database, RunFigures, StoreError};
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::sample;

/// Time that passes only while every task waits for it.
#[derive(Debug)]
pub struct VirtualClock {
    start: Moment,
    begun: Instant,
    skipped: AtomicI64,
    set: AtomicI64,
    doubt_until: AtomicI64,
}

impl VirtualClock {
    /// It is `start` now.
    pub fn at(start: Moment) -> Arc<Self> {
        let (set, doubt_until) = (AtomicI64::new(0), AtomicI64::new(0));
        Arc::new(Self { start, begun: Instant::now(), skipped: AtomicI64::new(0), set, doubt_until })
    }

    /// Somebody sets the clock, by so many milliseconds; it is in doubt for a minute, as the real
    /// one.
    pub fn set_by(&self, millis: i64) {
        self.set.fetch_add(millis, Ordering::SeqCst);
        self.doubt_until.store(self.boot().as_millis() as i64 + 60_000, Ordering::SeqCst);
    }
}

impl VirtualClock {
    /// Goes on at `moment`, as after a night in which nothing ran.
    pub fn skip_to(&self, moment: Moment) {
        let ahead = moment.since(self.read().now);
        self.skipped.fetch_add(ahead.millis(), Ordering::SeqCst);
    }
}

impl Clock for VirtualClock {
    fn read(&self) -> ClockReading {
        let passed = self.begun.elapsed().as_millis() as i64 + self.skipped.load(Ordering::SeqCst);
        let now = Moment::from_millis(self.start.millis() + passed + self.set.load(Ordering::SeqCst));
        let doubted = (self.boot().as_millis() as i64) < self.doubt_until.load(Ordering::SeqCst);
        ClockReading { now, error: if doubted { Span::from_secs(3) } else { Span::ZERO } }
    }

    fn boot(&self) -> Duration {
        let skipped = self.skipped.load(Ordering::SeqCst).unsigned_abs();
        self.begun.elapsed() + Duration::from_secs(1_000) + Duration::from_millis(skipped)
    }
}

/// The same time on a clock that nobody sets: a vendor's.
#[derive(Debug)]
pub struct Unset(pub Arc<VirtualClock>);

impl Clock for Unset {
    fn read(&self) -> ClockReading {
        let now = self.0.read().now;
        ClockReading::exact(Moment::from_millis(now.millis() - self.0.set.load(Ordering::SeqCst)))
    }

    fn boot(&self) -> Duration {
        self.0.boot()
    }
}

/// A vendor whose address can be unreachable.
#[derive(Debug)]
pub struct Line {
    vendor: Arc<InProcess>,
    /// Nobody answers.
    pub down: AtomicBool,
    /// Calls are taken, and no question is answered.
    pub silent: AtomicBool,
}

#[async_trait]
impl Transport for Line {
    async fn send(&self, request: http::Request<bytes::Bytes>) -> Result<http::Response<bytes::Bytes>, WireError> {
        if self.down.load(Ordering::SeqCst) {
            return Err(WireError::NotSent("connection refused".to_owned()));
        }
        if self.silent.load(Ordering::SeqCst) && request.method() == http::Method::GET {
            return Err(WireError::Broken("no answer".to_owned()));
        }
        self.vendor.send(request).await
    }
}

/// A whole dialer: database, engine, vendor.
#[derive(Debug)]
pub struct Dialer {
    /// The database.
    pub store: Arc<Database>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The vendor.
    pub simulator: Arc<Simulator>,
    /// The way to it.
    pub line: Arc<Line>,
    /// The lane.
    pub lane: LaneId,
    /// The campaign.
    pub campaign: CampaignRow,
    /// Where the vendor may report calls to, from the next start on.
    pub reports: Option<ReportAddress>,
    settings: LaneSettings,
    provider: Arc<dyn Provider>,
    running: Option<(CancellationToken, JoinHandle<()>)>,
}

impl Dialer {
    /// Sets everything up with numbers `0..contacts`, on Twenty2, and does not dial yet.
    pub async fn set(
        store: Arc<Database>,
        clock: Arc<dyn Clock>,
        settings: LaneSettings,
        rules: Campaign,
        behaviour: Behaviour,
        contacts: usize,
    ) -> Self {
        let adapter = |settings: &LaneSettings, line| twenty2(settings, "national", line);
        Self::set_with(store, clock, settings, rules, behaviour, contacts, adapter).await
    }

    /// The same on another vendor, whose `adapter` is made for a way to it.
    pub async fn set_with(
        store: Arc<Database>,
        clock: Arc<dyn Clock>,
        settings: LaneSettings,
        rules: Campaign,
        behaviour: Behaviour,
        contacts: usize,
        adapter: impl FnOnce(&LaneSettings, Arc<dyn Transport>) -> Arc<dyn Provider>,
    ) -> Self {
        Self::set_beside(store, clock.clone(), clock, settings, rules, behaviour, contacts, adapter).await
    }

    /// The same beside a vendor that has its own clock.
    #[expect(clippy::too_many_arguments, reason = "these are the parts of a dialer")]
    pub async fn set_beside(
        store: Arc<Database>,
        clock: Arc<dyn Clock>,
        vendor_clock: Arc<dyn Clock>,
        settings: LaneSettings,
        rules: Campaign,
        behaviour: Behaviour,
        contacts: usize,
        adapter: impl FnOnce(&LaneSettings, Arc<dyn Transport>) -> Arc<dyn Provider>,
    ) -> Self {
        let now = clock.read().now;
        let simulator = Simulator::new(behaviour, vendor_clock, Arc::new(Tape::default()));
        let vendor = InProcess::new(router(&simulator));
        let line = Arc::new(Line { vendor, down: AtomicBool::new(false), silent: AtomicBool::new(false) });
        let lane = store.register_lane(settings.clone(), now).await.expect("a lane").id;
        let (_, campaign) = store.apply(rules, lane, Begin::Running, now).await.expect("a campaign");
        sample::import(&store, campaign.run, 0..contacts, now).await;
        let provider = adapter(&settings, line.clone());
        Self { store, clock, simulator, line, lane, campaign, reports: None, settings, provider, running: None }
    }

    /// The vendor's adapter.
    pub fn provider(&self) -> &Arc<dyn Provider> {
        &self.provider
    }

    /// Begins to dial.
    pub fn start(&mut self) {
        let stop = CancellationToken::new();
        let name = format!("tests/{}", uuid::Uuid::new_v4());
        let engine = LaneEngine::new(
            self.store.clone(),
            self.clock.clone(),
            name,
            self.lane,
            self.settings.clone(),
            self.provider.clone(),
        )
        .reported_to(self.reports.clone());
        self.running = Some((stop.clone(), tokio::spawn(engine.run(stop))));
    }

    /// Ends dialling in good order.
    pub async fn stop(&mut self) {
        if let Some((stop, engine)) = self.running.take() {
            stop.cancel();
            engine.await.expect("the engine ends");
        }
    }

    /// The numbers of the campaign.
    pub async fn numbers(&self) -> RunFigures {
        let name = self.campaign.rules.name.clone();
        self.store.numbers(name, self.clock.read().now).await.expect("numbers").expect("a campaign")
    }

    /// A kept count.
    pub async fn count(&self, name: &str) -> i64 {
        self.numbers().await.counts.get(name).copied().unwrap_or_default()
    }

    /// Waits until the counts are as wanted, for an hour of the clock at most.
    pub async fn until(&self, what: &str, wanted: impl Fn(&dyn Fn(&str) -> i64) -> bool) {
        let began = self.clock.boot();
        let patience = began + Duration::from_hours(1);
        loop {
            let name = self.campaign.rules.name.clone();
            let asked = self.store.numbers(name, self.clock.read().now).await;
            // A database whose connections were just cut may not answer yet.
            let counts = match asked {
                Err(StoreError::Unavailable(_)) => None,
                asked => Some(asked.expect("numbers").expect("a campaign").counts),
            };
            if counts.as_ref().is_some_and(|counts| wanted(&|name: &str| counts.get(name).copied().unwrap_or_default()))
            {
                return;
            }
            if self.clock.boot() >= patience {
                let lanes = self.store.lanes().await.expect("lanes");
                let campaigns = self.store.campaigns().await.expect("campaigns");
                let states: Vec<_> = campaigns.iter().map(|row| (row.state, row.reason.as_deref())).collect();
                let held: Vec<_> = lanes.iter().map(|row| (row.state, &row.reason, &row.backoff_reason)).collect();
                panic!("an hour passed without {what}: {counts:?}, campaigns {states:?}, lanes {held:?}");
            }
            // A look costs as much as a tenth of a second of dialling; who waits for minutes looks
            // less often.
            let soon = self.clock.boot() < began + Duration::from_secs(10);
            tokio::time::sleep(Duration::from_millis(if soon { 100 } else { 1_000 })).await;
        }
    }

    /// Waits until every contact is done, stopped or in review.
    pub async fn until_finished(&self) {
        self.until("every contact being finished", |count| count("contact:waiting") + count("contact:active") == 0)
            .await;
    }

    /// Fails when kept counts differ from the rows.
    pub async fn check_counts(&self) {
        assert_eq!(self.store.recount(self.campaign.run).await.expect("a recount"), [], "name, kept, counted afresh");
    }

    /// Fails when anyone was called while another call to them was out, or oftener than `most`
    /// times.
    pub fn check_tape(&self, most: usize) {
        let mut calls: BTreeMap<String, Vec<(Moment, Moment)>> = BTreeMap::new();
        for entry in self.simulator.tape().calls() {
            calls.entry(entry.callee).or_default().push((entry.at, entry.ends_at.expect("a call ends")));
        }
        for (callee, calls) in calls {
            assert!(calls.len() <= most, "{callee} was called {} times", calls.len());
            for pair in calls.windows(2) {
                assert!(pair[1].0 >= pair[0].1, "{callee} was called while a call was out: {pair:?}");
            }
        }
    }
}
