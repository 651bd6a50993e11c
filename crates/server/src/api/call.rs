//! What every route of the API has in common: the workspace of the one who asks, reading what they
//! sent, and answering.

use axum::body::Body;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::header;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use ringfence_domain::Scope;
use ringfence_operations::{Notices, Workspace};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::{Arc, Mutex, PoisonError};

use crate::Server;
use crate::access::Caller;
use crate::front::body;
use crate::idempotency::KeyRow;
use crate::masked::mask;
use crate::problem::{Problem, ProblemKind, WrongPlace};

/// What a route returns.
pub(crate) type Answer<T = Response> = Result<T, Problem>;

/// One request that was let in.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) server: Server,
    pub(crate) caller: Caller,
    /// Where its work is done, in its name.
    pub(crate) workspace: Workspace,
    told: Arc<Mutex<Vec<String>>>,
}

impl Call {
    pub(crate) fn of(server: &Server, caller: Caller, key: Option<i64>) -> Self {
        let actor = caller.actor();
        let actor = match key {
            Some(row) => actor.for_request(row),
            None => actor,
        };
        let store = Arc::new((*server.store).clone().changed_by(actor));
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = told.clone();
        let notices = Notices::to(move |sentence| {
            heard.lock().unwrap_or_else(PoisonError::into_inner).push(sentence.to_owned());
        });
        let workspace = Workspace::of(server.config.clone(), store, server.clock.clone(), notices);
        Self { server: server.clone(), caller, workspace, told }
    }

    /// What the operation told the person who asked beside its result.
    pub(crate) fn notices(&self) -> Vec<String> {
        std::mem::take(&mut *self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Answers with a document, as the caller may see it.
    pub(crate) fn answer(&self, document: &impl Serialize) -> Answer {
        Ok(json(StatusCode::OK, self.text(document)?))
    }

    /// The same for what is new, at its own address.
    pub(crate) fn created(&self, document: &impl Serialize, address: &str) -> Answer {
        let mut response = json(StatusCode::CREATED, self.text(document)?);
        let address =
            HeaderValue::from_str(address).map_err(|error| Problem::new(ProblemKind::Internal, error.to_string()))?;
        response.headers_mut().insert(header::LOCATION, address);
        Ok(response)
    }

    fn text(&self, document: &impl Serialize) -> Answer<String> {
        if self.caller.token.scope == Scope::Viewer {
            return Ok(self.seen(document)?.to_string());
        }
        serde_json::to_string(document).map_err(|error| Problem::new(ProblemKind::Internal, error.to_string()))
    }

    /// A document as the caller may see it.
    pub(crate) fn seen(&self, document: &impl Serialize) -> Answer<serde_json::Value> {
        let mut value =
            serde_json::to_value(document).map_err(|error| Problem::new(ProblemKind::Internal, error.to_string()))?;
        if self.caller.token.scope == Scope::Viewer {
            mask(&mut value);
        }
        Ok(value)
    }
}

fn json(status: StatusCode, document: String) -> Response {
    let mut response = (status, document).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// The revision of a document, as an `ETag`.
pub(crate) fn with_revision(mut response: Response, revision: i64) -> Response {
    if let Ok(value) = HeaderValue::from_str(&format!("\"{revision}\"")) {
        response.headers_mut().insert(header::ETAG, value);
    }
    response
}

/// The revision that a change is for, out of `If-Match: "7"`.
pub(crate) fn if_match(headers: &HeaderMap) -> Answer<i64> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Err(Problem::new(ProblemKind::NeedsMatch, "If-Match is missing")
            .hint("read it first, and send the ETag that came with it as If-Match"));
    };
    let text = value.to_str().unwrap_or_default().trim();
    text.trim_matches('"').parse().map_err(|_| {
        Problem::new(ProblemKind::Stale, "If-Match names no revision of it")
            .hint("read it again, and send the ETag that came with it as If-Match")
    })
}

impl FromRequestParts<Server> for Call {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, server: &Server) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Caller>().cloned();
        let caller = caller.ok_or_else(|| Problem::new(ProblemKind::Unauthorized, "no token came"))?;
        Ok(Self::of(server, caller, parts.extensions.get::<KeyRow>().map(|key| key.0)))
    }
}

/// The body of a request, as JSON. An empty body is `{}`.
#[derive(Debug)]
pub(crate) struct Sent<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Server> for Sent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request<Body>, _: &Server) -> Result<Self, Problem> {
        let (parts, sent) = request.into_parts();
        let bytes = body::read(&parts.headers, sent).await?;
        if !bytes.is_empty() && !is_json(&parts.headers) {
            return Err(Problem::new(ProblemKind::Unsupported, "the body is not declared as JSON")
                .hint("send Content-Type: application/json"));
        }
        parse(if bytes.is_empty() { b"{}" } else { &bytes }).map(Self)
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    content_type(headers) == "application/json"
}

/// The content type of a request, without its parameters.
pub(crate) fn content_type(headers: &HeaderMap) -> String {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Reads a document, and says where it is wrong.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Answer<T> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value: T = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        let inner = error.into_inner();
        if inner.is_data() {
            let place = WrongPlace { pointer, detail: inner.to_string(), hint: None };
            return Problem::new(ProblemKind::Invalid, inner.to_string()).places(vec![place]);
        }
        Problem::new(ProblemKind::Malformed, format!("the body is not JSON: {inner}"))
    })?;
    reader.end().map_err(|error| Problem::new(ProblemKind::Malformed, format!("the body is not JSON: {error}")))?;
    Ok(value)
}

fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let part = |segment: &Segment| match segment {
        Segment::Seq { index } => format!("/{index}"),
        Segment::Map { key } => format!("/{}", key.replace('~', "~0").replace('/', "~1")),
        Segment::Enum { variant } => format!("/{variant}"),
        Segment::Unknown => String::new(),
    };
    path.iter().map(part).collect()
}

/// The query of a request.
#[derive(Debug)]
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Server> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Server) -> Result<Self, Problem> {
        let query = parts.uri.query().unwrap_or_default();
        let reader = serde_urlencoded::Deserializer::new(form_urlencoded::parse(query.as_bytes()));
        serde_path_to_error::deserialize(reader).map(Self).map_err(|error| {
            let name = error.path().to_string();
            let detail = error.into_inner().to_string();
            let place = WrongPlace { pointer: name.clone(), detail: detail.clone(), hint: None };
            Problem::new(ProblemKind::Invalid, format!("the parameter {name}: {detail}")).places(vec![place])
        })
    }
}

/// A parameter that is wrong.
pub(crate) fn wrong(parameter: &str, detail: impl Into<String>) -> Problem {
    let detail = detail.into();
    let place = WrongPlace { pointer: parameter.to_owned(), detail: detail.clone(), hint: None };
    Problem::new(ProblemKind::Invalid, format!("{parameter}: {detail}")).places(vec![place])
}
