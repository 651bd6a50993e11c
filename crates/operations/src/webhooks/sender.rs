//! Sending what happens to its receivers: each has a queue and a sender of its own, so that one
//! that is slow or gone holds up no other, and nobody's calls.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use ringfence_crash as crash;
use ringfence_domain::{Clock, MessageState, Moment, Span};
use ringfence_intake::config::Webhook;
use ringfence_providers::{HttpTransport, Transport};
use ringfence_store::{Database, EventFilter, EventScope, MessageRow, NewMessage, SentMessage, StoreError, WebhookRow};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::signature;
use crate::outbox;

/// How often the events are looked at.
const LOOK: Duration = Duration::from_millis(500);
/// Events that are read at once, and messages that are sent at once.
const PAGE: i64 = 500;
const AT_ONCE: i64 = 16;
/// A sender that says nothing for this long is taken to be gone.
const LEASE: Span = Span::from_secs(60);
/// A receiver that failed this often in a row gets one message at a time.
const FAILING: i64 = 5;
/// The waits before each further try; after the last the message is given up.
const WAITS: [Span; 7] = [
    Span::from_secs(5),
    Span::from_minutes(5),
    Span::from_minutes(30),
    Span::from_hours(2),
    Span::from_hours(5),
    Span::from_hours(10),
    Span::from_hours(10),
];

/// How long messages are kept that were delivered, or given up, and how often they are forgotten.
const DELIVERED_KEPT: Span = Span::from_days(7);
const DEAD_KEPT: Span = Span::from_days(30);
const FORGET_EVERY: Duration = Duration::from_mins(10);

/// Sends events to every receiver of the configuration, until `stop`.
pub async fn send_all(
    store: Arc<Database>,
    clock: Arc<dyn Clock>,
    webhooks: Vec<Webhook>,
    process: String,
    stop: CancellationToken,
) {
    let mut senders = JoinSet::new();
    for webhook in webhooks {
        let sender = HttpTransport::to_receivers(webhook.allow_private).map(|transport| Sender {
            store: store.clone(),
            clock: clock.clone(),
            webhook,
            transport,
            process: process.clone(),
        });
        match sender {
            Ok(sender) => drop(senders.spawn(sender.run(stop.clone()))),
            Err(error) => tracing::error!("a webhook is told nothing: {error}"),
        }
    }
    let forgetting = async {
        loop {
            if let Err(error) = forget(&store, clock.read().now).await {
                tracing::debug!(%error, "old messages stay for now: {error}");
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(FORGET_EVERY) => {}
            }
        }
    };
    let sending = async { while senders.join_next().await.is_some() {} };
    tokio::join!(sending, forgetting);
}

/// Forgets messages that nobody asks for any more.
async fn forget(store: &Database, now: Moment) -> Result<(), StoreError> {
    while store.forget_messages(MessageState::Delivered, now - DELIVERED_KEPT).await? {}
    while store.forget_messages(MessageState::Dead, now - DEAD_KEPT).await? {}
    Ok(())
}

/// The sender of one receiver.
struct Sender {
    store: Arc<Database>,
    clock: Arc<dyn Clock>,
    webhook: Webhook,
    transport: Arc<HttpTransport>,
    process: String,
}

impl Sender {
    async fn run(self, stop: CancellationToken) {
        let mut known = None;
        loop {
            let busy = match self.step(&mut known).await {
                Ok(busy) => busy,
                Err(error) => {
                    tracing::debug!(%error, url = self.webhook.url, "a webhook waits: {error}");
                    false
                }
            };
            if busy && !stop.is_cancelled() {
                continue;
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    }

    /// Queues what happened and sends what is due. Returns whether there may be more at once.
    async fn step(&self, known: &mut Option<i64>) -> Result<bool, StoreError> {
        let now = self.clock.read().now;
        let id = match *known {
            Some(id) => id,
            None => known.insert(self.store.register_webhook(self.webhook.url.clone()).await?.id).to_owned(),
        };
        if !self.store.take_webhook(id, self.process.clone(), now, now + LEASE).await? {
            return Ok(false);
        }
        let Some(row) = self.store.webhooks().await?.into_iter().find(|row| row.id == id) else { return Ok(false) };
        if row.disabled_at.is_some() {
            return Ok(false);
        }
        let queued = self.queue(&row, now).await?;
        let limit = if row.failures >= FAILING { 1 } else { AT_ONCE };
        let due = self.store.due_messages(id, now, limit).await?;
        let sent = !due.is_empty();
        if sent {
            self.send(id, due).await?;
        }
        Ok(queued || (sent && limit > 1))
    }

    /// Makes messages of the next events.
    async fn queue(&self, row: &WebhookRow, now: Moment) -> Result<bool, StoreError> {
        let filter = EventFilter { after: row.after_event, scope: EventScope::WithCalls, ..EventFilter::default() };
        let mut events = self.store.events(filter, PAGE).await?;
        let Some(last) = events.last().map(|event| event.id) else { return Ok(false) };
        let is_full = events.len() as i64 == PAGE;
        events.retain(|event| self.webhook.events.contains(&event.kind));
        let messages = match outbox::messages(&self.store, &events, self.webhook.include_phone).await {
            Ok(messages) => messages,
            Err(error) => {
                tracing::debug!(%error, "messages are made later: {error}");
                return Ok(false);
            }
        };
        let new = messages.into_iter().map(|message| NewMessage {
            event_id: message.event,
            kind: message.kind,
            body: serde_json::to_string(&message).unwrap_or_default(),
        });
        self.store.queue_messages(row.id, row.after_event, last, new.collect(), now).await?;
        Ok(is_full)
    }

    async fn send(&self, id: i64, due: Vec<MessageRow>) -> Result<(), StoreError> {
        let mut sending = JoinSet::new();
        for message in due {
            let (transport, webhook, now) = (self.transport.clone(), self.webhook.clone(), self.clock.read().now);
            sending.spawn(async move {
                let answer = post(&*transport, &webhook, &message, now).await;
                (message, answer)
            });
        }
        let (mut sent, mut gone) = (Vec::new(), false);
        while let Some(done) = sending.join_next().await {
            let Ok((message, answer)) = done else { continue };
            gone |= answer == Answer::Gone;
            sent.push(self.outcome(&message, answer));
        }
        crash::point("deliver", "answered");
        let now = self.clock.read().now;
        self.store.keep_sent(id, sent).await?;
        if gone {
            self.store.disable_webhook(id, "its receiver answered 410 Gone".to_owned(), now).await?;
        }
        Ok(())
    }

    fn outcome(&self, message: &MessageRow, answer: Answer) -> SentMessage {
        let now = self.clock.read().now;
        let (state, due_at, answer) = match answer {
            Answer::Taken(status) => (MessageState::Delivered, now, status),
            Answer::Gone => (MessageState::Waiting, now, "410 Gone".to_owned()),
            Answer::Failed(why) => {
                let wait = wait(message);
                if wait.is_none() {
                    tracing::warn!(url = self.webhook.url, "a message was given up, evt_{}: {why}", message.event);
                }
                let state = if wait.is_some() { MessageState::Waiting } else { MessageState::Dead };
                (state, now + wait.unwrap_or(Span::ZERO), why)
            }
        };
        SentMessage { message_id: message.id, state, due_at, answer }
    }
}

/// How long to wait before the next try: a little more for some than for others, so that not all
/// come at once. None: it is given up.
fn wait(message: &MessageRow) -> Option<Span> {
    let wait = *WAITS.get(usize::try_from(message.tries).ok()?)?;
    let share = message.id.unsigned_abs().wrapping_mul(2_654_435_761) % 100;
    Some(Span::from_millis(wait.millis() + wait.millis() * share as i64 / 1_000))
}

/// What a receiver said.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    /// It took the message.
    Taken(String),
    /// It wants no more.
    Gone,
    /// It did not, for now.
    Failed(String),
}

async fn post(transport: &dyn Transport, webhook: &Webhook, message: &MessageRow, now: Moment) -> Answer {
    let id = format!("evt_{}", message.event);
    let request = http::Request::post(&webhook.url)
        .header("content-type", "application/json")
        .header("webhook-id", &id)
        .header("webhook-timestamp", (now.millis() / 1_000).to_string())
        .header("webhook-signature", signature(&webhook.secrets, &id, now, &message.body))
        .body(Bytes::from(message.body.clone()));
    let request = match request {
        Ok(request) => request,
        Err(error) => return Answer::Failed(error.to_string()),
    };
    match transport.send(request).await {
        Ok(answer) if answer.status().is_success() => Answer::Taken(answer.status().to_string()),
        Ok(answer) if answer.status() == http::StatusCode::GONE => Answer::Gone,
        Ok(answer) => Answer::Failed(answer.status().to_string()),
        Err(error) => Answer::Failed(error.to_string()),
    }
}
