//! Whether the process lives, and whether it can do its work: for who watches over it.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::Server;
use crate::problem::{Problem, ProblemKind};

/// The longest wait for the database.
const PATIENCE: Duration = Duration::from_secs(2);

/// The process lives.
pub(crate) async fn alive() -> Response {
    Json(json!({ "status": "alive" })).into_response()
}

/// The database answers, and takes what is written.
pub(crate) async fn ready(State(server): State<Server>) -> Response {
    let asked = tokio::time::timeout(PATIENCE, server.store.stop()).await;
    let trouble = match (asked, server.store.outage()) {
        (Ok(Ok(_)), None) => return Json(json!({ "status": "ready" })).into_response(),
        (_, Some(outage)) => outage.trouble.to_string(),
        (Ok(Err(error)), None) => error.to_string(),
        (Err(_), None) => "the database does not answer within 2 seconds".to_owned(),
    };
    tracing::warn!("not ready: {trouble}");
    Problem::new(ProblemKind::Failed, "the database cannot be used now").retry_after(5).into_response()
}
