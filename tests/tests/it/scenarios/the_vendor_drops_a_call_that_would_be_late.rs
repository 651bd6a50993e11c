//! A queue at the vendor that is longer than the window is open: the vendor itself drops the calls
//! that would ring after closing.

use ringfence_domain::campaign::CallingZone;
use ringfence_domain::{Moment, Outcome, Span};
use ringfence_sandbox::{Behaviour, Event};
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{lane_settings, rules};
use ringfence_tests::vendors;
use ringfence_tests::virtual_time::{Dialer, VirtualClock};

#[tokio::test]
async fn no_phone_rings_after_closing() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let vendor = vendors::vendor("iqra");
    let mut settings = lane_settings("main");
    settings.kind = vendor.kind.to_owned();
    settings.limits.calls = "1/s".parse().expect("a rate");
    let mut rules = vendors::suited(vendor, &settings, rules("spring", "main"));
    rules.vendor.insert("campaign_id".to_owned(), "campaign".parse().expect("a text"));
    rules.vendor.insert("max_wait".to_owned(), "10m".parse().expect("a text"));
    rules.calling.hours = "09:00-21:00".parse().expect("hours");
    rules.calling.timezone = CallingZone::Fixed("Asia/Kolkata".parse().expect("a zone"));
    rules.calling.guard = Span::from_secs(60);
    let behaviour =
        Behaviour { outcomes: vec![(Outcome::Answered, 1)], queue: Span::from_minutes(8), ..Behaviour::default() };
    // Twenty minutes before closing.
    let start: Moment = "2026-11-20T15:10:00Z".parse().expect("a moment");
    let closing: Moment = "2026-11-20T15:30:00Z".parse().expect("a moment");
    let mut dialer = Dialer::set_with(
        database.store.clone(),
        VirtualClock::at(start),
        settings,
        rules,
        behaviour,
        1_500,
        |settings, line| {
            let mut setup = vendors::setup(vendor, settings, "http://vendor.invalid");
            setup.values.insert("dialect".to_owned(), "config".to_owned());
            vendors::build(vendor, setup, line)
        },
    )
    .await;
    dialer.start();
    tokio::time::sleep(Span::from_minutes(40).duration()).await;
    dialer.stop().await;
    let tape = dialer.simulator.tape().entries();
    let dropped = tape.iter().filter(|entry| entry.event == Event::Dropped).count();
    let rung = dialer.simulator.tape().calls();
    assert!(dropped > 50 && rung.len() > 50, "{dropped} dropped, {} rung", rung.len());
    let late: Vec<_> = rung.iter().filter(|entry| entry.rings_at.is_some_and(|at| at >= closing)).collect();
    assert!(late.is_empty(), "{late:?}");
    assert_eq!(dialer.count("outcome:not_dialled").await, dropped as i64);
    assert_eq!(dialer.count("contact:done").await, rung.len() as i64, "a dropped call is not one of theirs");
    dialer.check_counts().await;
}
