//! What pages are made of beside their text.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

/// Each file with its type.
const FILES: &[(&str, &str, &str)] =
    &[("dashboard.css", "text/css; charset=utf-8", include_str!("../../templates/pages/dashboard.css"))];

/// Sends a file.
pub(crate) async fn asset(Path(name): Path<String>) -> Response {
    match FILES.iter().find(|(known, ..)| *known == name) {
        Some((_, kind, text)) => ([(header::CONTENT_TYPE, *kind)], *text).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
