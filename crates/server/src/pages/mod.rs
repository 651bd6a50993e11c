//! The dashboard: pages for people, rendered here and without anything from elsewhere.
//!
//! Adding a page: a handler in a file of its own, a template in `templates/pages`, and one line in
//! [`routes`]. A handler takes a [`visitor::Visitor`]; one that changes something, a
//! [`visitor::Operator`].

pub(crate) mod assets;
mod campaign;
mod campaigns;
mod changes;
mod charts;
mod contact;
mod day;
mod dnc;
mod feed;
mod frame;
mod imports;
mod lanes;
mod ledger;
pub(crate) mod live;
mod login;
mod new;
mod overview;
mod people;
mod review;
mod schedules;
mod sent;
mod settings;
mod stop;
mod trouble;
mod visitor;
mod windows;

use askama::Template;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{MethodRouter, get, post};
use ringfence_operations::{Error, ErrorKind};
use ringfence_store::StoreError;
use tower_http::csrf::CsrfLayer;

use crate::Server;
use crate::front::Bare;
use crate::problem::Problem;

/// Nothing but what comes from here is loaded or asked, and nobody may put a page into a frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The largest form, in bytes: a campaign file is in it.
const FORM: usize = 1 << 20;

/// Every page.
pub(crate) fn routes(server: &Server) -> Router<Server> {
    Router::new()
        .route("/", get(overview::overview))
        .route("/campaigns", get(campaigns::campaigns))
        .route("/campaigns/{name}", get(campaign::standing::standing))
        .route("/campaigns/{name}/pause", post(campaign::actions::pause))
        .route("/campaigns/{name}/resume", post(campaign::actions::resume))
        .route("/campaigns/{name}/cancel", post(campaign::actions::cancel))
        .route("/campaigns/{name}/contacts", file(get(campaign::contacts::contacts).post(campaign::contacts::add)))
        .route("/campaigns/{name}/bulk", get(campaign::bulk::ask).post(campaign::bulk::decide))
        .route("/campaigns/{name}/why", get(campaign::why::why_page))
        .route("/campaigns/{name}/imports", get(campaign::imports::imports_page))
        .route("/campaigns/{name}/runs", get(campaign::runs::runs_page))
        .route("/campaigns/{name}/results.csv", get(campaign::results::results))
        .route("/campaigns/{name}/changes", get(campaign::changes::changes))
        .route("/campaigns/{name}/rules", get(campaign::rules::rules).post(campaign::rules::plan))
        .route("/campaigns/{name}/rules/apply", post(campaign::rules::apply))
        .route("/campaigns/{name}/try", get(new::draft::ask).post(new::draft::test))
        .route("/campaigns/{name}/start", get(new::draft::confirm).post(new::draft::start))
        .route("/new", file(get(new::file::ask).post(new::file::receive)))
        .route("/new/{id}", get(new::columns::columns))
        .route("/new/{id}/verdict", get(new::verdict::verdict))
        .route("/new/{id}/rejects.csv", get(new::verdict::rejects))
        .route("/new/{id}/rules", get(new::rules::rules))
        .route("/new/{id}/draft", post(new::draft::make))
        .route("/contacts", get(people::people))
        .route("/contacts/{id}", get(contact::contact))
        .route("/contacts/{id}/dnc", post(contact::forbid))
        .route("/contacts/{id}/stop", post(contact::stop))
        .route("/contacts/{id}/next", post(contact::call_next))
        .route("/imports/{id}", get(imports::import))
        .route("/imports/{id}/accept", post(imports::accept))
        .route("/imports/{id}/undo", post(imports::undo))
        .route("/imports/{id}/rejects.csv", get(imports::rejects_file))
        .route("/lanes", get(lanes::lanes_page))
        .route("/lanes/{name}/pause", post(lanes::pause))
        .route("/lanes/{name}/resume", post(lanes::resume))
        .route("/lanes/{name}/try", post(lanes::try_credentials))
        .route("/review", get(review::review).post(review::settle))
        .route("/dnc", get(dnc::dnc_page).post(dnc::add))
        .route("/dnc/remove", post(dnc::remove))
        .route("/schedules", get(schedules::schedules))
        .route("/changes", get(changes::changes))
        .route("/settings", get(settings::settings))
        .route("/live", get(live::live))
        .route("/frame", get(frame::around))
        .route("/login", get(login::form).post(login::log_in))
        .route("/logout", post(login::log_out))
        .route("/stop", get(stop::calls_out).post(stop::stop))
        .route("/start", post(stop::start))
        .route("/assets/{name}", get(assets::asset_file))
        .layer(DefaultBodyLimit::max(FORM))
        .layer(from_fn_with_state(server.clone(), trouble::framed))
        .layer(same_origin(server))
}

/// A route that takes contact files, which have limits of their own.
fn file(route: MethodRouter<Server>) -> MethodRouter<Server> {
    route.layer(DefaultBodyLimit::disable())
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
#[derive(Debug, Clone)]
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

impl From<StoreError> for PageError {
    fn from(error: StoreError) -> Self {
        Error::from(error).into()
    }
}

impl From<Problem> for PageError {
    fn from(problem: Problem) -> Self {
        let (status, says, hint) = problem.for_people();
        Self { status, says, hint }
    }
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        let hint = self.hint.as_deref().unwrap_or_default();
        // Who is logged in sees it in the frame of every page: `trouble::framed`.
        let mut response = shown(&ErrorPage { says: &self.says, hint });
        *response.status_mut() = self.status;
        response.extensions_mut().insert(self);
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

/// A state as people read it on pages.
fn state_word(state: &str) -> &str {
    if state == "active" { "being called" } else { state }
}

/// Shows what a form led to: by GET, so that nothing is sent twice.
fn to(path: &str) -> Response {
    Redirect::to(path).into_response()
}
