//! What happened, line by line, the newest first.

use ringfence_domain::event::{Event, EventKind};
use ringfence_domain::phone::mask_numbers;
use ringfence_domain::{Moment, Zone};
use ringfence_operations::outbox::{self, Message};
use ringfence_operations::{Error, events};
use ringfence_store::EventFilter;

use super::visitor::Visitor;

/// One line.
#[derive(Debug)]
pub(crate) struct FeedLine {
    pub(crate) id: i64,
    pub(crate) at: String,
    /// Whose call it was: its contact, and the last digits of the number.
    pub(crate) contact: Option<(i64, String)>,
    pub(crate) what: String,
    pub(crate) who: String,
    pub(crate) is_trouble: bool,
}

/// Reads the last lines before `before`.
pub(crate) async fn latest(
    visitor: &Visitor,
    filter: EventFilter,
    (before, limit): (Option<i64>, u32),
    (now, zone): (Moment, Zone),
) -> Result<Vec<FeedLine>, Error> {
    let mut found = events::latest(&visitor.workspace, filter, before, limit).await?;
    // The end of the call says it already.
    found.retain(|event| event.kind != EventKind::ContactFinished);
    let messages = outbox::messages(&visitor.workspace.store, &found, true).await?;
    let line = |(event, message): (&Event, &Message)| FeedLine {
        id: event.id,
        at: event.at.shown_near(now, zone),
        contact: event.contact.map(|contact| (contact.0, mask_numbers(text(message, "phone")))),
        what: visitor.seen(&what(event, message)),
        who: if event.origin.is_some() { event.who.clone() } else { String::new() },
        is_trouble: event.kind.is_trouble(),
    };
    Ok(found.iter().zip(&messages).map(line).collect())
}

fn what(event: &Event, message: &Message) -> String {
    if event.kind != EventKind::CallEnded {
        return event.to_string();
    }
    let talk = message.data.get("duration_s").and_then(serde_json::Value::as_i64).filter(|seconds| *seconds > 0);
    let talk = talk.map(|seconds| format!(", {seconds} s")).unwrap_or_default();
    let campaign = event.campaign.as_deref().unwrap_or_default();
    format!("{}{talk} · {campaign}", text(message, "outcome").replace('_', " "))
}

fn text<'m>(message: &'m Message, name: &str) -> &'m str {
    message.data.get(name).and_then(serde_json::Value::as_str).unwrap_or_default()
}

/// The address of older lines than these, below `base`; empty when these are the oldest.
pub(crate) fn older(feed: &[FeedLine], limit: u32, base: &str) -> String {
    let last = feed.last().filter(|_| feed.len() == limit as usize);
    last.map(|line| format!("{base}before={}", line.id)).unwrap_or_default()
}
