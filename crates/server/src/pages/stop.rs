//! STOP, on every page.

use askama::Template;
use axum::extract::Query;
use ringfence_operations::stop::{self as switch, CallOut};
use serde::Deserialize;

use super::frame::{Frame, moment};
use super::sent::Sent;
use super::visitor::{Operator, Visitor};
use super::{Page, shown, to};

#[derive(Template)]
#[template(path = "pages/stopped.html")]
struct StoppedPage {
    frame: Frame,
    cancelled: usize,
    out: Vec<Out>,
    more: usize,
}

/// Calls that are shown.
const SHOWN: usize = 200;

struct Out {
    lane: String,
    phone: String,
    since: String,
    unknown: bool,
}

/// Why it is done, for the record.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct StopForm {
    #[serde(default)]
    reason: String,
}

/// How many calls the vendors ended when everything was stopped.
#[derive(Debug, Deserialize)]
pub(crate) struct OutQuery {
    #[serde(default)]
    ended: usize,
}

/// Shows which calls are out.
pub(crate) async fn calls_out(visitor: Visitor, Query(query): Query<OutQuery>) -> Page {
    let calls = switch::out(&visitor.workspace).await?;
    let frame = Frame::of(&visitor, "Calls that are out", "").await?.live();
    let out = calls.iter().take(SHOWN).map(|call| Out::of(&visitor, call)).collect();
    Ok(shown(&StoppedPage { frame, cancelled: query.ended, out, more: calls.len().saturating_sub(SHOWN) }))
}

/// Stops everything, and shows which calls are out.
pub(crate) async fn stop(Operator(visitor): Operator, Sent(form): Sent<StopForm>) -> Page {
    let reason = form.reason.trim().chars().take(1_000).collect::<String>();
    let reason = if reason.is_empty() { format!("by {}", visitor.name()) } else { reason };
    let stopped = switch::stop(&visitor.workspace, &reason).await?;
    Ok(to(&format!("/stop?ended={}", stopped.cancelled)))
}

/// Lifts the stop.
pub(crate) async fn start(Operator(visitor): Operator) -> Page {
    switch::start(&visitor.workspace).await?;
    Ok(to("/"))
}

impl Out {
    fn of(visitor: &Visitor, call: &CallOut) -> Self {
        Self {
            lane: call.lane.clone(),
            phone: visitor.seen(call.number.e164()),
            since: moment(call.since, call.zone),
            unknown: call.unknown,
        }
    }
}
