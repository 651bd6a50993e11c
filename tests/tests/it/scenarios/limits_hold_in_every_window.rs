//! Calls a second, calls at once, calls a day, and a campaign's own limits, as the vendor sees
//! them.

use ringfence_domain::{Moment, Outcome, Span};
use ringfence_sandbox::{Behaviour, TapeEntry};
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{lane_settings, noon, rules};
use ringfence_tests::virtual_time::{Dialer, VirtualClock};

fn most_within(window: Span, entries: &[TapeEntry]) -> usize {
    let at: Vec<Moment> = entries.iter().map(|entry| entry.at).collect();
    (0..at.len())
        .map(|start| at[start..].iter().filter(|other| other.since(at[start]) < window).count())
        .max()
        .unwrap_or(0)
}

fn most_at_once(entries: &[TapeEntry]) -> usize {
    entries
        .iter()
        .map(|entry| {
            entries.iter().filter(|other| other.at <= entry.at && entry.at < other.ends_at.expect("it ends")).count()
        })
        .max()
        .unwrap_or(0)
}

fn behaviour() -> Behaviour {
    Behaviour { outcomes: vec![(Outcome::Answered, 1)], talk: Span::from_secs(3), ..Behaviour::default() }
}

#[tokio::test]
async fn a_lanes_limits_hold_also_over_a_restart() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let mut settings = lane_settings("main");
    settings.limits.calls = "10/s".parse().expect("a rate");
    settings.limits.concurrent = 15;
    let clock = VirtualClock::at(noon());
    let mut dialer =
        Dialer::set(database.store.clone(), clock, settings, rules("spring", "main"), behaviour(), 300).await;
    for _ in 0..4 {
        dialer.start();
        tokio::time::sleep(std::time::Duration::from_millis(4_300)).await;
        dialer.stop().await;
    }
    dialer.start();
    dialer.until_finished().await;
    dialer.stop().await;
    let calls = dialer.simulator.tape().entries();
    assert_eq!(calls.len(), 300);
    assert!(most_within(Span::from_secs(1), &calls) <= 10, "{}", most_within(Span::from_secs(1), &calls));
    assert!(most_at_once(&calls) <= 15, "{}", most_at_once(&calls));
    assert!(most_at_once(&calls) >= 14, "the slots are used: {}", most_at_once(&calls));
    dialer.check_counts().await;
}

#[tokio::test]
async fn a_campaigns_own_limits_hold_beside_the_lanes() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let mut rules = rules("spring", "main");
    rules.limits.calls = Some("2/s".parse().expect("a rate"));
    rules.limits.concurrent = Some(4);
    let clock = VirtualClock::at(noon());
    let mut dialer = Dialer::set(database.store.clone(), clock, lane_settings("main"), rules, behaviour(), 40).await;
    dialer.start();
    dialer.until_finished().await;
    dialer.stop().await;
    let calls = dialer.simulator.tape().entries();
    assert_eq!(calls.len(), 40);
    assert!(most_within(Span::from_secs(1), &calls) <= 2);
    assert!(most_at_once(&calls) <= 4);
}

#[tokio::test]
async fn a_lanes_day_ends_and_begins_again_at_its_midnight() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let mut settings = lane_settings("main");
    settings.limits.per_day = Some(25);
    let clock = VirtualClock::at("2026-11-20T18:25:00Z".parse().expect("a moment")); // 23:55 IST
    let mut dialer =
        Dialer::set(database.store.clone(), clock, settings, rules("spring", "main"), behaviour(), 40).await;
    dialer.start();
    tokio::time::sleep(std::time::Duration::from_mins(4)).await;
    assert_eq!(dialer.simulator.tape().len(), 25);
    assert_eq!(dialer.count("contact:waiting").await, 15, "the others wait");
    tokio::time::sleep(std::time::Duration::from_secs(70)).await;
    dialer.until_finished().await;
    dialer.stop().await;
    assert_eq!(dialer.simulator.tape().len(), 40);
    dialer.check_counts().await;
}

#[tokio::test]
async fn a_campaigns_own_rate_holds_over_a_restart_too() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let mut rules = rules("spring", "main");
    rules.limits.calls = Some("6/min".parse().expect("a rate"));
    let clock = VirtualClock::at(noon());
    let mut dialer = Dialer::set(database.store.clone(), clock, lane_settings("main"), rules, behaviour(), 20).await;
    for _ in 0..3 {
        dialer.start();
        tokio::time::sleep(std::time::Duration::from_secs(45)).await;
        dialer.stop().await;
    }
    let calls = dialer.simulator.tape().entries();
    assert!(!calls.is_empty());
    let most = most_within(Span::from_minutes(1), &calls);
    assert!(most <= 6, "{most} in a minute");
}

#[tokio::test]
async fn a_slow_campaign_neither_starves_the_lane_nor_stands_still() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let mut settings = lane_settings("main");
    settings.limits.calls = "1/s".parse().expect("a rate");
    settings.limits.concurrent = 3;
    let mut slow = rules("slow", "main");
    slow.limits.calls = Some("1/min".parse().expect("a rate"));
    slow.agent = "slow".to_owned();
    let clock = VirtualClock::at(noon());
    let mut dialer = Dialer::set(database.store.clone(), clock.clone(), settings, slow, behaviour(), 30).await;
    let (_, quick) = dialer
        .store
        .apply(rules("quick", "main"), dialer.lane, ringfence_store::Begin::Running, noon())
        .await
        .expect("a campaign");
    ringfence_tests::sample::import(&dialer.store, quick.run, 1_000..1_100, noon()).await;
    dialer.start();
    tokio::time::sleep(std::time::Duration::from_mins(10)).await;
    dialer.stop().await;
    let calls = dialer.simulator.tape().entries();
    let slow = calls.iter().filter(|call| call.agent == "slow").count();
    assert!((8..=11).contains(&slow), "{slow} calls at 1/min in ten minutes");
    assert_eq!(calls.len() - slow, 100, "the other campaign is through");
    dialer.check_counts().await;
}
