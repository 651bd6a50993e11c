//! The evening and the morning of a full queue, in virtual time, with a vendor whose clock is 30 s
//! fast.

use std::time::Duration;

use ringfence_domain::campaign::CallingZone;
use ringfence_domain::window::Hours;
use ringfence_domain::{Clock, Moment, Outcome, Span};
use ringfence_sandbox::{Behaviour, Event};
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{lane_settings, rules};
use ringfence_tests::virtual_time::{Dialer, VirtualClock};

fn at(text: &str) -> Moment {
    text.parse().expect("a moment")
}

#[tokio::test]
async fn the_last_call_begins_before_the_guard_and_the_first_on_the_second() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let clock = VirtualClock::at(at("2026-11-20T15:27:30Z")); // 20:57:30 IST
    let hours = Hours::new("09:00-21:00".parse().expect("hours"), "Asia/Kolkata".parse().expect("a zone"));
    let behaviour = Behaviour {
        outcomes: vec![(Outcome::Answered, 1)],
        talk: Span::from_secs(5),
        hours: Some(hours.clone()),
        clock_ahead_ms: 30_000,
        ..Behaviour::default()
    };
    let mut settings = lane_settings("main");
    settings.limits.calls = "5/s".parse().expect("a rate");
    settings.hours = Some(hours.table.clone());
    let mut rules = rules("spring", "main");
    rules.calling.hours = "09:00-21:00".parse().expect("hours");
    rules.calling.timezone = CallingZone::Contact;
    rules.calling.guard = Span::from_secs(60);
    let mut dialer = Dialer::set(database.store.clone(), clock.clone(), settings, rules, behaviour, 1_000).await;

    dialer.start();
    tokio::time::sleep(Duration::from_mins(4)).await;
    let evening = dialer.simulator.tape().entries();
    let last = evening.last().expect("calls").at;
    assert!(last < at("2026-11-20T15:29:00Z"), "the last call of the day began at {last}");
    assert!(last >= at("2026-11-20T15:28:59Z"), "the queue was full to the end, yet the last call began at {last}");
    assert!(evening.len() >= 440, "{} calls in 90 s at 5/s", evening.len());
    assert_eq!(dialer.count("contact:done").await, evening.len() as i64, "their ends are still learned");
    dialer.stop().await;

    let morning = at("2026-11-21T03:29:50Z");
    tokio::time::sleep(morning.since(clock.read().now).duration()).await;
    dialer.start();
    tokio::time::sleep(Duration::from_secs(30)).await;
    let first = dialer.simulator.tape().entries()[evening.len()].at;
    assert!(first >= at("2026-11-21T03:30:00Z"), "the first call of the day began at {first}");
    assert!(first < at("2026-11-21T03:30:00.250Z"), "the first call of the day began at {first}");
    dialer.until_finished().await;
    dialer.stop().await;

    let held = dialer.simulator.tape().entries().iter().filter(|entry| entry.event == Event::Held).count();
    assert_eq!(held, 0, "the vendor held calls for its opening");
    assert_eq!(dialer.simulator.tape().len(), 1_000);
    dialer.check_tape(1);
    dialer.check_counts().await;
}
