//! What was done, by whom and from where, with what it was before and after; and what happened by
//! itself.

use askama::Template;
use axum::extract::Query;
use ringfence_domain::Scope;
use ringfence_domain::event::Event;
use ringfence_operations::events;
use ringfence_store::{EventFilter, EventScope};
use serde::Deserialize;

use super::frame::Frame;
use super::visitor::Visitor;
use super::{Page, shown};

/// Lines of a page.
const LINES: u32 = 50;

#[derive(Template)]
#[template(path = "pages/changes.html")]
struct ChangesPage {
    frame: Frame,
    by_people: bool,
    lines: Vec<ChangeLine>,
    older: String,
    may_audit: bool,
}

struct ChangeLine {
    at: String,
    what: String,
    who: String,
    origin: String,
    before: String,
    after: String,
    is_trouble: bool,
}

/// Which changes.
#[derive(Debug, Deserialize)]
pub(crate) struct ChangesQuery {
    #[serde(default)]
    before: Option<i64>,
    /// `people`: only what people asked for, which is for admins.
    #[serde(default)]
    by: String,
}

/// Shows them, the newest first.
pub(crate) async fn changes(visitor: Visitor, Query(query): Query<ChangesQuery>) -> Page {
    let by_people = query.by == "people";
    if by_people {
        visitor.needs(Scope::Admin)?;
    }
    let may_audit = visitor.may(Scope::Admin);
    let frame = Frame::of(&visitor, "Changes", "/changes").await?;
    let scope = if by_people { EventScope::ByPeople } else { EventScope::Changes };
    let filter = EventFilter { scope, ..EventFilter::default() };
    let rows = events::latest(&visitor.workspace, filter, query.before, LINES).await?;
    let line = |event: &Event| {
        let value = |value: &Option<serde_json::Value>| {
            value.as_ref().filter(|_| may_audit).map(|value| visitor.seen(&value.to_string())).unwrap_or_default()
        };
        ChangeLine {
            at: frame.moment(event.at),
            what: visitor.seen(&event.to_string()),
            who: event.who.clone(),
            // Where a person sits is for admins.
            origin: event.origin.clone().filter(|_| may_audit).unwrap_or_default(),
            before: value(&event.before),
            after: value(&event.after),
            is_trouble: event.kind.is_trouble(),
        }
    };
    let lines = rows.iter().map(line).collect();
    let by = if by_people { "by=people&" } else { "" };
    let older = rows.last().filter(|_| rows.len() == LINES as usize);
    let older = older.map(|event| format!("/changes?{by}before={}", event.id)).unwrap_or_default();
    Ok(shown(&ChangesPage { frame, by_people, lines, older, may_audit }))
}
