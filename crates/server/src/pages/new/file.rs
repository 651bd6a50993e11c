//! The contact file of a new campaign.

use askama::Template;
use axum::extract::{Request, State};
use ringfence_operations::{new_campaign, uploads};

use super::super::frame::Frame;
use super::super::visitor::Operator;
use super::super::{Page, shown, to};
use super::{Step, steps};
use crate::Server;
use crate::upload::receive;

#[derive(Template)]
#[template(path = "pages/new/file.html")]
struct FilePage {
    frame: Frame,
    steps: Vec<Step>,
}

/// Asks for the file.
pub(crate) async fn ask(Operator(visitor): Operator) -> Page {
    let frame = Frame::of(&visitor, "New campaign", "/campaigns").await?;
    Ok(shown(&FilePage { frame, steps: steps(1, &[]) }))
}

/// Receives it, and reads it to its end.
pub(crate) async fn receive(State(server): State<Server>, Operator(visitor): Operator, request: Request) -> Page {
    let folder = uploads::folder(&visitor.workspace)?;
    let received = receive::receive(request, &folder, &server.config.http).await?;
    let source = received.name.clone().unwrap_or_else(|| "contacts.csv".to_owned());
    let list = new_campaign::keep(&visitor.workspace, &folder, received.file, source).await?;
    Ok(to(&format!("/new/{}", list.id)))
}
