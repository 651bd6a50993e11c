//! `/callbacks/{lane}/{secret}`: a vendor reports something about a call.
//!
//! The secret names the lane, or one attempt on it. A report is stored before it is acknowledged,
//! whatever it says; the lane's owner reads it later, and asks the vendor. So a report may come
//! twice, late, before the receipt of its call, or from somebody who stole the address, and
//! nothing more happens than one question to the vendor.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ringfence_domain::report::ReportFrom;
use ringfence_store::NewReport;
use sha2::{Digest, Sha256};

use crate::Server;
use crate::front::bare;

/// The largest report that is taken. In bytes.
const LARGEST: usize = 64 * 1024;
/// The longest wait for the rest of a report.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) async fn receive(
    State(server): State<Server>,
    Path((lane, secret)): Path<(String, String)>,
    request: Request,
) -> Response {
    // Who guesses learns nothing: not whether the lane exists, not how much of the secret was
    // right.
    let Some(from) = server.store.report_key().read(&lane, &secret) else {
        return bare(StatusCode::NOT_FOUND);
    };
    if let Err(problem) = server.limits.lane(&lane) {
        return problem.into_response();
    }
    let body = match read_body(request).await {
        Ok(body) => body,
        Err(status) => return bare(status),
    };
    match store(&server, &lane, from, body).await {
        Ok(true) => axum::Json(serde_json::json!({ "received": true })).into_response(),
        Ok(false) => bare(StatusCode::NOT_FOUND),
        Err(error) => {
            tracing::error!(%error, "a report for lane {lane} was not kept, and not acknowledged: {error}");
            let mut response = bare(StatusCode::SERVICE_UNAVAILABLE);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
            response
        }
    }
}

/// Returns the sent text: the body, or the query of a request that has none.
async fn read_body(request: Request) -> Result<String, StatusCode> {
    let query = request.uri().query().unwrap_or_default().to_owned();
    let body = if request.method() == Method::GET { Body::empty() } else { request.into_body() };
    let bytes = tokio::time::timeout(PATIENCE, to_bytes(body, LARGEST))
        .await
        .map_err(|_| StatusCode::REQUEST_TIMEOUT)?
        .map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    Ok(if bytes.is_empty() { query } else { String::from_utf8_lossy(&bytes).into_owned() })
}

async fn store(
    server: &Server,
    lane: &str,
    from: ReportFrom,
    body: String,
) -> Result<bool, ringfence_store::StoreError> {
    let lanes = server.store.lanes().await?;
    let Some(lane) = lanes.iter().find(|row| row.settings.name == lane) else { return Ok(false) };
    let reference = match from {
        ReportFrom::Lane => None,
        ReportFrom::Attempt(reference) => Some(reference),
    };
    let mut digest = Sha256::new();
    for part in [reference.as_deref().unwrap_or_default(), &body] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    let report = NewReport { lane: lane.id, reference, digest: hex::encode(digest.finalize()), body };
    server.store.keep_report(report, server.clock.read().now).await?;
    Ok(true)
}
