//! Lists and details in which something is broken: the other calls are told of, and nothing is
//! concluded from what cannot be read.

use bytes::Bytes;
use http::Response;
use ringfence_domain::{AttemptId, CallDetails, CallStatus, Outcome, Span};
use ringfence_providers::{Findings, LostCall, OutCall, Provider, WireError};
use ringfence_samples::vendors::{build, setup, vendor};
use ringfence_samples::{lane_settings, noon, number};
use serde_json::{Value, json};

use crate::script::{Free, Script, answer};

type Reply = Result<Response<Bytes>, WireError>;

fn lane(kind: &str, answers: Vec<Reply>) -> std::sync::Arc<dyn Provider> {
    let mut setup = setup(vendor(kind), &lane_settings("main"), "http://vendor.invalid");
    if kind == "unleashx" {
        setup.values.insert("created_at_timezone".to_owned(), "UTC".to_owned());
    }
    build(vendor(kind), setup, Script::of(answers))
}

fn out(n: usize, call_id: &str) -> OutCall {
    OutCall {
        attempt: AttemptId(n as i64),
        call_id: call_id.to_owned(),
        reference: format!("reference-{n}"),
        number: number(n),
        agent: "123".to_owned(),
        sent_at: noon(),
        called_before: None,
    }
}

fn lost(n: usize) -> LostCall {
    LostCall {
        attempt: AttemptId(n as i64),
        reference: format!("reference-{n}"),
        number: number(n),
        caller_id: None,
        agent: "123".to_owned(),
        vendor: [].into(),
        sent_at: noon(),
        called_before: None,
        reported: Vec::new(),
    }
}

/// A row of a vendor's list for the `n`th number, over.
fn row(kind: &str, n: usize) -> Value {
    let id = format!("call-{n}");
    match kind {
        "unleashx" => json!({
            "ID": n, "TRACK_ID": id, "AGENT_ID": 123, "CALLING_NUMBER": number(n).e164(), "CALL_STATUS": "completed",
            "CREATED_AT": "2026-11-20 06:30:02", "TOTAL_DURATION": 94
        }),
        "iqra" => json!({
            "queueId": id, "status": 5, "sessionId": "s", "sessionEndType": 5, "recipientNumber": number(n).e164(),
            "enqueuedAt": noon().to_string(), "metadata": { "ringfence_attempt": format!("reference-{n}") }
        }),
        "knovvu" => json!({ "UniqueId": id, "CallRequestId": "", "CallState": "Answered" }),
        _ => json!({
            "call_id": id, "agent_id": "123", "status": "completed", "callee_phone": number(n).e164(),
            "started_at": noon().to_string()
        }),
    }
}

fn list(kind: &str, rows: &[String]) -> String {
    let rows = rows.join(",");
    match kind {
        "unleashx" => format!("{{\"datalist\":[{rows}]}}"),
        "iqra" => {
            format!("{{\"success\":true,\"data\":{{\"items\":[{rows}],\"hasNextPage\":false,\"nextCursor\":null}}}}")
        }
        "knovvu" => format!("{{\"CallResults\":[{rows}]}}"),
        _ => format!("{{\"success\":true,\"calls\":[{rows}]}}"),
    }
}

/// Rows that stop a strict parser, have the wrong type, or say nothing.
fn broken() -> Vec<String> {
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(500), "]".repeat(500));
    [
        r#"{"note":"\ud800"}"#,
        r#"{"cost":1e400,"x":"\udc00"}"#,
        "\"oops\"",
        "null",
        "17",
        "[]",
        "{}",
        r#"{"duration":NaN}"#,
    ]
    .map(str::to_owned)
    .into_iter()
    .chain([deep])
    .collect()
}

#[tokio::test]
async fn one_broken_row_hides_no_other_call() {
    for kind in ["twenty2", "unleashx", "iqra", "knovvu"] {
        for broken in broken() {
            let rows = [row(kind, 1).to_string(), broken.clone(), row(kind, 2).to_string()];
            let detail = json!({ "success": true, "call": { "status": "completed" } });
            let answers = vec![answer(200, list(kind, &rows)), answer(200, &detail), answer(200, &detail)];
            let news = lane(kind, answers).ask(&[out(1, "call-1"), out(2, "call-2")], &Free).await;
            let news = news.unwrap_or_else(|error| panic!("{kind} {broken}: {error}"));
            let over = news.iter().filter(|(_, news)| matches!(news, CallStatus::Ended(Outcome::Answered, _))).count();
            assert_eq!(over, 2, "{kind} {broken}: {news:?}");
        }
    }
}

async fn found(kind: &str, rows: &[String]) -> Findings {
    // A search for the reference finds nothing either.
    let answers = vec![answer(200, list(kind, rows)), answer(200, list(kind, &[]))];
    lane(kind, answers).find(&[lost(1)], noon() + Span::from_minutes(5), &Free).await.expect("findings")
}

#[tokio::test]
async fn nothing_is_concluded_from_a_row_that_cannot_be_read() {
    for kind in ["twenty2", "unleashx", "iqra"] {
        let other = row(kind, 2).to_string();
        let none = found(kind, std::slice::from_ref(&other)).await;
        assert_eq!(none.not_out, [AttemptId(1)], "{kind}: it is not in the list");
        for broken in broken() {
            let findings = found(kind, &[other.clone(), broken.clone()]).await;
            assert_eq!((findings.not_out, findings.absent), (vec![], vec![]), "{kind} {broken}: that row may be it");
        }
    }
}

#[tokio::test]
async fn a_row_that_fits_is_not_the_call_while_another_one_may_be() {
    for kind in ["twenty2", "unleashx"] {
        let mut fits = row(kind, 1);
        fits["TRACK_ID"] = Value::Null;
        let alone = found(kind, &[fits.to_string()]).await;
        assert_eq!(alone.candidates.len(), 1, "{kind}");
        for broken in broken() {
            let findings = found(kind, &[fits.to_string(), broken.clone()]).await;
            assert_eq!(findings.candidates, [], "{kind} {broken}: nobody is guessed");
            assert_eq!(findings.unasked, [AttemptId(1)], "{kind} {broken}: nothing follows");
        }
    }
    let certain =
        found("unleashx", &[json!({ "ID": 7, "INPUT_DATA": "reference-1" }).to_string(), "null".to_owned()]).await;
    assert!(certain.candidates.iter().all(|candidate| candidate.certain) && certain.candidates.len() == 1);
}

async fn details(body: &str) -> CallDetails {
    let news =
        lane("twenty2", vec![answer(200, body)]).ask(&[out(1, "call-1")], &Free).await.expect("news").remove(0).1;
    match news {
        CallStatus::Ended(_, details) => *details,
        other => panic!("{body}: {other:?}"),
    }
}

#[tokio::test]
async fn what_a_vendor_says_is_bounded_where_it_is_read() {
    for (said, cost, seconds) in [
        (r#""cost":"15.67 INR","duration_seconds":94"#, Some(15_670_000), Some(94)),
        (r#""cost":9200000000000,"duration_seconds":4294967296"#, None, None),
        (r#""cost":"9200000000000 INR","duration_seconds":-1"#, None, None),
        (r#""cost":1e400,"duration_seconds":1e400"#, None, None),
        (r#""cost":1e12,"duration_seconds":1e300"#, None, None),
        (r#""cost":-3,"duration_seconds":NaN"#, None, None),
        (r#""cost":{"amount":1e400},"duration_seconds":"ninety""#, None, None),
        (r#""cost":12,"duration_seconds":"94""#, Some(12_000_000), Some(94)),
    ] {
        let found = details(&format!("{{\"call\":{{\"status\":\"completed\",{said}}}}}")).await;
        assert_eq!((found.cost.map(|(micros, _)| micros), found.talk_seconds), (cost, seconds), "{said}");
    }
    let outputs: serde_json::Map<String, Value> =
        (0..5_000).map(|n| (format!("output-{n}"), json!("x".repeat(3_000)))).collect();
    let call = json!({
        "status": "completed", "output_parameters": outputs, "recording": { "url": "http://a/".repeat(1_000) },
        "transcript": { "url": "https://storage.example/t" }
    });
    let found = details(&json!({ "call": call }).to_string()).await;
    let size: usize = found.outputs.values().map(|value| value.to_string().len()).sum();
    assert!(size <= 64 * 1024 && !found.outputs.is_empty(), "{size}");
    assert_eq!(found.recording, None);
    assert!(found.transcript.is_some());
}

#[tokio::test]
async fn details_that_cannot_be_read_hold_up_nobody_else() {
    let rows = [1, 2, 3].map(|n| row("twenty2", n).to_string());
    let over = json!({ "success": true, "call": { "status": "completed" } });
    let answers =
        vec![answer(200, list("twenty2", &rows)), answer(200, "{\"call\": {"), answer(200, &over), answer(200, &over)];
    let calls = [out(1, "call-1"), out(2, "call-2"), out(3, "call-3")];
    let news = lane("twenty2", answers).ask(&calls, &Free).await.expect("news");
    let told: Vec<i64> = news.iter().map(|(attempt, _)| attempt.0).collect();
    assert_eq!(told, [2, 3]);
}
