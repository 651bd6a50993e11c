//! `/metrics`, in the text format of OpenMetrics.
//!
//! What is true of the rows is told by the process that dials the lane, and by no other: two
//! processes on one Postgres would count it twice. It is read when it is asked for, so that it is
//! as true as the rows, across restarts. What a process measures of itself, each tells.

mod own;
mod rows;

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::registry::Registry;

use crate::Server;
use crate::access;
use crate::front::peer::Peer;
use crate::problem::{Problem, ProblemKind};

pub(crate) use own::Answers;

/// The longest wait for the database.
const PATIENCE: Duration = Duration::from_secs(5);

/// Everything that is measured. Without a token only for who is on this machine, or when the
/// configuration says so.
pub(crate) async fn scrape(
    State(server): State<Server>,
    axum::Extension(peer): axum::Extension<Peer>,
    headers: HeaderMap,
) -> Response {
    let is_open = peer.is_here() || server.config.http.metrics_public;
    if !is_open && let Err(problem) = access::identify(&server, &headers, peer).await {
        return problem.hint("send a token, or say metrics_public = true in [http]").into_response();
    }
    let mut registry = Registry::with_prefix("ringfence");
    own::register(&mut registry, &server);
    match tokio::time::timeout(PATIENCE, rows::register(&mut registry, &server)).await {
        Ok(Ok(())) => {}
        // What the process measures of itself is told all the same: now it matters most.
        Ok(Err(error)) => tracing::warn!(%error, "metrics without the rows: {error}"),
        Err(_) => tracing::warn!("metrics without the rows: the database does not answer"),
    }
    let mut text = String::new();
    if let Err(error) = prometheus_client::encoding::text::encode(&mut text, &registry) {
        return Problem::new(ProblemKind::Internal, error.to_string()).into_response();
    }
    ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}
