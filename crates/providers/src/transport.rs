//! Requests and answers, over HTTP or within the process.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http::{Request, Response};

use crate::measures::{self, OfAnswer};
use crate::public_address::{PublicOnly, is_public};
use crate::wire_log;

/// The longest wait for a connection.
const CONNECT: Duration = Duration::from_secs(3);
/// The longest wait for an answer, connecting included.
pub const ANSWER: Duration = Duration::from_secs(15);
/// The time after which an idle connection is closed. Most servers close later: a request on a
/// connection that the server has just closed would end in doubt.
const IDLE: Duration = Duration::from_secs(2);
/// The size up to which answers are read, in bytes.
pub const MAX_ANSWER: usize = 8 * 1024 * 1024;
/// The most values in an answer. A list of a hundred calls with every field has some ten thousand.
const MAX_VALUES: usize = 200_000;

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// No byte of the request left: the address, DNS, the connection or TLS failed.
    #[error("not sent: {0}")]
    NotSent(String),
    /// The request may have arrived and been acted on.
    #[error("no usable answer: {0}")]
    Broken(String),
}

/// Sends one request once: no retries, no redirects.
#[async_trait]
pub trait Transport: Send + Sync + std::fmt::Debug {
    /// Returns the answer, whatever its status.
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, WireError>;
}

/// HTTP/1.1 over rustls with bundled roots, or with the operator's own.
#[derive(Debug, Clone)]
pub struct HttpTransport {
    client: reqwest::Client,
    /// Whether it goes to public addresses only.
    public_only: bool,
}

impl HttpTransport {
    /// Makes a client of its own. `ca_file`: PEM certificates to trust instead of the bundled
    /// roots.
    pub fn new(ca_file: Option<&Path>) -> Result<Arc<Self>, String> {
        // Another part of the process may have chosen already; the choice is the same.
        drop(rustls::crypto::ring::default_provider().install_default());
        let roots = match ca_file {
            Some(path) => {
                let unreadable = |why: &dyn std::fmt::Display| format!("{} cannot be read: {why}", path.display());
                if !path.metadata().map_err(|error| unreadable(&error))?.is_file() {
                    return Err(unreadable(&"it is not a regular file"));
                }
                let pem = std::fs::read(path).map_err(|error| unreadable(&error))?;
                reqwest::Certificate::from_pem_bundle(&pem)
            }
            None => {
                webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|der| reqwest::Certificate::from_der(der)).collect()
            }
        }
        .map_err(|error| format!("the trusted certificates cannot be read: {error}"))?;
        let client = Self::builder(roots).build();
        let client = client.map_err(|error| format!("the HTTP client cannot be made: {error}"))?;
        Ok(Arc::new(Self { client, public_only: false }))
    }

    /// Makes a client for receivers of webhooks: on the public Internet alone, unless
    /// `allow_private`.
    pub fn to_receivers(allow_private: bool) -> Result<Arc<Self>, String> {
        drop(rustls::crypto::ring::default_provider().install_default());
        let roots: Result<Vec<_>, _> =
            webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(|der| reqwest::Certificate::from_der(der)).collect();
        let roots = roots.map_err(|error| format!("the trusted certificates cannot be read: {error}"))?;
        let mut builder = Self::builder(roots);
        if !allow_private {
            builder = builder.dns_resolver(Arc::new(PublicOnly));
        }
        let client = builder.build().map_err(|error| format!("the HTTP client cannot be made: {error}"))?;
        Ok(Arc::new(Self { client, public_only: !allow_private }))
    }

    fn builder(roots: Vec<reqwest::Certificate>) -> reqwest::ClientBuilder {
        reqwest::Client::builder()
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(CONNECT)
            .timeout(ANSWER)
            .pool_idle_timeout(IDLE)
            .tcp_nodelay(true)
            .user_agent(concat!("ringfence/", env!("CARGO_PKG_VERSION")))
            .tls_certs_only(roots)
    }
}

#[async_trait]
impl Transport for HttpTransport {
    async fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, WireError> {
        let host = request.uri().host().unwrap_or_default().to_owned();
        let began = tokio::time::Instant::now();
        let answer = self.send_measured(request).await;
        let status = measures::class(answer.as_ref().ok().map(Response::status));
        measures::ANSWERS.get_or_create(&OfAnswer { host, status }).observe(began.elapsed().as_secs_f64());
        answer
    }
}

impl HttpTransport {
    async fn send_measured(&self, request: Request<Bytes>) -> Result<Response<Bytes>, WireError> {
        wire_log::request(&request);
        let literal = request.uri().host().map(|host| host.trim_matches(['[', ']'])).and_then(|host| host.parse().ok());
        if self.public_only && literal.is_some_and(|address| !is_public(address)) {
            return Err(WireError::NotSent(
                "the address is in a private network; allow_private = true lets it".to_owned(),
            ));
        }
        let request = reqwest::Request::try_from(request).map_err(|error| WireError::NotSent(plain(&error)))?;
        let mut answer = self.client.execute(request).await.map_err(|error| {
            if error.is_connect() || error.is_builder() {
                WireError::NotSent(plain(&error))
            } else {
                WireError::Broken(plain(&error))
            }
        })?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| WireError::Broken(plain(&error)))? {
            if body.len() + chunk.len() > MAX_ANSWER {
                return Err(WireError::Broken(format!("the answer is larger than {MAX_ANSWER} bytes")));
            }
            body.extend_from_slice(&chunk);
        }
        check_values(&body)?;
        let mut response = Response::new(body.freeze());
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        wire_log::answer(&response);
        Ok(response)
    }
}

/// Refuses an answer with too many values: they would take hundreds of megabytes in memory.
pub fn check_values(body: &[u8]) -> Result<(), WireError> {
    if values(body) > MAX_VALUES {
        return Err(WireError::Broken(format!("the answer has more than {MAX_VALUES} values")));
    }
    Ok(())
}

/// Counts the values of a JSON text, about: what stands between commas and colons outside of texts.
/// In memory each of them takes many times its two bytes.
fn values(body: &[u8]) -> usize {
    let (mut count, mut in_text, mut is_escaped) = (0, false, false);
    for byte in body {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_text => is_escaped = true,
            b'"' => in_text = !in_text,
            b',' | b':' | b'[' if !in_text => count += 1,
            _ => {}
        }
    }
    count
}

/// Returns the innermost reason, after the server's name and port. The rest of the address may hold
/// an account's secrets.
fn plain(error: &reqwest::Error) -> String {
    let server = error.url().and_then(|url| Some((url.host_str()?.to_owned(), url.port_or_known_default()?)));
    let reason = reason(error);
    server.map_or(reason.clone(), |(host, port)| format!("{host}:{port}: {reason}"))
}

fn reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", if error.is_connect() { CONNECT } else { ANSWER }.as_secs());
    }
    let mut innermost: &dyn std::error::Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_and_texts_are_none() {
        assert_eq!(values(b"[1,2,3]"), 3);
        assert_eq!(values(br#"{"a": "x, y: [z], \", \"q", "b": [1, 2]}"#), 5);
        assert_eq!(values(&b"1,".repeat(4_000_000)), 4_000_000);
    }
}
