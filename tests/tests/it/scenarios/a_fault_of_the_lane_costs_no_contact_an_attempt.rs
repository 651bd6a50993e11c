//! 401, an empty wallet: the lane pauses at the first answer and says why. An unknown agent pauses
//! its campaign only.

use ringfence_domain::{CampaignState, LaneState, PausedBy};
use ringfence_sandbox::{Behaviour, Fault};
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{lane_settings, noon, rules};
use ringfence_tests::virtual_time::{Dialer, VirtualClock};

async fn pauses(fault: Fault, says: &str) {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let mut settings = lane_settings("main");
    settings.limits.concurrent = 5;
    settings.limits.calls = "10/s".parse().expect("a rate");
    let broken = Behaviour { faults: vec![(fault, 100.0)], ..Behaviour::default() };
    let clock = VirtualClock::at(noon());
    let mut dialer = Dialer::set(database.store.clone(), clock, settings, rules("spring", "main"), broken, 50).await;
    dialer.start();
    tokio::time::sleep(std::time::Duration::from_mins(2)).await;
    let lane = dialer.store.lanes().await.expect("lanes").remove(0);
    assert_eq!(lane.state, LaneState::Paused);
    let reason = lane.reason.expect("a reason");
    assert!(reason.contains(says), "{reason}");
    assert!(dialer.simulator.tape().len() <= 5, "only what was on its way: {}", dialer.simulator.tape().len());
    assert_eq!(dialer.count("contact:waiting").await, 50, "nobody lost an attempt");
    assert_eq!(dialer.count("attempt:sending").await + dialer.count("attempt:placed").await, 0);

    dialer.simulator.change(|behaviour| behaviour.faults.clear());
    dialer.store.resume_lane(dialer.lane, noon()).await.expect("resumed");
    dialer.until("all being called", |count| count("contact:waiting") + count("contact:active") < 50).await;
    dialer.stop().await;
    dialer.check_counts().await;
}

#[tokio::test]
async fn wrong_credentials() {
    pauses(Fault::Unauthorized, "UNAUTHORIZED").await;
}

#[tokio::test]
async fn an_unknown_agent_pauses_its_campaign_and_no_other() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let mut settings = lane_settings("main");
    settings.limits.calls = "10/s".parse().expect("a rate");
    settings.limits.concurrent = 5;
    let broken = Behaviour { faults: vec![(Fault::UnknownAgent, 100.0)], ..Behaviour::default() };
    let clock = VirtualClock::at(noon());
    let mut dialer = Dialer::set(database.store.clone(), clock, settings, rules("spring", "main"), broken, 50).await;
    dialer.start();
    tokio::time::sleep(std::time::Duration::from_mins(2)).await;
    let store = dialer.store.clone();
    let campaign = store.campaign("spring".to_owned()).await.expect("an answer").expect("a campaign");
    assert_eq!((campaign.state, campaign.paused_by), (CampaignState::Paused, Some(PausedBy::Safety)));
    let reason = campaign.reason.expect("a reason");
    assert!(reason.contains("refuses every call of this campaign") && reason.contains("INVALID_AGENT"), "{reason}");
    assert_eq!(store.lanes().await.expect("lanes")[0].state, LaneState::Open, "others on it go on");
    assert!(dialer.simulator.tape().len() <= 5, "only what was on its way: {}", dialer.simulator.tape().len());
    assert_eq!(dialer.count("contact:waiting").await, 50, "nobody lost an attempt");

    dialer.simulator.change(|behaviour| behaviour.faults.clear());
    store.resume_campaign(campaign.id, true, noon()).await.expect("resumed");
    dialer.until("all being called", |count| count("contact:waiting") + count("contact:active") < 50).await;
    dialer.stop().await;
    dialer.check_counts().await;
}

#[tokio::test]
async fn an_empty_wallet() {
    pauses(Fault::NoBalance, "INSUFFICIENT_BALANCE").await;
}

#[tokio::test]
async fn a_number_that_does_not_exist_stops_its_contact_only() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let broken = Behaviour { faults: vec![(Fault::InvalidNumber, 30.0)], ..Behaviour::default() };
    let clock = VirtualClock::at(noon());
    let mut rules = rules("spring", "main");
    rules.retry.max_attempts = 1;
    // Refusals are known long before other calls end; there are too few of them to fill the rail's
    // last 20.
    let mut dialer = Dialer::set(database.store.clone(), clock, lane_settings("main"), rules, broken, 40).await;
    dialer.start();
    dialer.until_finished().await;
    dialer.stop().await;
    let refused = dialer.simulator.tape().len() - dialer.simulator.tape().calls().len();
    assert!((6..20).contains(&refused), "{refused}");
    assert_eq!(dialer.count("stopped:invalid_number").await, refused as i64);
    assert_eq!(dialer.store.lanes().await.expect("lanes")[0].state, LaneState::Open);
    dialer.check_counts().await;
}
