//! Webhooks: who is told what happens, and the messages on their way.

use ringfence_domain::{MessageState, Moment};

use super::transitions;
use crate::webhooks;
use crate::webhooks::{MessageRow, NewMessage, SentMessage, WebhookRow};

transitions! {
    /// Enters a receiver; what happened before is not for it. One that is known stays as it is.
    write register_webhook(url: String) -> WebhookRow = |session| webhooks::register(session, &url);
    /// All receivers, with how many messages wait for each and how many were given up.
    read webhooks() -> Vec<WebhookRow> = |session| webhooks::list(session);
    /// Makes this process the one that sends to a receiver until a moment; false when another is.
    write take_webhook(id: i64, worker: String, now: Moment, until: Moment) -> bool =
        |session| webhooks::acquire(session, id, &worker, now, until);
    /// Queues the messages of the events up to `until`, unless that was done meanwhile.
    write queue_messages(id: i64, after: i64, until: i64, messages: Vec<NewMessage>, now: Moment) -> bool =
        |session| webhooks::queue(session, id, (after, until), &messages, now);
    /// The next messages that are due, the one that waited longest first.
    read due_messages(id: i64, now: Moment, limit: i64) -> Vec<MessageRow> = |session| webhooks::due(session, id, now, limit);
    /// Keeps what came of sending messages to a receiver.
    write keep_sent(id: i64, sent: Vec<SentMessage>) -> () = |session| webhooks::keep_sent(session, id, &sent);
    /// Gives a receiver no more messages; it said so, or a person does.
    write disable_webhook(id: i64, reason: String, now: Moment) -> Option<WebhookRow> =
        |session| webhooks::disable(session, id, &reason, now);
    /// Gives a receiver messages again: those that wait, and what happens from now on.
    write enable_webhook(id: i64, now: Moment) -> Option<WebhookRow> = |session| webhooks::enable(session, id, now);
    /// The messages of a receiver in a state, the newest first, before a message.
    read messages(id: i64, state: Option<MessageState>, before: i64, limit: i64) -> Vec<MessageRow> =
        |session| webhooks::messages(session, id, state, before, limit);
    /// Sends messages of a receiver once more: these, or all that were given up. Returns how many.
    write redeliver(id: i64, messages: Option<Vec<i64>>, now: Moment) -> u64 =
        |session| webhooks::redeliver(session, id, messages.as_deref(), now);
    /// Forgets messages that were delivered, or given up, before a moment, some at a time. Returns
    /// whether there may be more.
    bulk forget_messages(state: MessageState, before: Moment) -> bool =
        |session, limit| webhooks::forget(session, state, before, limit);
}
