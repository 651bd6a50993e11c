//! Three campaigns on one lane: the urgent one first, with a share of the lane for the two others,
//! which stand side by side.

use ringfence_domain::lane::LaneSettings;
use ringfence_domain::{Outcome, Share, Span};
use ringfence_sandbox::Behaviour;
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{self, lane_settings, noon, rules};
use ringfence_tests::virtual_time::{Dialer, VirtualClock};

/// The agents of all calls in turn, when the lane gives this share to lower priorities.
async fn agents(share: Share) -> Vec<String> {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let behaviour =
        Behaviour { outcomes: vec![(Outcome::Answered, 1)], talk: Span::from_secs(1), ..Behaviour::default() };
    let mut settings = lane_settings("main");
    (settings.limits.concurrent, settings.lower_priorities) = (4, share);
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
    agents
}

fn count(agents: &[String], wanted: &str) -> usize {
    agents.iter().filter(|agent| *agent == wanted).count()
}

#[tokio::test]
async fn the_urgent_campaign_goes_first_and_the_others_get_a_tenth_and_then_alternate() {
    let agents = agents(LaneSettings::LOWER_PRIORITIES).await;
    let urgent = count(&agents[..40], "urgent");
    assert!((34..=37).contains(&urgent), "{urgent} of the first 40: {:?}", &agents[..44]);
    assert_eq!(count(&agents[..46], "urgent"), 40, "{:?}", &agents[..46]);
    let others = count(&agents[46..106], "other");
    assert!((20..=40).contains(&others), "{others} of 60");
}

#[tokio::test]
async fn without_a_share_the_others_wait_until_the_urgent_campaign_has_nobody_to_call() {
    let agents = agents(Share::new(0)).await;
    assert_eq!(count(&agents[..40], "urgent"), 40, "{:?}", &agents[..44]);
}
