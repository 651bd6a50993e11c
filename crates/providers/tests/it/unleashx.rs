//! UnleashX: the request as on the page, and rows of the list that may or may not be a call's.

use ringfence_domain::{AttemptId, CallStatus, Moment, Outcome, Placement, Span};
use ringfence_providers::{AskError, Budget, CallRequest, OutCall};
use ringfence_samples::vendors::{build, provider, setup, vendor};
use ringfence_samples::{lane_settings, noon, number};
use serde_json::{Value, json};

use crate::script::{Free, Script, answer};

fn call() -> CallRequest {
    CallRequest {
        reference: "our-reference".to_owned(),
        to: number(1),
        from: None,
        agent: "123".to_owned(),
        variables: [("name".to_owned(), "Asha".to_owned()), ("city".to_owned(), "Pune".to_owned())].into(),
        metadata: [("customer_id".to_owned(), "CUST001".to_owned()), ("city".to_owned(), "Mumbai".to_owned())].into(),
        vendor: [].into(),
        report_to: None,
        at: noon(),
        ring_before: None,
    }
}

fn out(attempt: i64, call_id: &str, n: usize) -> OutCall {
    OutCall {
        attempt: AttemptId(attempt),
        call_id: call_id.to_owned(),
        reference: "our-reference".to_owned(),
        number: number(n),
        agent: "123".to_owned(),
        sent_at: noon(),
        called_before: None,
    }
}

fn row(id: i64, n: usize, created_at: &str, status: &str) -> Value {
    json!({
        "ID": id, "AGENT_ID": 123, "agent_name": "Asha", "CALLING_NUMBER": number(n).e164(), "PROVIDER_NUMBER": "+911140000000",
        "STATUS": "completed", "CALL_STATUS": status, "TOTAL_DURATION": 42, "total_duration": "42s",
        "CREATED_AT": created_at, "TRANSCRIPT": "Agent: hello", "FILE_PATH": "https://storage.example/a.mp3", "DISPOSITION": "Interested"
    })
}

fn list(rows: &[Value]) -> Value {
    json!({ "datalist": rows })
}

/// Noon of the samples is 06:30 UTC.
const NOON_UTC: &str = "2026-11-20 06:30:03";

#[tokio::test]
async fn the_request_is_as_on_the_page() {
    for header in ["token", "api_access_token"] {
        let mut setup = setup(vendor("unleashx"), &lane_settings("main"), "http://vendor.invalid");
        setup.values.insert("auth_header".to_owned(), header.to_owned());
        let script = Script::of(vec![answer(500, "")]);
        build(vendor("unleashx"), setup, script.clone()).place(&call()).await;
        let request = script.asked().remove(0);
        assert_eq!(request.method(), "POST");
        assert_eq!(request.uri(), "http://vendor.invalid/api/v1/global/agents/call");
        assert_eq!(request.headers()[header], "tests");
        assert_eq!(request.headers().contains_key("token"), header == "token");
        assert_eq!(request.headers()["content-type"], "application/json");
        let body: Value = serde_json::from_slice(request.body()).expect("JSON");
        assert_eq!(
            body,
            json!({
                "agent_id": 123, "phone_number": "+919810000001",
                "metadata": { "name": "Asha", "customer_id": "CUST001", "city": "Mumbai", "ringfence_attempt": "our-reference" }
            })
        );
    }
}

#[tokio::test]
async fn an_agent_that_is_no_number_is_never_sent() {
    let script = Script::of(vec![]);
    let provider = provider(vendor("unleashx"), &lane_settings("main"), script.clone());
    let placing = provider.place(&CallRequest { agent: "abc".to_owned(), ..call() }).await;
    assert!(matches!(placing, Placement::CampaignFault { .. }), "{placing:?}");
    assert!(script.asked().is_empty());
}

/// What is said of one call by these answers.
async fn news(zone: Option<&str>, answers: Vec<Value>) -> Option<CallStatus> {
    let mut setup = setup(vendor("unleashx"), &lane_settings("main"), "http://vendor.invalid");
    setup.values.extend(zone.map(|zone| ("created_at_timezone".to_owned(), zone.to_owned())));
    let script = Script::of(answers.into_iter().map(|body| answer(200, body)).collect());
    let provider = build(vendor("unleashx"), setup, script);
    provider.ask(&[out(1, "execution-1", 1)], &Free).await.expect("news").pop().map(|(_, news)| news)
}

fn outcome(news: Option<CallStatus>) -> Option<Outcome> {
    news.and_then(|news| match news {
        CallStatus::Ended(outcome, _) => Some(outcome),
        CallStatus::Pending | CallStatus::Unclear => None,
    })
}

#[tokio::test]
async fn a_row_that_carries_the_id_is_the_call_under_any_of_its_names() {
    for name in ["EXECUTION_ID", "execution_id", "TRACK_ID", "Track_Id"] {
        let mut own = row(7, 1, "1999-01-01 00:00:00", "busy");
        own[name] = json!("execution-1");
        let others = [row(8, 1, NOON_UTC, "completed"), own];
        assert_eq!(outcome(news(None, vec![list(&others)]).await), Some(Outcome::Busy), "{name}");
    }
}

#[tokio::test]
async fn the_only_row_that_fits_by_number_and_time_is_the_call() {
    let Some(CallStatus::Ended(outcome, details)) = news(None, vec![list(&[row(7, 1, NOON_UTC, "completed")])]).await
    else {
        panic!("it is over")
    };
    assert_eq!(outcome, Outcome::Answered);
    assert_eq!(details.talk_seconds, Some(42));
    assert_eq!(details.outputs["disposition"], "Interested");
    assert_eq!(details.recording, Some(("https://storage.example/a.mp3".to_owned(), None)));
}

#[tokio::test]
async fn of_two_rows_that_fit_the_search_for_our_reference_decides_or_nobody() {
    let both = list(&[row(7, 1, NOON_UTC, "busy"), row(8, 1, "2026-11-20 03:30:00", "completed")]);
    let one = list(&[row(8, 1, "2026-11-20 03:30:00", "completed")]);
    assert_eq!(outcome(news(None, vec![both.clone(), one]).await), Some(Outcome::Answered));
    assert_eq!(news(None, vec![both.clone(), both.clone()]).await, None, "a list that does not search");
    assert_eq!(news(None, vec![both, list(&[])]).await, None, "nothing is kept to search for");
}

#[tokio::test]
async fn the_row_of_an_earlier_call_is_not_taken_for_the_next_one() {
    let ask = async |answers: Vec<Value>| {
        let script = Script::of(answers.into_iter().map(|body| answer(200, body)).collect());
        let provider = provider(vendor("unleashx"), &lane_settings("main"), script);
        let again = OutCall { called_before: Some(noon() - Span::from_minutes(15)), ..out(2, "execution-2", 1) };
        outcome(provider.ask(&[again], &Free).await.expect("news").pop().map(|(_, news)| news))
    };
    let first = row(7, 1, "2026-11-20 06:15:02", "busy");
    let second = row(8, 1, NOON_UTC, "completed");
    let alone = list(std::slice::from_ref(&first));
    assert_eq!(ask(vec![alone.clone(), alone.clone()]).await, None, "nobody knows whether the list was searched");
    assert_eq!(ask(vec![alone, list(&[])]).await, None, "the row of this call is not there yet");
    let both = list(&[first, second.clone()]);
    assert_eq!(ask(vec![both.clone(), list(&[second])]).await, Some(Outcome::Answered));
    assert_eq!(ask(vec![both.clone(), both]).await, None);
}

#[tokio::test]
async fn a_known_zone_tells_calls_of_one_day_apart() {
    let rows = [row(7, 1, "2026-11-20 12:00:02", "busy"), row(8, 1, "2026-11-20 06:30:02", "completed")];
    assert_eq!(outcome(news(Some("Asia/Kolkata"), vec![list(&rows)]).await), Some(Outcome::Busy));
    assert_eq!(outcome(news(Some("UTC"), vec![list(&rows)]).await), Some(Outcome::Answered));
}

#[tokio::test]
async fn rows_of_others_are_never_taken() {
    let mut named = row(7, 1, NOON_UTC, "completed");
    named["TRACK_ID"] = json!("execution-of-another");
    for other in [named, row(7, 2, NOON_UTC, "completed"), row(7, 1, "2026-11-18 06:30:00", "completed")] {
        assert_eq!(news(None, vec![list(std::slice::from_ref(&other))]).await, None, "{other}");
    }
    let mut inbound = row(7, 1, NOON_UTC, "completed");
    inbound["AGENT_ID"] = json!(7);
    assert_eq!(news(None, vec![list(&[inbound])]).await, None, "they called another agent of ours");
    for unreadable in [json!("yesterday"), Value::Null] {
        let mut row = row(7, 1, NOON_UTC, "completed");
        row["CREATED_AT"] = unreadable;
        assert_eq!(news(None, vec![list(&[row])]).await, None, "nobody knows when");
    }
    let full: Vec<Value> =
        (0..100).map(|id| row(id, 2, NOON_UTC, "completed")).chain([row(100, 1, NOON_UTC, "busy")]).collect();
    assert_eq!(news(None, vec![list(&full)]).await, None, "a full page may not be all");
}

#[tokio::test]
async fn the_calls_status_goes_before_the_agents() {
    for (call_status, expected) in [("no-answer", Some(Outcome::NoAnswer)), ("initiated", None), ("teleported", None)] {
        let said = news(None, vec![list(&[row(7, 1, NOON_UTC, call_status)])]).await;
        assert_eq!(outcome(said), expected, "{call_status}");
    }
    let mut row = row(7, 1, NOON_UTC, "");
    row["CALL_STATUS"] = Value::Null;
    row["STATUS"] = json!("failed");
    assert_eq!(outcome(news(None, vec![list(&[row])]).await), Some(Outcome::Failed));
}

#[tokio::test]
async fn many_calls_are_asked_about_with_one_page_and_the_rest_by_number() {
    let mut first = row(7, 1, NOON_UTC, "completed");
    first["TRACK_ID"] = json!("execution-1");
    let script = Script::of(vec![
        answer(200, list(&[first, row(8, 2, NOON_UTC, "busy")])),
        answer(200, list(&[row(8, 2, NOON_UTC, "busy")])),
    ]);
    let provider = provider(vendor("unleashx"), &lane_settings("main"), script.clone());
    let calls = [out(1, "execution-1", 1), out(2, "execution-2", 2)];
    let news = provider.ask(&calls, &Free).await.expect("news");
    assert!(news.iter().all(|(_, news)| matches!(news, CallStatus::Ended(..))), "{news:?}");
    assert_eq!(news.len(), 2);
    let asked: Vec<String> = script.asked().iter().map(|request| request.uri().to_string()).collect();
    let base = "http://vendor.invalid/api/v1/global/agents/executions/list?fromdate=2026-11-19";
    assert_eq!(asked, [format!("{base}&page=1&limit=100"), format!("{base}&calling_number=9810000002&limit=100")]);
}

/// Keeps the refusal that ended a round of questions.
#[derive(Default)]
struct Told(std::sync::Mutex<Option<AskError>>);

#[async_trait::async_trait]
impl Budget for Told {
    async fn take(&self) {}

    fn cut_short(&self, refusal: AskError) {
        *self.0.lock().expect("free") = Some(refusal);
    }
}

#[tokio::test]
async fn a_refusal_ends_the_round_and_takes_no_answer_away() {
    let answers = || vec![answer(200, list(&[])), answer(200, list(&[row(8, 2, NOON_UTC, "busy")])), answer(429, "")];
    let calls = [out(1, "execution-1", 2), out(2, "execution-2", 1), out(3, "execution-3", 3)];
    let told = Told::default();
    let asked = provider(vendor("unleashx"), &lane_settings("main"), Script::of(answers()));
    let news = asked.ask(&calls, &told).await.expect("news");
    assert_eq!(news.len(), 1, "{news:?}");
    assert!(matches!(told.0.into_inner().expect("free"), Some(AskError::Throttled { .. })));

    let told = Told::default();
    let mut answers = answers();
    drop(answers.remove(1));
    let asked = provider(vendor("unleashx"), &lane_settings("main"), Script::of(answers));
    let refused = asked.ask(&calls, &told).await;
    assert!(matches!(refused, Err(AskError::Throttled { .. })), "nothing was learned: {refused:?}");
    assert_eq!(told.0.into_inner().expect("free"), None);
}

#[tokio::test]
async fn a_list_that_knows_no_pages_ends_the_search() {
    let page: Vec<Value> = (0..100).map(|id| row(id, 3, NOON_UTC, "completed")).collect();
    let script = Script::of((0..4).map(|_| answer(200, list(&page))).collect());
    let provider = provider(vendor("unleashx"), &lane_settings("main"), script.clone());
    let news = provider.ask(&[out(1, "x", 1), out(2, "y", 2)], &Free).await.expect("news");
    assert_eq!(news, []);
    assert_eq!(script.asked().len(), 4, "two pages that are one, and two numbers");
}

#[tokio::test]
async fn a_row_under_a_wrong_clock_is_not_a_lost_call() {
    let lost = |sent_at: Moment| ringfence_providers::LostCall {
        attempt: AttemptId(1),
        reference: "our-reference".to_owned(),
        number: number(1),
        caller_id: None,
        agent: "123".to_owned(),
        vendor: [].into(),
        sent_at,
        called_before: None,
        reported: Vec::new(),
    };
    let find = async |sent_at: Moment, row: Value| {
        let mut setup = setup(vendor("unleashx"), &lane_settings("main"), "http://vendor.invalid");
        setup.values.insert("created_at_timezone".to_owned(), "UTC".to_owned());
        let script = Script::of(vec![answer(200, list(&[row]))]);
        let found = build(vendor("unleashx"), setup, script).find(&[lost(sent_at)], noon(), &Free).await;
        found.expect("findings").candidates
    };
    assert_eq!(find(noon(), row(7, 1, NOON_UTC, "completed")).await.len(), 1);
    assert_eq!(find(noon() + Span::from_minutes(15), row(7, 1, NOON_UTC, "completed")).await, [], "the call before");
    let mut mentions = row(7, 1, NOON_UTC, "completed");
    mentions["INPUT_DATA"] = json!("{\"ringfence_attempt\":\"our-reference\"}");
    assert!(find(noon(), mentions).await[0].certain);
    let mut other_agent = row(7, 1, NOON_UTC, "completed");
    other_agent["AGENT_ID"] = json!(999);
    assert_eq!(find(noon(), other_agent).await, []);
    // Of two rows one is known to be another attempt's, by a name that its row does not show.
    let script = Script::of(
        (0..2).map(|_| answer(200, list(&[row(7, 1, NOON_UTC, "busy"), row(8, 1, NOON_UTC, "busy")]))).collect(),
    );
    let provider = provider(vendor("unleashx"), &lane_settings("main"), script);
    let found = provider.find(&[lost(noon())], noon(), &Free).await.expect("findings");
    assert_eq!(found.candidates, [], "nobody can tell");
}
