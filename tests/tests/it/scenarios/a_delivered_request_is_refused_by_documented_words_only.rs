//! The phone rings, and the answer is a redirect, HTTP 404, or `success: false` in words that no
//! page has.

use std::time::Duration;

use ringfence_domain::{LaneState, Outcome};
use ringfence_sandbox::{Behaviour, Fault};
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{lane_settings, noon, rules};
use ringfence_tests::vendors;
use ringfence_tests::virtual_time::{Dialer, VirtualClock};

async fn dialer(kind: &str, faults: Vec<(Fault, f64)>, contacts: usize) -> (TestDatabase, Dialer) {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let vendor = vendors::vendor(kind);
    let mut settings = lane_settings("main");
    settings.limits.concurrent = 5;
    settings.limits.calls = "5/s".parse().expect("a rate");
    let rules = vendors::suited(vendor, &settings, rules("spring", "main"));
    let behaviour = Behaviour { outcomes: vec![(Outcome::Answered, 1)], faults, ..Behaviour::default() };
    let adapter = |settings: &_, line| vendors::provider(vendor, settings, line);
    let clock = VirtualClock::at(noon());
    let dialer = Dialer::set_with(database.store.clone(), clock, settings, rules, behaviour, contacts, adapter).await;
    (database, dialer)
}

/// Goes on like an operator who resumes the lane whenever it pauses.
async fn resume_until_finished(dialer: &Dialer) {
    for _ in 0..600 {
        if dialer.count("contact:waiting").await + dialer.count("contact:active").await == 0 {
            return;
        }
        if dialer.store.lanes().await.expect("lanes")[0].state == LaneState::Paused {
            dialer.store.resume_lane(dialer.lane, dialer.clock.read().now).await.expect("resumed");
        }
        tokio::time::sleep(Duration::from_secs(5)).await;
    }
    panic!("not finished");
}

async fn everyone_is_called_once(kind: &str, fault: Fault) {
    let (_database, mut dialer) = dialer(kind, vec![(fault, 10.0)], 30).await;
    dialer.start();
    resume_until_finished(&dialer).await;
    dialer.stop().await;
    dialer.check_tape(1);
    assert_eq!(dialer.simulator.tape().calls().len(), 30, "everyone is called");
    assert_eq!(dialer.count("attempt:refused").await, 0);
    let review = dialer.count("contact:review").await;
    assert_eq!(dialer.count("contact:done").await + review, 30);
    // Knovvu has no list in which a lost call could be found.
    assert_eq!(review > 0, kind == "knovvu", "{review} in review");
    dialer.check_counts().await;
}

macro_rules! nobody_whose_phone_rang_is_called_again {
    ($($name:ident: $kind:literal, $fault:ident;)+) => {$(
        #[tokio::test]
        async fn $name() {
            everyone_is_called_once($kind, Fault::$fault).await;
        }
    )+};
}

nobody_whose_phone_rang_is_called_again! {
    after_a_redirect_of_twenty2: "twenty2", Redirect;
    after_404_of_twenty2: "twenty2", NotFound;
    after_doubtful_words_of_twenty2: "twenty2", Doubt;
    after_a_redirect_of_unleashx: "unleashx", Redirect;
    after_404_of_unleashx: "unleashx", NotFound;
    after_doubtful_words_of_unleashx: "unleashx", Doubt;
    after_404_of_iqra: "iqra", NotFound;
    after_doubtful_words_of_iqra: "iqra", Doubt;
    after_404_of_knovvu: "knovvu", NotFound;
    after_doubtful_words_of_knovvu: "knovvu", Doubt;
}

#[tokio::test]
async fn the_first_answers_may_mean_a_wrong_address() {
    let (_database, mut dialer) = dialer("twenty2", vec![(Fault::NotFound, 100.0)], 30).await;
    dialer.start();
    tokio::time::sleep(Duration::from_mins(2)).await;
    let lane = dialer.store.lanes().await.expect("lanes").remove(0);
    assert_eq!(lane.state, LaneState::Paused);
    let reason = lane.reason.expect("a reason");
    assert!(reason.contains("base_url"), "{reason}");
    assert!(dialer.simulator.tape().len() <= 5, "only what was on its way: {}", dialer.simulator.tape().len());
    assert_eq!(dialer.count("attempt:refused").await, 0);
    dialer.stop().await;
    dialer.check_counts().await;
}

#[tokio::test]
async fn one_strange_answer_of_a_lane_that_works_does_not_stop_it() {
    let (_database, mut dialer) = dialer("twenty2", vec![], 30).await;
    dialer.start();
    dialer.until("some calls", |count| count("attempt:ended") > 5).await;
    dialer.simulator.change(|behaviour| behaviour.faults = vec![(Fault::NotFound, 10.0)]);
    dialer.until_finished().await;
    assert_eq!(dialer.store.lanes().await.expect("lanes")[0].state, LaneState::Open);
    dialer.stop().await;
    dialer.check_tape(1);
    dialer.check_counts().await;
}
