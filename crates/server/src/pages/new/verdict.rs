//! Who of the list can be called, and who never, before anybody is.

use askama::Template;
use axum::extract::{Path, Query, State};
use ringfence_operations::new_campaign::{self, Form};

use super::super::frame::Frame;
use super::super::visitor::Operator;
use super::super::{Page, shown};
use super::{Step, chosen, hidden, links, list, query, steps};
use crate::Server;
use crate::download::download;

#[derive(Template)]
#[template(path = "pages/new/verdict.html")]
struct VerdictPage {
    frame: Frame,
    steps: Vec<Step>,
    id: String,
    rows: i64,
    can: i64,
    twice: i64,
    never: i64,
    reasons: Vec<(String, i64)>,
    first: Vec<String>,
    held_for: String,
    taken_as_empty: Vec<(String, i64)>,
    back: String,
    rejects: String,
    hidden: Vec<(String, String)>,
}

/// Shows it.
pub(crate) async fn verdict(Operator(visitor): Operator, Path(id): Path<String>, asked: Query<Form>) -> Page {
    let list = list(&visitor, &id)?;
    let (form, _) = chosen(&visitor, asked).await?;
    let looked = new_campaign::look(&list, &form).await?;
    // Rules come later: here only the rows matter.
    let trial = looked.guess.clone().to_read_by();
    let found = new_campaign::verdict(&visitor.workspace, &list, &trial).await?;
    let frame = Frame::of(&visitor, "New campaign", "/campaigns").await?;
    let page = VerdictPage {
        rows: found.rows.rows,
        can: found.rows.accepted,
        twice: found.rows.duplicate,
        never: found.rows.rejected,
        reasons: found.rows.reasons.iter().map(|(code, n)| (code.replace('_', " "), *n)).collect(),
        first: found.rows.first_rejects,
        held_for: found.rows.held_for.unwrap_or_default(),
        taken_as_empty: found.rows.taken_as_empty.into_iter().collect(),
        rejects: format!("/new/{id}/rejects.csv?{}", query(&looked.guess)),
        back: format!("/new/{id}?{}", query(&looked.guess)),
        hidden: hidden(&looked.guess, &[]),
        steps: steps(3, &links(&id, &form)),
        id,
        frame,
    };
    Ok(shown(&page))
}

/// Sends the rows that cannot be called, with line and reason, as a file that can be mended.
pub(crate) async fn rejects(
    State(server): State<Server>,
    Operator(visitor): Operator,
    Path(id): Path<String>,
    asked: Query<Form>,
) -> Page {
    let list = list(&visitor, &id)?;
    let (form, _) = chosen(&visitor, asked).await?;
    let form = new_campaign::look(&list, &form).await?.guess.to_read_by();
    let file = download(&server, ("text/csv; charset=utf-8", "rejects.csv"), move |out| {
        Box::pin(async move { new_campaign::write_rejects(&visitor.workspace, &list, &form, out).await })
    });
    Ok(file?)
}
