//! An account at a vendor over HTTP: its address, its headers, one request at a time.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use ringfence_domain::Placement;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use crate::call::AskError;
use crate::{Budget, LaneSetup, Transport, WireError, answer};

/// The address of an account, and the headers that every request to it carries. Its `Debug` shows
/// no header: headers hold the credentials.
pub(crate) struct Account {
    transport: Arc<dyn Transport>,
    base_url: String,
    headers: HeaderMap,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

/// The body of a request.
pub(crate) enum Body {
    None,
    Json(Value),
    /// `multipart/form-data` with these fields, in their order; the boundary must not occur in
    /// them.
    Form(Vec<(String, String)>),
}

impl Account {
    pub(crate) fn new(setup: &LaneSetup, transport: Arc<dyn Transport>) -> Self {
        let accept = (http::header::ACCEPT, HeaderValue::from_static("application/json"));
        Self { transport, base_url: setup.base_url.clone(), headers: HeaderMap::from_iter([accept]) }
    }

    /// Adds a header to every request. `what` names the setting that its value comes from.
    pub(crate) fn header(mut self, name: &'static str, value: &str, what: &str) -> Result<Self, String> {
        self.headers.insert(HeaderName::from_static(name), readable(value, what)?);
        Ok(self)
    }

    /// Adds a header that no log and no preview shows.
    pub(crate) fn secret_header(
        mut self,
        name: &'static str,
        value: &SecretString,
        what: &str,
    ) -> Result<Self, String> {
        let mut value = readable(value.expose_secret(), what)?;
        value.set_sensitive(true);
        self.headers.insert(HeaderName::from_static(name), value);
        Ok(self)
    }

    pub(crate) fn request(&self, method: Method, path: &str, body: Body) -> Result<Request<Bytes>, String> {
        let (kind, bytes) = match body {
            Body::None => (None, Bytes::new()),
            Body::Json(json) => (Some("application/json".to_owned()), Bytes::from(json.to_string())),
            Body::Form(fields) => {
                let (kind, bytes) = form(&fields);
                (Some(kind), bytes)
            }
        };
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.base_url))
            .body(bytes)
            .map_err(|error| format!("base_url is not an address: {error}"))?;
        request.headers_mut().extend(self.headers.clone());
        if let Some(kind) = kind {
            let kind = HeaderValue::from_str(&kind).map_err(|error| error.to_string())?;
            request.headers_mut().insert(http::header::CONTENT_TYPE, kind);
        }
        Ok(request)
    }

    /// Sends the one request that places a call. `read` gives the meaning of an answer.
    pub(crate) async fn place(
        &self,
        request: Result<Request<Bytes>, Placement>,
        read: impl FnOnce(&Response<Bytes>) -> Placement,
    ) -> Placement {
        let request = match request {
            Ok(request) => request,
            Err(refused) => return refused,
        };
        match self.transport.send(request).await {
            Ok(answer) => read(&answer),
            Err(WireError::NotSent(cause)) => Placement::NotSent { cause },
            Err(WireError::Broken(cause)) => Placement::Unknown { cause },
        }
    }

    /// Waits for its turn and sends a question. 2xx and 404 are answers.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Body,
        budget: &dyn Budget,
        words: impl Fn(&Response<Bytes>) -> String,
    ) -> Result<Response<Bytes>, AskError> {
        budget.take().await;
        let request = self.request(method, path, body).map_err(AskError::LaneFault)?;
        let answer = self.transport.send(request).await.map_err(|error| AskError::Trouble(error.to_string()))?;
        answer::asked(answer, words)
    }
}

fn readable(value: &str, what: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(value).map_err(|_| format!("{what} has characters that HTTP cannot send"))
}

/// Makes a path with a query.
pub(crate) fn with_query<'q>(path: &str, pairs: impl IntoIterator<Item = (&'q str, String)>) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("{path}?{query}")
}

/// Writes a form as RFC 7578 has it, with field names escaped as browsers do.
fn form(fields: &[(String, String)]) -> (String, Bytes) {
    let mut boundary = "ringfence-form".to_owned();
    while fields.iter().any(|(name, value)| name.contains(&boundary) || value.contains(&boundary)) {
        boundary.push('-');
    }
    let mut body = String::new();
    for (name, value) in fields {
        let name = name.replace('\r', "%0D").replace('\n', "%0A").replace('"', "%22");
        body.push_str(&format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"));
    }
    body.push_str(&format!("--{boundary}--\r\n"));
    (format!("multipart/form-data; boundary={boundary}"), Bytes::from(body))
}

/// The budget of questions that no lane pays for.
pub(crate) struct Free;

#[async_trait]
impl Budget for Free {
    async fn take(&self) {}
}
