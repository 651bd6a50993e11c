//! An Iqra AI that reads only what its source reads: the first refusal proves that nothing was
//! queued, and a new attempt says it the other way.

use ringfence_domain::{LaneState, Outcome};
use ringfence_sandbox::{Behaviour, IqraDialect};
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{lane_settings, noon, rules};
use ringfence_tests::vendors;
use ringfence_tests::virtual_time::{Dialer, VirtualClock};

#[tokio::test]
async fn everyone_is_called_once_and_the_refused_attempts_count_for_nothing() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let vendor = vendors::vendor("iqra");
    let mut settings = lane_settings("main");
    settings.kind = vendor.kind.to_owned();
    let mut rules = vendors::suited(vendor, &settings, rules("spring", "main"));
    rules.vendor.insert("campaign_id".to_owned(), "campaign".parse().expect("a text"));
    rules.retry.max_attempts = 1;
    let behaviour =
        Behaviour { outcomes: vec![(Outcome::Answered, 1)], iqra: IqraDialect::Config, ..Behaviour::default() };
    let adapter = |settings: &_, line| {
        let mut setup = vendors::setup(vendor, settings, "http://vendor.invalid");
        setup.values.insert("dialect".to_owned(), "docs".to_owned());
        vendors::build(vendor, setup, line)
    };
    let clock = VirtualClock::at(noon());
    let mut dialer = Dialer::set_with(database.store.clone(), clock, settings, rules, behaviour, 60, adapter).await;
    dialer.start();
    dialer.until_finished().await;
    dialer.stop().await;
    assert_eq!(dialer.count("contact:done").await, 60);
    assert_eq!(dialer.simulator.tape().calls().len(), 60);
    assert!(dialer.count("attempt:refused").await > 0, "the first were refused");
    assert_eq!(dialer.store.lanes().await.expect("lanes")[0].state, LaneState::Open);
    dialer.check_tape(1);
    dialer.check_counts().await;
}
