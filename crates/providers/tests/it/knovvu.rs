//! Knovvu: the request as on the page, results by the batch, and calls that only the vendor itself
//! can tell of.

use std::collections::BTreeMap;
use std::sync::Arc;

use ringfence_domain::{AttemptId, CallStatus, Outcome, PhoneNumber, Placement};
use ringfence_providers::{AskError, CallRequest, LostCall, OutCall, Provider};
use ringfence_samples::vendors::{build, provider, setup, vendor};
use ringfence_samples::{lane_settings, noon, number};
use serde_json::{Value, json};

use crate::script::{Free, Script, answer};

fn turkish() -> PhoneNumber {
    PhoneNumber::from_e164("+905321234567").expect("a number")
}

fn call() -> CallRequest {
    CallRequest {
        reference: "our-reference".to_owned(),
        to: turkish(),
        from: Some("200".to_owned()),
        agent: String::new(),
        variables: [("amount".to_owned(), "100".to_owned()), ("_Destination".to_owned(), "112".to_owned())].into(),
        metadata: [].into(),
        vendor: [
            ("end_user.name", "John Doe"),
            ("end_user.email", "johndoe@xxx.com"),
            ("locale", "tr-TR"),
            ("send_result_immediately", "true"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into(),
        report_to: Some("https://dialer.example.com/callbacks/main/x".to_owned()),
        at: noon(),
        ring_before: None,
    }
}

fn lane(values: &[(&str, &str)], base: &str, script: &Arc<Script>) -> Arc<dyn Provider> {
    let mut setup = setup(vendor("knovvu"), &lane_settings("main"), base);
    let own = [
        ("project", "collections"),
        ("scenario_path", "scenarios/due.xml"),
        ("orchestrator_url", "https://orchestrator.example"),
        ("number_format", "national"),
    ];
    for (name, value) in own.iter().chain(values) {
        setup.values.insert((*name).to_owned(), (*value).to_owned());
    }
    build(vendor("knovvu"), setup, script.clone())
}

#[tokio::test]
async fn the_request_is_as_on_the_page() {
    let script = Script::of(vec![answer(500, "")]);
    lane(&[], "https://va.example", &script).place(&call()).await;
    let request = script.asked().remove(0);
    assert_eq!(request.method(), "POST");
    assert_eq!(request.uri(), "https://va.example:22222/v2/call");
    assert_eq!(request.headers()["content-type"], "application/json");
    assert_eq!(request.headers()["project"], "collections");
    let body: Value = serde_json::from_slice(request.body()).expect("JSON");
    assert_eq!(
        body,
        json!({
            "Project": "collections",
            "ConversationId": "our-reference",
            "AccessToken": "tests",
            "ScenarioPath": "scenarios/due.xml",
            "OrchestratorUrl": "https://orchestrator.example",
            "Tenant": "Default",
            "EndUser": { "Name": "John Doe", "Phone": "5321234567", "Email": "johndoe@xxx.com" },
            "Locale": "tr-TR",
            "ScenarioInputParameters": [
                { "Name": "_DisplayNumber", "Value": "200" },
                { "Name": "_Destination", "Value": "5321234567" },
                { "Name": "amount", "Value": "100" }
            ],
            "ResultDestination": "https://dialer.example.com/callbacks/main/x",
            "SendResultImmediately": true
        })
    );
}

#[tokio::test]
async fn what_is_optional_may_be_left_out() {
    let script = Script::of(vec![answer(500, "")]);
    let call = CallRequest { vendor: [].into(), report_to: None, agent: "scenarios/own.xml".to_owned(), ..call() };
    lane(&[], "https://va.example", &script).place(&call).await;
    let body: BTreeMap<String, Value> = serde_json::from_slice(script.asked()[0].body()).expect("JSON");
    for key in ["EndUser", "Locale", "ResultDestination"] {
        assert!(!body.contains_key(key), "{key}");
    }
    assert_eq!(body["ScenarioPath"], "scenarios/own.xml", "the campaign's own goes first");
}

#[tokio::test]
async fn what_is_required_is_checked_before_anything_is_sent() {
    let script = Script::of(vec![]);
    let provider = lane(&[], "https://va.example", &script);
    let without_display = CallRequest { from: None, ..call() };
    assert!(matches!(provider.place(&without_display).await, Placement::CampaignFault { .. }));
    let abroad = CallRequest { to: number(1), ..call() };
    let placing = provider.place(&abroad).await;
    assert!(matches!(placing, Placement::NumberFault { .. }), "an Indian number would be a Turk's: {placing:?}");
    assert!(provider.can_call(&number(1)).is_err());
    assert!(script.asked().is_empty());
}

#[tokio::test]
async fn the_project_header_has_three_forms() {
    for (form, expected) in [("value", Some("collections")), ("empty", Some("")), ("omit", None)] {
        let script = Script::of(vec![answer(500, "")]);
        lane(&[("project_header", form)], "https://va.example", &script).place(&call()).await;
        let request = script.asked().remove(0);
        let sent = request.headers().get("project").map(|value| value.to_str().expect("text"));
        assert_eq!(sent, expected, "{form}");
    }
}

#[tokio::test]
async fn another_port_and_path_are_kept() {
    for (base, expected) in [
        ("https://va.example:8443", "https://va.example:8443/v2/call"),
        ("https://va.example/knovvu", "https://va.example:22222/knovvu/v2/call"),
    ] {
        let script = Script::of(vec![answer(500, "")]);
        lane(&[], base, &script).place(&call()).await;
        assert_eq!(script.asked()[0].uri(), expected);
    }
}

fn out(attempt: i64, call_id: &str) -> OutCall {
    OutCall {
        attempt: AttemptId(attempt),
        call_id: call_id.to_owned(),
        reference: "our-reference".to_owned(),
        number: turkish(),
        agent: String::new(),
        sent_at: noon(),
        called_before: None,
    }
}

fn results(states: &[(&str, &str)]) -> Value {
    let results: Vec<Value> =
        states.iter().map(|(id, state)| json!({ "UniqueId": id, "CallRequestId": "", "CallState": state })).collect();
    json!({ "CallResults": results })
}

#[tokio::test]
async fn all_seven_states_are_understood_and_no_other() {
    for (state, expected) in [
        ("Answered", Some(Outcome::Answered)),
        ("Busy", Some(Outcome::Busy)),
        ("Error", Some(Outcome::Failed)),
        ("Invalid Number", Some(Outcome::InvalidNumber)),
        ("InvalidNumber", Some(Outcome::InvalidNumber)),
        ("No Answer", Some(Outcome::NoAnswer)),
        ("no_answer", Some(Outcome::NoAnswer)),
        ("Rejected", Some(Outcome::Rejected)),
        ("Temporarily Unavailable", Some(Outcome::Unreachable)),
        ("", None),
        ("Ringing", None),
        ("completed", None),
    ] {
        let script = Script::of(vec![answer(200, results(&[("a", state)]))]);
        let provider = provider(vendor("knovvu"), &lane_settings("main"), script);
        let news = provider.ask(&[out(1, "a")], &Free).await.expect("news").remove(0).1;
        let outcome = match news {
            CallStatus::Ended(outcome, details) => {
                assert_eq!(details.vendor_status.as_deref(), Some(state));
                Some(outcome)
            }
            CallStatus::Pending | CallStatus::Unclear => None,
        };
        assert_eq!(outcome, expected, "{state}");
    }
}

#[tokio::test]
async fn results_are_matched_by_id_and_never_by_place() {
    let script = Script::of(vec![answer(200, results(&[("c", "Busy"), ("a", "Answered"), ("stranger", "Error")]))]);
    let provider = provider(vendor("knovvu"), &lane_settings("main"), script.clone());
    let news = provider.ask(&[out(1, "a"), out(2, "b"), out(3, "c")], &Free).await.expect("news");
    let told: Vec<(i64, bool)> =
        news.iter().map(|(id, news)| (id.0, matches!(news, CallStatus::Ended(Outcome::Answered, _)))).collect();
    assert_eq!(told, [(1, true), (3, false)], "b is not in the answer: nothing is known of it");
    let order: Value = serde_json::from_slice(script.asked()[0].body()).expect("JSON");
    assert_eq!(order, json!({ "UniqueIds": ["a", "b", "c"] }));
}

/// About how many calls each request asked.
fn sizes(script: &Script) -> Vec<usize> {
    let size = |request: &http::Request<bytes::Bytes>| {
        let order: Value = serde_json::from_slice(request.body()).expect("JSON");
        order["UniqueIds"].as_array().expect("ids").len()
    };
    script.asked().iter().map(size).collect()
}

#[tokio::test]
async fn fifty_are_asked_about_at_once_and_one_bad_id_spoils_no_other() {
    let calls: Vec<OutCall> = (0..60).map(|n| out(n, &format!("id-{n}"))).collect();
    let script =
        Script::of(vec![answer(200, results(&[("id-0", "Busy")])), answer(200, results(&[("id-59", "Busy")]))]);
    let provider_ = provider(vendor("knovvu"), &lane_settings("main"), script.clone());
    assert_eq!(provider_.ask(&calls, &Free).await.expect("news").len(), 2);
    assert_eq!(sizes(&script), [50, 10]);

    // Of four, the third cannot be answered for.
    let script = Script::of(vec![
        answer(500, ""),
        answer(200, results(&[("a", "Busy"), ("b", "Busy")])),
        answer(500, ""),
        answer(500, ""),
        answer(200, results(&[("d", "Busy")])),
    ]);
    let provider = provider(vendor("knovvu"), &lane_settings("main"), script.clone());
    let calls = [out(1, "a"), out(2, "b"), out(3, "c"), out(4, "d")];
    let news = provider.ask(&calls, &Free).await.expect("news");
    assert_eq!(news.iter().map(|(id, _)| id.0).collect::<Vec<_>>(), [1, 2, 4]);
    assert_eq!(sizes(&script), [4, 2, 2, 1, 1]);

    // Nothing was learned, and something went wrong: that is no empty answer.
    let script = Script::of(vec![answer(500, ""), answer(200, results(&[])), answer(500, "")]);
    let asked = lane(&[], "https://va.example", &script).ask(&[out(1, "a"), out(2, "b")], &Free).await;
    assert!(matches!(asked, Err(AskError::Trouble(_))), "{asked:?}");
}

fn lost(reported: &[&str]) -> LostCall {
    LostCall {
        attempt: AttemptId(1),
        reference: "our-reference".to_owned(),
        number: turkish(),
        caller_id: None,
        agent: String::new(),
        vendor: [].into(),
        sent_at: noon(),
        called_before: None,
        reported: reported.iter().map(|id| (*id).to_owned()).collect(),
    }
}

#[tokio::test]
async fn a_reported_call_is_found_once_the_vendor_confirms_it() {
    let find = async |reported: &[&str], answers: Vec<Value>| {
        let script = Script::of(answers.into_iter().map(|body| answer(200, body)).collect());
        let provider = provider(vendor("knovvu"), &lane_settings("main"), script);
        provider.find(&[lost(reported)], noon(), &Free).await.expect("findings")
    };
    assert!(find(&[], vec![]).await.candidates.is_empty(), "there is nothing to ask about");
    let found = find(&["a"], vec![results(&[("a", "Busy")])]).await;
    assert_eq!((found.candidates[0].call_id.as_str(), found.candidates[0].certain), ("a", true));
    let twice = find(&["a", "b"], vec![results(&[("a", "Busy"), ("b", "Busy")])]).await;
    assert!(twice.candidates.is_empty(), "two calls for one attempt: {twice:?}");
    for denied in [results(&[]), results(&[("b", "Busy")]), results(&[("a", "")])] {
        let found = find(&["a"], vec![denied]).await;
        assert!(found.candidates.is_empty() && found.absent.is_empty(), "the address may have been stolen: {found:?}");
    }
}

#[tokio::test]
async fn one_call_reported_for_two_attempts_is_neithers() {
    let script = Script::of(vec![answer(200, results(&[("a", "Busy")]))]);
    let provider = provider(vendor("knovvu"), &lane_settings("main"), script);
    let other = LostCall { attempt: AttemptId(2), ..lost(&["a"]) };
    let found = provider.find(&[lost(&["a"]), other], noon(), &Free).await.expect("findings");
    assert!(found.candidates.is_empty(), "{found:?}");
}
