//! Reading a request's body within its limits: of size, and of time.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::HeaderMap;
use axum::http::header;
use bytes::Bytes;

use crate::problem::{Problem, ProblemKind};

/// The largest body of a request that is no upload. In bytes.
pub(crate) const LARGEST: usize = 1 << 20;
/// The longest wait for all of it.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads a whole body.
pub(crate) async fn read(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let too_large = || {
        Problem::new(ProblemKind::TooLarge, format!("the body has more than {LARGEST} bytes"))
            .hint("files go to POST /campaigns/{name}/contacts, and to POST /dnc/import")
    };
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > LARGEST as u64) {
        return Err(too_large());
    }
    match tokio::time::timeout(PATIENCE, to_bytes(body, LARGEST)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_long(&error) => Err(too_large()),
        Ok(Err(error)) => Err(Problem::new(ProblemKind::Malformed, format!("the body broke off: {error}"))),
        Err(_) => Err(Problem::new(ProblemKind::Slow, "the body did not come within 30 seconds")),
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    std::error::Error::source(error).is_some_and(|source| source.to_string().contains("length limit"))
}
