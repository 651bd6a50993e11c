//! The stream of events: what was missed comes first, nothing is lost, and a stop ends it at once.

use std::time::Duration;

use ringfence_domain::{PausedBy, Scope};
use ringfence_intake::Config;
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{Stage, noon};
use ringfence_tests::web::{Web, Wire};
use tokio::time::Instant;

async fn stream(web: &Web, token: &str, query: &str, last: Option<i64>) -> Wire {
    let mut wire = web.connect().await;
    let last = last.map(|last| format!("last-event-id: {last}\r\n")).unwrap_or_default();
    let ask =
        format!("GET /api/v1/events{query} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\n{last}\r\n");
    wire.send(ask).await.expect("sent");
    wire
}

on_both_databases! {
    async fn who_comes_again_gets_what_was_missed_and_then_what_happens(database) {
        let stage = Stage::set(&database.store, 2).await;
        let web = Web::begin(&database.store, Config::default()).await;
        let viewer = web.token(Scope::Viewer).await;
        let store = &database.store;
        let (_, seen) = store.event_horizon().await.expect("known");
        let attempt = stage.claim(store, 1, noon()).await[0];
        let accepted = ringfence_domain::Placement::Accepted { call_id: "call-1".into() };
        store.record(vec![stage.sent(attempt, accepted)], noon()).await.expect("recorded");
        let ended = ringfence_store::Settlement::Ended(ringfence_domain::Outcome::Answered, Box::default());
        store.settle(vec![(attempt, ended)], noon()).await.expect("settled");
        let mut wire = stream(&web, &viewer, "", Some(seen)).await;
        assert!(wire.hear("event: call.ended").await);
        assert!(wire.hear("\"outcome\":\"answered\"").await);
        assert!(wire.hear("event: contact.finished").await);
        store.pause_campaign(stage.campaign.id, PausedBy::Person, "look at +919876543210".into(), noon()).await.expect("paused");
        assert!(wire.hear("event: campaign.paused").await);
        assert!(wire.hear("look at +********3210").await, "a viewer sees masked numbers");
        let mut only = stream(&web, &viewer, "?types=campaign.resumed&campaign=spring", None).await;
        assert!(only.hear("retry: 2000").await);
        store.resume_campaign(stage.campaign.id, false, noon()).await.expect("resumed");
        assert!(only.hear("event: campaign.resumed").await);
        let mut lost = stream(&web, &viewer, "", Some(9_999_999)).await;
        assert!(lost.hear("event: resync").await, "what it had is of another database");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_when_its_token_is_revoked() {
    let database = ringfence_tests::TestDatabase::sqlite().await;
    let web = Web::begin(&database.store, Config::default()).await;
    let viewer = web.token(Scope::Viewer).await;
    let mut wire = stream(&web, &viewer, "", None).await;
    assert!(wire.hear("retry: 2000").await);
    let id = database.store.tokens().await.expect("tokens")[0].id;
    database.store.revoke_token(id, noon()).await.expect("revoked");
    wire.rest().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_with_fifty_open_streams_ends_at_once() {
    let database = ringfence_tests::TestDatabase::sqlite().await;
    let web = Web::begin(&database.store, Config::default()).await;
    let mut wires = Vec::new();
    for _ in 0..13 {
        let viewer = web.token(Scope::Viewer).await;
        for _ in 0..4 {
            let mut wire = stream(&web, &viewer, "", None).await;
            assert!(wire.hear("retry: 2000").await);
            wires.push(wire);
        }
        let mut fifth = stream(&web, &viewer, "", None).await;
        assert!(fifth.hear("429 Too Many Requests").await);
    }
    assert!(wires.len() >= 50);
    let began = Instant::now();
    web.stop.cancel();
    for wire in wires {
        wire.rest().await;
    }
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
}
