//! The world of a run: a database, a vendor, an operator and the processes that dial.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use ringfence_domain::campaign::Redial;
use ringfence_domain::lane::LaneSettings;
use ringfence_domain::{Campaign, Clock, LaneId, Moment, Outcome, Rate, Span};
use ringfence_operations::summary::{Asker, summarize};
use ringfence_sandbox::{Behaviour, Fault, InProcess, Simulator, Tape, router};
use ringfence_store::{Begin, CampaignRow, Database, Location, Lockstep};
use ringfence_tests::virtual_time::{Unset, VirtualClock};
use ringfence_tests::{sample, vendors, web};
use tempfile::TempDir;
use tokio::runtime::Handle;

use crate::known::{Known, RETRIES};
use crate::operation::Operation;
use crate::process::{Place, Process, open};

/// Everybody is called within this time once nothing is in the way.
const MINUTES: u32 = 40;

/// Calls a second, and at once.
pub(crate) const PER_SECOND: u32 = 5;
pub(crate) const AT_ONCE: u32 = 8;

pub(crate) struct World {
    _folder: TempDir,
    pub(crate) place: Place,
    pub(crate) clock: Arc<VirtualClock>,
    /// What the time really is, whoever sets the clock.
    true_clock: Unset,
    pub(crate) simulator: Arc<Simulator>,
    /// How calls end.
    pub(crate) seed: u64,
    /// What goes wrong with requests, and how many of a hundred.
    pub(crate) faults: Vec<(Fault, f64)>,
    /// The operator's way to the database.
    pub(crate) store: Arc<Database>,
    pub(crate) rules: Campaign,
    pub(crate) campaign: CampaignRow,
    pub(crate) processes: Vec<Process>,
    pub(crate) known: Known,
}

impl World {
    /// A database with one empty campaign, and one process that calls through a vendor of this kind.
    /// Its statements run on `runtime`; `seed` says how calls end.
    pub(crate) async fn begin(runtime: Handle, kind: &'static str, seed: u64) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let location = Location::parse(&url, folder.path()).expect("an address");
        let clock = VirtualClock::at(sample::noon());
        let (unset, true_clock) = (Unset(clock.clone()), Unset(clock.clone()));
        let simulator = Simulator::new(well(seed), Arc::new(unset), Arc::new(Tape::default()));
        let mut settings = sample::lane_settings("main");
        settings.limits.calls = Rate::per_second(PER_SECOND);
        settings.limits.concurrent = AT_ONCE;
        let mut place = Place {
            runtime: runtime.clone(),
            location,
            clock: clock.clone(),
            lane: LaneId(0),
            settings: settings.clone(),
            kind,
            vendor: InProcess::new(router(&simulator)),
            line_down: Arc::new(AtomicBool::new(false)),
        };
        let store = Arc::new(open(&place, &Lockstep::on(runtime)));
        let now = clock.read().now;
        place.lane = store.register_lane(settings.clone(), now).await.expect("a lane").id;
        let rules = rules(kind, &settings);
        let (_, campaign) = store.apply(rules.clone(), place.lane, Begin::Running, now).await.expect("a campaign");
        let server = web::server(store.clone(), clock.clone());
        simulator.report_by(InProcess::new(ringfence_server::router(&server)));
        let known = Known::new(true_clock.read().now, rules.retry.max_attempts);
        let processes = vec![Process::start(&place, 0)];
        let faults = Vec::new();
        Self {
            _folder: folder,
            place,
            clock,
            true_clock,
            simulator,
            seed,
            faults,
            store,
            rules,
            campaign,
            processes,
            known,
        }
    }

    /// What the time really is.
    pub(crate) fn now(&self) -> Moment {
        self.true_clock.read().now
    }

    /// Sets the machine's clock by so many milliseconds.
    pub(crate) fn set_clock(&mut self, millis: i64) {
        self.clock.set_by(millis);
        self.known.clock_is_set(self.now());
    }

    /// All trouble ends, and time passes until nobody waits.
    pub(crate) async fn come_to_rest(&mut self) -> Result<(), String> {
        for process in &self.processes {
            process.go_on();
        }
        let ahead = self.clock.read().now.millis() - self.now().millis();
        self.set_clock(-ahead);
        self.happen(Operation::Mended(0)).await;
        self.happen(Operation::Resume(0)).await;
        self.happen(Operation::Start(0)).await;
        self.happen(Operation::Closed(0)).await;
        for _ in 0..MINUTES {
            tokio::time::sleep(Duration::from_mins(1)).await;
            let now = self.clock.read().now;
            let counts = self.store.numbers("spring".into(), now).await.expect("numbers").expect("a campaign").counts;
            let count = |name: &str| counts.get(name).copied().unwrap_or_default();
            if count("contact:waiting") + count("contact:active") == 0 {
                return Ok(());
            }
        }
        let now = self.clock.read().now;
        let figures = self.store.numbers("spring".into(), now).await.expect("numbers").expect("a campaign");
        let asker = Asker { stop_switch: None, is_dialling: true };
        let summary = summarize(&figures, &asker, self.clock.read());
        Err(format!(
            "after {MINUTES} minutes without trouble {:?}, attempts {:?}: {:?}",
            summary.contacts, summary.attempts, summary.because
        ))
    }
}

fn rules(kind: &str, settings: &LaneSettings) -> Campaign {
    let mut rules = vendors::suited(vendors::vendor(kind), settings, sample::rules("spring", "main"));
    rules.retry.after = RETRIES.map(|(outcome, after)| (outcome, Redial::After(vec![after]))).into();
    rules.limits.per_number = Vec::new();
    rules
}

/// A vendor with which all is well.
pub(crate) fn well(seed: u64) -> Behaviour {
    Behaviour {
        seed,
        outcomes: vec![(Outcome::Answered, 5), (Outcome::Busy, 3), (Outcome::NoAnswer, 2)],
        ring: Span::from_secs(2),
        talk: Span::from_secs(12),
        latency: Span::from_millis(300),
        ..Behaviour::default()
    }
}
