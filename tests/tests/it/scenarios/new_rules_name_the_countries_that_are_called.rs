//! New rules name other countries than those of contacts who wait: these go to a person, and
//! nobody of them is called.

use ringfence_domain::Outcome;
use ringfence_sandbox::Behaviour;
use ringfence_store::Begin;
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{import, lane_settings, noon, rules};
use ringfence_tests::virtual_time::{Dialer, VirtualClock};

async fn scenario(database: TestDatabase) {
    let answered = Behaviour { outcomes: vec![(Outcome::Answered, 1)], ..Behaviour::default() };
    let (store, clock) = (database.store.clone(), VirtualClock::at(noon()));
    let mut dialer = Dialer::set(store, clock, lane_settings("main"), rules("spring", "main"), answered, 3).await;
    let mut newer = rules("spring", "main");
    newer.contacts.countries = vec!["US".parse().expect("a country")];
    dialer.store.apply(newer, dialer.lane, Begin::Running, noon()).await.expect("new rules");
    let mut other = rules("other", "main");
    other.contacts.countries = vec!["US".parse().expect("a country"), "IN".parse().expect("a country")];
    let (_, other) = dialer.store.apply(other, dialer.lane, Begin::Running, noon()).await.expect("a campaign");
    import(&dialer.store, other.run, 100..105, noon()).await;
    dialer.start();
    dialer.until_finished().await;
    tokio::time::sleep(std::time::Duration::from_mins(2)).await;
    dialer.stop().await;
    assert_eq!(dialer.count("contact:review").await, 3);
    assert_eq!(dialer.simulator.tape().len(), 5, "only the campaign that names their country calls");
    dialer.check_counts().await;
}

#[tokio::test]
async fn sqlite() {
    scenario(TestDatabase::sqlite_in_virtual_time().await).await;
}

#[tokio::test]
async fn postgres() {
    scenario(TestDatabase::postgres_in_virtual_time().await).await;
}
