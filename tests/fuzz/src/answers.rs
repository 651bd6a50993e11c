//! What vendors answer and report.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use ringfence_domain::{AttemptId, Moment, Placement, Span};
use ringfence_providers::registry::VENDORS;
use ringfence_providers::{Budget, CallRequest, LostCall, OutCall, Provider, Transport, WireError};
use ringfence_samples::{lane_settings, noon, number, vendors};
use ringfence_sandbox::InProcess;

/// The most requests that one question may cost, however the vendor answers.
const MOST_REQUESTS: usize = 5_000;

/// Every question that an adapter asks, answered with the same answer.
pub(crate) fn read(input: &[u8]) {
    let Some(answer) = answer(input) else { return };
    for vendor in VENDORS {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
        runtime.expect("a runtime").block_on(async {
            let vendor_side = Arc::new(AlwaysTheSame::new(&answer));
            let provider = vendors::provider(vendor, &lane_settings("main"), vendor_side.clone());
            ask(vendor.kind, &*provider, &vendor_side).await;
        });
    }
}

async fn ask(kind: &str, provider: &dyn Provider, vendor: &AlwaysTheSame) {
    let at = noon();
    match provider.place(&call(at)).await {
        Placement::NotSent { cause } => panic!("{kind}: a request was answered, and it says it was not sent: {cause}"),
        Placement::Accepted { call_id } => assert!(!call_id.trim().is_empty(), "{kind}: accepted without a name"),
        _ => {}
    }
    assert_eq!(vendor.requests(), 1, "{kind}: one request places a call");
    let (out, lost) = (out(at), lost(at));
    let asked = |attempt: &AttemptId| (1..=3).contains(&attempt.0);
    if let Ok(found) = provider.ask(&out, vendor).await {
        assert!(found.iter().all(|(attempt, _)| asked(attempt)), "{kind}: {found:?}");
    }
    if let Ok(found) = provider.find(&lost, at + Span::from_minutes(5), vendor).await {
        let named = found.absent.iter().chain(&found.not_out).chain(&found.unasked);
        assert!(named.clone().all(asked), "{kind}: {found:?}");
        let absent: BTreeSet<_> = found.absent.iter().collect();
        assert!(!found.unasked.iter().any(|attempt| absent.contains(attempt)), "{kind}: {found:?}");
    }
    drop(provider.calls_since(at - Span::from_hours(1), vendor).await);
    drop(provider.cancel("call_1").await);
    drop(provider.check().await);
}

/// What a vendor reports by itself.
pub(crate) fn reported(input: &[u8]) {
    for vendor in VENDORS {
        let provider = vendors::provider(vendor, &lane_settings("main"), Arc::new(Nobody));
        if let Some(call) = provider.reported(input) {
            assert!(!call.is_empty(), "{}: a report speaks of a call without a name", vendor.kind);
        }
    }
}

/// An answer as it is written on the wire: `HTTP/1.1 200`, headers, an empty line, the body. Lines
/// before it are left out.
fn answer(input: &[u8]) -> Option<Response<Bytes>> {
    let begin = input.windows(5).position(|part| part == b"HTTP/")?;
    let input = &input[begin..];
    let end = input.windows(2).position(|part| part == b"\n\n")?;
    let (head, body) = (std::str::from_utf8(&input[..end]).ok()?, &input[end + 2..]);
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let mut response = Response::new(Bytes::copy_from_slice(body));
    *response.status_mut() = StatusCode::from_u16(status).ok().filter(|status| !status.is_informational())?;
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if let (Ok(name), Ok(value)) = (name.trim().parse::<HeaderName>(), HeaderValue::from_str(value.trim())) {
            response.headers_mut().append(name, value);
        }
    }
    Some(response)
}

/// A vendor that answers everything with the same answer.
#[derive(Debug)]
struct AlwaysTheSame {
    way: Arc<InProcess>,
    requests: AtomicUsize,
}

impl AlwaysTheSame {
    fn new(answer: &Response<Bytes>) -> Self {
        let answer = answer.clone();
        let answering = Router::new().fallback(move || std::future::ready(answer.clone().map(Body::from)));
        Self { way: InProcess::new(answering), requests: AtomicUsize::new(0) }
    }

    fn requests(&self) -> usize {
        self.requests.load(Ordering::Relaxed)
    }
}

#[async_trait]
impl Transport for AlwaysTheSame {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, WireError> {
        let before = self.requests.fetch_add(1, Ordering::Relaxed);
        assert!(before < MOST_REQUESTS, "it asks for ever: {} {}", request.method(), request.uri());
        self.way.send(request).await
    }
}

#[async_trait]
impl Budget for AlwaysTheSame {
    async fn take(&self) {}
}

/// Nobody answers.
#[derive(Debug)]
struct Nobody;

#[async_trait]
impl Transport for Nobody {
    async fn send(&self, _: Request<Bytes>) -> Result<Response<Bytes>, WireError> {
        Err(WireError::NotSent("nobody is there".to_owned()))
    }
}

fn call(at: Moment) -> CallRequest {
    CallRequest {
        reference: "rf-1".to_owned(),
        to: number(1),
        from: Some("+918000000001".to_owned()),
        agent: "123".to_owned(),
        variables: BTreeMap::from([("name".to_owned(), "Asha".to_owned())]),
        metadata: BTreeMap::new(),
        vendor: BTreeMap::from([("campaign_id".to_owned(), "campaign".to_owned())]),
        report_to: Some("https://dialer.invalid/callbacks/main/secret".to_owned()),
        at,
        ring_before: None,
    }
}

fn out(at: Moment) -> Vec<OutCall> {
    let one = |nth: usize| OutCall {
        attempt: AttemptId(nth as i64),
        call_id: format!("call_{nth}"),
        reference: format!("rf-{nth}"),
        number: number(nth),
        agent: "123".to_owned(),
        sent_at: at,
        called_before: None,
    };
    (1..=3).map(one).collect()
}

fn lost(at: Moment) -> Vec<LostCall> {
    let one = |nth: usize| LostCall {
        attempt: AttemptId(nth as i64),
        reference: format!("rf-{nth}"),
        number: number(nth),
        caller_id: Some("+918000000001".to_owned()),
        agent: "123".to_owned(),
        vendor: BTreeMap::from([("campaign_id".to_owned(), "campaign".to_owned())]),
        sent_at: at,
        called_before: None,
        reported: vec![format!("call_{nth}")],
    };
    (1..=3).map(one).collect()
}
