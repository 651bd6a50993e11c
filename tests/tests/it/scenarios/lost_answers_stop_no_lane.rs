//! Three slots, and three calls of unknown fate: the lane goes on, and says meanwhile what holds
//! it.

use std::time::Duration;

use ringfence_domain::{ClockReading, Outcome, Span};
use ringfence_operations::summary::{Asker, summarize};
use ringfence_sandbox::{Behaviour, Fault};
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{lane_settings, noon, rules};
use ringfence_tests::vendors;
use ringfence_tests::virtual_time::{Dialer, VirtualClock};

async fn three_lost(kind: &str, fault: Fault) -> (TestDatabase, Dialer) {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let vendor = vendors::vendor(kind);
    let mut settings = lane_settings("main");
    settings.limits.concurrent = 3;
    let rules = vendors::suited(vendor, &settings, rules("spring", "main"));
    let behaviour =
        Behaviour { outcomes: vec![(Outcome::Answered, 1)], faults: vec![(fault, 100.0)], ..Behaviour::default() };
    let adapter = |settings: &_, line| vendors::provider(vendor, settings, line);
    let clock = VirtualClock::at(noon());
    let mut dialer = Dialer::set_with(database.store.clone(), clock, settings, rules, behaviour, 30, adapter).await;
    dialer.start();
    dialer.until("three lost answers", |count| count("attempt:unknown") == 3).await;
    dialer.simulator.change(|behaviour| behaviour.faults.clear());
    (database, dialer)
}

#[tokio::test]
async fn of_a_vendor_without_a_list_they_hold_their_slots_as_long_as_a_call_takes() {
    let (_database, mut dialer) = three_lost("knovvu", Fault::LostAnswer).await;
    tokio::time::sleep(Duration::from_secs(90)).await;
    let now = dialer.clock.read().now;
    let numbers = dialer.numbers().await;
    let summary = summarize(&numbers, &Asker::default(), ClockReading::exact(now));
    assert_eq!(summary.state, "idle", "nothing is running");
    let because = summary.because.expect("a reason");
    assert!(because.starts_with("Nothing is dialled: all 3 slots are taken by calls of unknown fate"), "{because}");
    assert!(because.contains("is free at 12:0"), "{because}");
    assert!(summary.next_dial_at.is_some_and(|at| at > now && at <= noon() + Span::from_minutes(7)));
    dialer.until("everyone else being called", |count| count("contact:done") == 27).await;
    let took = dialer.clock.read().now.since(noon());
    assert!(took < Span::from_minutes(8), "{took}");
    assert_eq!(dialer.count("contact:review").await, 3, "their numbers are not free");
    assert_eq!(dialer.simulator.tape().len(), 30, "nobody was asked for twice");
    let summary = summarize(&dialer.numbers().await, &Asker::default(), dialer.clock.read());
    let because = summary.because.expect("what the run waits for");
    assert_eq!(because, "Nobody is left to be dialled: 3 contacts in review wait for a person's decision.");
    dialer.stop().await;
    dialer.check_counts().await;
}

async fn a_list_without_them_frees_their_slots(kind: &str) {
    let (_database, mut dialer) = three_lost(kind, Fault::LostRequest).await;
    dialer.until("everyone else being called", |count| count("contact:done") == 27).await;
    let took = dialer.clock.read().now.since(noon());
    assert!(took < Span::from_minutes(3), "{took}");
    assert_eq!(dialer.simulator.tape().len(), 30, "nobody was asked for twice");
    dialer.stop().await;
    dialer.check_counts().await;
}

#[tokio::test]
async fn the_list_of_twenty2_shows_that_they_are_not_out() {
    a_list_without_them_frees_their_slots("twenty2").await;
}

#[tokio::test]
async fn the_list_of_unleashx_shows_that_they_are_not_out() {
    a_list_without_them_frees_their_slots("unleashx").await;
}

#[tokio::test]
async fn long_calls_that_the_vendor_knows_keep_their_slots() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let mut settings = lane_settings("main");
    settings.limits.concurrent = 3;
    let behaviour =
        Behaviour { outcomes: vec![(Outcome::Answered, 1)], talk: Span::from_minutes(7), ..Behaviour::default() };
    let clock = VirtualClock::at(noon());
    let mut dialer = Dialer::set(database.store.clone(), clock, settings, rules("spring", "main"), behaviour, 9).await;
    dialer.start();
    dialer.until("nine calls", |count| count("contact:done") == 9).await;
    dialer.stop().await;
    let calls = dialer.simulator.tape().calls();
    let spans: Vec<_> = calls.iter().map(|call| (call.at, call.ends_at.expect("an end"))).collect();
    for (at, _) in &spans {
        let out = spans.iter().filter(|(from, until)| from <= at && at < until).count();
        assert!(out <= 3, "{out} calls at once");
    }
    dialer.check_counts().await;
}
