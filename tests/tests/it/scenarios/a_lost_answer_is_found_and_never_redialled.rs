//! Answers that never arrive, errors after the call was placed, bodies without an id.

use std::sync::atomic::Ordering;

use ringfence_domain::campaign::UnknownPolicy;
use ringfence_domain::{Outcome, Span};
use ringfence_sandbox::{Behaviour, Fault};
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{lane_settings, noon, rules};
use ringfence_tests::vendors;
use ringfence_tests::virtual_time::{Dialer, VirtualClock};

async fn with_faults(faults: Vec<(Fault, f64)>, policy: UnknownPolicy, contacts: usize) -> (TestDatabase, Dialer) {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let behaviour = Behaviour { outcomes: vec![(Outcome::Answered, 1)], faults, ..Behaviour::default() };
    let mut rules = rules("spring", "main");
    rules.on_unknown.policy = policy;
    let clock = VirtualClock::at(noon());
    let mut dialer =
        Dialer::set(database.store.clone(), clock, lane_settings("main"), rules, behaviour, contacts).await;
    dialer.start();
    dialer.until_finished().await;
    (database, dialer)
}

#[tokio::test]
async fn calls_that_were_placed_are_found_in_the_vendors_list() {
    let faults = [Fault::LostAnswer, Fault::ErrorAfter, Fault::NoId, Fault::Html, Fault::Slow];
    let (_database, mut dialer) = with_faults(faults.map(|fault| (fault, 6.0)).into(), UnknownPolicy::Hold, 120).await;
    dialer.stop().await;
    assert_eq!(dialer.simulator.tape().calls().len(), 120);
    assert_eq!(dialer.count("contact:done").await, 120, "all were found and their end learned");
    dialer.check_tape(1);
    dialer.check_counts().await;
}

#[tokio::test]
async fn calls_that_were_not_placed_wait_for_a_person_and_then_let_go() {
    let faults = vec![(Fault::ErrorBefore, 8.0), (Fault::LostRequest, 8.0)];
    let (_database, mut dialer) = with_faults(faults, UnknownPolicy::Hold, 100).await;
    let lost = dialer.simulator.tape().len() - dialer.simulator.tape().calls().len();
    assert!(lost > 5);
    assert_eq!(dialer.count("contact:review").await, lost as i64, "absence from a list proves nothing");
    assert_eq!(dialer.count("attempt:unknown").await, lost as i64, "they hold their slots for now");
    tokio::time::sleep(Span::from_minutes(62).duration()).await;
    assert_eq!(dialer.count("attempt:unknown").await, 0, "after the longest call slots and numbers are free");
    assert_eq!(dialer.count("contact:review").await, lost as i64, "a person still has to say");
    dialer.stop().await;
    assert_eq!(dialer.simulator.tape().len(), 100, "nobody was asked for twice");
    dialer.check_counts().await;
}

#[tokio::test]
async fn a_campaign_may_assume_instead() {
    let faults = vec![(Fault::ErrorBefore, 20.0)];
    let (_database, mut dialer) = with_faults(faults, UnknownPolicy::AssumePlaced, 50).await;
    dialer.stop().await;
    assert_eq!(dialer.count("contact:done").await, 50);
    assert_eq!(dialer.simulator.tape().len(), 50);
    dialer.check_counts().await;
}

#[tokio::test]
async fn a_campaign_may_redial_instead() {
    let faults = vec![(Fault::ErrorBefore, 20.0)];
    let (_database, mut dialer) = with_faults(faults, UnknownPolicy::Redial, 50).await;
    dialer.stop().await;
    assert_eq!(dialer.count("contact:done").await, 50);
    assert_eq!(dialer.simulator.tape().calls().len(), 50);
    assert!(dialer.simulator.tape().len() > 50, "some were asked for again");
    dialer.check_counts().await;
}

#[tokio::test]
async fn a_question_that_is_not_answered_decides_nothing() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let behaviour = Behaviour {
        outcomes: vec![(Outcome::Answered, 1)],
        faults: vec![(Fault::LostAnswer, 100.0)],
        ..Behaviour::default()
    };
    let mut rules = rules("spring", "main");
    rules.on_unknown.policy = UnknownPolicy::Redial;
    let mut dialer =
        Dialer::set(database.store.clone(), VirtualClock::at(noon()), lane_settings("main"), rules, behaviour, 8).await;
    dialer.line.silent.store(true, Ordering::SeqCst);
    dialer.start();
    tokio::time::sleep(Span::from_minutes(10).duration()).await;
    assert_eq!(dialer.simulator.tape().len(), 8, "nobody is redialled on the word of a vendor that said nothing");
    assert_eq!(dialer.count("attempt:unknown").await, 8);
    dialer.line.silent.store(false, Ordering::SeqCst);
    dialer.until_finished().await;
    dialer.stop().await;
    assert_eq!(dialer.count("contact:done").await, 8);
    dialer.check_tape(1);
    dialer.check_counts().await;
}

#[tokio::test]
async fn a_vendor_that_never_answers_questions_is_seen() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let behaviour = Behaviour { faults: vec![(Fault::LostAnswer, 100.0)], ..Behaviour::default() };
    let rules = rules("spring", "main");
    let mut dialer =
        Dialer::set(database.store.clone(), VirtualClock::at(noon()), lane_settings("main"), rules, behaviour, 8).await;
    dialer.line.silent.store(true, Ordering::SeqCst);
    dialer.start();
    dialer.until("a person being asked instead", |count| count("contact:review") == 8).await;
    let lane = dialer.store.lanes().await.expect("lanes").remove(0);
    let reason = lane.backoff_reason.expect("a reason");
    assert!(reason.contains("does not say how calls stand"), "{reason}");
    assert_eq!(dialer.count("attempt:unknown").await, 8, "it is asked all the same, once it answers");
    dialer.line.silent.store(false, Ordering::SeqCst);
    dialer.until("all being found", |count| count("contact:review") + count("attempt:unknown") == 0).await;
    dialer.stop().await;
    assert_eq!(dialer.simulator.tape().len(), 8);
    dialer.check_counts().await;
}

#[tokio::test]
async fn who_was_not_asked_about_yet_is_not_redialled() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    // UnleashX is asked about a few lost calls at a time.
    let vendor = vendors::vendor("unleashx");
    let settings = lane_settings("main");
    let mut rules = vendors::suited(vendor, &settings, rules("spring", "main"));
    rules.on_unknown.policy = UnknownPolicy::Redial;
    rules.on_unknown.ask_for = Span::from_secs(1);
    let behaviour = Behaviour {
        outcomes: vec![(Outcome::Answered, 1)],
        faults: vec![(Fault::LostAnswer, 100.0)],
        ..Behaviour::default()
    };
    let adapter = |settings: &_, line| vendors::provider(vendor, settings, line);
    let clock = VirtualClock::at(noon());
    let mut dialer = Dialer::set_with(database.store.clone(), clock, settings, rules, behaviour, 30, adapter).await;
    dialer.start();
    dialer.until_finished().await;
    dialer.stop().await;
    assert_eq!(dialer.simulator.tape().calls().len(), 30, "everyone once");
    assert_eq!(dialer.count("contact:done").await, 30);
    dialer.check_tape(1);
    dialer.check_counts().await;
}
