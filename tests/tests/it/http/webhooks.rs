//! Webhooks: signed, at least once, in nobody's way.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use ringfence_domain::event::EventKind;
use ringfence_domain::{MessageState, PausedBy, Scope};
use ringfence_intake::Config;
use ringfence_intake::config::Webhook;
use ringfence_sandbox::MachineClock;
use ringfence_store::{Database, WebhookRow};
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{Stage, noon};
use ringfence_tests::web::Web;
use serde_json::{Value, json};
use standardwebhooks::Webhook as Verifier;
use tokio_util::sync::CancellationToken;

const NEW: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
const OLD: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oDC2FVsBQIhrs=";

/// Somebody who is told what happens, and answers as the test says.
#[derive(Clone)]
struct Receiver {
    heard: Arc<Mutex<Vec<(HeaderMap, String)>>>,
    answers: Arc<Mutex<StatusCode>>,
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: String) -> StatusCode {
    let answer = *receiver.answers.lock().expect("not poisoned");
    receiver.heard.lock().expect("not poisoned").push((headers, body));
    answer
}

impl Receiver {
    async fn begin() -> (Self, String) {
        let receiver = Self { heard: Arc::default(), answers: Arc::new(Mutex::new(StatusCode::NO_CONTENT)) };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let router = Router::new().route("/hook", post(take)).with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.expect("it listens") });
        (receiver, url)
    }

    fn answer(&self, status: StatusCode) {
        *self.answers.lock().expect("not poisoned") = status;
    }

    fn heard(&self) -> Vec<(HeaderMap, String)> {
        self.heard.lock().expect("not poisoned").clone()
    }
}

/// A configuration with a webhook at `url`.
fn config(url: &str, more: &str) -> Config {
    let text = format!(
        "[[webhook]]\nurl = \"{url}\"\nsecret = {{ env = \"NEW\" }}\nold_secret = {{ env = \"OLD\" }}\nallow_private = true\n{more}"
    );
    let secret = |name: &str| Some(if name == "NEW" { NEW } else { OLD }.to_owned());
    let vendors = ringfence_operations::configuration::vendors();
    Config::parse(Path::new("/srv/ringfence.toml"), &text, &vendors, &secret).expect("fine")
}

/// Sends in the background for as long as the test runs.
fn send(store: &Arc<Database>, webhooks: Vec<Webhook>) -> tokio_util::sync::DropGuard {
    let stop = CancellationToken::new();
    let clock = Arc::new(MachineClock);
    tokio::spawn(ringfence_operations::webhooks::send_all(
        store.clone(),
        clock,
        webhooks,
        "tests".into(),
        stop.clone(),
    ));
    stop.drop_guard()
}

async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !holds().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), waiting).await.unwrap_or_else(|_| panic!("{what}"));
}

async fn only(store: &Database) -> WebhookRow {
    store.webhooks().await.expect("webhooks").into_iter().next().expect("one")
}

on_both_databases! {
    async fn what_happens_is_told_signed_with_both_secrets(database) {
        let store = &database.store;
        let stage = Stage::set(store, 2).await;
        let (receiver, url) = Receiver::begin().await;
        let own = config(&url, "events = [\"call.ended\", \"contact.finished\", \"campaign.held\"]\n");
        let _sending = send(store, own.webhooks.clone());
        until("it is known", async || !store.webhooks().await.expect("webhooks").is_empty()).await;
        let attempt = stage.claim(store, 1, noon()).await[0];
        let accepted = ringfence_domain::Placement::Accepted { call_id: "call-1".into() };
        store.record(vec![stage.sent(attempt, accepted)], noon()).await.expect("recorded");
        let ended = ringfence_store::Settlement::Ended(ringfence_domain::Outcome::Answered, Box::default());
        store.settle(vec![(attempt, ended)], noon()).await.expect("settled");
        store.pause_campaign(stage.campaign.id, PausedBy::Safety, "11 of 20 failed".into(), noon()).await.expect("held");
        until("three messages", async || receiver.heard().len() >= 3).await;
        let mut kinds = Vec::new();
        for (headers, body) in receiver.heard() {
            for secret in [NEW, OLD] {
                Verifier::new(secret).expect("a secret").verify(body.as_bytes(), &headers).expect("a right signature");
            }
            let forged = body.replace("spring", "summer");
            Verifier::new(NEW).expect("a secret").verify(forged.as_bytes(), &headers).expect_err("another body");
            let message: Value = serde_json::from_str(&body).expect("JSON");
            assert_eq!(headers["webhook-id"], message["id"].as_str().expect("an id"));
            assert_eq!(message["data"]["campaign"], "spring");
            assert_eq!(message["data"].get("phone"), None, "{message}");
            kinds.push((message["type"].as_str().unwrap_or_default().to_owned(), message["data"]["outcome"].clone()));
        }
        kinds.sort_by(|a, b| a.0.cmp(&b.0));
        let wanted = [("call.ended", json!("answered")), ("campaign.held", Value::Null), ("contact.finished", Value::Null)];
        assert_eq!(kinds, wanted.map(|(kind, outcome)| (kind.to_owned(), outcome)));
    }
}

on_both_databases! {
    async fn a_receiver_that_fails_is_asked_again_and_one_that_is_gone_is_not(database) {
        let store = &database.store;
        let stage = Stage::set(store, 1).await;
        let (receiver, url) = Receiver::begin().await;
        let own = config(&url, "events = [\"campaign.paused\", \"campaign.resumed\"]\n");
        receiver.answer(StatusCode::INTERNAL_SERVER_ERROR);
        let _sending = send(store, own.webhooks.clone());
        until("it is known", async || !store.webhooks().await.expect("webhooks").is_empty()).await;
        store.pause_campaign(stage.campaign.id, PausedBy::Person, "look".into(), noon()).await.expect("paused");
        until("a failure", async || only(store).await.failures == 1).await;
        let id = only(store).await.id;
        let message = store.messages(id, None, i64::MAX, 10).await.expect("messages").remove(0);
        assert_eq!((message.state, message.tries), (MessageState::Waiting, 1));
        assert_eq!(message.answer.as_deref(), Some("500 Internal Server Error"));
        receiver.answer(StatusCode::OK);
        let web = Web::begin(store, own.clone()).await;
        let (operator, admin) = (web.token(Scope::Operator).await, web.token(Scope::Admin).await);
        let again = web.post(&format!("/api/v1/webhooks/{id}/redeliver"), &operator, &json!({ "messages": [message.id] })).await;
        assert_eq!(again.expect(200).json()["messages"], 1);
        until("it is delivered", async || only(store).await.waiting == 0).await;
        let heard = receiver.heard();
        assert_eq!(heard[0].0["webhook-id"], heard[1].0["webhook-id"], "it is the same message");
        assert_eq!(heard[0].1, heard[1].1);
        receiver.answer(StatusCode::GONE);
        store.resume_campaign(stage.campaign.id, false, noon()).await.expect("resumed");
        until("it is disabled", async || only(store).await.disabled_at.is_some()).await;
        let listed = web.get("/api/v1/webhooks", &operator).await.expect(200).json();
        assert_eq!(listed[0]["reason"], "its receiver answered 410 Gone");
        receiver.answer(StatusCode::OK);
        let _ = web.post(&format!("/api/v1/webhooks/{id}/enable"), &operator, &json!({})).await.expect(403);
        let _ = web.post(&format!("/api/v1/webhooks/{id}/enable"), &admin, &json!({})).await.expect(200);
        until("what waited is delivered", async || only(store).await.waiting == 0).await;
    }
}

on_both_databases! {
    async fn a_receiver_that_hangs_holds_up_no_other(database) {
        let store = &database.store;
        let stage = Stage::set(store, 1).await;
        // It accepts connections and never answers.
        let hanging = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let stuck = format!("http://{}/hook", hanging.local_addr().expect("an address"));
        let (receiver, url) = Receiver::begin().await;
        let events = "events = [\"campaign.paused\"]\n";
        let webhooks = [config(&stuck, events).webhooks, config(&url, events).webhooks].concat();
        let _sending = send(store, webhooks);
        until("both are known", async || store.webhooks().await.expect("webhooks").len() == 2).await;
        store.pause_campaign(stage.campaign.id, PausedBy::Person, "look".into(), noon()).await.expect("paused");
        until("the other hears it", async || receiver.heard().len() == 1).await;
        drop(hanging);
    }
}

#[tokio::test]
async fn nothing_is_sent_into_a_private_network_unless_it_may() {
    let (receiver, url) = Receiver::begin().await;
    let database = ringfence_tests::TestDatabase::sqlite().await;
    let stage = Stage::set(&database.store, 1).await;
    let mut webhook = config(&url, "events = [\"campaign.paused\"]\n").webhooks.remove(0);
    webhook.allow_private = false;
    let by_name = Webhook { url: url.replace("127.0.0.1", "localhost"), ..webhook.clone() };
    let _sending = send(&database.store, vec![webhook, by_name]);
    until("both are known", async || database.store.webhooks().await.expect("webhooks").len() == 2).await;
    database.store.pause_campaign(stage.campaign.id, PausedBy::Person, "look".into(), noon()).await.expect("paused");
    for place in 0..2 {
        until("it fails", async || database.store.webhooks().await.expect("webhooks")[place].failures > 0).await;
        let id = database.store.webhooks().await.expect("webhooks")[place].id;
        let message = database.store.messages(id, None, i64::MAX, 1).await.expect("messages").remove(0);
        assert_eq!(message.kind, EventKind::CampaignPaused);
        assert!(message.answer.as_deref().is_some_and(|answer| answer.contains("private network")), "{message:?}");
    }
    assert!(receiver.heard().is_empty());
}
