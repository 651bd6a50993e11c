//! Three campaigns on one lane: the urgent one first, the two others side by side.

use ringfence_domain::{Outcome, Span};
use ringfence_sandbox::Behaviour;
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{self, lane_settings, noon, rules};
use ringfence_tests::virtual_time::{Dialer, VirtualClock};

#[tokio::test]
async fn the_urgent_campaign_goes_first_and_the_others_alternate() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let behaviour =
        Behaviour { outcomes: vec![(Outcome::Answered, 1)], talk: Span::from_secs(1), ..Behaviour::default() };
    let mut settings = lane_settings("main");
    settings.limits.concurrent = 4;
    let clock = VirtualClock::at(noon());
    let mut dialer = Dialer::set(database.store.clone(), clock, settings, rules("calm", "main"), behaviour, 60).await;
    for (name, priority, numbers) in [("other", 5, 1_000..1_060), ("urgent", 1, 2_000..2_040)] {
        let mut rules = rules(name, "main");
        (rules.priority, rules.agent) = (priority, name.to_owned());
        let (_, campaign) =
            dialer.store.apply(rules, dialer.lane, ringfence_store::Begin::Running, noon()).await.expect("a campaign");
        sample::import(&dialer.store, campaign.run, numbers, noon()).await;
    }
    dialer.start();
    dialer.until_finished().await;
    tokio::time::sleep(std::time::Duration::from_mins(2)).await;
    dialer.stop().await;
    let agents: Vec<String> = dialer.simulator.tape().calls().into_iter().map(|call| call.agent).collect();
    assert_eq!(agents.len(), 160);
    assert!(agents[..40].iter().all(|agent| agent == "urgent"), "{:?}", &agents[..44]);
    let half = &agents[40..100];
    let others = half.iter().filter(|agent| *agent == "other").count();
    assert!((20..=40).contains(&others), "{others} of 60");
}
