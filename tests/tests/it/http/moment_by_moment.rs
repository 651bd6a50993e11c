//! What a person can read of one call: its plan, its request, the vendor's word, its end.

use ringfence_domain::{Outcome, Placement, Scope, Span};
use ringfence_intake::Config;
use ringfence_store::{NewReport, Settlement};
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{Stage, noon, number};
use ringfence_tests::web::Web;

use super::pages::{get, log_in};

/// Whether these parts stand in a text one after the other.
fn in_order(text: &str, parts: &[&str]) -> bool {
    let mut rest = text;
    parts.iter().all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

on_both_databases! {
    async fn a_call_is_told_from_its_plan_to_its_end_with_what_the_vendor_reported(database) {
        let store = &database.store;
        let stage = Stage::set(store, 1).await;
        let attempt = stage.place(store, 1, noon()).await[0];
        let row = store.attempt(attempt).await.expect("asked").expect("there");
        let call_id = row.call_id.clone().expect("a call");
        let report = |reference: Option<String>, digest: &str, body: String| NewReport {
            lane: stage.lane, reference, digest: digest.to_owned(), body,
        };
        let own = report(Some(row.reference.clone()), "own", format!("{{\"to\":\"{}\"}}", number(0).e164()));
        store.keep_report(own, noon() + Span::from_secs(20)).await.expect("kept");
        store.keep_report(report(None, "by id", "{\"id\":1}".to_owned()), noon() + Span::from_secs(30)).await.expect("kept");
        store.keep_report(report(None, "of another", "{\"id\":2}".to_owned()), noon()).await.expect("kept");
        let unread = store.unread_reports(stage.lane, 10).await.expect("asked");
        let by_id = unread.iter().find(|report| report.body == "{\"id\":1}").expect("kept");
        store.read_reports(vec![(by_id.id, Some(call_id.clone()))], noon()).await.expect("read");
        store.use_reports(vec![by_id.id], noon()).await.expect("used");
        let ended = Settlement::Ended(Outcome::Busy, Box::default());
        store.settle(vec![(attempt, ended)], noon() + Span::from_secs(40)).await.expect("settled");
        let web = Web::begin(store, Config::default()).await;
        let page = async |scope: Scope| {
            let cookie = log_in(&web, &web.token(scope).await).await;
            get(&web, "/contacts/1", &cookie).await.expect(200).text()
        };
        let told = page(Scope::Operator).await;
        let phone = number(0);
        let took = format!("the vendor took it: call {call_id}");
        let parts = [
            "planned as a first call", "the request left from 9876500000", &took, "the vendor reported", phone.e164(),
            "the vendor reported", "&#34;id&#34;:1", "over: busy",
        ];
        assert!(in_order(&told, &parts), "{told}");
        assert!(!told.contains("&#34;id&#34;:2"), "a report of another call: {told}");
        let masked = page(Scope::Viewer).await;
        assert!(masked.contains("the vendor reported") && !masked.contains(phone.e164()), "{masked}");
    }
}

on_both_databases! {
    async fn a_call_that_nobody_heard_of_says_so_even_when_it_is_settled(database) {
        let store = &database.store;
        let stage = Stage::set(store, 1).await;
        let attempt = stage.claim(store, 1, noon()).await[0];
        let unknown = Placement::Unknown { cause: "the answer was cut off".into() };
        store.record(vec![stage.sent(attempt, unknown)], noon()).await.expect("recorded");
        let web = Web::begin(store, Config::default()).await;
        let cookie = log_in(&web, &web.token(Scope::Viewer).await).await;
        let page = async || get(&web, "/contacts/1", &cookie).await.expect(200).text();
        let told = page().await;
        assert!(told.contains("nobody knows whether the vendor took it: the answer was cut off"), "{told}");
        assert!(told.contains("without news until then, its number is free again"), "{told}");
        store.settle(vec![(attempt, Settlement::AssumePlaced)], noon() + Span::from_secs(90)).await.expect("settled");
        let told = page().await;
        assert!(in_order(&told, &["nobody knew whether the vendor took it: the answer was cut off", "over: unknown"]), "{told}");
    }
}
