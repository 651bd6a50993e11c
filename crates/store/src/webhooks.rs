//! Webhooks: who is told what happens, and the messages on their way to each.
//!
//! Each receiver has a place in the events, and a queue of its own: one that is slow or gone holds
//! up no other. A message is queued in the transaction that moves the place, so that it is queued
//! once.

use ringfence_domain::event::EventKind;
use ringfence_domain::{MessageState, Moment};
use serde::Serialize;

use crate::StoreError;
use crate::events::{Subject, tell};
use crate::session::{self, Arg, Row, Session, Sql, args, sql};

/// A receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebhookRow {
    /// Its id.
    pub id: i64,
    /// Its address.
    pub url: String,
    /// Events up to this one are queued, or are not for it.
    pub after_event: i64,
    /// Since when it gets nothing.
    pub disabled_at: Option<Moment>,
    /// Why.
    pub reason: Option<String>,
    /// Failures in a row.
    pub failures: i64,
    /// Messages that wait.
    pub waiting: i64,
    /// When the one that waits longest was, or is, due.
    pub oldest_due_at: Option<Moment>,
    /// Messages that were given up.
    pub dead: i64,
}

/// A message to be queued.
#[derive(Debug, Clone, Serialize)]
pub struct NewMessage {
    /// The event that it tells.
    pub event_id: i64,
    /// Its kind.
    pub kind: EventKind,
    /// What is sent.
    pub body: String,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRow {
    /// Its id.
    pub id: i64,
    /// The event that it tells.
    pub event: i64,
    /// Its kind.
    pub kind: EventKind,
    /// What is sent.
    pub body: String,
    /// Where it stands.
    pub state: MessageState,
    /// How often it was sent.
    pub tries: i64,
    /// When it is sent, or was sent last.
    pub due_at: Moment,
    /// What its receiver answered, or what went wrong.
    pub answer: Option<String>,
}

/// What came of sending a message.
#[derive(Debug, Clone)]
pub struct SentMessage {
    /// The message.
    pub message_id: i64,
    /// Where it stands now.
    pub state: MessageState,
    /// When it is sent again, if it is.
    pub due_at: Moment,
    /// What its receiver answered, or what went wrong.
    pub answer: String,
}

macro_rules! webhook {
    ($rest:literal) => {
        concat!(
            "SELECT w.id, w.url, w.after_event, w.disabled_at, w.reason, w.failures, ",
            "(SELECT count(*) FROM webhook_messages m WHERE m.webhook_id = w.id AND m.state = 'waiting') AS waiting, ",
            "(SELECT min(m.due_at) FROM webhook_messages m WHERE m.webhook_id = w.id AND m.state = 'waiting') AS oldest_due_at, ",
            "(SELECT count(*) FROM webhook_messages m WHERE m.webhook_id = w.id AND m.state = 'dead') AS dead ",
            "FROM webhooks w ", $rest
        )
    };
}

pub(crate) async fn register(session: &mut Session, url: &str) -> Result<WebhookRow, StoreError> {
    const ENTER: Sql = sql!(
        "INSERT INTO webhooks (url, after_event) SELECT $1, coalesce(max(id), 0) FROM events WHERE true ON CONFLICT DO NOTHING"
    );
    const FIND: Sql = sql!(both webhook!("WHERE w.url = $1"));
    session.run(&ENTER, args![url]).await?;
    webhook(&session.one(&FIND, args![url]).await?)
}

pub(crate) async fn list(session: &mut Session) -> Result<Vec<WebhookRow>, StoreError> {
    const LIST: Sql = sql!(both webhook!("ORDER BY w.id"));
    session.rows(&LIST, args![]).await?.iter().map(webhook).collect()
}

async fn find(session: &mut Session, id: i64) -> Result<Option<WebhookRow>, StoreError> {
    const FIND: Sql = sql!(both webhook!("WHERE w.id = $1"));
    session.row(&FIND, args![id]).await?.as_ref().map(webhook).transpose()
}

pub(crate) async fn acquire(
    session: &mut Session,
    id: i64,
    worker: &str,
    now: Moment,
    until: Moment,
) -> Result<bool, StoreError> {
    const ACQUIRE: Sql = sql!(
        "UPDATE webhooks SET worker = $2, worker_until = $4 WHERE id = $1 AND (worker = $2 OR worker IS NULL OR worker_until <= $3)"
    );
    Ok(session.run(&ACQUIRE, args![id, worker, now, until]).await? > 0)
}

pub(crate) async fn queue(
    session: &mut Session,
    id: i64,
    (after, until): (i64, i64),
    messages: &[NewMessage],
    now: Moment,
) -> Result<bool, StoreError> {
    const MOVE: Sql = sql!("UPDATE webhooks SET after_event = $3 WHERE id = $1 AND after_event = $2");
    const QUEUE: Sql = sql!(
        "INSERT INTO webhook_messages (webhook_id, event_id, kind, body, state, due_at) \
         SELECT $2, u.event_id, u.kind, u.body, 'waiting', $3 FROM"
        rows (event_id bigint, kind text, body text)
        "WHERE true ORDER BY u.event_id ON CONFLICT DO NOTHING"
    );
    if session.run(&MOVE, args![id, after, until]).await? == 0 {
        return Ok(false);
    }
    if !messages.is_empty() {
        session.run(&QUEUE, args![session::rows(messages), id, now]).await?;
    }
    Ok(true)
}

pub(crate) async fn due(
    session: &mut Session,
    id: i64,
    now: Moment,
    limit: i64,
) -> Result<Vec<MessageRow>, StoreError> {
    const DUE: Sql = sql!(
        "SELECT id, event_id, kind, body, state, tries, due_at, answer FROM webhook_messages \
         WHERE webhook_id = $1 AND state = 'waiting' AND due_at <= $2 ORDER BY due_at, id LIMIT $3"
    );
    session.rows(&DUE, args![id, now, limit]).await?.iter().map(message).collect()
}

pub(crate) async fn keep_sent(session: &mut Session, id: i64, sent: &[SentMessage]) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct SentRow<'s> {
        message_id: i64,
        state: MessageState,
        due_at: i64,
        answer: &'s str,
    }
    const KEEP: Sql = sql!(
        "UPDATE webhook_messages AS m SET state = u.state, due_at = u.due_at, answer = u.answer, tries = m.tries + 1 FROM"
        rows (message_id bigint, state text, due_at bigint, answer text)
        "WHERE m.id = u.message_id"
    );
    const FINE: Sql = sql!("UPDATE webhooks SET failures = 0 WHERE id = $1 AND failures > 0");
    const FAILED: Sql = sql!("UPDATE webhooks SET failures = failures + $2 WHERE id = $1");
    let rows = sent.iter().map(|sent| SentRow {
        message_id: sent.message_id,
        state: sent.state,
        due_at: sent.due_at.millis(),
        answer: &sent.answer,
    });
    let rows: Vec<SentRow<'_>> = rows.collect();
    session.run(&KEEP, args![session::rows(&rows)]).await?;
    let failed = sent.iter().filter(|sent| sent.state != MessageState::Delivered).count();
    if failed == sent.len() {
        session.run(&FAILED, args![id, failed as i64]).await?;
    } else {
        session.run(&FINE, args![id]).await?;
    }
    Ok(())
}

pub(crate) async fn disable(
    session: &mut Session,
    id: i64,
    reason: &str,
    now: Moment,
) -> Result<Option<WebhookRow>, StoreError> {
    const DISABLE: Sql =
        sql!("UPDATE webhooks SET disabled_at = $2, reason = $3 WHERE id = $1 AND disabled_at IS NULL");
    let changed = session.run(&DISABLE, args![id, now, reason]).await? > 0;
    let row = find(session, id).await?;
    if let Some(row) = row.as_ref().filter(|_| changed) {
        tell(EventKind::WebhookDisabled, Subject::All, Some(&format!("{}: {reason}", row.url)), now);
    }
    Ok(row)
}

pub(crate) async fn enable(session: &mut Session, id: i64, now: Moment) -> Result<Option<WebhookRow>, StoreError> {
    const ENABLE: Sql = sql!(
        "UPDATE webhooks SET disabled_at = NULL, reason = NULL, failures = 0 WHERE id = $1 AND disabled_at IS NOT NULL"
    );
    // What happened meanwhile was not for it.
    const SKIP: Sql = sql!("UPDATE webhooks SET after_event = (SELECT coalesce(max(id), 0) FROM events) WHERE id = $1");
    const AGAIN: Sql = sql!("UPDATE webhook_messages SET due_at = $2 WHERE webhook_id = $1 AND state = 'waiting'");
    let changed = session.run(&ENABLE, args![id]).await? > 0;
    if changed {
        session.run(&SKIP, args![id]).await?;
        session.run(&AGAIN, args![id, now]).await?;
    }
    let row = find(session, id).await?;
    if let Some(row) = row.as_ref().filter(|_| changed) {
        tell(EventKind::WebhookEnabled, Subject::All, Some(&row.url), now);
    }
    Ok(row)
}

pub(crate) async fn messages(
    session: &mut Session,
    id: i64,
    state: Option<MessageState>,
    before: i64,
    limit: i64,
) -> Result<Vec<MessageRow>, StoreError> {
    // By their numbers, and not by the index of what is over.
    const LIST: Sql = sql!(
        "SELECT id, event_id, kind, body, state, tries, due_at, answer FROM webhook_messages \
         WHERE webhook_id + 0 = $1 AND ($2 = '' OR state || '' = $2) AND id < $3 ORDER BY id DESC LIMIT $4"
    );
    let state = state.map_or("", MessageState::as_str);
    session.rows(&LIST, args![id, state, before, limit]).await?.iter().map(message).collect()
}

pub(crate) async fn redeliver(
    session: &mut Session,
    id: i64,
    messages: Option<&[i64]>,
    now: Moment,
) -> Result<u64, StoreError> {
    const DEAD: Sql = sql!(
        "UPDATE webhook_messages SET state = 'waiting', tries = 0, due_at = $2 WHERE webhook_id = $1 AND state = 'dead'"
    );
    const THESE: Sql = sql!(
        "UPDATE webhook_messages SET state = 'waiting', tries = 0, due_at = $3 WHERE id" ids "AND webhook_id = $2"
    );
    match messages {
        None => session.run(&DEAD, args![id, now]).await,
        Some(messages) => session.run(&THESE, args![Arg::ids(messages.iter().copied()), id, now]).await,
    }
}

pub(crate) async fn forget(
    session: &mut Session,
    state: MessageState,
    before: Moment,
    limit: i64,
) -> Result<(bool, usize), StoreError> {
    const FORGET: Sql = sql!(
        "DELETE FROM webhook_messages WHERE id IN \
         (SELECT id FROM webhook_messages WHERE state = $1 AND due_at < $2 ORDER BY due_at LIMIT $3)"
    );
    let gone = session.run(&FORGET, args![state.as_str(), before, limit]).await? as usize;
    Ok((gone as i64 == limit, gone))
}

fn webhook(row: &Row) -> Result<WebhookRow, StoreError> {
    Ok(WebhookRow {
        id: row.get("id")?,
        url: row.get("url")?,
        after_event: row.get("after_event")?,
        disabled_at: row.moment_or_none("disabled_at")?,
        reason: row.get("reason")?,
        failures: row.get("failures")?,
        waiting: row.get("waiting")?,
        oldest_due_at: row.moment_or_none("oldest_due_at")?,
        dead: row.get("dead")?,
    })
}

fn message(row: &Row) -> Result<MessageRow, StoreError> {
    Ok(MessageRow {
        id: row.get("id")?,
        event: row.get("event_id")?,
        kind: row.word("webhook_messages", "kind")?,
        body: row.get("body")?,
        state: row.word("webhook_messages", "state")?,
        tries: row.get("tries")?,
        due_at: row.moment("due_at")?,
        answer: row.get("answer")?,
    })
}
