//! Finding people, and lists of them.

use askama::Template;
use axum::extract::Query;
use ringfence_domain::{ContactState, Moment, Zone};
use ringfence_operations::search;
use ringfence_store::ContactRow;
use serde::Deserialize;

use super::frame::Frame;
use super::visitor::Visitor;
use super::{Page, shown, to};

/// The most people that a search shows.
const MOST: u32 = 50;
/// Letters of a row that a list shows.
const ROW: usize = 120;

#[derive(Template)]
#[template(path = "pages/people.html")]
struct PeoplePage {
    frame: Frame,
    words: String,
    contacts: Vec<ContactLine>,
    looked: u32,
    has_more: bool,
}

/// One person in one line.
pub(crate) struct ContactLine {
    pub(crate) id: i64,
    /// What the person is called here: the own id, or ours.
    pub(crate) name: String,
    pub(crate) phone: String,
    pub(crate) state: &'static str,
    pub(crate) reason: String,
    pub(crate) calls: u32,
    pub(crate) outcome: String,
    pub(crate) due: String,
    pub(crate) zones: String,
    pub(crate) row: String,
}

impl ContactLine {
    pub(crate) fn of(visitor: &Visitor, contact: &ContactRow, (now, zone): (Moment, Zone)) -> Self {
        let due = (contact.state == ContactState::Waiting).then(|| contact.due_at.shown_near(now, zone));
        let row: Vec<&str> = contact.fields.values().map(String::as_str).collect();
        let row = visitor.seen(&row.join(" · "));
        Self {
            id: contact.id.0,
            name: contact.external_id.as_deref().map_or(format!("#{}", contact.id), |id| visitor.seen(id)),
            phone: visitor.seen(contact.number.e164()),
            state: contact.state.as_str(),
            reason: contact.stop_reason.map(|reason| reason.as_str().replace('_', " ")).unwrap_or_default(),
            calls: contact.calls,
            outcome: contact.last_outcome.map(|outcome| outcome.as_str().replace('_', " ")).unwrap_or_default(),
            due: due.unwrap_or_default(),
            zones: contact.zones.short(),
            row: row.chars().take(ROW).collect(),
        }
    }
}

/// Who is looked for.
#[derive(Debug, Deserialize)]
pub(crate) struct PeopleQuery {
    #[serde(default)]
    q: String,
}

/// Finds people; the only one with a number or an id is shown at once.
pub(crate) async fn people(visitor: Visitor, Query(query): Query<PeopleQuery>) -> Page {
    let found = search::anybody(&visitor.workspace, &query.q, visitor.sight(), MOST).await?;
    if let ([only], true) = (found.contacts.as_slice(), found.is_exact) {
        return Ok(to(&format!("/contacts/{}", only.id)));
    }
    let frame = Frame::of(&visitor, "Contacts", "/contacts").await?;
    let now = visitor.workspace.now();
    let contacts = found.contacts.iter().map(|one| ContactLine::of(&visitor, one, (now, frame.zone))).collect();
    let has_more = found.next.is_some() || found.looked > 0 && found.contacts.len() == MOST as usize;
    Ok(shown(&PeoplePage { frame, words: query.q, contacts, looked: found.looked, has_more }))
}
