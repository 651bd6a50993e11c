//! What the answer to the one request that places a call means, and what that request shows.

use ringfence_domain::Span;
use ringfence_providers::registry::VENDORS;
use ringfence_providers::{Cause, Fault, Placing, WireError};
use ringfence_tests::sample::lane_settings;
use ringfence_tests::vendors;

use super::super::script::{Script, answer};
use super::fixtures::{Fixture, fixtures};
use super::{call, placing, word};

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

#[tokio::test]
async fn a_refusal_of_everyone_pauses_the_lane() {
    for vendor in VENDORS {
        for status in [401, 403] {
            let placing = placing(vendor, answer(status, "<html></html>")).await;
            assert_eq!(word(&placing), "lane", "{} {status}", vendor.kind);
        }
        for status in [301, 302, 307, 308, 404, 405] {
            let placing = placing(vendor, answer(status, "<html></html>")).await;
            let Placing::LaneFault { cause } = placing else { panic!("{} {status}: {placing:?}", vendor.kind) };
            assert!(cause.contains("base_url"), "{cause}");
        }
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
                Placing::Throttled { retry_after, .. } => assert_eq!(retry_after, *wait, "{} {headers:?}", vendor.kind),
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
            *secret = ringfence_providers::Secret::new("s3cr3t-canary");
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
