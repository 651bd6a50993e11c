//! Changes over HTTP: each runs to its end though its client leaves, and with an Idempotency-Key at
//! most once, whoever asks how often.
//!
//! The key is entered before the work, marked in the transaction of the work's first change, and
//! gets the answer at the end. Answers that changed nothing are not kept: the request may be mended
//! and come again under its key.

use axum::body::Body;
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use ringfence_domain::{Span, TokenId};
use ringfence_store::{Begun, Database, ProcessLock, Replay, RequestKey};
use sha2::{Digest, Sha256};

use crate::Server;
use crate::access::Caller;
use crate::front::body;
use crate::problem::{Problem, ProblemKind};

/// The name of the header.
pub(crate) const KEY: &str = "idempotency-key";
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// The routes that read their own bodies, of any size, and begin their work with [`once_received`].
const UPLOADS: [&str; 2] = ["/api/v1/campaigns/{name}/contacts", "/api/v1/dnc/import"];
/// The longest key.
const LONGEST: usize = 255;
/// After this time, work without an answer is taken to have died with its process.
const LEASE: Span = Span::from_minutes(10);

/// The row of a request's key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeyRow(pub(crate) i64);

/// Runs a change to its end, once for each key.
pub(crate) async fn once(State(server): State<Server>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
    if matches!(*request.method(), Method::GET | Method::HEAD) || UPLOADS.contains(&route) {
        return next.run(request).await;
    }
    // Who leaves must not stop a change in its middle.
    let work =
        tokio::spawn(tracing::Instrument::in_current_span(async move { carry_out(&server, request, next).await }));
    work.await.unwrap_or_else(|error| {
        tracing::error!(%error, "a change failed by a fault of the program: {error}");
        Problem::new(ProblemKind::Internal, "the request failed by a fault of the program").into_response()
    })
}

/// Runs a change whose body was received already: `path` and `body`, its digest, tell one from the
/// other.
pub(crate) async fn once_received(
    server: Server,
    token: TokenId,
    key: Option<String>,
    (path, body): (String, Vec<u8>),
    change: impl Future<Output = Result<Response, Problem>> + Send + 'static,
) -> Result<Response, Problem> {
    let work = async move {
        let Some(key) = key else { return change.await };
        match Work::begin(&server, token, key, digest(&Method::POST, &path, &body)).await {
            Err(answer) => Ok(*answer),
            Ok(work) => {
                let answer = change.await;
                Ok(work.end(answer.unwrap_or_else(IntoResponse::into_response)).await)
            }
        }
    };
    // From here on the client may leave.
    let done = tokio::spawn(tracing::Instrument::in_current_span(work)).await;
    done.map_err(|error| Problem::new(ProblemKind::Internal, error.to_string()))?
}

async fn carry_out(server: &Server, request: Request, next: Next) -> Response {
    let (mut parts, sent) = request.into_parts();
    let bytes = match body::read(&parts.headers, sent).await {
        Ok(bytes) => bytes,
        Err(problem) => return problem.into_response(),
    };
    let key = match key(&parts.headers) {
        Ok(None) => return next.run(Request::from_parts(parts, Body::from(bytes))).await,
        Ok(Some(key)) => key,
        Err(problem) => return problem.into_response(),
    };
    let Some(token) = parts.extensions.get::<Caller>().map(|caller| caller.token.id) else {
        return Problem::new(ProblemKind::Unauthorized, "no token came").into_response();
    };
    let path = parts.uri.path_and_query().map_or("", |path| path.as_str()).to_owned();
    let digest = digest(&parts.method, &path, &Sha256::digest(&bytes));
    match Work::begin(server, token, key, digest).await {
        Err(answer) => *answer,
        Ok(work) => {
            parts.extensions.insert(KeyRow(work.row));
            let answer = next.run(Request::from_parts(parts, Body::from(bytes))).await;
            work.end(answer).await
        }
    }
}

/// The key of a request: `"k"`, as the draft of the IETF has it, or `k`.
pub(crate) fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(value) = headers.get(KEY) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let fits =
        !bare.is_empty() && bare.len() <= LONGEST && bare.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    if fits {
        return Ok(Some(bare.to_owned()));
    }
    Err(Problem::new(ProblemKind::Malformed, "the Idempotency-Key is none")
        .hint(format!("send 1 to {LONGEST} letters, digits and signs without spaces, as in a UUID")))
}

/// What makes two requests the same. `body`: the digest of the body.
pub(crate) fn digest(method: &Method, path: &str, body: &[u8]) -> String {
    let mut digest = Sha256::new();
    for part in [method.as_str().as_bytes(), path.as_bytes(), body] {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    hex::encode(digest.finalize())
}

/// The work of a request under its key.
pub(crate) struct Work {
    store: std::sync::Arc<Database>,
    pub(crate) row: i64,
}

impl Work {
    /// Begins it; or returns the answer that there is already.
    pub(crate) async fn begin(
        server: &Server,
        token: TokenId,
        key: String,
        digest: String,
    ) -> Result<Self, Box<Response>> {
        let now = server.clock.read().now;
        let request = RequestKey { token, key, digest, worker: server.process.to_string() };
        let mut begun = server.store.begin_request(request.clone(), None, now + LEASE, now).await;
        if let Ok(Begun::Running { worker, .. }) = &begun
            && ProcessLock::is_dead(&server.store, worker)
        {
            begun = server.store.begin_request(request, Some(worker.clone()), now + LEASE, now).await;
        }
        let problem = |kind, detail: &str| Err(Box::new(Problem::new(kind, detail).into_response()));
        match begun {
            Err(error) => Err(Box::new(Problem::from(error).into_response())),
            Ok(Begun::Work(row)) => Ok(Self { store: server.store.clone(), row }),
            Ok(Begun::Done(replay)) => Err(Box::new(replayed(replay))),
            Ok(Begun::OtherRequest) => problem(ProblemKind::KeyReused, "this key came before, with another request"),
            Ok(Begun::AnswerLost) => problem(
                ProblemKind::AnswerLost,
                "a request with this key changed something, and its process ended before it answered",
            ),
            Ok(Begun::Running { .. }) => {
                let running = Problem::new(ProblemKind::Running, "the request with this key is under way");
                Err(Box::new(running.retry_after(2).into_response()))
            }
        }
    }

    /// Keeps the answer when the work was done; else lets the key go.
    pub(crate) async fn end(self, answer: Response) -> Response {
        if !answer.status().is_success() {
            drop(self.store.drop_request(self.row).await);
            return answer;
        }
        let (parts, body) = answer.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.unwrap_or_default();
        let text = |name: HeaderName| parts.headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let replay = Replay {
            status: parts.status.as_u16(),
            content_type: text(header::CONTENT_TYPE),
            etag: text(header::ETAG),
            location: text(header::LOCATION),
            body: without_secrets(&bytes),
        };
        // The change is made, whatever becomes of its answer.
        if let Err(error) = self.store.finish_request(self.row, replay).await {
            tracing::warn!(%error, "an answer was not kept under its key: {error}");
        }
        Response::from_parts(parts, Body::from(bytes))
    }
}

/// A token is shown once and kept nowhere.
fn without_secrets(body: &[u8]) -> String {
    let mut value: serde_json::Value = match serde_json::from_slice(body) {
        Ok(value) => value,
        Err(_) => return String::from_utf8_lossy(body).into_owned(),
    };
    match value.get_mut("token") {
        Some(token) => *token = serde_json::json!("it was shown once"),
        None => return String::from_utf8_lossy(body).into_owned(),
    }
    value.to_string()
}

fn replayed(replay: Replay) -> Response {
    let status = StatusCode::from_u16(replay.status).unwrap_or(StatusCode::OK);
    let mut response = (status, Bytes::from(replay.body)).into_response();
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    for (name, value) in
        [(header::CONTENT_TYPE, replay.content_type), (header::ETAG, replay.etag), (header::LOCATION, replay.location)]
    {
        if let Some(value) = value.and_then(|value| HeaderValue::from_str(&value).ok()) {
            headers.insert(name, value);
        }
    }
    headers.insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
