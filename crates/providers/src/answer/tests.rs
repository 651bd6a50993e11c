use serde_json::json;

use super::*;
use crate::logged::logged;

#[expect(clippy::needless_pass_by_value, reason = "bodies are written where they are used")]
fn answered(status: u16, body: impl ToString) -> Response<Bytes> {
    let body = Bytes::from(body.to_string());
    Response::builder().status(status).body(body).expect("an answer")
}

fn wait(retry_after: &str, date: &str) -> Option<Span> {
    let answer = Response::builder().header("retry-after", retry_after).header("date", date);
    super::retry_after(&answer.body(Bytes::new()).expect("an answer"))
}

#[test]
fn every_form_of_an_http_date_says_how_long_to_rest() {
    const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    let later = ["Sun, 06 Nov 1994 08:50:07 GMT", "Sunday, 06-Nov-94 08:50:07 GMT", "Sun Nov  6 08:50:07 1994"];
    for text in later {
        assert_eq!(wait(text, DATE), Some(Span::from_secs(30)), "{text}");
    }
    let dates = ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"];
    for date in dates {
        assert_eq!(wait(later[0], date), Some(Span::from_secs(30)), "{date}");
    }
    assert_eq!(wait("Sat, 05 Nov 1994 08:50:07 GMT", DATE), Some(Span::ZERO), "it is past");
    assert_eq!(wait("Mon, 07 Nov 1994 08:50:07 GMT", DATE), Some(LONGEST_REST));
    assert_eq!(wait("Sun, 36 Nov 1994 08:50:07 GMT", DATE), None);
    assert_eq!(wait(later[0], "today"), None);
}

#[test]
fn outputs_are_kept_up_to_their_room_to_the_last_byte() {
    let text = |size: usize| Value::String("x".repeat(size - 2));
    let given = [("a", text(MAX_OUTPUTS - 11)), ("b", text(8)), ("c", json!(1)), ("d", json!(2))];
    let given: Map<String, Value> = given.map(|(name, value)| (name.to_owned(), value)).into_iter().collect();
    let kept = outputs(&given);
    // Ten bytes are left for `b`, which takes nine; of one byte each, name and value are two.
    assert_eq!(kept.keys().collect::<Vec<_>>(), ["a", "b"]);
    let whole: Map<String, Value> =
        [("a".to_owned(), text(MAX_OUTPUTS - 3)), ("b".to_owned(), json!(1))].into_iter().collect();
    assert_eq!(outputs(&whole).len(), 2, "exactly as much as there is room");
    let large: Map<String, Value> =
        [("a".to_owned(), text(MAX_OUTPUTS)), ("b".to_owned(), json!(1))].into_iter().collect();
    assert_eq!(outputs(&large).keys().collect::<Vec<_>>(), ["b"], "one that is too large costs no other");
}

#[test]
fn rows_that_cannot_be_read_are_told_once_until_others_cannot() {
    let rows = UnreadRows::default();
    let note = |faults: &[&str]| logged(|| rows.note("Vendor", faults.iter().map(ToString::to_string).collect()));
    let first = note(&["row 1: no id"]);
    assert!(
        first.contains("1 rows of Vendor's list of calls cannot be read") && first.contains("row 1: no id"),
        "{first}"
    );
    assert_eq!(note(&["row 1: no id"]), "");
    assert!(note(&["row 2: no id"]).contains("row 2"));
    assert_eq!(note(&[]), "", "all can be read again");
    assert!(note(&["row 2: no id"]).contains("row 2"));
}

#[test]
fn a_call_id_is_absent_readable_or_there_and_unreadable() {
    for absent in [json!(null), json!(false), json!(""), json!("  ")] {
        assert_eq!(CallId::of(&absent), CallId::Absent, "{absent}");
    }
    for (value, id) in [(json!("c-1"), "c-1"), (json!(" c-1 "), "c-1"), (json!(42), "42")] {
        assert_eq!(CallId::of(&value), CallId::Readable(id.to_owned()));
    }
    let longest = "x".repeat(MAX_CALL_ID);
    assert_eq!(CallId::of(&json!(longest)), CallId::Readable(longest.clone()));
    for unreadable in
        [json!(format!("{longest}x")), json!("a\u{7}b"), json!("a\u{fffd}"), json!(true), json!([]), json!({})]
    {
        assert_eq!(CallId::of(&unreadable), CallId::Unreadable, "{unreadable}");
    }
    let body = json!({ "id": "", "call": { "id": "c-2" } });
    assert_eq!(CallId::at(&body, &["/id", "/call/id"]), CallId::Readable("c-2".to_owned()));
    assert_eq!(CallId::at(&body, &["/id", "/other"]), CallId::Absent);
}

/// What is made of an answer without a call's id and without a documented refusal.
fn judged(status: u16, body: impl ToString, words: &str) -> Placement {
    judge(&answered(status, body), words.to_owned(), CallId::Absent, None)
}

#[test]
fn an_answer_without_a_call_says_why_nobody_knows() {
    let unknown = |cause: &str| Placement::Unknown { cause: cause.to_owned() };
    assert_eq!(judged(200, json!({}), "HTTP 200"), unknown("HTTP 200 without a call id"));
    let odd = "HTTP 200: all is well";
    assert_eq!(judged(200, json!({}), odd), unknown("HTTP 200: all is well; no page documents that as a refusal"));
    assert_eq!(judged(200, "<html>", "HTTP 200"), unknown("HTTP 200 that is not JSON"));
}

#[test]
fn what_no_page_documents_points_at_the_account_or_at_the_address() {
    let of_account = |status, words: &str| match judged(status, "", words) {
        Placement::Undocumented { cause, of_account } => {
            assert_eq!(cause.contains("credentials and balance"), of_account, "{cause}");
            assert_eq!(cause.contains("base_url"), !of_account, "{cause}");
            of_account
        }
        other => panic!("{other:?}"),
    };
    for status in [401, 402, 403] {
        assert!(of_account(status, "HTTP"), "{status}");
    }
    assert!(!of_account(400, "HTTP 400") && !of_account(404, "HTTP 404: not found"));
    assert!(of_account(400, "HTTP 400: Insufficient BALANCE"));
}

#[test]
fn http_429_is_a_limiters_only_when_it_looks_like_one() {
    let throttled = |body: &str| match judged(429, body, "HTTP 429") {
        Placement::Throttled { .. } => true,
        Placement::Unknown { .. } => false,
        other => panic!("{other:?}"),
    };
    for limiter in ["", "  ", "{}", r#"{"message":"Too many requests"}"#, "slow down", "error code: 1015"] {
        assert!(throttled(limiter), "{limiter}");
    }
    for odd in [r#"{"message":"odd"}"#, "<html>odd</html>", r#"{"success":true,"message":"rate limit"}"#] {
        assert!(!throttled(odd), "{odd}");
    }
    let told = Response::builder().status(429).header("retry-after", "7").body(Bytes::from("odd")).expect("an answer");
    let rests = Placement::Throttled { cause: "HTTP 429".to_owned(), retry_after: Some(Span::from_secs(7)) };
    assert_eq!(judge(&told, "HTTP 429".to_owned(), CallId::Absent, None), rests);
    let pace = Some((Cause::Pace, "odd".to_owned()));
    let placement = judge(&answered(429, "odd"), "HTTP 429".to_owned(), CallId::Absent, pace);
    assert!(matches!(placement, Placement::Throttled { .. }), "{placement:?}");
}

#[test]
fn a_question_is_answered_refused_throttled_or_in_trouble() {
    let says = |status| asked(answered(status, ""), |answer| format!("words of {}", answer.status().as_u16()));
    for status in [200, 204, 299, 404] {
        assert!(says(status).is_ok(), "{status}");
    }
    for status in [401, 403] {
        assert_eq!(says(status).expect_err("refused"), AskError::LaneFault(format!("words of {status}")));
    }
    for status in [300, 302, 399] {
        let cause = format!("HTTP {status}: base_url does not lead to the vendor's API");
        assert_eq!(says(status).expect_err("elsewhere"), AskError::LaneFault(cause));
    }
    let throttled = AskError::Throttled { cause: "words of 429".to_owned(), retry_after: None };
    assert_eq!(says(429).expect_err("throttled"), throttled);
    for status in [199, 400, 402, 500, 503] {
        assert_eq!(says(status).expect_err("trouble"), AskError::Trouble(format!("words of {status}")));
    }
}
