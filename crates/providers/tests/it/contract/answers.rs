//! What the answer to the one request that places a call means, and what that request shows.

use ringfence_domain::{Placement, Span};
use ringfence_providers::registry::VENDORS;
use ringfence_providers::{Cause, Fault, WireError};
use ringfence_samples::lane_settings;
use ringfence_samples::vendors;

use serde_json::{Value, json};

use super::fixtures::{Fixture, fixtures};
use super::{call, placing, word};
use crate::script::{Script, answer};

#[tokio::test]
async fn every_documented_answer_means_what_it_says() {
    for vendor in VENDORS {
        let fixtures = fixtures(vendor);
        assert!(fixtures.iter().any(|fixture| fixture.means.starts_with("accepted ")), "{}", vendor.kind);
        for fixture in &fixtures {
            let placing = placing(vendor, Ok(fixture.answer.clone())).await;
            assert_eq!(word(&placing), fixture.means, "{}/{}: {placing:?}", vendor.kind, fixture.name);
        }
        for fault in vendor.faults {
            let means = match fault.cause {
                Cause::Lane => "lane",
                Cause::Campaign => "campaign",
                Cause::Contact => "contact",
                Cause::Request => "request",
                Cause::Pace => "pace",
                Cause::Unknown => "unknown",
                Cause::Wording => "reworded",
            };
            // No earlier line of the table speaks of it: this one decides.
            let first = |fixture: &Fixture| {
                let said = |line: &&Fault| fixture.says.contains(&line.says.to_lowercase());
                let longer = |line: &&Fault| {
                    let mut all = vendor.faults.iter().filter(said);
                    !all.any(|other| other.says != line.says && other.says.contains(line.says))
                };
                let said = vendor.faults.iter().filter(said).find(longer);
                fixture.means == means && said.is_some_and(|line| line.says == fault.says)
            };
            assert!(fixtures.iter().any(first), "{}: no fixture shows `{}` alone", vendor.kind, fault.says);
        }
    }
}

#[tokio::test]
async fn whatever_may_have_been_placed_is_unknown() {
    for vendor in VENDORS {
        for status in [408, 409, 425, 499, 500, 502, 503, 504, 520] {
            for body in ["", "<html>Gateway</html>", "{\"success\":false,\"message\":\"oh\",\"error\":true}"] {
                let placing = placing(vendor, answer(status, body)).await;
                assert_eq!(word(&placing), "unknown", "{} {status} {body}", vendor.kind);
            }
        }
        for body in ["", "<html>Gateway</html>", "{}", "[]", "null", "{\"success\":true,\"data\":{\"call", "\u{0}"] {
            let placing = placing(vendor, answer(200, body)).await;
            assert_eq!(word(&placing), "unknown", "{} {body}", vendor.kind);
        }
        let broken = WireError::Broken("reset".to_owned());
        assert_eq!(word(&placing(vendor, Err(broken)).await), "unknown", "{}", vendor.kind);
        let not_sent = WireError::NotSent("refused".to_owned());
        assert_eq!(word(&placing(vendor, Err(not_sent)).await), "not sent", "{}", vendor.kind);
    }
}

#[tokio::test]
async fn an_endless_call_id_is_none() {
    for vendor in VENDORS {
        let accepted =
            fixtures(vendor).into_iter().find(|fixture| fixture.means.starts_with("accepted ")).expect("one");
        let id = accepted.means.trim_start_matches("accepted ");
        let body = String::from_utf8_lossy(accepted.answer.body()).replace(id, &"x".repeat(300));
        assert_eq!(word(&placing(vendor, answer(200, body)).await), "unknown", "{}", vendor.kind);
    }
}

/// Answers that came after the phone had rung in the trials, and their like.
#[tokio::test]
async fn only_a_documented_refusal_is_one() {
    let pages =
        ["", "<html><body>403 Forbidden</body></html>", "{\"error\":\"not allowed\"}", "{\"success\": false, \"mess"];
    for vendor in VENDORS {
        for status in
            [300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 410, 413, 415, 421, 422, 431, 451]
        {
            for body in pages {
                let placing = placing(vendor, answer(status, body)).await;
                let Placement::Undocumented { cause, of_account } = placing else {
                    panic!("{} {status} {body}: {placing:?}", vendor.kind)
                };
                assert_eq!(of_account, (401..=403).contains(&status), "{} {status}", vendor.kind);
                let hint = if of_account { "credentials" } else { "base_url" };
                assert!(cause.contains(hint) && cause.contains(&status.to_string()), "{cause}");
            }
        }
        for words in
            ["upstream timeout", "agent timed out", "the phone call failed", "balance service unavailable", "oops", ""]
        {
            for body in [
                json!({ "success": false, "message": words }),
                json!({ "success": false, "error": true, "message": words, "statusCode": 200 }),
                json!({ "error": true, "message": words }),
                json!({ "success": false, "error": { "code": words, "message": words, "status": 400 } }),
                json!({ "Success": false, "Code": words, "Message": words, "Data": null }),
                json!({ "success": false, "data": {} }),
            ] {
                for status in [200, 201, 202, 400, 404, 422] {
                    let placing = placing(vendor, answer(status, &body)).await;
                    let doubt = matches!(placing, Placement::Unknown { .. } | Placement::Undocumented { .. });
                    assert!(doubt, "{} {status} {body}: {placing:?}", vendor.kind);
                }
            }
        }
    }
}

/// Each vendor's own name for a call, in an answer that says otherwise that it failed.
#[tokio::test]
async fn an_answer_with_a_calls_id_is_a_call() {
    let with_id = |kind: &str, id: &Value| match kind {
        "unleashx" => {
            json!({ "success": false, "error": true, "message": "Validation error", "data": { "execution_id": id } })
        }
        "iqra" => json!({ "Success": false, "Code": "InitiateCall:INVALID_AGENT", "Message": "", "Data": [id] }),
        "knovvu" => json!({ "UniqueId": id, "Message": "Bad request" }),
        _ => {
            json!({ "success": false, "error": { "code": "INVALID_AGENT", "status": 400 }, "data": { "call_id": id } })
        }
    };
    for vendor in VENDORS {
        for status in [200, 400, 404, 422, 429, 500, 502] {
            let placing = placing(vendor, answer(status, with_id(vendor.kind, &json!("c-1")))).await;
            assert_eq!(word(&placing), "accepted c-1", "{} {status}", vendor.kind);
        }
        let conflict = placing(vendor, answer(409, with_id(vendor.kind, &json!("c-1")))).await;
        assert_eq!(word(&conflict), "unknown", "{}: it may be another call's", vendor.kind);
        let number = placing(vendor, answer(200, with_id(vendor.kind, &json!(17)))).await;
        assert_eq!(word(&number), "accepted 17", "{}", vendor.kind);
        for broken in [json!("x".repeat(300)), json!("a\u{fffd}b"), json!({ "id": 1 }), json!([1])] {
            let placing = placing(vendor, answer(400, with_id(vendor.kind, &broken))).await;
            assert_eq!(word(&placing), "unknown", "{} {broken}: there is one, and nobody can read it", vendor.kind);
        }
        // Half of a surrogate pair beside the id hides it from strict parsers.
        let body = with_id(vendor.kind, &json!("c-1")).to_string().replacen('{', "{\"note\":\"\\ud800\",", 1);
        let placing = placing(vendor, answer(200, body)).await;
        assert_eq!(word(&placing), "accepted c-1", "{}", vendor.kind);
    }
}

#[tokio::test]
async fn http_429_is_a_limiters_word_or_nobody_knows() {
    for vendor in VENDORS {
        for (body, means) in [
            ("", "pace"),
            ("{}", "pace"),
            ("error code: 1015", "pace"),
            ("<html><h1>429 Too Many Requests</h1></html>", "pace"),
            ("{\"message\":\"Rate limit exceeded\"}", "pace"),
            ("{\"success\":true}", "unknown"),
            ("{\"success\":false,\"message\":\"upstream timeout\"}", "unknown"),
            ("<html>Gateway</html>", "unknown"),
        ] {
            assert_eq!(word(&placing(vendor, answer(429, body)).await), means, "{} {body}", vendor.kind);
        }
        let mut reply = answer(429, "<html>Gateway</html>").expect("an answer");
        reply.headers_mut().insert("retry-after", "999999999999".parse().expect("a header"));
        let Placement::Throttled { retry_after, .. } = placing(vendor, Ok(reply)).await else {
            panic!("{}", vendor.kind)
        };
        assert_eq!(retry_after, Some(Span::from_hours(1)), "nobody rests for years");
    }
}

#[tokio::test]
async fn throttling_is_read_in_both_forms_of_its_header() {
    let dates = [("date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")];
    let cases = [
        (vec![("retry-after", "17")], Some(Span::from_secs(17))),
        (dates.to_vec(), Some(Span::from_secs(30))),
        (vec![("retry-after", "soon")], None),
        (vec![], None),
    ];
    for vendor in VENDORS {
        for (headers, wait) in &cases {
            let mut reply = answer(429, "").expect("an answer");
            for (name, value) in headers {
                reply.headers_mut().insert(*name, value.parse().expect("a header"));
            }
            match placing(vendor, Ok(reply)).await {
                Placement::Throttled { retry_after, .. } => {
                    assert_eq!(retry_after, *wait, "{} {headers:?}", vendor.kind);
                }
                other => panic!("{} {headers:?}: {other:?}", vendor.kind),
            }
        }
    }
}

#[tokio::test]
async fn an_answer_under_another_content_type_is_still_an_answer() {
    for vendor in VENDORS {
        for mut fixture in fixtures(vendor) {
            fixture.answer.headers_mut().insert("content-type", "text/html".parse().expect("a header"));
            let placing = placing(vendor, Ok(fixture.answer)).await;
            assert_eq!(word(&placing), fixture.means, "{}/{}", vendor.kind, fixture.name);
        }
    }
}

#[tokio::test]
async fn a_preview_shows_no_secret_and_a_request_carries_it() {
    for vendor in VENDORS {
        let settings = lane_settings("main");
        let mut setup = vendors::setup(vendor, &settings, "http://vendor.invalid");
        for secret in setup.secrets.values_mut() {
            *secret = "s3cr3t-canary".into();
        }
        let script = Script::of(vec![answer(500, "")]);
        let provider = vendors::build(vendor, setup, script.clone());
        assert!(!format!("{provider:?}").contains("s3cr3t"), "{provider:?}");
        let written = provider.written(&call(vendor, 1)).expect("a request");
        let shown = written.headers().iter().filter(|(_, value)| !value.is_sensitive());
        let shown: Vec<&[u8]> = shown.map(|(_, value)| value.as_bytes()).collect();
        let holds = |bytes: &[u8]| String::from_utf8_lossy(bytes).contains("s3cr3t");
        assert!(!shown.into_iter().any(holds) && !holds(written.body()), "{}: {written:?}", vendor.kind);
        provider.place(&call(vendor, 1)).await;
        let sent = script.asked().remove(0);
        assert_eq!((sent.method(), sent.uri()), (written.method(), written.uri()), "{}", vendor.kind);
        let encoded = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            // base64 of "s3cr3t-canary:s3cr3t-canary"
            text.contains("s3cr3t") || text.contains("czNjcjN0LWNhbmFyeTpzM2NyM3QtY2FuYXJ5")
        };
        let carried = sent.headers().values().any(|value| encoded(value.as_bytes())) || encoded(sent.body());
        assert!(carried, "{}", vendor.kind);
    }
}

#[tokio::test]
async fn what_only_looks_like_a_documented_refusal_is_none() {
    let unleashx = |flags: Value| {
        let mut body = json!({ "message": "Agent not found or not active" });
        body.as_object_mut().expect("an object").extend(flags.as_object().expect("an object").clone());
        body
    };
    let invalid = |status: u16| json!({ "success": false, "statusCode": status, "message": "m", "validationErrors": { "callee_phone": "bad" } });
    for (kind, status, body, means) in [
        ("twenty2", 422, invalid(422), "contact"),
        ("twenty2", 400, invalid(400), "undocumented"),
        ("twenty2", 200, json!({ "success": false, "statusCode": 429, "message": "wait" }), "pace"),
        ("twenty2", 200, json!({ "success": false, "statusCode": 418, "message": "wait" }), "unknown"),
        ("unleashx", 200, unleashx(json!({ "error": true })), "campaign"),
        ("unleashx", 200, unleashx(json!({ "success": false })), "campaign"),
        ("unleashx", 404, unleashx(json!({ "error": true })), "campaign"),
        ("unleashx", 400, unleashx(json!({ "error": true })), "undocumented"),
        ("unleashx", 200, unleashx(json!({ "error": false })), "unknown"),
        ("unleashx", 200, unleashx(json!({ "success": true })), "unknown"),
        ("unleashx", 200, unleashx(json!({})), "unknown"),
        ("iqra", 401, json!({ "detail": "Invalid token." }), "lane"),
        ("iqra", 401, json!({ "detail": "Invalid hour." }), "undocumented"),
    ] {
        let placing = placing(vendors::vendor(kind), answer(status, &body)).await;
        assert_eq!(word(&placing), means, "{kind} {status} {body}: {placing:?}");
    }
    let said = json!({ "Success": false, "Code": "", "Message": "words of the vendor" });
    let placing = placing(vendors::vendor("iqra"), answer(200, said)).await;
    assert!(format!("{placing:?}").contains("HTTP 200: words of the vendor"), "{placing:?}");
}
