//! Webhooks: who is told what happens, what waits for them, and sending it once more.

mod sender;
mod signature;

use ringfence_domain::event::EventKind;
use ringfence_domain::{MessageState, Moment};
use ringfence_store::{MessageRow, WebhookRow};
use serde::Serialize;

use crate::error::Error;
use crate::workspace::Workspace;

pub use sender::send_all;
pub use signature::signature;

/// A receiver, as people see it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ListedWebhook {
    /// Its id.
    pub id: i64,
    /// Its address.
    pub url: String,
    /// Whether the configuration of this process names it.
    pub configured: bool,
    /// The kinds of events that it is told, where it is configured.
    pub events: Vec<EventKind>,
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

/// A message of a receiver.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ListedMessage {
    /// Its id, by which it is sent once more.
    pub id: i64,
    /// Its `webhook-id`.
    pub message: String,
    /// The kind of its event.
    #[serde(rename = "type")]
    pub kind: EventKind,
    /// Where it stands.
    pub state: MessageState,
    /// How often it was sent.
    pub tries: i64,
    /// When it is sent, or was sent last.
    pub at: Moment,
    /// What its receiver answered, or what went wrong.
    pub answer: Option<String>,
}

/// Messages that are sent once more.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct Redelivered {
    /// How many.
    pub messages: u64,
}

impl From<MessageRow> for ListedMessage {
    fn from(row: MessageRow) -> Self {
        let message = format!("evt_{}", row.event);
        let MessageRow { id, kind, state, tries, due_at, answer, .. } = row;
        Self { id, message, kind, state, tries, at: due_at, answer }
    }
}

fn listed(workspace: &Workspace, row: WebhookRow) -> ListedWebhook {
    let own = workspace.config.webhooks.iter().find(|webhook| webhook.url == row.url);
    let WebhookRow { id, url, disabled_at, reason, failures, waiting, oldest_due_at, dead, .. } = row;
    ListedWebhook {
        configured: own.is_some(),
        events: own.map(|webhook| webhook.events.clone()).unwrap_or_default(),
        id,
        url,
        disabled_at,
        reason,
        failures,
        waiting,
        oldest_due_at,
        dead,
    }
}

/// Returns all receivers.
pub async fn list(workspace: &Workspace) -> Result<Vec<ListedWebhook>, Error> {
    Ok(workspace.store.webhooks().await?.into_iter().map(|row| listed(workspace, row)).collect())
}

/// Returns one receiver.
pub async fn one(workspace: &Workspace, id: i64) -> Result<ListedWebhook, Error> {
    let found = workspace.store.webhooks().await?.into_iter().find(|row| row.id == id);
    found.map(|row| listed(workspace, row)).ok_or_else(|| missing(id))
}

fn missing(id: i64) -> Error {
    Error::missing(format!("there is no webhook {id}"), "`ringfence webhooks` lists them")
}

/// Returns messages of a receiver, the newest first, before a message.
pub async fn messages(
    workspace: &Workspace,
    id: i64,
    state: Option<MessageState>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<ListedMessage>, Error> {
    one(workspace, id).await?;
    let rows = workspace.store.messages(id, state, before.unwrap_or(i64::MAX), i64::from(limit)).await?;
    Ok(rows.into_iter().map(ListedMessage::from).collect())
}

/// Sends messages once more: these, or all that were given up.
pub async fn redeliver(workspace: &Workspace, id: i64, these: Option<Vec<i64>>) -> Result<Redelivered, Error> {
    one(workspace, id).await?;
    Ok(Redelivered { messages: workspace.store.redeliver(id, these, workspace.now()).await? })
}

/// Gives a receiver messages again.
pub async fn enable(workspace: &Workspace, id: i64) -> Result<ListedWebhook, Error> {
    let row = workspace.store.enable_webhook(id, workspace.now()).await?;
    row.map(|row| listed(workspace, row)).ok_or_else(|| missing(id))
}

/// Gives a receiver no more messages.
pub async fn disable(workspace: &Workspace, id: i64, reason: &str) -> Result<ListedWebhook, Error> {
    let row = workspace.store.disable_webhook(id, reason.to_owned(), workspace.now()).await?;
    row.map(|row| listed(workspace, row)).ok_or_else(|| missing(id))
}
