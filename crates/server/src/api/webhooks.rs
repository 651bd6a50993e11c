//! Webhooks: who is told what happens, and sending it once more.

use axum::extract::Path;
use ringfence_domain::MessageState;
use ringfence_operations::webhooks::{self, ListedMessage, ListedWebhook, Redelivered};
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::call::{Answer, Asked, Call, Sent, wrong};
use super::campaigns::ReasonRequest;
use super::paging::{Page, Wanted};

/// Lists the receivers of events.
#[utoipa::path(get, path = "/webhooks", tag = "webhooks", security(("token" = ["operator"])),
    responses((status = 200, description = "The receivers.", body = Vec<ListedWebhook>)))]
pub(crate) async fn list_webhooks(call: Call) -> Answer {
    call.answer(&webhooks::list(&call.workspace).await?)
}

/// Which messages.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct MessageQuery {
    /// Rows of the page, 1 to 1000; 50 without.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// Where the page begins, as the page before said.
    cursor: Option<String>,
    /// Only messages in this state.
    #[param(inline)]
    state: Option<MessageState>,
}

/// Lists the messages of a receiver, the newest first.
#[utoipa::path(get, path = "/webhooks/{id}/messages", tag = "webhooks", security(("token" = ["operator"])),
    params(("id" = i64, Path, description = "The receiver."), MessageQuery),
    responses((status = 200, description = "The messages.", body = Page<ListedMessage>)))]
pub(crate) async fn webhook_messages(call: Call, Path(id): Path<i64>, Asked(query): Asked<MessageQuery>) -> Answer {
    let wanted = Wanted::of(query.limit, query.cursor.as_deref(), (id, query.state))?;
    let before = wanted.after_number()?;
    let rows = webhooks::messages(&call.workspace, id, query.state, before, wanted.limit + 1).await?;
    call.answer(&wanted.page(rows, |row| row.id.to_string()))
}

/// Which messages to send once more.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RedeliverRequest {
    /// These messages; without them all that were given up.
    #[serde(default)]
    #[schema(max_items = 1000)]
    messages: Option<Vec<i64>>,
}

/// Sends messages once more: these, or all that were given up.
#[utoipa::path(post, path = "/webhooks/{id}/redeliver", tag = "webhooks", params(("id" = i64, Path, description = "The receiver.")),
    security(("token" = ["operator"])), request_body = RedeliverRequest,
    responses((status = 200, description = "They wait to be sent.", body = Redelivered)))]
pub(crate) async fn redeliver_messages(call: Call, Path(id): Path<i64>, Sent(sent): Sent<RedeliverRequest>) -> Answer {
    if sent.messages.as_ref().is_some_and(|messages| messages.len() > 1_000) {
        return Err(wrong("/messages", "name at most 1000 messages"));
    }
    call.answer(&webhooks::redeliver(&call.workspace, id, sent.messages).await?)
}

/// Gives a receiver messages again.
#[utoipa::path(post, path = "/webhooks/{id}/enable", tag = "webhooks", params(("id" = i64, Path, description = "The receiver.")),
    security(("token" = ["admin"])), responses((status = 200, description = "It gets messages again.", body = ListedWebhook)))]
pub(crate) async fn enable_webhook(call: Call, Path(id): Path<i64>) -> Answer {
    call.answer(&webhooks::enable(&call.workspace, id).await?)
}

/// Gives a receiver no more messages.
#[utoipa::path(post, path = "/webhooks/{id}/disable", tag = "webhooks", params(("id" = i64, Path, description = "The receiver.")),
    security(("token" = ["admin"])), request_body = ReasonRequest,
    responses((status = 200, description = "It gets no more.", body = ListedWebhook)))]
pub(crate) async fn disable_webhook(call: Call, Path(id): Path<i64>, Sent(sent): Sent<ReasonRequest>) -> Answer {
    let reason = sent.or_caller(&call)?;
    call.answer(&webhooks::disable(&call.workspace, id, &reason).await?)
}
