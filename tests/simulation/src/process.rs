//! One process that dials: its own way to the database and to the vendor.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ringfence_domain::lane::LaneSettings;
use ringfence_domain::{Clock, LaneId, ReportAddress};
use ringfence_engine::LaneEngine;
use ringfence_providers::{Transport, WireError};
use ringfence_sandbox::InProcess;
use ringfence_store::{Database, Location, Lockstep};
use ringfence_tests::vendors;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;

/// What a process needs.
pub(crate) struct Place {
    pub(crate) runtime: Handle,
    pub(crate) location: Location,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) lane: LaneId,
    pub(crate) settings: LaneSettings,
    pub(crate) kind: &'static str,
    pub(crate) vendor: Arc<InProcess>,
    /// Nobody reaches the vendor.
    pub(crate) line_down: Arc<AtomicBool>,
}

/// A process.
#[derive(Clone)]
pub(crate) struct Process {
    /// Of it, and of its way to the database.
    life: Lockstep,
    /// Of its way to the vendor.
    line: Lockstep,
    stop: CancellationToken,
}

impl Process {
    /// Starts the `nth` one: it takes the lane as soon as nobody has it.
    pub(crate) fn start(place: &Place, nth: usize) -> Self {
        let life = Lockstep::on(place.runtime.clone());
        let store = Arc::new(open(place, &life));
        let line = Lockstep::on(place.runtime.clone());
        let way = Way {
            life: life.clone(),
            line: line.clone(),
            vendor: place.vendor.clone(),
            line_down: place.line_down.clone(),
        };
        let provider = vendors::provider(vendors::vendor(place.kind), &place.settings, Arc::new(way));
        let report_to =
            ReportAddress { public_url: "https://dialer.invalid".to_owned(), key: store.report_key().clone() };
        let (clock, settings) = (place.clock.clone(), place.settings.clone());
        let engine =
            LaneEngine::new(store, clock, name(nth), place.lane, settings, provider).reported_to(Some(report_to));
        let stop = CancellationToken::new();
        tokio::spawn(engine.run(stop.clone()));
        Self { life, line, stop }
    }

    /// As with `kill -9`.
    pub(crate) fn die(&self) {
        self.life.die();
    }

    /// The same as soon as so many more of its statements are done; it hears no answer of the last.
    /// One that asks for too few within `most` dies then.
    pub(crate) async fn die_after(&self, statements: u32, most: Duration) {
        self.life.die_after(statements);
        if tokio::time::timeout(most, self.life.dead()).await.is_err() {
            self.life.die();
        }
    }

    /// It ends what is under way, and goes.
    pub(crate) fn leave(&self) {
        self.stop.cancel();
    }

    /// It reaches nobody.
    pub(crate) fn stand_still(&self) {
        self.cut_off();
        self.line.stand_still();
    }

    /// It does not reach the database.
    pub(crate) fn cut_off(&self) {
        self.life.stand_still();
    }

    /// It reaches everybody again.
    pub(crate) fn go_on(&self) {
        self.life.go_on();
        self.line.go_on();
    }
}

/// What the `nth` process is called.
pub(crate) fn name(nth: usize) -> String {
    format!("process/{nth}")
}

/// Opens the database for a process.
pub(crate) fn open(place: &Place, life: &Lockstep) -> Database {
    // A thread of a runtime may not wait for another one's.
    let opening = || place.runtime.block_on(Database::open(&place.location, true));
    let store = std::thread::scope(|scope| scope.spawn(opening).join().expect("it does not panic"));
    store.expect("a database").in_lockstep(life.clone())
}

/// A way to the vendor. What was sent arrives, whether or not the sender lives to hear of it.
#[derive(Debug)]
struct Way {
    life: Lockstep,
    line: Lockstep,
    vendor: Arc<InProcess>,
    line_down: Arc<AtomicBool>,
}

#[async_trait]
impl Transport for Way {
    async fn send(&self, request: http::Request<bytes::Bytes>) -> Result<http::Response<bytes::Bytes>, WireError> {
        let began = tokio::time::Instant::now();
        self.life.lives().await;
        self.line.runs().await;
        if began.elapsed() > Duration::ZERO {
            // The timers of a process that stands still go on here. A real one would look at its
            // clock after them, and so later than this one did.
            return Err(WireError::NotSent("it stood still".to_owned()));
        }
        if self.line_down.load(Ordering::SeqCst) {
            return Err(WireError::NotSent("connection refused".to_owned()));
        }
        let vendor = self.vendor.clone();
        let answer = tokio::spawn(async move { vendor.send(request).await }).await.expect("the vendor answers");
        self.life.lives().await;
        self.line.runs().await;
        answer
    }
}
