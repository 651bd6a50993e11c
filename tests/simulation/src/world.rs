//! The world of a run: a database, a vendor, an operator and the processes that dial.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ringfence_domain::campaign::Redial;
use ringfence_domain::lane::LaneSettings;
use ringfence_domain::{Campaign, Clock, LaneId, Moment, Outcome, PausedBy, Rate, Span};
use ringfence_operations::summary::{Asker, summarize};
use ringfence_sandbox::{Behaviour, Fault, InProcess, Reports, Simulator, Tape, router};
use ringfence_store::{Begin, CampaignRow, Database, DncList, Location, Lockstep};
use ringfence_tests::virtual_time::{Unset, VirtualClock};
use ringfence_tests::{sample, vendors, web};
use tempfile::TempDir;
use tokio::runtime::Handle;

use crate::operation::Operation;
use crate::process::{Place, Process, open};
use crate::promises::{Known, person};

/// Everybody is called within this time once nothing is in the way.
const MINUTES: u32 = 40;

/// Calls a second, and at once.
pub(crate) const PER_SECOND: u32 = 5;
pub(crate) const AT_ONCE: u32 = 8;

pub(crate) struct World {
    _folder: TempDir,
    place: Place,
    clock: Arc<VirtualClock>,
    /// What the time really is, whoever sets the clock.
    true_clock: Unset,
    pub(crate) simulator: Arc<Simulator>,
    /// The operator's way to the database.
    pub(crate) store: Arc<Database>,
    rules: Campaign,
    pub(crate) campaign: CampaignRow,
    processes: Vec<Process>,
    pub(crate) known: Known,
}

impl World {
    /// A database with one empty campaign, and one process that calls through a vendor of this kind.
    /// Its statements run on `runtime`.
    pub(crate) async fn begin(runtime: Handle, kind: &'static str) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let url = format!("sqlite://{}", folder.path().join("test.db").display());
        let location = Location::parse(&url, folder.path()).expect("an address");
        let clock = VirtualClock::at(sample::noon());
        let (unset, true_clock) = (Unset(clock.clone()), Unset(clock.clone()));
        let simulator = Simulator::new(well(), Arc::new(unset), Arc::new(Tape::default()));
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
        Self { _folder: folder, place, clock, true_clock, simulator, store, rules, campaign, processes, known }
    }

    /// What the time really is.
    pub(crate) fn now(&self) -> Moment {
        self.true_clock.read().now
    }

    fn process(&self) -> &Process {
        self.processes.last().expect("one was started")
    }

    async fn begin_another(&mut self) {
        let nth = self.processes.len();
        self.processes.push(Process::start(&self.place, nth));
        tokio::task::yield_now().await;
    }

    /// Lets an operation happen.
    pub(crate) async fn happen(&mut self, operation: Operation) {
        let now = self.now();
        match operation {
            Operation::Wait(tenths) => wait(tenths).await,
            Operation::Import(people) => {
                let first = self.known.people;
                self.known.people += people as usize;
                let numbers = first..self.known.people;
                sample::import(&self.store, self.campaign.run, numbers, self.clock.read().now).await;
            }
            Operation::LoseRequests(percent) => self.fault(&[Fault::LostRequest], percent),
            Operation::LoseAnswers(percent) => self.fault(&[Fault::LostAnswer, Fault::NoId], percent),
            Operation::Errors(percent) => self.fault(&[Fault::ErrorBefore, Fault::ErrorAfter], percent),
            Operation::ListLate(tenths) => {
                let late = Span::from_millis(i64::from(tenths) * 100);
                self.simulator.change(|behaviour| behaviour.listed_after = Some(late));
            }
            Operation::Unauthorized(_) => self.fault(&[Fault::Unauthorized], 100),
            Operation::Mended(_) => self.mend().await,
            Operation::LineDown(_) => self.place.line_down.store(true, Ordering::SeqCst),
            Operation::Crash(tenths) => {
                self.process().life.die();
                wait(tenths).await;
                self.begin_another().await;
            }
            Operation::StandStill(seconds) => {
                let life = self.process().life.clone();
                life.stand_still();
                self.begin_another().await;
                wait(seconds * 10).await;
                life.go_on();
            }
            Operation::Reports(how) => {
                let all = [Reports::Once, Reports::Thrice, Reports::Early, Reports::Never];
                self.simulator.change(|behaviour| behaviour.reports = all[how as usize % all.len()]);
            }
            Operation::ClockAhead(seconds) => self.clock.set_by(i64::from(seconds) * 1_000),
            Operation::ClockBack(seconds) => self.clock.set_by(-i64::from(seconds) * 1_000),
            Operation::Pause(_) => {
                let (id, at) = (self.campaign.id, self.clock.read().now);
                self.store.pause_campaign(id, PausedBy::Person, "a look".into(), at).await.expect("a pause");
                self.known.paused.begin(now);
            }
            Operation::Resume(_) => {
                self.known.paused.end(now);
                self.store.resume_campaign(self.campaign.id, true, self.clock.read().now).await.expect("resumed");
            }
            Operation::Stop(_) => {
                self.store.stop_all("wrong list".into(), self.clock.read().now).await.expect("a stop");
                self.known.stopped.begin(now);
            }
            Operation::Start(_) => {
                self.known.stopped.end(now);
                self.store.start_all(self.clock.read().now).await.expect("a start");
            }
            Operation::Forbid(nth) => {
                let number = sample::number(nth as usize);
                let list = DncList { campaign: None, reason: None, source: None, added_at: self.clock.read().now };
                let list = self.store.begin_dnc(list).await.expect("a list");
                let key = self.store.hasher().key(&number);
                self.store.add_dnc(vec![(list, key, number.clone())]).await.expect("listed");
                self.known.forbidden.entry(person(number.e164()).to_owned()).or_insert(now);
            }
            Operation::MaxAttempts(most) => {
                self.rules.retry.max_attempts = most;
                self.apply().await;
                self.known.max_attempts.push((now, most));
            }
            Operation::Closed(closed) => {
                let hours = if closed == 1 { "Mo 03:00-03:30" } else { "24/7" };
                self.rules.calling.hours = hours.parse().expect("hours");
                if closed == 0 {
                    self.known.closed.end(now);
                }
                self.apply().await;
                if closed == 1 {
                    self.known.closed.begin(now);
                }
            }
        }
    }

    async fn apply(&self) {
        let (rules, at) = (self.rules.clone(), self.clock.read().now);
        self.store.apply(rules, self.place.lane, Begin::Running, at).await.expect("new rules");
    }

    fn fault(&self, faults: &[Fault], percent: u32) {
        let each = f64::from(percent) / faults.len() as f64;
        self.simulator.change(|behaviour| behaviour.faults = faults.iter().map(|fault| (*fault, each)).collect());
    }

    async fn mend(&self) {
        self.simulator.change(|behaviour| *behaviour = well());
        self.place.line_down.store(false, Ordering::SeqCst);
        self.store.resume_lane(self.place.lane, self.clock.read().now).await.expect("resumed");
    }

    /// All trouble ends, and time passes until nobody waits.
    pub(crate) async fn come_to_rest(&mut self) -> Result<(), String> {
        for process in &self.processes {
            process.life.go_on();
        }
        let ahead = self.clock.read().now.since(self.now());
        self.clock.set_by(-ahead.millis());
        self.mend().await;
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

async fn wait(tenths: u32) {
    tokio::time::sleep(Duration::from_millis(u64::from(tenths) * 100)).await;
}

fn rules(kind: &str, settings: &LaneSettings) -> Campaign {
    let mut rules = vendors::suited(vendors::vendor(kind), settings, sample::rules("spring", "main"));
    let again = |seconds| Redial::After(vec![Span::from_secs(seconds)]);
    rules.retry.after = [(Outcome::Busy, again(20)), (Outcome::NoAnswer, again(40))].into();
    rules.limits.per_number = Vec::new();
    rules
}

/// A vendor with which all is well.
fn well() -> Behaviour {
    Behaviour {
        outcomes: vec![(Outcome::Answered, 5), (Outcome::Busy, 3), (Outcome::NoAnswer, 2)],
        ring: Span::from_secs(2),
        talk: Span::from_secs(12),
        latency: Span::from_millis(300),
        ..Behaviour::default()
    }
}
