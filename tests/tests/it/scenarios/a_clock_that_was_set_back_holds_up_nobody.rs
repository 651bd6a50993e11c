//! The clock of the database is set: nothing is dialled for the minute in doubt, the lane says
//! why, and then it goes on.

use std::sync::Arc;
use std::time::Duration;

use ringfence_domain::{Clock, Outcome, Span};
use ringfence_operations::summary::{Asker, summarize};
use ringfence_sandbox::Behaviour;
use ringfence_tests::sample::{lane_settings, noon, rules};
use ringfence_tests::virtual_time::{Dialer, Unset, VirtualClock, twenty2};
use ringfence_tests::{TestDatabase, on_both_databases_in_virtual_time};

const HALF_AN_HOUR: i64 = 30 * 60_000;

async fn dialer(database: &TestDatabase, clock: &Arc<VirtualClock>, outcome: Outcome, hours: &str) -> Dialer {
    let behaviour = Behaviour {
        outcomes: vec![(outcome, 1)],
        talk: Span::from_secs(2),
        ring: Span::from_secs(1),
        ..Behaviour::default()
    };
    let mut settings = lane_settings("main");
    settings.limits.calls = "1/s".parse().expect("a rate");
    let mut rules = rules("spring", "main");
    rules.calling.hours = hours.parse().expect("hours");
    Dialer::set(database.store.clone(), clock.clone(), settings, rules, behaviour, 40).await
}

async fn until_called(dialer: &Dialer, calls: usize, within: Duration) {
    let deadline = dialer.clock.boot() + within;
    while dialer.simulator.tape().calls().len() < calls {
        assert!(dialer.clock.boot() < deadline, "{} of {calls} calls", dialer.simulator.tape().calls().len());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Nobody is called while the clock is in doubt, and the lane says so.
async fn doubted(dialer: &Dialer) {
    // What was claimed before is on its way.
    tokio::time::sleep(Duration::from_secs(5)).await;
    let before = dialer.simulator.tape().calls().len();
    let lane = dialer.store.lanes().await.expect("lanes").remove(0);
    let said = lane.backoff_reason.unwrap_or_default();
    assert!(said.contains("clock") && lane.backoff_until > dialer.clock.read().now, "{said}");
    let status = summarize(&dialer.numbers().await, &Asker::default(), dialer.clock.read());
    assert!(status.lane.reason.as_deref().is_some_and(|reason| reason.contains("clock")), "{:?}", status.lane);
    tokio::time::sleep(Duration::from_secs(50)).await;
    assert_eq!(dialer.simulator.tape().calls().len(), before, "in doubt nobody is called");
}

on_both_databases_in_virtual_time! {
    async fn who_was_never_called_is_called_after_a_minute(database) {
        let clock = VirtualClock::at(noon());
        let mut dialer = dialer(&database, &clock, Outcome::Answered, "24/7").await;
        dialer.start();
        until_called(&dialer, 10, Duration::from_mins(1)).await;
        clock.set_by(-HALF_AN_HOUR);
        doubted(&dialer).await;
        until_called(&dialer, 40, Duration::from_mins(3)).await;
        dialer.stop().await;
        dialer.check_tape(1);
        dialer.check_counts().await;
    }
}

on_both_databases_in_virtual_time! {
    async fn another_try_comes_after_its_delay_and_not_after_the_clock_has_caught_up(database) {
        let clock = VirtualClock::at(noon());
        let mut dialer = dialer(&database, &clock, Outcome::Busy, "24/7").await;
        dialer.start();
        // All were called once, and most of those calls are over.
        until_called(&dialer, 40, Duration::from_mins(2)).await;
        tokio::time::sleep(Duration::from_secs(10)).await;
        clock.set_by(-HALF_AN_HOUR);
        doubted(&dialer).await;
        // Busy is tried again after a quarter of an hour, and a tenth of it at most.
        until_called(&dialer, 80, Duration::from_mins(20)).await;
        dialer.stop().await;
        dialer.check_counts().await;
    }
}

on_both_databases_in_virtual_time! {
    async fn a_window_that_a_wrong_clock_saw_closed_is_open_again(database) {
        let clock = VirtualClock::at(noon());
        // Noon in India; an hour later it is closed.
        let mut dialer = dialer(&database, &clock, Outcome::Answered, "Mo-Su 09:00-12:45").await;
        dialer.start();
        until_called(&dialer, 5, Duration::from_mins(1)).await;
        clock.set_by(2 * HALF_AN_HOUR);
        tokio::time::sleep(Duration::from_secs(150)).await;
        let before = dialer.simulator.tape().calls().len();
        assert!(before < 20, "it is closed by the clock that was set: {before}");
        clock.set_by(-2 * HALF_AN_HOUR);
        doubted(&dialer).await;
        until_called(&dialer, 40, Duration::from_mins(3)).await;
        dialer.stop().await;
        dialer.check_counts().await;
    }
}

on_both_databases_in_virtual_time! {
    async fn a_lane_whose_owner_died_before_the_clock_was_set_back_is_taken(database) {
        let clock = VirtualClock::at(noon());
        let mut dialer = dialer(&database, &clock, Outcome::Answered, "24/7").await;
        // An owner on another machine, of whose death nobody learns.
        let owner = ringfence_store::Owner { name: "elsewhere/1".to_owned(), lease: Span::from_secs(9) };
        let settings = dialer.store.lanes().await.expect("lanes").remove(0).settings;
        dialer.store.take_lane(dialer.lane, settings, owner, None, clock.read().now).await.expect("taken");
        clock.set_by(-HALF_AN_HOUR);
        dialer.start();
        until_called(&dialer, 40, Duration::from_mins(4)).await;
        dialer.stop().await;
    }
}

on_both_databases_in_virtual_time! {
    async fn calls_that_are_out_while_it_is_set_forward_by_an_hour_and_back_are_settled(database) {
        let clock = VirtualClock::at(noon());
        let behaviour = Behaviour {
            outcomes: vec![(Outcome::Answered, 1)],
            talk: Span::from_secs(100),
            ring: Span::from_secs(1),
            ..Behaviour::default()
        };
        let mut settings = lane_settings("main");
        settings.limits.calls = "1/s".parse().expect("a rate");
        // Nobody sets the vendor's clock: its calls last as long as they last.
        let vendor = Arc::new(Unset(clock.clone()));
        let adapter = |settings: &_, line| twenty2(settings, "national", line);
        let mut dialer =
            Dialer::set_beside(database.store.clone(), clock.clone(), vendor, settings, rules("spring", "main"), behaviour, 60, adapter)
                .await;
        dialer.start();
        until_called(&dialer, 20, Duration::from_mins(1)).await;
        clock.set_by(2 * HALF_AN_HOUR);
        let done = dialer.count("contact:done").await;
        doubted(&dialer).await;
        assert_eq!(dialer.count("contact:done").await, done, "in doubt nothing is concluded from the age of a call");
        // The minute is over: calls go on, and the first ones are settled.
        until_called(&dialer, 30, Duration::from_mins(3)).await;
        dialer.until("outcomes after the doubt", |count| count("contact:done") >= 15).await;
        clock.set_by(-2 * HALF_AN_HOUR);
        doubted(&dialer).await;
        dialer.until_finished().await;
        dialer.stop().await;
        assert_eq!(dialer.count("contact:review").await, 0, "nobody is lost");
        assert_eq!(dialer.count("contact:done").await, 60);
        dialer.check_tape(1);
        dialer.check_counts().await;
    }
}
