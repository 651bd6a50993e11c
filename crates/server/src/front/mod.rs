//! The front door: what every request passes before it comes to its route, the outermost first.
//!
//! A panic becomes a problem; the request gets a name; its host must be ours; its peer is found
//! out and may not ask too often; a request body that is encoded is refused.

pub(crate) mod body;
pub(crate) mod hosts;
pub(crate) mod limits;
pub(crate) mod peer;

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::set_header::SetResponseHeaderLayer;

use crate::Server;
use crate::problem::{PROBLEM_JSON, Problem, ProblemKind};

/// The longest text of an answer that is turned into a problem. In bytes.
const LONGEST_TEXT: usize = 4096;

/// Puts everything before the routes.
pub(crate) fn before(router: Router, server: &Server) -> Router {
    let fixed = |name: &'static str, value: &'static str| {
        let (name, value) = (HeaderName::from_static(name), HeaderValue::from_static(value));
        SetResponseHeaderLayer::if_not_present(name, value)
    };
    router
        .layer(from_fn(plain_encoding))
        .layer(from_fn_with_state(server.clone(), limits::of_peer))
        .layer(from_fn_with_state(server.clone(), peer::find))
        .layer(from_fn_with_state(server.clone(), hosts::check))
        .layer(CatchPanicLayer::custom(|panic: Box<dyn Any + Send>| panicked(&*panic)))
        .layer(from_fn_with_state(server.clone(), name_and_tell))
        .layer(fixed("x-content-type-options", "nosniff"))
        .layer(fixed("referrer-policy", "no-referrer"))
        .layer(fixed("cross-origin-resource-policy", "same-origin"))
        .layer(fixed("cache-control", "no-store"))
}

/// Names the request, tells the log of it, and turns what the library answers into problems.
async fn name_and_tell(State(server): State<Server>, request: Request, next: Next) -> Response {
    let name = uuid::Uuid::new_v4().simple().to_string();
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let span = tracing::info_span!("http", request = %name);
    let response = tracing::Instrument::instrument(next.run(request), span.clone()).await;
    let mut response = as_problem(response, &name).await;
    let status = response.status();
    server.answers.count(status);
    // Probes ask all the time; addresses of callbacks hold a secret.
    if !matches!(path.as_str(), "/healthz" | "/readyz" | "/metrics") {
        let shown = if path.starts_with("/callbacks/") { "/callbacks/…" } else { &path };
        span.in_scope(|| {
            if status.is_server_error() {
                tracing::error!(%status, "{method} {shown}: {status}");
            } else {
                tracing::debug!(%status, "{method} {shown}: {status}");
            }
        });
    }
    if let Ok(value) = HeaderValue::from_str(&name) {
        response.headers_mut().insert(HeaderName::from_static("x-request-id"), value);
    }
    response
}

/// An error that comes as a text, from the library, becomes a problem.
async fn as_problem(response: Response, name: &str) -> Response {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    if let Some(problem) = response.extensions().get::<Arc<Problem>>() {
        let mut named = Problem::clone(problem).instance(name).into_response();
        named.headers_mut().extend(response.headers().iter().map(|(name, value)| (name.clone(), value.clone())));
        named.headers_mut().remove(header::CONTENT_LENGTH);
        return named;
    }
    let kind = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if kind.starts_with(PROBLEM_JSON)
        || kind.starts_with("application/json")
        || response.extensions().get::<Bare>().is_some()
    {
        return response;
    }
    let allow = response.headers().get(header::ALLOW).cloned();
    let text = axum::body::to_bytes(response.into_body(), LONGEST_TEXT).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let detail = if text.trim().is_empty() { default_detail(status) } else { text };
    let mut response = Problem::of_status(status, detail).instance(name).into_response();
    if let Some(allow) = allow {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}

/// Marks an answer that says nothing on purpose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bare;

/// Returns an answer of this status that says nothing more.
pub(crate) fn bare(status: StatusCode) -> Response {
    let mut response = status.into_response();
    response.extensions_mut().insert(Bare);
    response
}

fn default_detail(status: StatusCode) -> String {
    let kind = ProblemKind::ALL.iter().find(|kind| kind.status() == status);
    kind.map_or_else(|| status.to_string(), |kind| kind.meaning().trim().to_owned())
}

/// A body that unpacks to many times its size would pass every limit.
async fn plain_encoding(request: Request, next: Next) -> Response {
    let encoding = request.headers().get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        return Problem::new(ProblemKind::Unsupported, "the body has a Content-Encoding")
            .hint("send it as it is, without gzip or the like")
            .into_response();
    }
    next.run(request).await
}

fn panicked(panic: &(dyn Any + Send)) -> Response {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    tracing::error!("a request failed by a fault of the program: {}", text.unwrap_or_default());
    Problem::new(ProblemKind::Internal, "the request failed by a fault of the program").into_response()
}

/// The answer of an address that is none.
pub(crate) async fn no_route(State(_): State<Server>) -> Problem {
    Problem::new(ProblemKind::Missing, "there is no such address").hint("/api has the list of them")
}
