//! One decision for all contacts that a filter lets through: how many they are is said first, and
//! more than a hundred must be typed.

use askama::Template;
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use ringfence_domain::{ContactId, ContactState};
use ringfence_operations::by_hand;
use serde::Deserialize;

use super::super::campaigns::part;
use super::super::frame::Frame;
use super::super::sent::Sent;
use super::super::visitor::Operator;
use super::super::{Page, PageError, shown, to};
use super::contacts::ContactsQuery;
use super::{Head, Looked, look};

/// From this many on the number must be typed.
const TYPED: usize = 100;

/// What is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Decision {
    /// They are stopped.
    Stop,
    /// Their numbers go onto everyone's do-not-call list.
    Forbid,
}

#[derive(Template)]
#[template(path = "pages/campaign/bulk.html")]
struct BulkPage {
    frame: Frame,
    head: Head,
    query: ContactsQuery,
    decision: &'static str,
    says: &'static str,
    button: &'static str,
    /// How many it would change.
    people: usize,
    /// How many match in all.
    matching: usize,
    out: usize,
    must_type: bool,
}

/// What is to be done, for whom, and how many were said to be.
#[derive(Debug, Deserialize)]
pub(crate) struct BulkForm {
    decision: Decision,
    #[serde(flatten)]
    query: ContactsQuery,
    people: usize,
    #[serde(default)]
    typed: String,
    #[serde(default)]
    reason: String,
}

/// What is asked.
#[derive(Debug, Deserialize)]
pub(crate) struct BulkQuery {
    decision: Decision,
    #[serde(flatten)]
    query: ContactsQuery,
}

/// Says whom it would change. Changes nothing.
pub(crate) async fn ask(Operator(visitor): Operator, Path(name): Path<String>, Query(asked): Query<BulkQuery>) -> Page {
    let (filter, narrow) = asked.query.filters(&visitor)?;
    let Looked { frame, head, .. } = look(&visitor, &name, "/contacts").await?;
    let found = by_hand::matching(&visitor.workspace, &name, (filter, &narrow)).await?;
    let is_over = |state: ContactState| matches!(state, ContactState::Done | ContactState::Stopped);
    let people = match asked.decision {
        Decision::Stop => found.iter().filter(|contact| !is_over(contact.state)).count(),
        Decision::Forbid => found.len(),
    };
    let (decision, says, button) = match asked.decision {
        Decision::Stop => ("stop", "They are not called any more in this run.", "Stop them"),
        Decision::Forbid => (
            "forbid",
            "All their numbers go onto everyone's do-not-call list: no campaign calls them.",
            "Put them on the list",
        ),
    };
    let page = BulkPage {
        out: found.iter().filter(|contact| contact.state == ContactState::Active).count(),
        matching: found.len(),
        must_type: people > TYPED,
        query: asked.query,
        people,
        decision,
        says,
        button,
        head,
        frame,
    };
    Ok(shown(&page))
}

/// Does it, when they are as many as were said.
pub(crate) async fn decide(Operator(visitor): Operator, Path(name): Path<String>, Sent(form): Sent<BulkForm>) -> Page {
    let (filter, narrow) = form.query.filters(&visitor)?;
    if form.people > TYPED && form.typed.trim() != form.people.to_string() {
        let says = format!("nothing was done: type {} to confirm", form.people);
        return Err(PageError::new(StatusCode::UNPROCESSABLE_ENTITY, says));
    }
    let mut found = by_hand::matching(&visitor.workspace, &name, (filter, &narrow)).await?;
    if form.decision == Decision::Stop {
        found.retain(|contact| !matches!(contact.state, ContactState::Done | ContactState::Stopped));
    }
    // Calls end while somebody reads; more people than were said is another matter.
    if found.len() > form.people {
        let says = format!("nothing was done: they are {} by now, and {} were said", found.len(), form.people);
        return Err(PageError::new(StatusCode::CONFLICT, says));
    }
    let reason = form.reason.trim();
    match form.decision {
        Decision::Stop => {
            let ids: Vec<ContactId> = found.iter().map(|contact| contact.id).collect();
            let reason = if reason.is_empty() { format!("by {}", visitor.name()) } else { reason.to_owned() };
            by_hand::stop(&visitor.workspace, &ids, &reason).await?;
        }
        Decision::Forbid => {
            let ids: Vec<ContactId> = found.iter().map(|contact| contact.id).collect();
            by_hand::forbid(&visitor.workspace, &ids, (!reason.is_empty()).then_some(reason)).await?;
        }
    }
    Ok(to(&format!("/campaigns/{}/contacts?{}", part(&name), form.query.address())))
}
