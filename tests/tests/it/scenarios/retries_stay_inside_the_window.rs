//! A lunch break, the vendor's own hours, a day that is closed, and numbers that do not pick up:
//! every call, first or repeated, begins inside every one of these, and the first after each
//! opening on the second.

use std::collections::BTreeMap;
use std::time::Duration;

use ringfence_domain::campaign::Redial;
use ringfence_domain::{Moment, Outcome, Span};
use ringfence_sandbox::Behaviour;
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{lane_settings, noon, rules};
use ringfence_tests::virtual_time::{Dialer, VirtualClock};

fn after(minutes: &[i64]) -> Redial {
    Redial::After(minutes.iter().map(|m| Span::from_minutes(*m)).collect())
}

/// Minutes since noon, on any day.
fn minute(at: Moment) -> i64 {
    (at.secs() - noon().secs()).rem_euclid(86_400) / 60
}

#[tokio::test]
async fn every_call_begins_inside_all_hours() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let clock = VirtualClock::at(noon());
    let never_there = Behaviour { outcomes: vec![(Outcome::NoAnswer, 1), (Outcome::Busy, 1)], ..Behaviour::default() };
    let mut settings = lane_settings("main");
    settings.limits.calls = "2/s".parse().expect("a rate");
    settings.hours = "11:00-12:30".parse().ok();
    let mut rules = rules("spring", "main");
    rules.calling.hours = "12:00-12:06,12:10-12:15,12:20-12:45".parse().expect("hours");
    rules.calling.guard = Span::from_secs(60);
    // Tomorrow is closed.
    rules.calling.closures = std::sync::Arc::new(ringfence_domain::window::Closures {
        days: ["2026-11-21".parse().expect("a date")].into(),
        ..Default::default()
    });
    rules.retry.max_attempts = 8;
    rules.retry.after.insert(Outcome::Busy, after(&[2]));
    rules.retry.after.insert(Outcome::NoAnswer, after(&[1, 3]));
    let mut dialer = Dialer::set(database.store.clone(), clock.clone(), settings, rules, never_there, 200).await;
    for day in ["2026-11-20", "2026-11-21", "2026-11-22"] {
        clock.skip_to(format!("{day}T06:29:00Z").parse().expect("a moment"));
        dialer.start();
        tokio::time::sleep(Duration::from_mins(35)).await;
        dialer.stop().await;
    }
    let calls = dialer.simulator.tape().calls();
    let mut by_opening: BTreeMap<(String, i64), Vec<Moment>> = BTreeMap::new();
    for call in &calls {
        let opening =
            [(0, 5), (10, 14), (20, 29)].into_iter().find(|(from, to)| (*from..*to).contains(&minute(call.at)));
        let (opening, _) = opening.unwrap_or_else(|| panic!("a call at {}", call.at));
        let day = call.at.utc_date().to_string();
        assert_ne!(day, "2026-11-21", "it is closed");
        by_opening.entry((day, opening)).or_default().push(call.at);
    }
    let openings: Vec<i64> =
        by_opening.iter().filter(|((day, _), _)| day == "2026-11-20").map(|((_, at), _)| *at).collect();
    assert_eq!(openings, [0, 10, 20], "all of them were used");
    for ((day, opening), calls) in &by_opening {
        let opened = noon() + Span::from_minutes(*opening) + Span::from_days(if day == "2026-11-22" { 2 } else { 0 });
        let first = calls.iter().min().expect("a call");
        assert!(first.since(opened) < Span::from_secs(2), "{day} {opening}: the first call at {first}");
    }
    dialer.check_tape(8);
    dialer.check_counts().await;
}

#[tokio::test]
async fn who_did_not_pick_up_is_not_tried_again_in_the_same_hour_of_the_day() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let clock = VirtualClock::at(noon() + Span::from_minutes(40));
    let outcomes = vec![(Outcome::NoAnswer, 1), (Outcome::Busy, 1)];
    let never_there = Behaviour { outcomes, ring: Span::from_secs(20), ..Behaviour::default() };
    let mut rules = rules("spring", "main");
    rules.retry.avoid_same_hour = true;
    rules.retry.max_attempts = 4;
    rules.retry.after.insert(Outcome::Busy, after(&[5]));
    rules.retry.after.insert(Outcome::NoAnswer, after(&[5]));
    let mut dialer =
        Dialer::set(database.store.clone(), clock.clone(), lane_settings("main"), rules, never_there, 40).await;
    dialer.start();
    tokio::time::sleep(Duration::from_mins(30)).await;
    dialer.stop().await;
    // The same hour of the next day is avoided, too.
    clock.skip_to(noon() + Span::from_days(1) + Span::from_minutes(50));
    dialer.start();
    tokio::time::sleep(Duration::from_mins(20)).await;
    dialer.stop().await;
    let calls = dialer.simulator.tape().calls();
    let (mut waited, mut soon) = (0, 0);
    for n in 0..40 {
        let number = ringfence_tests::sample::number(n).national().expect("a number");
        let own: Vec<_> = calls.iter().filter(|call| call.callee == number).collect();
        for pair in own.windows(2) {
            let hour = |at: Moment| (minute(at) / 60).rem_euclid(24);
            if pair[0].outcome == Some(Outcome::NoAnswer) {
                assert_ne!(hour(pair[0].at), hour(pair[1].at), "{} and {}", pair[0].at, pair[1].at);
                waited += 1;
            } else {
                soon += 1;
            }
        }
    }
    assert!(waited > 20 && soon > 10, "{waited} waited, {soon} were called soon");
    dialer.check_counts().await;
}
