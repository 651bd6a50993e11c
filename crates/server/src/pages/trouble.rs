//! What went wrong, within the frame of every page: who sends a form that is refused finds the way
//! back, and STOP is where it always is.

use askama::Template;
use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::Response;

use super::frame::Frame;
use super::visitor::Visitor;
use super::{PageError, shown};
use crate::Server;

#[derive(Template)]
#[template(path = "pages/trouble.html")]
struct TroublePage {
    frame: Frame,
    says: String,
    hint: String,
}

/// Puts the frame around what went wrong, for a visitor who is logged in.
pub(super) async fn framed(State(server): State<Server>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let asked = Request::from_parts(parts.clone(), body);
    let mut response = next.run(asked).await;
    let Some(PageError { status, says, hint }) = response.extensions_mut().remove() else { return response };
    let Ok(visitor) = Visitor::from_request_parts(&mut parts, &server).await else { return response };
    let Ok(mut frame) = Frame::of(&visitor, "This did not work", "").await else { return response };
    // It is shown once, and not asked for again.
    frame.address = String::new();
    let mut page = shown(&TroublePage { frame, says, hint: hint.unwrap_or_default() });
    *page.status_mut() = status;
    page
}
