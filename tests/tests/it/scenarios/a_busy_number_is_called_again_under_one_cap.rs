//! Retries at the campaign's delays, never oftener than its cap.

use ringfence_domain::campaign::Redial;
use ringfence_domain::{Outcome, Span};
use ringfence_sandbox::Behaviour;
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{lane_settings, noon, rules};
use ringfence_tests::virtual_time::{Dialer, VirtualClock};

#[tokio::test]
async fn three_calls_at_growing_distance_and_no_fourth() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let never_there = Behaviour { outcomes: vec![(Outcome::NoAnswer, 1), (Outcome::Busy, 1)], ..Behaviour::default() };
    let mut rules = rules("spring", "main");
    let delays = |minutes: &[i64]| Redial::After(minutes.iter().map(|m| Span::from_minutes(*m)).collect());
    rules.retry.after.insert(Outcome::Busy, delays(&[5]));
    rules.retry.after.insert(Outcome::NoAnswer, delays(&[3, 8]));
    let clock = VirtualClock::at(noon());
    let mut dialer = Dialer::set(database.store.clone(), clock, lane_settings("main"), rules, never_there, 30).await;
    dialer.start();
    dialer.until_finished().await;
    dialer.stop().await;
    assert_eq!(dialer.count("stopped:attempts_used").await, 30);
    let calls = dialer.simulator.tape().calls();
    assert_eq!(calls.len(), 90);
    for n in 0..30 {
        let number = ringfence_tests::sample::number(n).national().expect("a number");
        let own: Vec<_> = calls.iter().filter(|call| call.callee == number).collect();
        for pair in own.windows(2) {
            let (wait, busy) =
                (pair[1].at.since(pair[0].ends_at.expect("it ends")), pair[0].outcome == Some(Outcome::Busy));
            let least = if busy { 5 } else { 3 };
            assert!(wait >= Span::from_minutes(least), "{wait} after {:?}", pair[0].outcome);
            assert!(wait <= Span::from_minutes(10), "{wait} after {:?}", pair[0].outcome);
        }
    }
    dialer.check_tape(3);
    dialer.check_counts().await;
}
