//! Broken answers, in any vendor's wire format.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde_json::json;

use crate::behaviour::Fault;
use crate::transport::Dropped;

/// How long an answer takes that nobody waits for.
const FOR_EVER: Duration = Duration::from_mins(1);
/// A size, in bytes, that no client of ours reads.
const OVERSIZED: usize = 9 * 1024 * 1024;

/// Makes a broken answer.
pub(crate) async fn broken(fault: Fault) -> Response {
    match fault {
        Fault::Html => Html("<html><body>Gateway</body></html>").into_response(),
        Fault::Truncated => {
            ([(header::CONTENT_TYPE, "application/json")], "{\"success\": true, \"data\": {\"call").into_response()
        }
        Fault::Oversized => " ".repeat(OVERSIZED).into_response(),
        Fault::NotFound => (StatusCode::NOT_FOUND, Html("<html><body>Not Found</body></html>")).into_response(),
        Fault::Redirect => Redirect::to("/elsewhere").into_response(),
        Fault::Doubt => {
            let said = json!({ "success": false, "error": true, "message": "upstream timeout, agent phone balance" });
            axum::Json(said).into_response()
        }
        Fault::Slow => {
            tokio::time::sleep(FOR_EVER).await;
            Dropped::response()
        }
        _ => Dropped::response(),
    }
}

/// Makes an answer with the time to wait that a vendor asks for.
pub(crate) fn throttled(mut response: Response) -> Response {
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
    response
}
