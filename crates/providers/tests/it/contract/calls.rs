//! Calls from their placing to their end, in front of a simulated vendor: how they stand, lost
//! ones, and what is declared.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use ringfence_domain::{AttemptId, CallStatus, Moment, Outcome, Placement, Span};
use ringfence_providers::registry::VENDORS;
use ringfence_providers::{
    Budget, Checked, Findings, Finds, LostCall, OutCall, Provider, Transport, Vendor, WireError,
};
use ringfence_samples::HandClock;
use ringfence_samples::vendors;
use ringfence_samples::{lane_settings, noon};
use ringfence_sandbox::{Behaviour, Fault, InProcess, Simulator, Tape, router};

use super::{call, word};
use crate::script::{Free, Script, answer};

/// A simulated vendor, its adapter, and a clock that is moved by hand.
struct Trial {
    vendor: &'static Vendor,
    clock: Arc<HandClock>,
    simulator: Arc<Simulator>,
    counted: Arc<Counted>,
    provider: Arc<dyn Provider>,
}

/// Counts requests on their way.
#[derive(Debug)]
struct Counted {
    vendor: Arc<InProcess>,
    requests: Mutex<usize>,
}

#[async_trait]
impl Transport for Counted {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, WireError> {
        *self.requests.lock().expect("free") += 1;
        self.vendor.send(request).await
    }
}

impl Trial {
    fn of(vendor: &'static Vendor, behaviour: Behaviour) -> Self {
        let clock = HandClock::at(noon());
        let simulator = Simulator::new(behaviour, clock.clone(), Arc::new(Tape::default()));
        let counted = Arc::new(Counted { vendor: InProcess::new(router(&simulator)), requests: Mutex::default() });
        let provider = vendors::provider(vendor, &lane_settings("main"), counted.clone());
        Self { vendor, clock, simulator, counted, provider }
    }

    fn out(&self, n: usize, call_id: &str) -> OutCall {
        let call = call(self.vendor, n);
        OutCall {
            attempt: AttemptId(n as i64),
            call_id: call_id.to_owned(),
            reference: call.reference,
            number: call.to,
            agent: call.agent,
            sent_at: noon(),
            called_before: None,
        }
    }

    fn lost(&self, n: usize) -> LostCall {
        let call = call(self.vendor, n);
        LostCall {
            attempt: AttemptId(n as i64),
            reference: call.reference,
            number: call.to,
            caller_id: call.from,
            agent: call.agent,
            vendor: [].into(),
            sent_at: noon(),
            called_before: None,
            reported: Vec::new(),
        }
    }

    async fn find(&self, n: usize, after: Span) -> Findings {
        self.clock.set(noon() + after);
        self.provider.find(&[self.lost(n)], noon() + after, &Free).await.expect("an answer")
    }

    fn requests(&self) -> usize {
        std::mem::take(&mut *self.counted.requests.lock().expect("free"))
    }
}

/// Outcomes that every one of the four wire formats can tell.
const TOLD: [Outcome; 4] = [Outcome::Answered, Outcome::Busy, Outcome::NoAnswer, Outcome::Failed];

#[tokio::test(start_paused = true)]
async fn calls_are_placed_followed_and_end_as_on_the_tape() {
    for vendor in VENDORS {
        let outcomes = TOLD.map(|outcome| (outcome, 1)).into();
        let trial = Trial::of(vendor, Behaviour { outcomes, ..Behaviour::default() });
        let mut out = Vec::new();
        for n in 0..40 {
            let placing = trial.provider.place(&call(vendor, n)).await;
            let Placement::Accepted { call_id } = placing else { panic!("{}: {placing:?}", vendor.kind) };
            out.push(trial.out(n, &call_id));
        }
        let tape = trial.simulator.tape().calls();
        assert_eq!(tape.len(), 40, "{}", vendor.kind);
        assert!(tape.iter().all(|entry| entry.vendor == vendor.kind), "{}", vendor.kind);
        trial.requests();
        let early = trial.provider.ask(&out, &Free).await.expect("news");
        assert!(early.iter().all(|(_, news)| *news == CallStatus::Pending), "{}: {early:?}", vendor.kind);

        trial.clock.set(noon() + Span::from_minutes(5));
        let (mut ended, mut rounds) = (std::collections::BTreeMap::new(), 0);
        while ended.len() < out.len() {
            rounds += 1;
            assert!(rounds < 60, "{}: {} of 40 were told", vendor.kind, ended.len());
            let left: Vec<OutCall> = out.iter().filter(|call| !ended.contains_key(&call.attempt)).cloned().collect();
            for (attempt, news) in trial.provider.ask(&left, &Free).await.expect("news") {
                if let CallStatus::Ended(outcome, _) = news {
                    ended.insert(attempt, outcome);
                }
            }
        }
        for (call, entry) in out.iter().zip(&tape) {
            assert_eq!(Some(ended[&call.attempt]), entry.outcome, "{} {}", vendor.kind, call.call_id);
        }
        assert!(vendor.can.asks_together > 1 || rounds > 1, "{}", vendor.kind);
        trial.requests();
        trial.provider.ask(&out[..1], &Free).await.expect("news");
        assert!(trial.requests() <= 2, "{}: one call is one question, or two", vendor.kind);
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_whose_answer_was_lost_is_found_as_the_vendor_declares() {
    let placed = [
        Fault::LostAnswer,
        Fault::ErrorAfter,
        Fault::NoId,
        Fault::Html,
        Fault::Truncated,
        Fault::Oversized,
        Fault::Slow,
    ];
    for vendor in VENDORS {
        for fault in placed {
            let trial = Trial::of(vendor, Behaviour { faults: vec![(fault, 100.0)], ..Behaviour::default() });
            let placing = trial.provider.place(&call(vendor, 1)).await;
            assert_eq!(word(&placing), "unknown", "{} {fault:?}: {placing:?}", vendor.kind);
            let tape = trial.simulator.tape().calls();
            assert_eq!(tape.len(), 1, "{} {fault:?}", vendor.kind);
            let findings = trial.find(1, Span::from_minutes(5)).await;
            assert_eq!(findings.absent, [], "{} {fault:?}", vendor.kind);
            match (vendor.can.finds, findings.candidates.as_slice()) {
                (Finds::Never, []) => continue,
                (Finds::ByReference, [found]) => assert!(found.certain, "{} {fault:?}", vendor.kind),
                (Finds::ByNumber, [_]) => {}
                (_, candidates) => panic!("{} {fault:?}: {candidates:?}", vendor.kind),
            }
            let out = trial.out(1, &findings.candidates[0].call_id);
            let news = trial.provider.ask(&[out], &Free).await.expect("news");
            assert!(matches!(news.as_slice(), [(_, CallStatus::Ended(..))]), "{} {fault:?}: {news:?}", vendor.kind);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_a_search_by_reference_says_that_a_call_was_not_placed() {
    for vendor in VENDORS {
        for fault in [Fault::LostRequest, Fault::ErrorBefore] {
            let trial = Trial::of(vendor, Behaviour::default());
            let taken = trial.provider.place(&call(vendor, 2)).await;
            assert!(matches!(taken, Placement::Accepted { .. }), "{}: {taken:?}", vendor.kind);
            trial.simulator.change(|behaviour| behaviour.faults = vec![(fault, 100.0)]);
            assert_eq!(word(&trial.provider.place(&call(vendor, 1)).await), "unknown", "{} {fault:?}", vendor.kind);
            let soon = trial.find(1, Span::from_minutes(2)).await;
            let soon = (soon.candidates, soon.absent, soon.unasked);
            assert_eq!(soon, (vec![], vec![], vec![]), "{} {fault:?}: it may still be on its way", vendor.kind);
            let later = trial.find(1, Span::from_minutes(5)).await;
            assert_eq!(later.candidates, [], "{} {fault:?}", vendor.kind);
            let absent: &[AttemptId] = if vendor.can.finds == Finds::ByReference { &[AttemptId(1)] } else { &[] };
            assert_eq!(later.absent, absent, "{} {fault:?}", vendor.kind);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn two_calls_to_one_number_are_never_taken_for_each_other() {
    for vendor in VENDORS {
        let trial = Trial::of(vendor, Behaviour { outcomes: vec![(Outcome::Busy, 1)], ..Behaviour::default() });
        let first = trial.provider.place(&call(vendor, 1)).await;
        assert!(matches!(first, Placement::Accepted { .. }), "{}", vendor.kind);
        // The second call of the same number, a minute on, is lost before it arrives.
        trial.clock.set(noon() + Span::from_minutes(1));
        let mut lost = trial.lost(1);
        (lost.reference, lost.sent_at) = ("another".to_owned(), noon() + Span::from_minutes(1));
        lost.called_before = Some(noon());
        let Placement::Accepted { call_id } = first else { unreachable!("checked above") };
        let findings = trial.provider.find(&[lost], noon() + Span::from_minutes(5), &Free).await.expect("an answer");
        // What is bound to the first already is no candidate for the reconciler either.
        let others = findings.candidates.iter().filter(|found| found.certain || found.call_id != call_id);
        assert_eq!(others.count(), 0, "{}: {findings:?}", vendor.kind);
    }
}

#[tokio::test]
async fn what_is_not_declared_is_not_done() {
    for vendor in VENDORS {
        let trial = Trial::of(vendor, Behaviour::default());
        let placing = trial.provider.place(&call(vendor, 1)).await;
        let Placement::Accepted { call_id } = placing else { panic!("{}: {placing:?}", vendor.kind) };
        assert_eq!(trial.provider.cancel(&call_id).await, Ok(vendor.can.cancels), "{}", vendor.kind);
        let night: Moment = "2026-11-20T20:00:00Z".parse().expect("a moment");
        let mut settings = lane_settings("main");
        settings.hours = Some("09:00-21:00".parse().expect("hours"));
        let provider = vendors::provider(vendor, &settings, trial.counted.clone());
        let holds = provider.held_until(night) > night + Span::from_hours(1);
        assert_eq!(holds, vendor.can.holds, "{}", vendor.kind);
        let reports = {
            let script = Script::of(vec![answer(500, "")]);
            vendors::provider(vendor, &settings, script.clone()).place(&call(vendor, 1)).await;
            let sent = script.asked().remove(0);
            String::from_utf8_lossy(sent.body()).contains("callbacks/main/secret")
        };
        assert_eq!(reports, vendor.can.reports, "{}: an address for each call", vendor.kind);
        let metadata = {
            let written = provider.written(&call(vendor, 1)).expect("a request");
            String::from_utf8_lossy(written.body()).contains("17")
        };
        assert_eq!(metadata, vendor.can.takes_metadata, "{}: [metadata]", vendor.kind);
    }
}

#[tokio::test]
async fn questions_that_are_refused_are_told_apart() {
    use ringfence_providers::AskError;
    for vendor in VENDORS {
        let ask = async |status: u16, body: &str| {
            let script = Script::of((0..4).map(|_| answer(status, body)).collect());
            let provider = vendors::provider(vendor, &lane_settings("main"), script);
            let out = Trial::of(vendor, Behaviour::default()).out(1, "id");
            provider.ask(&[out], &Free).await
        };
        for status in [401, 403] {
            let answer = ask(status, "{}").await;
            assert!(matches!(answer, Err(AskError::LaneFault(_))), "{} {status}: {answer:?}", vendor.kind);
        }
        for (status, body) in [(500, ""), (502, "<html></html>"), (200, "<html></html>"), (200, "")] {
            let answer = ask(status, body).await;
            assert!(matches!(answer, Err(AskError::Trouble(_))), "{} {status} {body}: {answer:?}", vendor.kind);
        }
        let answer = ask(429, "").await;
        assert!(matches!(answer, Err(AskError::Throttled { .. })), "{}: {answer:?}", vendor.kind);
    }
}

#[tokio::test]
async fn a_report_names_its_call_whatever_its_form() {
    for (kind, name) in
        [("twenty2", "call_id"), ("unleashx", "execution_id"), ("iqra", "queueId"), ("knovvu", "UniqueId")]
    {
        let provider = vendors::provider(vendors::vendor(kind), &lane_settings("main"), Script::of(vec![]));
        for report in [format!("{{\"event\":{{\"{name}\":\"c-1\"}}}}"), format!("{name}=c-1")] {
            assert_eq!(provider.reported(report.as_bytes()).as_deref(), Some("c-1"), "{kind} {report}");
        }
        assert_eq!(provider.reported(b"{\"hello\":1}"), None, "{kind}");
    }
}

#[tokio::test]
async fn check_calls_nobody() {
    for vendor in VENDORS {
        let trial = Trial::of(vendor, Behaviour::default());
        let checked = trial.provider.check().await.unwrap_or_else(|error| panic!("{}: {error}", vendor.kind));
        // Where questions carry no credentials they show nothing of them.
        let expected = if vendor.kind == "knovvu" { Checked::Address } else { Checked::Credentials };
        assert_eq!(checked, expected, "{}", vendor.kind);
        assert!(trial.simulator.tape().is_empty(), "{}", vendor.kind);
        assert_eq!(trial.requests(), 1, "{}", vendor.kind);
    }
}

/// The budget is asked before every question, and never for the request that places a call.
#[tokio::test(start_paused = true)]
async fn every_question_waits_for_its_turn() {
    #[derive(Default)]
    struct Turns(Mutex<usize>);

    #[async_trait]
    impl Budget for Turns {
        async fn take(&self) {
            *self.0.lock().expect("free") += 1;
        }
    }
    for vendor in VENDORS {
        let trial = Trial::of(vendor, Behaviour::default());
        let mut out = Vec::new();
        for n in 0..5 {
            if let Placement::Accepted { call_id } = trial.provider.place(&call(vendor, n)).await {
                out.push(trial.out(n, &call_id));
            }
        }
        trial.requests();
        let turns = Turns::default();
        trial.provider.ask(&out, &turns).await.expect("news");
        trial.provider.find(&[trial.lost(9)], noon() + Span::from_secs(5), &turns).await.expect("findings");
        assert_eq!(*turns.0.lock().expect("free"), trial.requests(), "{}", vendor.kind);
    }
}

/// The more requests a vendor allows, the more calls are asked about that its list does not show.
#[tokio::test(start_paused = true)]
async fn calls_that_no_list_shows_are_asked_about_one_by_one_as_the_budget_allows() {
    struct Room(usize);

    #[async_trait]
    impl Budget for Room {
        async fn take(&self) {}

        fn questions_a_second(&self) -> usize {
            self.0
        }
    }
    // Where one question does for many, the others are none.
    for vendor in VENDORS.iter().filter(|vendor| vendor.kind != "knovvu") {
        let latency = Span::from_millis(200);
        let trial = Trial::of(vendor, Behaviour { latency, ..Behaviour::default() });
        let out: Vec<OutCall> = (0..40).map(|n| trial.out(n, &format!("nobody-knows-{n}"))).collect();
        let (mut asked, begun) = (Vec::new(), tokio::time::Instant::now());
        for room in [0, 30] {
            trial.provider.ask(&out, &Room(room)).await.expect("an answer");
            asked.push(trial.requests());
        }
        assert!(asked[0] <= 10 && asked[1] >= 31, "{}: {asked:?}", vendor.kind);
        // One after the other they would take 8 s.
        let took = begun.elapsed();
        assert!((800..3_500).contains(&took.as_millis()), "{}: {took:?}", vendor.kind);
    }
}
