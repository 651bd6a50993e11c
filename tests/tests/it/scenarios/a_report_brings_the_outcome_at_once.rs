//! Calls that last for minutes are asked about ever more rarely; a report from the vendor is a
//! reason to ask at once, and nothing else.

use std::sync::Arc;

use http::Request;
use ringfence_domain::{AttemptId, Outcome, ReportAddress, Span};
use ringfence_providers::Transport;
use ringfence_sandbox::{Behaviour, InProcess};
use ringfence_store::NewReport;
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{lane_settings, noon, rules};
use ringfence_tests::vendors;
use ringfence_tests::virtual_time::{Dialer, VirtualClock};
use ringfence_tests::web;

const CALLS: usize = 12;

/// A dialer whose vendor's calls last ten minutes, and the way that vendors report by.
async fn dialer(database: &TestDatabase) -> (Dialer, Arc<InProcess>) {
    let vendor = vendors::vendor("knovvu");
    let settings = lane_settings("main");
    let rules = vendors::suited(vendor, &settings, rules("spring", "main"));
    let behaviour =
        Behaviour { outcomes: vec![(Outcome::Answered, 1)], talk: Span::from_minutes(10), ..Behaviour::default() };
    let adapter = |settings: &_, line| vendors::provider(vendor, settings, line);
    let (store, clock) = (database.store.clone(), VirtualClock::at(noon()));
    let mut dialer = Dialer::set_with(store.clone(), clock.clone(), settings, rules, behaviour, CALLS, adapter).await;
    let public_url = "https://dialer.invalid".to_owned();
    dialer.reports = Some(ReportAddress { public_url, key: store.report_key().clone() });
    (dialer, InProcess::new(ringfence_server::router(&web::server(store, clock))))
}

/// How long after its end each call's outcome was known, longest last.
async fn delays(dialer: &Dialer) -> Vec<Span> {
    let attempts = dialer
        .store
        .attempts(dialer.campaign.run, ringfence_store::ContactFilter::default(), AttemptId(0), 100)
        .await
        .expect("attempts");
    let tape = dialer.simulator.tape().calls();
    let delay = |attempt: &ringfence_store::AttemptRow| {
        let entry = tape.iter().find(|entry| entry.call_id == attempt.call_id).expect("it is on the tape");
        attempt.ended_at.expect("it is over").since(entry.ends_at.expect("it ends"))
    };
    let mut delays: Vec<Span> = attempts.iter().map(delay).collect();
    delays.sort();
    delays
}

#[tokio::test]
async fn with_reports_the_outcome_is_known_within_two_seconds_and_without_them_later() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let (mut dialer, way) = dialer(&database).await;
    dialer.simulator.report_by(way);
    dialer.start();
    dialer.until_finished().await;
    dialer.stop().await;
    assert_eq!(dialer.count("contact:done").await, CALLS as i64);
    let reported = delays(&dialer).await;
    assert!(reported[CALLS - 1] <= Span::from_secs(2), "{reported:?}");
    dialer.check_counts().await;
}

#[tokio::test]
async fn without_reports_it_is_known_when_the_vendor_is_asked() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let (mut dialer, _) = dialer(&database).await;
    dialer.start();
    dialer.until_finished().await;
    dialer.stop().await;
    let asked = delays(&dialer).await;
    assert!(asked[CALLS - 1] > Span::from_secs(2), "{asked:?}: the other test would show nothing");
}

#[tokio::test]
async fn a_report_that_is_not_true_ends_no_call() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let (mut dialer, way) = dialer(&database).await;
    dialer.start();
    dialer.until("all calls being out", |count| count("attempt:placed") == CALLS as i64).await;
    let address = dialer.reports.clone().expect("an address").of_lane("main");
    for entry in dialer.simulator.tape().calls() {
        let body = format!("{{\"UniqueId\":\"{}\",\"CallState\":\"Answered\"}}", entry.call_id.expect("an id"));
        let request = Request::post(&address).body(body.into()).expect("a request");
        assert_eq!(way.send(request).await.expect("an answer").status(), 200);
    }
    tokio::time::sleep(Span::from_secs(30).duration()).await;
    assert_eq!(dialer.count("attempt:placed").await, CALLS as i64, "the vendor says that they go on");
    dialer.until_finished().await;
    dialer.stop().await;
    assert_eq!(dialer.simulator.tape().calls().len(), CALLS);
    dialer.check_counts().await;
}

#[tokio::test]
async fn a_report_of_a_call_that_nobody_knows_is_kept_for_a_week() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let (mut dialer, _) = dialer(&database).await;
    let store = dialer.store.clone();
    for (body, age) in [("old", 8), ("young", 6)] {
        let report = NewReport { lane: dialer.lane, reference: None, digest: body.to_owned(), body: body.to_owned() };
        store.keep_report(report, noon() - Span::from_days(age)).await.expect("kept");
    }
    dialer.start();
    tokio::time::sleep(Span::from_secs(5).duration()).await;
    dialer.stop().await;
    assert_eq!(store.forget_reports(noon() - Span::from_days(7)).await.expect("an answer"), 0, "the old one is gone");
    assert_eq!(store.forget_reports(noon()).await.expect("an answer"), 1, "the young one was kept");
}
