//! Twenty2: every documented shape, and what must never be taken for a refusal.

use bytes::Bytes;
use http::Response;
use ringfence_domain::{AttemptId, CallStatus, Moment, Outcome, PhoneNumber, Placement, Span};
use ringfence_providers::{AskError, CallRequest, LostCall, OutCall, WireError};
use ringfence_samples::vendors::twenty2;
use ringfence_samples::{lane_settings, noon};
use serde_json::{Value, json};

use crate::script::{Free, Script, answer};

fn call() -> CallRequest {
    CallRequest {
        reference: "our-reference".to_owned(),
        to: PhoneNumber::from_e164("+919999999999").expect("a number"),
        from: Some("8888888888".to_owned()),
        agent: "69de483c68b23495c853b43a".to_owned(),
        variables: [("agentName".to_owned(), "Rohit".to_owned())].into(),
        metadata: [].into(),
        vendor: [("reference".to_owned(), "ref".to_owned())].into(),
        report_to: None,
        at: noon(),
        ring_before: None,
    }
}

async fn placing(reply: Result<Response<Bytes>, WireError>) -> Placement {
    let script = Script::of(vec![reply]);
    let placing = twenty2(&lane_settings("main"), "national", script.clone()).place(&call()).await;
    assert_eq!(script.asked().len(), 1, "one request, whatever the answer");
    placing
}

fn accepted(call_id: &str) -> Placement {
    Placement::Accepted { call_id: call_id.to_owned() }
}

#[tokio::test]
async fn the_request_is_as_on_the_page() {
    let script = Script::of(vec![answer(200, json!({ "success": true, "call_id": "x" }))]);
    twenty2(&lane_settings("main"), "national", script.clone()).place(&call()).await;
    let request = script.asked().remove(0);
    assert_eq!(request.method(), "POST");
    assert_eq!(request.uri(), "http://vendor.invalid/api/agent/trigger-outbound-call");
    assert_eq!(request.headers()["x-workspace-id"], "tests");
    assert_eq!(request.headers()["authorization"], "Basic dGVzdHM6dGVzdHM=");
    assert_eq!(request.headers()["content-type"], "application/json");
    let body: Value = serde_json::from_slice(request.body()).expect("JSON");
    assert_eq!(
        body,
        json!({
            "agent_id": "69de483c68b23495c853b43a",
            "callee_phone": "9999999999",
            "caller_phone": "8888888888",
            "input_parameters": { "agentName": "Rohit", "ref": "our-reference" }
        })
    );
}

#[tokio::test]
async fn both_forms_of_success_are_understood() {
    let reference_page = json!({
        "success": true, "call_id": "call_9c4d7e12ab", "status": "initiated", "message": "Call queued successfully."
    });
    assert_eq!(placing(answer(200, reference_page)).await, accepted("call_9c4d7e12ab"));
    let quick_start = json!({
        "success": true, "statusCode": 201,
        "data": { "call_id": "6a329e7c5a54529ba7f0b4e6", "message": "Call queued successfully." }
    });
    assert_eq!(placing(answer(201, quick_start)).await, accepted("6a329e7c5a54529ba7f0b4e6"));
}

#[tokio::test]
async fn both_forms_of_refusal_are_understood() {
    let error = |code: &str, status: u16| json!({ "success": false, "error": { "code": code, "message": "says the vendor", "status": status } });
    for (code, status) in [("UNAUTHORIZED", 401), ("FORBIDDEN", 403)] {
        let Placement::LaneFault { cause } = placing(answer(status, error(code, status))).await else {
            panic!("{code}")
        };
        assert!(cause.contains(code) && cause.contains("says the vendor"), "{cause}");
    }
    for code in ["INVALID_AGENT", "INVALID_ASSISTANT"] {
        let placing = placing(answer(400, error(code, 400))).await;
        let Placement::CampaignFault { cause } = placing else { panic!("{code}: {placing:?}") };
        assert!(cause.contains(code) && cause.contains("says the vendor"), "{cause}");
    }
    assert!(matches!(placing(answer(400, error("INVALID_NUMBER", 400))).await, Placement::NumberFault { .. }));
    let fields = |name: &str| {
        let errors = json!({ name: ["Required"] });
        json!({ "success": false, "statusCode": 422, "message": "Validation errors", "validationErrors": errors })
    };
    assert!(matches!(placing(answer(422, fields("callee_phone"))).await, Placement::NumberFault { .. }));
    for name in ["caller_phone", "agent_id"] {
        assert!(matches!(placing(answer(422, fields(name))).await, Placement::CampaignFault { .. }), "{name}");
    }
    let Placement::LaneFault { cause } = placing(answer(422, fields("assistant_id"))).await else {
        panic!("a lane fault")
    };
    assert!(cause.contains("agent_field = \"assistant_id\""), "{cause}");
    assert!(matches!(placing(answer(200, error("INVALID_AGENT", 400))).await, Placement::CampaignFault { .. }));
}

#[tokio::test]
async fn throttling_is_read_in_both_forms_of_its_header() {
    let body = json!({ "success": false, "error": { "code": "RATE_LIMIT_EXCEEDED", "message": "", "status": 429 } });
    let with = |headers: &[(&'static str, &str)]| {
        let mut response = answer(429, &body).expect("an answer");
        for (name, value) in headers {
            response.headers_mut().insert(*name, value.parse().expect("a header"));
        }
        Ok(response)
    };
    let wait = |placing| match placing {
        Placement::Throttled { retry_after, .. } => retry_after,
        other => panic!("{other:?}"),
    };
    assert_eq!(wait(placing(with(&[("retry-after", "17")])).await), Some(Span::from_secs(17)));
    let dates = [("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")];
    assert_eq!(wait(placing(with(&dates)).await), Some(Span::from_secs(30)));
    assert_eq!(wait(placing(with(&[])).await), None);
}

#[tokio::test]
async fn whatever_may_have_been_placed_is_unknown() {
    let accepted_without_id = json!({ "success": true, "message": "Call queued successfully." });
    for (status, body) in [
        (200, accepted_without_id.to_string()),
        (200, json!({ "success": true, "call_id": "" }).to_string()),
        (200, "<html>Gateway</html>".to_owned()),
        (200, String::new()),
        (200, "{\"success\": true, \"call_id\": \"call_9c4d".to_owned()),
        (408, String::new()),
        (409, json!({ "success": false, "message": "conflict" }).to_string()),
        (500, json!({ "success": false, "error": { "code": "INTERNAL_ERROR", "message": "" } }).to_string()),
        (502, "<html>Bad Gateway</html>".to_owned()),
        (503, String::new()),
    ] {
        let placing = placing(answer(status, &body)).await;
        assert!(matches!(placing, Placement::Unknown { .. }), "{status} {body}: {placing:?}");
    }
    assert!(matches!(placing(Err(WireError::Broken("reset".into()))).await, Placement::Unknown { .. }));
    assert!(matches!(placing(Err(WireError::NotSent("refused".into()))).await, Placement::NotSent { .. }));
}

#[tokio::test]
async fn a_refusal_needs_the_documented_status_too() {
    let error = |code: &str, status: u16| json!({ "success": false, "error": { "code": code, "message": "says the vendor", "status": status } });
    for (status, body) in [
        (404, error("INVALID_AGENT", 404)),
        (400, error("INVALID_AGENT", 502)),
        (200, error("INVALID_AGENT", 502)),
        (
            200,
            json!({ "success": false, "error": { "code": "INVALID_AGENT", "message": "upstream timeout", "status": 400 } }),
        ),
        (200, json!({ "success": false, "error": { "code": "INVALID_AGENT", "message": "" } })),
        (400, json!({ "success": false, "statusCode": 400, "message": "agent could not be reached" })),
        (404, json!({ "success": false, "statusCode": 404, "message": "Not found" })),
        (422, json!({ "success": false, "statusCode": 422, "message": "Validation errors", "validationErrors": {} })),
        (200, json!({ "success": false, "error": "INVALID_AGENT" })),
        (400, json!({ "error": { "code": "INVALID_AGENT", "message": "no flag", "status": 400 } })),
    ] {
        let placing = placing(answer(status, &body)).await;
        let doubt = matches!(placing, Placement::Unknown { .. } | Placement::Undocumented { .. });
        assert!(doubt, "{status} {body}: {placing:?}");
    }
    let newer = |status: u16| json!({ "success": false, "statusCode": status, "message": "No" });
    for (status, http) in [(401, 401), (403, 403), (401, 200)] {
        let placing = placing(answer(http, newer(status))).await;
        assert!(matches!(placing, Placement::LaneFault { .. }), "{http} {status}: {placing:?}");
    }
}

#[tokio::test]
async fn numbers_in_the_vendors_words_are_masked() {
    let body = json!({ "success": false, "error": { "code": "X", "message": "9999999999 is barred", "status": 400 } });
    let Placement::Undocumented { cause, .. } = placing(answer(400, body)).await else { panic!("no documented code") };
    assert!(!cause.contains("9999999999") && cause.contains("******9999"), "{cause}");
}

fn out(attempt: i64, call_id: &str) -> OutCall {
    OutCall {
        attempt: AttemptId(attempt),
        call_id: call_id.to_owned(),
        reference: "our-reference".to_owned(),
        number: call().to,
        agent: "agent".to_owned(),
        sent_at: noon(),
        called_before: None,
    }
}

async fn ended(body: Value) -> (Outcome, ringfence_domain::CallDetails) {
    let script = Script::of(vec![answer(200, body)]);
    let provider = twenty2(&lane_settings("main"), "national", script.clone());
    let news = provider.ask(&[out(1, "a/b")], &Free).await.expect("news").remove(0).1;
    assert_eq!(script.asked()[0].uri(), "http://vendor.invalid/api/call/detail?call_id=a%2Fb");
    match news {
        CallStatus::Ended(outcome, details) => (outcome, *details),
        CallStatus::Pending | CallStatus::Unclear => panic!("it is over"),
    }
}

#[tokio::test]
async fn all_forms_of_the_details_are_understood() {
    let expires: Moment = "2025-01-25T10:01:34Z".parse().expect("a moment");
    let call = json!({ "call_id": "x", "status": "completed", "duration_seconds": 94, "cost": "₹15.67" });
    let output = json!({ "interested": "yes", "callback_time": "Tomorrow 11am" });
    let link = json!({ "url": "https://storage.example/r", "expires_at": "2025-01-25T10:01:34Z" });
    let inside = {
        let mut call = call.clone();
        call["output_parameters"] = output.clone();
        call["recording"] = link.clone();
        json!({ "success": true, "call": call })
    };
    let beside = {
        let mut call = call.clone();
        call["cost"] = json!("15.67 INR");
        json!({
            "success": true, "call": call, "input_parameters": {}, "output_parameters": output.clone(),
            "recording": link.clone(), "transcript": link.clone()
        })
    };
    let wrapped = json!({ "success": true, "data": inside.clone() });
    for (name, body) in [("inside", inside), ("beside", beside), ("wrapped", wrapped)] {
        let (outcome, details) = ended(body).await;
        assert_eq!(outcome, Outcome::Answered, "{name}");
        assert_eq!(details.talk_seconds, Some(94), "{name}");
        assert_eq!(details.cost, Some((15_670_000, "INR".to_owned())), "{name}");
        assert_eq!(details.outputs["callback_time"], "Tomorrow 11am", "{name}");
        assert_eq!(details.recording, Some(("https://storage.example/r".to_owned(), Some(expires))), "{name}");
        assert_eq!(details.transcript.is_some(), name == "beside");
    }
}

#[tokio::test]
async fn many_calls_are_asked_about_with_one_list() {
    let list = json!({ "success": true, "calls": [
        { "call_id": "a", "status": "in-progress", "callee_phone": "9999999999" },
        { "call_id": "b", "status": "completed", "callee_phone": "9999999998" },
        { "call_id": "other", "status": "completed", "callee_phone": "9999999997" },
    ]});
    let detail = json!({ "success": true, "call": { "call_id": "b", "status": "completed" } });
    let missing = json!({ "success": false, "error": { "code": "CALL_NOT_FOUND", "message": "", "status": 404 } });
    let script = Script::of(vec![answer(200, list), answer(200, detail), answer(404, missing)]);
    let provider = twenty2(&lane_settings("main"), "national", script.clone());
    let calls = [out(1, "a"), out(2, "b"), out(3, "unlisted")];
    let news = provider.ask(&calls, &Free).await.expect("news");
    let stands: Vec<(i64, bool)> =
        news.iter().map(|(attempt, news)| (attempt.0, matches!(news, CallStatus::Ended(..)))).collect();
    assert_eq!(stands, [(1, false), (2, true), (3, false)]);
    assert_eq!(script.asked().len(), 3, "the list, one that is over, one that the list lacks");
}

#[tokio::test]
async fn words_that_nobody_documented_are_not_an_end() {
    let script = Script::of(vec![answer(200, json!({ "success": true, "call": { "status": "teleported" } }))]);
    let provider = twenty2(&lane_settings("main"), "national", script);
    assert_eq!(provider.ask(&[out(1, "a")], &Free).await, Ok(vec![(AttemptId(1), CallStatus::Unclear)]));
}

#[tokio::test]
async fn refusals_of_questions_are_told_apart() {
    for (status, lane) in [(401, true), (403, true), (500, false), (502, false)] {
        let script = Script::of(vec![answer(status, "{}")]);
        let provider = twenty2(&lane_settings("main"), "national", script);
        let error = provider.ask(&[out(1, "a")], &Free).await.expect_err("refused");
        assert_eq!(matches!(error, AskError::LaneFault(_)), lane, "{status}: {error:?}");
    }
}

fn lost(attempt: i64, with_reference: bool) -> LostCall {
    LostCall {
        attempt: AttemptId(attempt),
        reference: "our-reference".to_owned(),
        number: PhoneNumber::from_e164("+919999999999").expect("a number"),
        caller_id: Some("8888888888".to_owned()),
        agent: "agent".to_owned(),
        vendor: with_reference.then(|| ("reference".to_owned(), "ref".to_owned())).into_iter().collect(),
        sent_at: noon(),
        called_before: None,
        reported: Vec::new(),
    }
}

fn logged(call_id: &str, callee: &str, agent: &str, started: Option<Moment>) -> Value {
    json!({
        "call_id": call_id, "agent_id": agent, "status": "completed", "callee_phone": callee,
        "caller_phone": "8888888888", "started_at": started.map(|at| at.to_string())
    })
}

#[tokio::test]
async fn a_lost_call_is_found_by_numbers_agent_and_time() {
    let list = json!({ "success": true, "calls": [
        logged("fits", "9999999999", "agent", Some(noon() + Span::from_secs(4))),
        logged("queued", "+919999999999", "agent", None),
        logged("earlier", "9999999999", "agent", Some(noon() - Span::from_hours(1))),
        logged("other number", "9999999990", "agent", Some(noon())),
        logged("other agent", "9999999999", "else", Some(noon())),
    ]});
    let script = Script::of(vec![answer(200, list)]);
    let provider = twenty2(&lane_settings("main"), "national", script);
    let found = provider.find(&[lost(1, false)], noon(), &Free).await.expect("candidates").candidates;
    let ids: Vec<&str> = found.iter().map(|candidate| candidate.call_id.as_str()).collect();
    assert_eq!(ids, ["fits", "queued"]);
    assert!(found.iter().all(|candidate| !candidate.certain));
}

#[tokio::test]
async fn our_reference_leaves_no_doubt() {
    let list = json!({ "success": true, "calls": [
        logged("theirs", "9999999999", "agent", Some(noon())),
        logged("ours", "9999999999", "agent", Some(noon())),
    ]});
    let detail = |reference: &str| json!({ "success": true, "call": {}, "input_parameters": { "ref": reference } });
    let script =
        Script::of(vec![answer(200, list), answer(200, detail("another")), answer(200, detail("our-reference"))]);
    let provider = twenty2(&lane_settings("main"), "national", script);
    let found = provider.find(&[lost(1, true)], noon(), &Free).await.expect("candidates").candidates;
    assert_eq!(found.iter().map(|c| (c.call_id.as_str(), c.certain)).collect::<Vec<_>>(), [("ours", true)]);
}

#[tokio::test]
async fn only_indian_numbers_are_called_without_their_country_code() {
    let script = Script::of(vec![]);
    let provider = twenty2(&lane_settings("main"), "national", script.clone());
    let abroad = PhoneNumber::from_e164("+442079460018").expect("a number");
    assert!(provider.can_call(&abroad).expect_err("not Indian").contains("numbers of IN only"));
    assert!(provider.can_call(&call().to).is_ok());
    let placing = provider.place(&CallRequest { to: abroad.clone(), ..call() }).await;
    assert!(matches!(placing, Placement::NumberFault { .. }));
    assert!(script.asked().is_empty(), "nothing was sent");
    assert!(twenty2(&lane_settings("main"), "e164", script).can_call(&abroad).is_ok());
}

#[tokio::test]
async fn calls_near_the_vendors_closing_may_be_held_until_its_morning() {
    let mut settings = lane_settings("main");
    settings.hours = Some("09:00-21:00".parse().expect("hours"));
    let provider = twenty2(&settings, "national", Script::of(vec![]));
    let at = |text: &str| text.parse::<Moment>().expect("a moment");
    assert_eq!(provider.held_until(noon()), noon());
    assert_eq!(provider.held_until(at("2026-11-20T15:28:59Z")), at("2026-11-21T03:30:00Z"), "20:58:59 IST");
    assert_eq!(provider.held_until(at("2026-11-20T18:00:00Z")), at("2026-11-21T03:30:00Z"), "23:30 IST");
}
