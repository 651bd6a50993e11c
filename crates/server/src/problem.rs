//! What a client is told when a request fails: `application/problem+json`, RFC 9457.
//!
//! Every kind of problem stands in [`ProblemKind`], with its status and what it means; the page of
//! the API shows them, and `type` leads there.

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ringfence_intake::{MistakeAt, Mistakes};
use ringfence_operations::{Error, ErrorKind};
use ringfence_store::StoreError;
use serde::Serialize;
use utoipa::ToSchema;

/// The content type of a problem.
pub(crate) const PROBLEM_JSON: &str = "application/problem+json";

macro_rules! problems {
    ($($(#[doc = $doc:literal])+ $variant:ident = $status:ident $slug:literal $title:literal;)+) => {
        /// The kinds of problems.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum ProblemKind { $($(#[doc = $doc])+ $variant,)+ }

        impl ProblemKind {
            /// All of them.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The end of its `type`.
            pub(crate) const fn slug(self) -> &'static str {
                match self { $(Self::$variant => $slug),+ }
            }

            /// Its title.
            pub(crate) const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title),+ }
            }

            /// Its status.
            pub(crate) const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status),+ }
            }

            /// What it means, for the page.
            pub(crate) const fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),+)),+ }
            }
        }
    };
}

problems! {
    /// The request cannot be read: its body is not JSON, or a header is not what it should be.
    Malformed = BAD_REQUEST "malformed" "The request cannot be read";
    /// No token came, or one that does not hold. Whether it is wrong, over or revoked is not told.
    Unauthorized = UNAUTHORIZED "unauthorized" "A token is needed";
    /// The token holds, and its scope is too small for this.
    Forbidden = FORBIDDEN "forbidden" "The token may not do this";
    /// What was named is not there.
    Missing = NOT_FOUND "not-found" "There is nothing of this name";
    /// The address is right, and the method is not.
    Method = METHOD_NOT_ALLOWED "method-not-allowed" "The address does not take this method";
    /// The rest of the request did not come in time.
    Slow = REQUEST_TIMEOUT "too-slow" "The request did not come in time";
    /// Its present state forbids this.
    Conflict = CONFLICT "conflict" "Its state forbids this";
    /// It is held on purpose, by a stop, a pause or a safety rail, until a person lets it go.
    Held = CONFLICT "held" "It is held on purpose";
    /// A request with the same Idempotency-Key is under way. Ask again after Retry-After.
    Running = CONFLICT "still-running" "The same request is under way";
    /// A request with the same Idempotency-Key changed something, and its answer was lost with its
    /// process. Look at what it was to change before you ask with another key.
    AnswerLost = CONFLICT "answer-lost" "The answer of this request was lost";
    /// It was changed since you read it: If-Match names an older revision.
    Stale = PRECONDITION_FAILED "stale" "It was changed meanwhile";
    /// The request is larger than this address takes.
    TooLarge = PAYLOAD_TOO_LARGE "too-large" "The request is too large";
    /// The content type, or the content encoding, is none that this address takes.
    Unsupported = UNSUPPORTED_MEDIA_TYPE "unsupported" "This form is not understood";
    /// The Host header names no host of this server: http.public_url and http.hosts do.
    WrongHost = MISDIRECTED_REQUEST "wrong-host" "This server is not known by that name";
    /// The request can be read, and something in it is wrong; `errors` names the places.
    Invalid = UNPROCESSABLE_ENTITY "invalid" "Something in the request is wrong";
    /// The Idempotency-Key came before, with another request.
    KeyReused = UNPROCESSABLE_ENTITY "key-reused" "The key belongs to another request";
    /// This change needs If-Match with the revision that you read, so that nobody's change is lost.
    NeedsMatch = PRECONDITION_REQUIRED "if-match-required" "Say which revision you change";
    /// Too many requests came from this token or address. Ask again after Retry-After.
    TooMany = TOO_MANY_REQUESTS "too-many-requests" "Too many requests";
    /// A fault of this server. Its log says more, under the id in `instance`.
    Internal = INTERNAL_SERVER_ERROR "internal" "A fault of this server";
    /// The work could not be done: the database or a provider does not answer as it should.
    Failed = SERVICE_UNAVAILABLE "not-done" "The work could not be done now";
}

/// A problem.
#[derive(Debug, Clone)]
pub(crate) struct Problem(Box<Fields>);

/// A problem, as it is sent.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Fields {
    /// Which kind it is: an address with what the kind means.
    #[serde(rename = "type")]
    kind: String,
    /// The kind in words.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong here.
    detail: String,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    /// This one request, as the server's log calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    instance: Option<String>,
    /// The places that are wrong, if the request has such.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<WrongPlace>,
    #[serde(skip)]
    retry_after: Option<u64>,
    #[serde(skip)]
    code: StatusCode,
}

/// One place of a request that is wrong.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct WrongPlace {
    /// Where: a JSON pointer into the body, RFC 6901, or the name of a parameter.
    pub(crate) pointer: String,
    /// What is wrong there.
    pub(crate) detail: String,
    /// How to mend it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hint: Option<String>,
}

impl From<MistakeAt> for WrongPlace {
    fn from(place: MistakeAt) -> Self {
        Self { pointer: place.pointer, detail: place.message, hint: place.hint }
    }
}

/// The places that an error names; the whole document when it names none.
pub(crate) fn places_of(error: &Error) -> Vec<WrongPlace> {
    let places: Vec<WrongPlace> = error.mistakes.iter().flat_map(Mistakes::pointers).map(WrongPlace::from).collect();
    if !places.is_empty() {
        return places;
    }
    vec![WrongPlace { pointer: String::new(), detail: error.message.clone(), hint: error.hint.clone() }]
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.detail)
    }
}

impl Problem {
    pub(crate) fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self(Box::new(Fields {
            kind: format!("/api/problems#{}", kind.slug()),
            title: kind.title(),
            status: kind.status().as_u16(),
            detail: detail.into(),
            hint: None,
            instance: None,
            errors: Vec::new(),
            retry_after: None,
            code: kind.status(),
        }))
    }

    /// Says how to mend it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Names the places that are wrong.
    pub(crate) fn places(mut self, places: Vec<WrongPlace>) -> Self {
        self.0.errors = places;
        self
    }

    /// Says when to ask again, in seconds.
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.0.retry_after = Some(seconds.max(1));
        self
    }

    /// Names the request, by which the log knows it.
    pub(crate) fn instance(mut self, request: &str) -> Self {
        self.0.instance = Some(format!("urn:ringfence:request:{request}"));
        self
    }

    /// Its status, what is wrong, and how to mend it.
    pub(crate) fn for_people(self) -> (StatusCode, String, Option<String>) {
        (self.0.code, self.0.detail, self.0.hint)
    }

    /// The problem that fits a status which something below us answered with.
    pub(crate) fn of_status(status: StatusCode, detail: String) -> Self {
        let kind = ProblemKind::ALL.iter().copied().find(|kind| kind.status() == status);
        let other = if status.is_server_error() { ProblemKind::Internal } else { ProblemKind::Malformed };
        let mut problem = Self::new(kind.unwrap_or(other), detail);
        if kind.is_none() {
            (problem.0.code, problem.0.status) = (status, status.as_u16());
        }
        problem
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (code, retry_after) = (self.0.code, self.0.retry_after);
        let shown = Arc::new(self.clone());
        let body = serde_json::to_vec(&self.0).unwrap_or_default();
        let mut response = (code, body).into_response();
        response.extensions_mut().insert(shown);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM_JSON));
        if let Some(seconds) = retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if code == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let kind = match error.kind {
            ErrorKind::Input => ProblemKind::Invalid,
            ErrorKind::Missing => ProblemKind::Missing,
            ErrorKind::Conflict | ErrorKind::Superseded => ProblemKind::Conflict,
            ErrorKind::Stale => ProblemKind::Stale,
            ErrorKind::Held => ProblemKind::Held,
            ErrorKind::Work => ProblemKind::Failed,
        };
        let places: Vec<WrongPlace> =
            error.mistakes.iter().flat_map(Mistakes::pointers).map(WrongPlace::from).collect();
        let said: Vec<&str> = places.iter().map(|place| place.detail.as_str()).collect();
        let detail = if said.is_empty() { error.message } else { said.join("; ") };
        let mut problem = Self::new(kind, detail).places(places);
        problem.0.hint = error.hint;
        if kind == ProblemKind::Failed { problem.retry_after(5) } else { problem }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Error::from(error).into()
    }
}
