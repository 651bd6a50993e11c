//! Somebody asks to be called back, somebody wants no more calls, somebody says no: from the
//! agent's outputs to the next call.

use std::time::Duration;

use ringfence_domain::callback::Callback;
use ringfence_domain::condition::Condition;
use ringfence_domain::{Clock, Moment, Outcome, PhoneNumber, Span};
use ringfence_sandbox::Behaviour;
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{self, lane_settings, noon, rules};
use ringfence_tests::virtual_time::{Dialer, VirtualClock};

fn when(name: &str, value: &str) -> Condition {
    Condition([(name.to_owned(), vec![value.to_owned()])].into())
}

fn behaviour(time: &str) -> Behaviour {
    let outputs = [("callback_requested", "yes"), ("callback_time", time)];
    Behaviour {
        outcomes: vec![(Outcome::Answered, 1)],
        outputs: outputs.map(|(name, value)| (name.to_owned(), value.into())).into_iter().collect(),
        ..Behaviour::default()
    }
}

async fn dialer(clock: &std::sync::Arc<VirtualClock>, database: &TestDatabase, behaviour: Behaviour) -> Dialer {
    let mut rules = rules("spring", "main");
    rules.calling.hours = "10:00-20:00".parse().expect("hours");
    rules.callback = Some(Callback {
        from: "callback_time".to_owned(),
        when: Some(when("callback_requested", "yes")),
        otherwise: Span::from_minutes(10),
    });
    rules.opt_out = Some(when("opted_out", "yes"));
    rules.retry.max_attempts = 2;
    Dialer::set(database.store.clone(), clock.clone(), lane_settings("main"), rules, behaviour, 5).await
}

/// What was asked for in these words is called at `opening`.
async fn is_called_back(words: &str, opening: Moment) {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let clock = VirtualClock::at(noon());
    let mut dialer = dialer(&clock, &database, behaviour(words)).await;
    dialer.start();
    tokio::time::sleep(Duration::from_mins(1)).await;
    dialer.stop().await;
    clock.skip_to(opening - Span::from_minutes(1));
    dialer.start();
    dialer.until_finished().await;
    dialer.stop().await;
    let calls = dialer.simulator.tape().calls();
    assert_eq!(calls.len(), 10, "called back once, and the second time it counts as an attempt");
    let again = calls.iter().map(|call| call.at).filter(|at| *at > noon() + Span::from_minutes(2));
    let again: Vec<Moment> = again.collect();
    assert_eq!(again.len(), 5);
    for at in again {
        assert!(at >= opening && at <= opening + Span::from_secs(10), "{at}, asked for {opening}");
    }
    assert_eq!(dialer.count("contact:done").await, 5);
    dialer.check_counts().await;
}

#[tokio::test]
async fn a_callback_is_made_when_it_was_asked_for() {
    is_called_back("in 20 minutes", noon() + Span::from_minutes(20)).await;
}

#[tokio::test]
async fn a_time_that_is_not_understood_is_the_default_delay() {
    is_called_back("no idea", noon() + Span::from_minutes(10)).await;
}

#[tokio::test]
async fn a_callback_waits_for_the_window() {
    is_called_back("Tomorrow 7am", "2026-11-21T04:30:00Z".parse().expect("a moment")).await;
}

#[tokio::test]
async fn who_opts_out_is_called_by_no_campaign_any_more() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let clock = VirtualClock::at(noon());
    let outputs = [("opted_out".to_owned(), "Yes".into())].into_iter().collect();
    let mut dialer = dialer(&clock, &database, Behaviour { outputs, ..behaviour("") }).await;
    dialer.start();
    dialer.until_finished().await;
    let number: PhoneNumber = sample::number(0);
    let entries = dialer.store.dnc_entries(dialer.store.hasher().key(&number)).await.expect("entries");
    assert_eq!(entries[0].list.source.as_deref(), Some("campaign spring"));
    let now = clock.read().now;
    let (_, other) = dialer
        .store
        .apply(rules("autumn", "main"), dialer.lane, ringfence_store::Begin::Running, now)
        .await
        .expect("a campaign");
    sample::import(&dialer.store, other.run, 0..5, now).await;
    tokio::time::sleep(Duration::from_mins(1)).await;
    dialer.stop().await;
    let numbers = dialer.store.numbers("autumn".into(), now).await.expect("numbers").expect("a campaign");
    assert_eq!(numbers.counts.get("stopped:dnc"), Some(&5));
    assert_eq!(dialer.simulator.tape().calls().len(), 5, "one call each, by the first campaign");
}
