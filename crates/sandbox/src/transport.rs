//! A simulated vendor over HTTP, or called directly.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use ringfence_providers::transport::{ANSWER, MAX_ANSWER, check_values};
use ringfence_providers::{Transport, WireError};
use tokio::net::TcpListener;
use tower::ServiceExt;

/// Marks an answer that never leaves: the connection breaks instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Dropped;

impl Dropped {
    pub(crate) fn response() -> Response {
        let mut response = ().into_response();
        response.extensions_mut().insert(Dropped);
        response
    }
}

/// Answers on a socket until the future is dropped.
pub async fn serve(router: Router, listener: TcpListener) -> std::io::Result<()> {
    axum::serve(listener, router.layer(from_fn(break_connection))).await
}

async fn break_connection(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if response.extensions().get::<Dropped>().is_some() {
        // Ends the task of this connection without an answer, which is what the marker asks for.
        std::panic::resume_unwind(Box::new("the simulated vendor breaks the connection"));
    }
    response
}

/// Answers within the process as the vendor does over HTTP, under the same time-out.
#[derive(Debug, Clone)]
pub struct InProcess {
    router: Router,
}

impl InProcess {
    /// Sends requests straight to these routes.
    pub fn new(router: Router) -> Arc<Self> {
        Arc::new(Self { router })
    }
}

#[async_trait]
impl Transport for InProcess {
    async fn send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>, WireError> {
        let (mut parts, body) = request.into_parts();
        parts.uri = parts
            .uri
            .path_and_query()
            .map_or_else(|| Ok(http::Uri::from_static("/")), |path| path.as_str().parse())
            .map_err(|error| WireError::NotSent(format!("{error}")))?;
        let answering = self.router.clone().oneshot(http::Request::from_parts(parts, Body::from(body)));
        let response = tokio::time::timeout(ANSWER, answering)
            .await
            .map_err(|_| WireError::Broken(format!("no answer within {} s", ANSWER.as_secs())))?
            .map_err(|never| match never {})?;
        if response.extensions().get::<Dropped>().is_some() {
            return Err(WireError::Broken("connection closed before message completed".to_owned()));
        }
        let (parts, body) = response.into_parts();
        let bytes =
            axum::body::to_bytes(body, MAX_ANSWER).await.map_err(|error| WireError::Broken(error.to_string()))?;
        check_values(&bytes)?;
        Ok(http::Response::from_parts(parts, bytes))
    }
}
