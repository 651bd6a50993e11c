//! STOP, on every page.

use askama::Template;
use ringfence_operations::stop::{self as switch, CallOut};
use serde::Deserialize;

use super::frame::{Frame, moment};
use super::sent::Sent;
use super::visitor::Operator;
use super::{Page, shown, to};

#[derive(Template)]
#[template(path = "pages/stopped.html")]
struct StoppedPage {
    frame: Frame,
    cancelled: usize,
    out: Vec<Out>,
}

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

/// Stops everything, and shows which calls are out.
pub(crate) async fn stop(Operator(visitor): Operator, Sent(form): Sent<StopForm>) -> Page {
    let reason = form.reason.trim().chars().take(1_000).collect::<String>();
    let reason = if reason.is_empty() { format!("by {}", visitor.name()) } else { reason };
    let stopped = switch::stop(&visitor.workspace, &reason).await?;
    let out = stopped.calls_out.iter().map(Out::of).collect();
    let frame = Frame::of(&visitor, "Stopped", "").await?;
    Ok(shown(&StoppedPage { frame, cancelled: stopped.cancelled, out }))
}

/// Lifts the stop.
pub(crate) async fn start(Operator(visitor): Operator) -> Page {
    switch::start(&visitor.workspace).await?;
    Ok(to("/"))
}

impl Out {
    fn of(call: &CallOut) -> Self {
        Self {
            lane: call.lane.clone(),
            phone: call.number.to_string(),
            since: moment(call.since, call.zone),
            unknown: call.unknown,
        }
    }
}
