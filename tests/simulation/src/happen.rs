//! What each operation does to the world.

use std::sync::atomic::Ordering;
use std::time::Duration;

use ringfence_domain::{AttemptId, AttemptState, Clock, ContactId, PausedBy, Span};
use ringfence_sandbox::{Fault, Reports};
use ringfence_store::{Begin, ContactFilter, DncList, ReviewAnswer};
use ringfence_tests::sample;

use crate::known::person;
use crate::operation::Operation;
use crate::process::{Process, name};
use crate::world::{World, well};

/// A process that is to die after some statements dies at the latest after this time.
const DIES_WITHIN: Duration = Duration::from_secs(5);

impl World {
    /// Lets an operation happen.
    pub(crate) async fn happen(&mut self, operation: Operation) {
        match operation {
            Operation::Wait(tenths) => wait(tenths).await,
            Operation::Import(people) => {
                let first = self.known.people;
                self.known.people += people as usize;
                let numbers = first..self.known.people;
                sample::import(&self.store, self.campaign.run, numbers, self.clock.read().now).await;
            }
            Operation::LoseRequests(percent) => self.fault(Fault::LostRequest, percent),
            Operation::LoseAnswers(percent) => self.fault(Fault::LostAnswer, percent),
            Operation::NoId(percent) => self.fault(Fault::NoId, percent),
            Operation::ErrorsBefore(percent) => self.fault(Fault::ErrorBefore, percent),
            Operation::ErrorsAfter(percent) => self.fault(Fault::ErrorAfter, percent),
            Operation::Throttled(percent) => self.fault(Fault::Throttled, percent),
            Operation::Unauthorized(_) => self.fault(Fault::Unauthorized, 100),
            Operation::NoBalance(_) => self.fault(Fault::NoBalance, 100),
            Operation::ListLate(tenths) => {
                let late = Span::from_millis(i64::from(tenths) * 100);
                self.simulator.change(|behaviour| behaviour.listed_after = Some(late));
            }
            Operation::Reports(how) => {
                let all = [Reports::Once, Reports::Thrice, Reports::Early, Reports::Never];
                self.simulator.change(|behaviour| behaviour.reports = all[how as usize % all.len()]);
            }
            Operation::LineDown(_) => self.place.line_down.store(true, Ordering::SeqCst),
            Operation::Well(_) => self.be_well(),
            Operation::Mended(_) => {
                self.be_well();
                self.known.lane_paused.end(self.now());
                self.store.resume_lane(self.place.lane, self.clock.read().now).await.expect("resumed");
            }
            Operation::Crash(tenths) => {
                self.caller().await.die();
                wait(tenths).await;
                self.begin_another().await;
            }
            Operation::CrashIn(statements) => {
                self.caller().await.die_after(statements, DIES_WITHIN).await;
                self.begin_another().await;
            }
            Operation::Leave(_) => {
                self.caller().await.leave();
                self.begin_another().await;
            }
            Operation::StandStill(seconds) => self.away(seconds, Process::stand_still).await,
            Operation::CutOff(seconds) => self.away(seconds, Process::cut_off).await,
            Operation::ClockAhead(seconds) => self.set_clock(i64::from(seconds) * 1_000),
            Operation::ClockBack(seconds) => self.set_clock(-i64::from(seconds) * 1_000),
            Operation::Pause(_) | Operation::Resume(_) | Operation::PauseLane(_) => self.hold(operation).await,
            Operation::Stop(_) => {
                self.store.stop_all("wrong list".into(), self.clock.read().now).await.expect("a stop");
                self.known.stopped.begin(self.now());
            }
            Operation::Start(_) => {
                self.known.stopped.end(self.now());
                self.store.start_all(self.clock.read().now).await.expect("a start");
            }
            Operation::Forbid(nth) => self.forbid(nth as usize).await,
            Operation::MaxAttempts(most) => {
                self.rules.retry.max_attempts = most;
                self.apply().await;
                self.known.max_attempts.push((self.now(), most));
            }
            Operation::Closed(1) => {
                self.rules.calling.hours = "Mo 03:00-03:30".parse().expect("hours");
                self.apply().await;
                self.known.closed.begin(self.now());
            }
            Operation::Closed(_) => {
                self.rules.calling.hours = "24/7".parse().expect("hours");
                self.known.closed.end(self.now());
                self.apply().await;
            }
            Operation::Settle(_) => self.settle().await,
        }
    }

    async fn hold(&mut self, operation: Operation) {
        let (campaign, lane, at) = (self.campaign.id, self.place.lane, self.clock.read().now);
        match operation {
            Operation::Pause(_) => {
                self.store.pause_campaign(campaign, PausedBy::Person, "a look".into(), at).await.expect("a pause");
                self.known.paused.begin(self.now());
            }
            Operation::PauseLane(_) => {
                self.store.pause_lane(lane, "a look".into(), at).await.expect("a pause");
                self.known.lane_paused.begin(self.now());
            }
            _ => {
                self.known.paused.end(self.now());
                self.store.resume_campaign(campaign, true, at).await.expect("resumed");
            }
        }
    }

    async fn forbid(&mut self, nth: usize) {
        let number = sample::number(nth);
        let list = DncList { campaign: None, reason: None, source: None, added_at: self.clock.read().now };
        let list = self.store.begin_dnc(list).await.expect("a list");
        let key = self.store.hasher().key(&number);
        self.store.add_dnc(vec![(list, key, number.clone())]).await.expect("listed");
        let now = self.now();
        self.known.forbidden.entry(person(number.e164()).to_owned()).or_insert(now);
    }

    async fn apply(&self) {
        let (rules, at) = (self.rules.clone(), self.clock.read().now);
        self.store.apply(rules, self.place.lane, Begin::Running, at).await.expect("new rules");
    }

    /// An honest answer for everybody in review: they were called when the vendor's tape has a call
    /// to them that no attempt knows.
    async fn settle(&mut self) {
        let calls = self.simulator.tape().calls();
        let run = self.campaign.run;
        let attempts = self.store.attempts(run, ContactFilter::default(), AttemptId(0), 100_000).await;
        let attempts = attempts.expect("the attempts");
        for row in self.store.reviews(None, ContactId(0), 10_000).await.expect("the reviews") {
            let who = person(row.number.e164()).to_owned();
            let rang = calls.iter().filter(|call| person(&call.callee) == who).count();
            let known = |state| matches!(state, AttemptState::Placed | AttemptState::Ended);
            let known =
                attempts.iter().filter(|attempt| attempt.contact == row.contact && known(attempt.state)).count();
            let answer = if rang > known { ReviewAnswer::Placed } else { ReviewAnswer::NotPlaced };
            self.store.decide_review(row.contact, answer, self.clock.read().now).await.expect("settled");
            if rang > known {
                self.known.said_to_be_called.insert(who);
            }
        }
    }

    fn fault(&mut self, fault: Fault, percent: u32) {
        self.faults.retain(|(known, _)| *known != fault);
        self.faults.push((fault, f64::from(percent)));
        // An account that is refused places nothing, whatever else goes wrong.
        self.faults.sort_by_key(|(fault, _)| (fault.places_the_call(), *fault));
        let faults = self.faults.clone();
        self.simulator.change(|behaviour| behaviour.faults = faults);
    }

    fn be_well(&mut self) {
        self.faults.clear();
        let seed = self.seed;
        self.simulator.change(|behaviour| *behaviour = well(seed));
        self.place.line_down.store(false, Ordering::SeqCst);
    }

    /// The process that has the lane, or the newest.
    async fn caller(&self) -> &Process {
        let lanes = self.store.lanes().await.expect("the lanes");
        let owner = lanes.iter().find(|lane| lane.id == self.place.lane).and_then(|lane| lane.owner.as_deref());
        let of_name = |owner| (0..self.processes.len()).find(|nth| name(*nth) == owner);
        &self.processes[owner.and_then(of_name).unwrap_or(self.processes.len() - 1)]
    }

    async fn begin_another(&mut self) {
        let nth = self.processes.len();
        self.processes.push(Process::start(&self.place, nth));
        tokio::task::yield_now().await;
    }

    /// Something befalls the process that calls, for so long, while another one begins.
    async fn away(&mut self, seconds: u32, befalls: fn(&Process)) {
        let process = self.caller().await.clone();
        befalls(&process);
        self.begin_another().await;
        wait(seconds * 10).await;
        process.go_on();
    }
}

async fn wait(tenths: u32) {
    tokio::time::sleep(Duration::from_millis(u64::from(tenths) * 100)).await;
}
