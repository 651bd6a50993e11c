//! The dashboard: pages for people, rendered here and without anything from elsewhere.
//!
//! Adding a page: a handler in a file of its own, a template in `templates/pages`, and one line in
//! [`routes`]. A handler takes a [`visitor::Visitor`], and asks it for the scope that it needs.

mod assets;
mod frame;
mod login;
mod overview;
mod stop;
mod visitor;

use askama::Template;
use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use ringfence_operations::{Error, ErrorKind};
use tower_http::csrf::CsrfLayer;

use crate::Server;
use crate::front::Bare;

/// Nothing but what comes from here is loaded or asked, and nobody may put a page into a frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Every page.
pub(crate) fn routes(server: &Server) -> Router<Server> {
    Router::new()
        .route("/", get(overview::overview))
        .route("/login", get(login::form).post(login::log_in))
        .route("/logout", post(login::log_out))
        .route("/stop", post(stop::stop))
        .route("/start", post(stop::start))
        .route("/assets/{name}", get(assets::asset))
        .layer(same_origin(server))
}

/// Forms of other sites are refused: browsers say where a form comes from.
fn same_origin(server: &Server) -> CsrfLayer {
    let own = server.config.http.public_url.as_deref();
    match own.map(|url| CsrfLayer::new().add_trusted_origin(url)) {
        Some(Ok(layer)) => layer,
        Some(Err(error)) => {
            tracing::error!("http.public_url is no origin: {error}");
            CsrfLayer::new()
        }
        None => CsrfLayer::new(),
    }
}

/// A page, or why there is none.
type Page = Result<Response, PageError>;

/// Why a page cannot be shown, for the person who asked.
#[derive(Debug)]
pub(crate) struct PageError {
    status: StatusCode,
    says: String,
    hint: Option<String>,
}

#[derive(Template)]
#[template(path = "pages/error.html")]
struct ErrorPage<'p> {
    says: &'p str,
    hint: &'p str,
}

impl PageError {
    fn new(status: StatusCode, says: impl Into<String>) -> Self {
        Self { status, says: says.into(), hint: None }
    }
}

impl From<Error> for PageError {
    fn from(error: Error) -> Self {
        let status = match error.kind {
            ErrorKind::Input => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorKind::Missing => StatusCode::NOT_FOUND,
            ErrorKind::Conflict | ErrorKind::Superseded | ErrorKind::Held => StatusCode::CONFLICT,
            ErrorKind::Stale => StatusCode::PRECONDITION_FAILED,
            ErrorKind::Work => StatusCode::SERVICE_UNAVAILABLE,
        };
        Self { status, says: error.message, hint: error.hint }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let hint = self.hint.as_deref().unwrap_or_default();
        let mut response = shown(&ErrorPage { says: &self.says, hint });
        *response.status_mut() = self.status;
        response
    }
}

/// A page as a response.
fn shown(page: &impl Template) -> Response {
    let Ok(text) = page.render() else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    let mut response = ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response();
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    // It is for people: no problem document is made of it.
    response.extensions_mut().insert(Bare);
    response
}

/// Shows what a form led to: by GET, so that nothing is sent twice.
fn to(path: &str) -> Response {
    Redirect::to(path).into_response()
}
