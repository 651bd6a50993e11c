//! New rules name a column that old rows lack: those rows go to a person, and everyone else is
//! called.

use ringfence_domain::Outcome;
use ringfence_sandbox::Behaviour;
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{lane_settings, noon, rules};
use ringfence_tests::virtual_time::{Dialer, VirtualClock};

#[tokio::test]
async fn it_does_not_block_the_queue() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let answered = Behaviour { outcomes: vec![(Outcome::Answered, 1)], ..Behaviour::default() };
    let mut settings = lane_settings("main");
    settings.limits.concurrent = 2;
    let clock = VirtualClock::at(noon());
    let mut dialer = Dialer::set(database.store.clone(), clock, settings, rules("spring", "main"), answered, 3).await;
    let mut newer = rules("spring", "main");
    newer.variables.insert("amount".to_owned(), "{amount}".parse().expect("a template"));
    dialer.store.apply(newer, dialer.lane, ringfence_store::Begin::Running, noon()).await.expect("new rules");
    let (_, other) = dialer
        .store
        .apply(rules("other", "main"), dialer.lane, ringfence_store::Begin::Running, noon())
        .await
        .expect("a campaign");
    ringfence_tests::sample::import(&dialer.store, other.run, 100..110, noon()).await;
    dialer.start();
    dialer.until_finished().await;
    tokio::time::sleep(std::time::Duration::from_mins(2)).await;
    dialer.stop().await;
    assert_eq!(dialer.count("contact:review").await, 3);
    assert_eq!(dialer.simulator.tape().len(), 10, "the other campaign is through");
    dialer.check_counts().await;
}
