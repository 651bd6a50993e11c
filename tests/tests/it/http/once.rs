//! `Idempotency-Key`: the work is done once, whoever asks how often.

use ringfence_domain::{Clock, Scope, Span};
use ringfence_intake::Config;
use ringfence_sandbox::MachineClock;
use ringfence_store::{Begun, RequestKey};
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::lane_settings;
use ringfence_tests::web::{Sent, Web};
use serde_json::json;

on_both_databases! {
    async fn the_same_key_gets_the_same_answer_and_another_request_none(database) {
        let web = Web::begin(&database.store, Config::default()).await;
        let (operator, other) = (web.token(Scope::Operator).await, web.token(Scope::Operator).await);
        let add = |token: String, phone: &'static str| {
            let web = &web;
            async move {
                let sent = Sent::json(&json!({ "phones": [phone] })).with("idempotency-key", "\"k-1\"");
                web.send("POST", "/api/v1/dnc", Some(&token), sent).await
            }
        };
        let first = add(operator.clone(), "+919876543210").await.expect(200);
        assert_eq!((first.header("idempotent-replayed"), first.json()["added"].as_i64()), ("", Some(1)));
        let again = add(operator.clone(), "+919876543210").await.expect(200);
        assert_eq!((again.header("idempotent-replayed"), &again.body), ("true", &first.body));
        assert_eq!(add(operator.clone(), "+919876543211").await.expect(422).problem(), "key-reused");
        assert_eq!(add(other, "+919876543210").await.expect(200).json()["known"], 1, "a key is its token's own");
        let none = Sent::json(&json!({ "phones": ["+919876543210"] })).with("idempotency-key", "two words");
        let _ = web.send("POST", "/api/v1/dnc", Some(&operator), none).await.expect(400);
    }
}

on_both_databases! {
    async fn a_request_that_failed_may_come_again_mended(database) {
        let web = Web::begin(&database.store, Config::default()).await;
        let operator = web.token(Scope::Operator).await;
        let add = |phone: &'static str| {
            let sent = Sent::json(&json!({ "phones": [phone] })).with("idempotency-key", "k");
            web.send("POST", "/api/v1/dnc", Some(&operator), sent)
        };
        let _ = add("nonsense").await.expect(422);
        assert_eq!(add("+919876543210").await.expect(200).json()["added"], 1);
    }
}

on_both_databases! {
    async fn of_many_at_once_one_does_the_work(database) {
        let web = Web::begin(&database.store, Config::default()).await;
        let operator = web.token(Scope::Operator).await;
        let body = json!({ "phones": ["+919876543210"] });
        let ask = || web.send("POST", "/api/v1/dnc", Some(&operator), Sent::json(&body).with("idempotency-key", "k"));
        let replies = futures::future::join_all((0..10).map(|_| ask())).await;
        let mut done = 0;
        for reply in replies {
            match reply.status.as_u16() {
                200 => done += usize::from(reply.header("idempotent-replayed").is_empty()),
                409 => assert_eq!(reply.problem(), "still-running"),
                other => panic!("{other}: {}", reply.text()),
            }
        }
        assert_eq!(done, 1);
    }
}

on_both_databases! {
    async fn what_died_before_its_first_change_is_done_again_and_after_it_never(database) {
        let store = &database.store;
        let web = Web::begin(store, Config::default()).await;
        let _ = web.token(Scope::Operator).await;
        let token = store.tokens().await.expect("tokens")[0].id;
        let key = |key: &str| RequestKey { token, key: key.into(), digest: "d".into(), worker: "first".into() };
        let now = MachineClock.read().now;
        let until = now + Span::from_minutes(1);
        let begin = |name: &'static str, at| store.begin_request(key(name), None, at + Span::from_minutes(1), at);
        let Begun::Work(nothing) = begin("nothing", now).await.expect("begun") else { panic!("it is new") };
        let Begun::Work(changed) = begin("changed", now).await.expect("begun") else { panic!("it is new") };
        let actor = ringfence_store::Actor::person("token crm", "127.0.0.1").for_request(changed);
        (**store).clone().changed_by(actor).stop_all("wrong list".into(), now).await.expect("stopped");
        let running = || Begun::Running { until, worker: "first".to_owned() };
        // That a lane has its row is not what was asked for.
        let actor = ringfence_store::Actor::person("token crm", "127.0.0.1").for_request(nothing);
        (**store).clone().changed_by(actor).register_lane(lane_settings("main"), now).await.expect("registered");
        assert_eq!(begin("nothing", now).await.expect("asked"), running());
        assert_eq!(begin("changed", now).await.expect("asked"), running());
        // The next process knows that one is dead, and which one.
        let knowing = |name: &'static str, dead: &str| store.begin_request(key(name), Some(dead.to_owned()), until, now);
        assert_eq!(knowing("nothing", "second").await.expect("asked"), running());
        assert_eq!(knowing("nothing", "first").await.expect("asked"), Begun::Work(nothing));
        assert_eq!(knowing("changed", "first").await.expect("asked"), Begun::AnswerLost);
        // Nobody knows, and both leases are over.
        let later = until + Span::from_secs(1);
        assert_eq!(begin("nothing", later).await.expect("asked"), Begun::Work(nothing));
        assert_eq!(begin("changed", later).await.expect("asked"), Begun::AnswerLost);
        // Neither is a key whose work changed something let go.
        store.drop_request(changed).await.expect("asked");
        assert_eq!(begin("changed", later).await.expect("asked"), Begun::AnswerLost);
        assert!(!store.forget_requests(later).await.expect("forgotten"));
        assert!(matches!(begin("changed", later).await.expect("asked"), Begun::Work(_)), "after a day it is forgotten");
    }
}
