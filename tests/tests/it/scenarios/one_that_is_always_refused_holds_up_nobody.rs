//! One number that always gets HTTP 429, first in the file: the others are called, and it is asked
//! for ever more rarely.

use std::time::Duration;

use ringfence_domain::{Outcome, PhoneNumber, Span};
use ringfence_operations::summary::{Asker, summarize};
use ringfence_sandbox::{Behaviour, Fault};
use ringfence_store::NewContact;
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{self, lane_settings, noon, rules};
use ringfence_tests::virtual_time::{Dialer, VirtualClock};

/// A number of the sandbox that is always throttled.
const THROTTLED: &str = "+917000000157";

async fn with_eight_others(concurrent: u32) -> (TestDatabase, Dialer) {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let mut settings = lane_settings("main");
    settings.limits.concurrent = concurrent;
    settings.limits.calls = "1/s".parse().expect("a rate");
    let behaviour = Behaviour { outcomes: vec![(Outcome::Answered, 1)], ..Behaviour::default() };
    let clock = VirtualClock::at(noon());
    let dialer = Dialer::set(database.store.clone(), clock, settings, rules("spring", "main"), behaviour, 0).await;
    let (store, run) = (&*dialer.store, dialer.campaign.run);
    let import = sample::begin_import(store, run, "throttled", noon()).await;
    let throttled = PhoneNumber::from_e164(THROTTLED).expect("a number");
    let first =
        NewContact { numbers: vec![(throttled.clone(), store.hasher().key(&throttled))], ..sample::row(store, 1, 0) };
    let others = (1..9).map(|n| sample::row(store, n as i64 + 1, n));
    let contacts = std::iter::once(first).chain(others).collect();
    store.import_chunk(sample::chunk(import, run, contacts, noon())).await.expect("a chunk");
    store.complete_import(sample::complete(import, 9, noon())).await.expect("complete");
    (database, dialer)
}

#[tokio::test]
async fn of_a_lane_with_one_slot() {
    let (_database, mut dialer) = with_eight_others(1).await;
    dialer.start();
    dialer.until("everyone else being called", |count| count("contact:done") == 8).await;
    assert!(dialer.clock.read().now.since(noon()) < Span::from_secs(100));
    dialer.stop().await;
}

#[tokio::test]
async fn a_person_must_look_in_the_end() {
    let (_database, mut dialer) = with_eight_others(3).await;
    dialer.start();
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert_eq!(dialer.count("contact:done").await, 8, "{:?}", dialer.numbers().await.counts);
    let asked = || dialer.simulator.tape().len() - dialer.simulator.tape().calls().len();
    assert!(asked() <= 5, "{} requests in 100 s", asked());
    tokio::time::sleep(Duration::from_mins(50)).await;
    assert_eq!(asked(), 10, "ever more rarely, and no more then");
    let summary = summarize(&dialer.numbers().await, &Asker::default(), dialer.clock.read());
    assert_eq!((summary.contacts.done, summary.contacts.review), (8, 1), "a person must look");
    assert_eq!(summary.refused_alone, 1, "it is named");
    let review = dialer.store.reviews(None, ringfence_domain::ContactId(0), 10).await.expect("reviews").remove(0);
    assert_eq!(review.number.e164(), THROTTLED);
    assert!(review.cause.expect("a cause").contains("429"));
    dialer.stop().await;
    dialer.check_counts().await;
}

#[tokio::test]
async fn when_everyone_is_refused_the_lane_rests_and_nobody_is_blamed() {
    let (_database, mut dialer) = with_eight_others(3).await;
    dialer.simulator.change(|behaviour| behaviour.faults = vec![(Fault::Throttled, 100.0)]);
    dialer.start();
    tokio::time::sleep(Span::from_minutes(10).duration()).await;
    let entries = dialer.simulator.tape().entries();
    assert!(entries.len() < 80, "{} requests in ten minutes", entries.len());
    assert_eq!(dialer.count("contact:review").await + dialer.count("refused_alone").await, 0);
    dialer.simulator.change(|behaviour| behaviour.faults.clear());
    dialer.until("the others being called", |count| count("contact:done") == 8).await;
    dialer.stop().await;
    dialer.check_counts().await;
}
