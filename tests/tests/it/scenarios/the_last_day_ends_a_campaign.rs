//! A campaign whose last day is over: whoever waits then is stopped, and calls that are out go on
//! to their end.

use std::time::Duration;

use ringfence_domain::schedule::Schedule;
use ringfence_domain::{Clock, Outcome, Span};
use ringfence_sandbox::Behaviour;
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{lane_settings, rules};
use ringfence_tests::virtual_time::{Dialer, VirtualClock};

#[tokio::test]
async fn whoever_waits_at_midnight_is_stopped() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let clock = VirtualClock::at("2026-11-20T18:29:00Z".parse().expect("a moment")); // 23:59 IST
    let behaviour = Behaviour { outcomes: vec![(Outcome::Busy, 1)], ring: Span::from_secs(90), ..Behaviour::default() };
    let mut settings = lane_settings("main");
    settings.limits.calls = "1/s".parse().expect("a rate");
    let mut rules = rules("spring", "main");
    rules.schedule = Schedule { ends: "2026-11-20".parse().ok(), ..Schedule::default() };
    let mut dialer = Dialer::set(database.store.clone(), clock.clone(), settings, rules, behaviour, 200).await;
    dialer.start();
    tokio::time::sleep(Duration::from_mins(5)).await;
    let calls = dialer.simulator.tape().calls();
    let midnight = "2026-11-20T18:30:00Z".parse().expect("a moment");
    assert!(calls.iter().all(|call| call.at < midnight), "{:?}", calls.last());
    assert!((50..=61).contains(&calls.len()), "{} calls in the last minute", calls.len());
    assert_eq!(dialer.count("stopped:campaign_ended").await, 200, "who was busy is not called again");
    assert_eq!(dialer.count("contact:waiting").await, 0);
    assert_eq!(dialer.count("outcome:busy").await, calls.len() as i64, "every end was learned");
    assert!(clock.read().now > midnight);
    dialer.stop().await;
    dialer.check_counts().await;
}
