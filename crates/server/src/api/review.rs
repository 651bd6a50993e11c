//! Calls of unknown fate that wait for a person's word.

use ringfence_domain::ContactId;
use ringfence_operations::review::{self, Chosen, InReview, Settled};
use ringfence_store::ReviewAnswer;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::call::{Answer, Asked, Call, Sent, wrong};
use super::paging::{Page, Wanted};

/// Which contacts.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReviewQuery {
    /// Rows of the page, 1 to 1000; 50 without.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// Where the page begins, as the page before said.
    cursor: Option<String>,
    /// Only this campaign.
    campaign: Option<String>,
}

/// Lists the contacts in review, by id.
#[utoipa::path(get, path = "/review", tag = "review", params(ReviewQuery), security(("token" = ["viewer"])),
    responses((status = 200, description = "The contacts.", body = Page<InReview>)))]
pub(crate) async fn list_review(call: Call, Asked(query): Asked<ReviewQuery>) -> Answer {
    let wanted = Wanted::of(query.limit, query.cursor.as_deref(), &query.campaign)?;
    let after = ContactId(wanted.after_number()?.unwrap_or_default());
    let rows = review::page(&call.workspace, query.campaign.as_deref(), after, wanted.limit + 1).await?;
    call.answer(&wanted.page(rows, |row| row.contact.to_string()))
}

/// What became of calls.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SettleRequest {
    /// Whether they were placed.
    #[serde(rename = "as")]
    fate: Fate,
    /// These contacts.
    #[serde(default)]
    contacts: Vec<ContactId>,
    /// Everyone in review, instead of `contacts`.
    #[serde(default)]
    all: bool,
    /// Only this campaign.
    #[serde(default)]
    campaign: Option<String>,
}

/// A person's word on a call.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Fate {
    /// It was made: nobody calls again.
    Placed,
    /// It was not: the contact may be called.
    NotPlaced,
}

/// Takes a person's word for what became of calls.
#[utoipa::path(post, path = "/review", tag = "review", security(("token" = ["operator"])), request_body = SettleRequest,
    responses((status = 200, description = "They are settled.", body = Settled)))]
pub(crate) async fn settle_review(call: Call, Sent(sent): Sent<SettleRequest>) -> Answer {
    let chosen = match (sent.all, sent.contacts) {
        (true, contacts) if contacts.is_empty() => Chosen::All,
        (false, contacts) if !contacts.is_empty() => Chosen::These(contacts),
        _ => return Err(wrong("/contacts", "name the contacts, or send \"all\": true")),
    };
    let verdict = match sent.fate {
        Fate::Placed => ReviewAnswer::Placed,
        Fate::NotPlaced => ReviewAnswer::NotPlaced,
    };
    call.answer(&review::settle(&call.workspace, sent.campaign.as_deref(), chosen, verdict).await?)
}
