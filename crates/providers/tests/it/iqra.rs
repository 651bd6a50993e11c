//! Iqra AI: both dialects of placing a call, the turn between them, and the queue's two languages.

use std::collections::BTreeMap;
use std::sync::Arc;

use http::Request;
use ringfence_domain::{AttemptId, CallStatus, Moment, Outcome, Placement, Span};
use ringfence_providers::{CallRequest, Findings, LostCall, OutCall, Provider};
use ringfence_samples::vendors::{build, setup, vendor};
use ringfence_samples::{lane_settings, noon, number};
use serde_json::{Value, json};

use crate::script::{Free, Script, answer};

const CONFIG_NOT_FOUND: &str = "InitiateCall:QueueCallInitiationRequestAsync:FORM_DATA_CONFIG_NOT_FOUND";

fn call() -> CallRequest {
    CallRequest {
        reference: "our-reference".to_owned(),
        to: number(1),
        from: Some("number-1".to_owned()),
        agent: "agent-1".to_owned(),
        variables: [("name".to_owned(), "Asha".to_owned())].into(),
        metadata: [("crm".to_owned(), "17".to_owned())].into(),
        vendor: [("campaign_id".to_owned(), "campaign-1".to_owned())].into(),
        report_to: None,
        at: noon(),
        ring_before: None,
    }
}

fn lane(dialect: &str, script: &Arc<Script>) -> Arc<dyn Provider> {
    let mut setup = setup(vendor("iqra"), &lane_settings("main"), "http://vendor.invalid");
    setup.values.insert("dialect".to_owned(), dialect.to_owned());
    setup.values.insert("business_id".to_owned(), "42".to_owned());
    build(vendor("iqra"), setup, script.clone())
}

/// The fields of a form, as any server would read them.
async fn fields(request: Request<bytes::Bytes>) -> BTreeMap<String, String> {
    use axum::extract::FromRequest;
    let mut form =
        axum::extract::Multipart::from_request(request.map(axum::body::Body::from), &()).await.expect("a form");
    let mut fields = BTreeMap::new();
    while let Some(field) = form.next_field().await.expect("a field") {
        let name = field.name().expect("a name").to_owned();
        fields.insert(name, field.text().await.expect("text"));
    }
    fields
}

async fn sent(dialect: &str, call: &CallRequest) -> (Request<bytes::Bytes>, BTreeMap<String, String>) {
    let script = Script::of(vec![answer(500, "")]);
    lane(dialect, &script).place(call).await;
    let request = script.asked().remove(0);
    (request.clone(), fields(request).await)
}

#[tokio::test]
async fn the_documented_form_is_as_on_the_page() {
    let (request, fields) = sent("docs", &call()).await;
    assert_eq!(request.method(), "POST");
    assert_eq!(request.uri(), "http://vendor.invalid/api/v1/business/42/call/initiate");
    assert_eq!(request.headers()["authorization"], "Token tests");
    let expected = [
        ("AgentId", "agent-1"),
        ("CampaignId", "campaign-1"),
        ("DynamicVariables[name]", "Asha"),
        ("Metadata[crm]", "17"),
        ("Metadata[ringfence_attempt]", "our-reference"),
        ("NumberId", "number-1"),
        ("RecipientNumber", "+919810000001"),
    ];
    assert_eq!(fields, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}

#[tokio::test]
async fn no_value_breaks_out_of_the_form() {
    let mut call = call();
    let evil =
        "--ringfence-form\r\nContent-Disposition: form-data; name=\"AgentId\"\r\n\r\nother\r\n--ringfence-form--\r\n";
    call.variables = [("a\"b\r\nc".to_owned(), evil.to_owned())].into();
    let (_, fields) = sent("docs", &call).await;
    assert_eq!(fields["AgentId"], "agent-1");
    assert!(fields.values().any(|value| value == evil), "{fields:?}");
    assert_eq!(fields.len(), 7);
}

#[tokio::test]
async fn the_config_of_the_source_says_when_a_call_is_too_late() {
    let config = async |call: &CallRequest| -> Value {
        serde_json::from_str(&sent("config", call).await.1["config"]).expect("JSON")
    };
    assert_eq!(
        config(&call()).await,
        json!({
            "campaignId": "campaign-1",
            "number": { "type": 0, "toNumber": "+919810000001" },
            "schedule": { "dateTimeUTC": "2026-11-20T06:30:00Z", "maxDateTimeUTC": "2026-11-20T06:31:00Z" },
            "dynamicVariables": { "name": "Asha" },
            "metadata": { "crm": "17", "ringfence_attempt": "our-reference" }
        })
    );
    let mut patient = call();
    patient.vendor.insert("max_wait".to_owned(), "10m".to_owned());
    assert_eq!(config(&patient).await["schedule"]["maxDateTimeUTC"], "2026-11-20T06:40:00Z");
    patient.ring_before = Some(noon() + Span::from_secs(90));
    assert_eq!(config(&patient).await["schedule"]["maxDateTimeUTC"], "2026-11-20T06:31:30Z", "the window closes first");
}

#[tokio::test]
async fn a_clean_refusal_teaches_the_lane_the_other_dialect() {
    let refused = json!({ "success": false, "code": CONFIG_NOT_FOUND, "message": "", "data": null });
    let taken = json!({ "success": true, "data": ["queue-1"] });
    let script = Script::of(vec![answer(200, &refused), answer(200, &taken)]);
    let provider = lane("docs", &script);
    assert!(matches!(provider.place(&call()).await, Placement::Reworded { .. }));
    let placing = provider.place(&call()).await;
    assert_eq!(placing, Placement::Accepted { call_id: "queue-1".to_owned() });
    let asked = script.asked();
    assert_eq!(asked.len(), 2, "one request for one attempt");
    assert!(fields(asked[1].clone()).await.contains_key("config"));
}

#[tokio::test]
async fn the_pages_words_for_a_config_turn_the_lane_and_stop_nobody() {
    for code in ["INVALID_NUMBER", "INVALID_AGENT", "INVALID_NUMBER_ID"] {
        let refused = json!({ "Success": false, "Code": format!("InitiateCall:{code}"), "Message": "", "Data": null });
        let taken = json!({ "Success": true, "Data": ["queue-1"] });
        let script = Script::of(vec![answer(200, &refused), answer(200, &taken)]);
        let provider = lane("config", &script);
        assert!(matches!(provider.place(&call()).await, Placement::Reworded { .. }), "{code}");
        assert!(matches!(provider.place(&call()).await, Placement::Accepted { .. }), "{code}");
        assert!(fields(script.asked()[1].clone()).await.contains_key("RecipientNumber"), "{code}");
    }
}

#[tokio::test]
async fn a_vendor_that_understands_neither_dialect_pauses_the_lane() {
    let refused = json!({ "success": false, "code": CONFIG_NOT_FOUND, "message": "", "data": null });
    let script = Script::of(vec![answer(200, &refused), answer(200, &refused)]);
    let provider = lane("docs", &script);
    assert!(matches!(provider.place(&call()).await, Placement::Reworded { .. }));
    let Placement::LaneFault { cause } = provider.place(&call()).await else { panic!("a lane fault") };
    assert!(cause.contains("neither dialect"), "{cause}");
}

#[tokio::test]
async fn without_a_campaign_of_the_vendors_the_other_dialect_pauses_ours() {
    let refused = json!({ "success": false, "code": CONFIG_NOT_FOUND, "message": "", "data": null });
    let script = Script::of(vec![answer(200, &refused)]);
    let provider = lane("docs", &script);
    let call = CallRequest { vendor: [].into(), ..call() };
    assert!(matches!(provider.place(&call).await, Placement::Reworded { .. }));
    let Placement::CampaignFault { cause } = provider.place(&call).await else { panic!("a campaign fault") };
    assert!(cause.contains("campaign_id"), "{cause}");
    assert_eq!(script.asked().len(), 1, "nothing more was sent");
}

fn out(attempt: i64, call_id: &str) -> OutCall {
    OutCall {
        attempt: AttemptId(attempt),
        call_id: call_id.to_owned(),
        reference: "our-reference".to_owned(),
        number: number(1),
        agent: "agent-1".to_owned(),
        sent_at: noon(),
        called_before: None,
    }
}

fn row(status: impl Into<Value>, end: impl Into<Value>) -> Value {
    let (status, end): (Value, Value) = (status.into(), end.into());
    json!({ "queueId": "queue-1", "status": status, "sessionId": "session-1", "sessionEndType": end, "metadata": {} })
}

async fn outcome(row: Value) -> Option<Outcome> {
    let script = Script::of(vec![answer(200, json!({ "success": true, "data": row }))]);
    let provider = lane("docs", &script);
    let news = provider.ask(&[out(1, "queue-1")], &Free).await.expect("news");
    assert_eq!(script.asked()[0].uri(), "http://vendor.invalid/api/v1/business/42/queues/outbound/queue-1");
    match news.into_iter().next().expect("one").1 {
        CallStatus::Ended(outcome, _) => Some(outcome),
        CallStatus::Pending | CallStatus::Unclear => None,
    }
}

#[tokio::test]
async fn the_lifecycle_of_the_page_is_understood() {
    for (status, expected) in [
        ("Queued", None),
        ("Processing", None),
        ("In Progress", None),
        ("Completed", Some(Outcome::Answered)),
        ("Failed", Some(Outcome::Failed)),
        ("Canceled", Some(Outcome::Failed)),
        ("Expired", Some(Outcome::NotDialled)),
        ("ProcessedBackend", None),
    ] {
        assert_eq!(outcome(row(json!(status), Value::Null)).await, expected, "{status}");
    }
}

#[tokio::test]
async fn numbers_mean_what_no_version_of_the_source_contradicts() {
    for (status, expected) in [
        (0, None),
        (3, None),
        (4, None),
        (5, Some(Outcome::Failed)),
        (6, Some(Outcome::Failed)),
        (7, Some(Outcome::NotDialled)),
        (8, Some(Outcome::NotDialled)),
        (99, None),
    ] {
        let mut row = row(status, Value::Null);
        row["sessionId"] = Value::Null;
        assert_eq!(outcome(row).await, expected, "{status}");
    }
}

#[tokio::test]
async fn a_session_whose_end_is_not_told_yet_is_not_over() {
    for status in [json!("Completed"), json!(5), json!("Failed")] {
        for end in [json!(0), json!("NotSet")] {
            assert_eq!(outcome(row(status.clone(), end)).await, None, "{status}");
        }
    }
}

#[tokio::test]
async fn the_end_of_the_session_tells_most() {
    for (number, name, expected) in [
        (1, "InitalizeError", Outcome::Failed),
        (2, "ExpiredWaitingForInitalize", Outcome::Failed),
        (3, "UserDeclinedOrBusy", Outcome::Busy),
        (4, "UserNoAnswer", Outcome::NoAnswer),
        (5, "UserEndedCall", Outcome::Answered),
        (6, "AgentEndedCall", Outcome::Answered),
        (7, "MidSessionFailure", Outcome::Failed),
        (8, "UserSilenceTimeoutReached", Outcome::Answered),
        (9, "MaxConversationDurationReached", Outcome::Answered),
        (10, "VoicemailDetected", Outcome::Voicemail),
    ] {
        for end in [json!(number), json!(name)] {
            assert_eq!(outcome(row(json!("Completed"), end.clone())).await, Some(expected), "{end}");
        }
    }
    assert_eq!(outcome(row(json!("Completed"), json!("Teleported"))).await, None, "nobody knows yet");
}

#[tokio::test]
async fn the_operators_own_words_go_first() {
    let mut setup = setup(vendor("iqra"), &lane_settings("main"), "http://vendor.invalid");
    setup.status_map =
        [("end_type 4".to_owned(), Outcome::Answered), ("status 6".to_owned(), Outcome::NotDialled)].into();
    for (row, expected) in [
        (row(json!(4), json!(4)), Outcome::Answered),
        (row(json!(6), Value::Null), Outcome::NotDialled),
        (row(json!(4), json!(3)), Outcome::Busy),
    ] {
        let script = Script::of(vec![answer(200, json!({ "success": true, "data": row }))]);
        let provider = build(vendor("iqra"), setup.clone(), script);
        let news = provider.ask(&[out(1, "queue-1")], &Free).await.expect("news");
        assert!(matches!(news[0].1, CallStatus::Ended(outcome, _) if outcome == expected), "{news:?}");
    }
}

fn page(items: &[Value], next: Option<&str>) -> Value {
    json!({ "success": true, "data": {
        "items": items, "nextCursor": next, "previousCursor": null, "hasNextPage": next.is_some(), "hasPreviousPage": false,
        "pageSize": 100, "totalCount": 1
    }})
}

#[tokio::test]
async fn many_calls_are_asked_about_page_by_page() {
    let mut second = row(json!("Completed"), json!(5));
    second["queueId"] = json!("queue-2");
    let script = Script::of(vec![
        answer(200, page(&[row(json!("Queued"), Value::Null)], Some("cursor-2"))),
        answer(200, page(&[second], None)),
    ]);
    let provider = lane("docs", &script);
    let news = provider.ask(&[out(1, "queue-1"), out(2, "queue-2")], &Free).await.expect("news");
    let over: Vec<(i64, bool)> = news.iter().map(|(id, news)| (id.0, matches!(news, CallStatus::Ended(..)))).collect();
    assert_eq!(over, [(1, false), (2, true)]);
    let orders: Vec<Value> =
        script.asked().iter().map(|request| serde_json::from_slice(request.body()).expect("JSON")).collect();
    assert_eq!(orders[0]["filter"]["startCreatedDate"], "2026-11-20T06:28:00Z");
    assert_eq!(orders[1]["nextCursor"], "cursor-2");
}

fn lost() -> LostCall {
    LostCall {
        attempt: AttemptId(1),
        reference: "our-reference".to_owned(),
        number: number(1),
        caller_id: None,
        agent: "agent-1".to_owned(),
        vendor: [].into(),
        sent_at: noon(),
        called_before: None,
        reported: Vec::new(),
    }
}

fn queued(n: usize, reference: Option<&str>, at: Moment) -> Value {
    json!({
        "queueId": format!("queue-{n}"), "status": 0, "recipientNumber": number(n).e164(), "enqueuedAt": at.to_string(),
        "metadata": reference.map(|reference| json!({ "ringfence_attempt": reference })).unwrap_or_default()
    })
}

/// What is found of the lost call, by a lane that placed another one just before.
async fn find(dialect: &str, now: Moment, pages: Vec<Value>) -> Findings {
    let taken = answer(200, json!({ "success": true, "data": ["queue-2"] }));
    let answers = std::iter::once(taken).chain(pages.into_iter().map(|page| answer(200, page))).collect();
    let script = Script::of(answers);
    let provider = lane(dialect, &script);
    let control = CallRequest { reference: "control".to_owned(), to: number(2), ..call() };
    assert!(matches!(provider.place(&control).await, Placement::Accepted { .. }));
    let findings = provider.find(&[lost()], now, &Free).await.expect("findings");
    let order: Value = serde_json::from_slice(script.asked()[1].body()).expect("JSON");
    assert_eq!(order["filter"]["recipientNumbers"], json!([number(1).e164(), number(2).e164()]));
    assert_eq!(order["filter"]["startCreatedDate"], "2026-11-19T06:30:00Z", "whatever the clocks say");
    findings
}

#[tokio::test]
async fn our_reference_says_that_a_call_was_placed() {
    for dialect in ["docs", "config"] {
        let found =
            find(dialect, noon() + Span::from_secs(5), vec![page(&[queued(1, Some("our-reference"), noon())], None)])
                .await;
        assert!(found.candidates[0].certain && found.absent.is_empty(), "{found:?}");
        let nameless = find(dialect, noon() + Span::from_hours(1), vec![page(&[queued(1, None, noon())], None)]).await;
        assert!(!nameless.candidates[0].certain && nameless.absent.is_empty(), "metadata may be lost: {nameless:?}");
    }
}

#[tokio::test]
async fn a_call_was_not_placed_when_a_list_that_is_shown_to_work_lacks_it() {
    let control = || queued(2, Some("control"), noon());
    let later = noon() + Span::from_minutes(5);
    let absent =
        async |dialect: &str, now: Moment, pages: Vec<Value>| !find(dialect, now, pages).await.absent.is_empty();
    assert!(absent("config", later, vec![page(&[control()], None)]).await);
    assert!(absent("config", later, vec![page(&[control(), queued(1, Some("another"), noon())], None)]).await);
    let over_two = vec![page(&[queued(3, Some("x"), noon())], Some("cursor")), page(&[control()], None)];
    assert!(absent("config", later, over_two).await);

    assert!(!absent("docs", later, vec![page(&[control()], None)]).await, "nothing ends the queue there");
    let early = noon() + Span::from_minutes(3);
    assert!(!absent("config", early, vec![page(&[control()], None)]).await, "it may still be queued");
    assert!(!absent("config", later, vec![page(&[], None)]).await, "the list shows nothing of ours");
    let nameless = queued(2, None, noon());
    assert!(!absent("config", later, vec![page(&[nameless], None)]).await, "it does not keep our reference");
    let ahead = queued(2, Some("control"), noon() + Span::from_minutes(10));
    assert!(!absent("config", later, vec![page(&[ahead], None)]).await, "its clock is not ours");
    let maybe = queued(1, None, noon() - Span::from_hours(3));
    assert!(!absent("config", later, vec![page(&[control(), maybe], None)]).await, "that row may be the one");
    let mut short = page(&[control()], None);
    short["data"]["totalCount"] = json!(7);
    assert!(!absent("config", later, vec![short]).await, "there are more than were shown");
    let endless = (0..20).map(|_| page(&[control()], Some("more"))).collect();
    let cut_short = find("config", later, endless).await;
    assert!(cut_short.absent.is_empty(), "what was not seen may be ours: {cut_short:?}");
    assert_eq!(cut_short.unasked, [AttemptId(1)], "nor does anything else follow");
}

#[tokio::test]
async fn a_list_that_does_not_say_whether_there_is_more_is_no_answer() {
    for broken in [json!(true), json!(null), json!("no")] {
        let mut page = page(&[], None);
        page["data"]["hasNextPage"] = broken.clone();
        let provider = lane("config", &Script::of(vec![answer(200, page)]));
        assert!(provider.find(&[lost()], noon() + Span::from_hours(1), &Free).await.is_err(), "{broken}");
    }
}

#[tokio::test]
async fn calls_that_the_list_does_not_show_are_asked_about_one_by_one() {
    let script = Script::of(vec![
        answer(200, page(&[row("Completed", 5)], None)),
        answer(200, json!({ "success": true, "data": row("Failed", Value::Null) })),
    ]);
    let provider = lane("docs", &script);
    let news = provider.ask(&[out(1, "queue-1"), out(2, "queue-2")], &Free).await.expect("news");
    assert_eq!(news.len(), 2);
    assert!(script.asked()[1].uri().to_string().ends_with("/queues/outbound/queue-2"));
}

#[test]
fn a_business_id_cannot_lead_elsewhere() {
    let mut setup = setup(vendor("iqra"), &lane_settings("main"), "http://vendor.invalid");
    setup.values.insert("business_id".to_owned(), "../admin".to_owned());
    let refused = (vendor("iqra").build)(setup, Script::of(vec![])).expect_err("refused");
    assert!(refused.contains("business_id"), "{refused}");
}
