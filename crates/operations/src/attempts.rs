//! The attempts of a campaign's current run, and single ones.

use std::collections::BTreeMap;

use ringfence_domain::{AttemptId, AttemptState, ContactId, Moment, Outcome};
use ringfence_store::{AttemptRow, ContactFilter};
use serde::Serialize;
use serde_json::Value;

use crate::amount::amount;
use crate::error::Error;
use crate::workspace::Workspace;

/// One attempt of a list.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct ListedAttempt {
    /// Its id.
    pub id: AttemptId,
    /// Its contact.
    pub contact: ContactId,
    /// The number that it is for, once that is certain.
    pub phone: Option<String>,
    /// Its state.
    pub state: AttemptState,
    /// How its call ended.
    pub outcome: Option<Outcome>,
    /// When it was planned.
    pub opened_at: Moment,
    /// When it was sent.
    pub sent_at: Option<Moment>,
    /// When its call was over.
    pub ended_at: Option<Moment>,
    /// What it is called towards the vendor.
    pub reference: String,
    /// The vendor's name for the call.
    pub call_id: Option<String>,
    /// Why it was not sent, refused, or is unknown.
    pub cause: Option<String>,
    /// The vendor's own word for how it ended.
    pub vendor_status: Option<String>,
    /// Seconds talked.
    pub duration_s: Option<i64>,
    /// The vendor's charge: decimal, as text so that nothing is rounded.
    pub cost: Option<String>,
    /// Its currency.
    pub currency: Option<String>,
    /// What the agent collected.
    pub out: BTreeMap<String, Value>,
    /// The recording.
    pub recording_url: Option<String>,
    /// When the link to it expires.
    pub recording_expires_at: Option<Moment>,
    /// The transcript.
    pub transcript_url: Option<String>,
    /// When the link to it expires.
    pub transcript_expires_at: Option<Moment>,
}

impl From<AttemptRow> for ListedAttempt {
    fn from(row: AttemptRow) -> Self {
        Self {
            id: row.id,
            contact: row.contact,
            phone: row.number.map(|number| number.e164().to_owned()),
            state: row.state,
            outcome: row.outcome,
            opened_at: row.opened_at,
            sent_at: row.sending_at,
            ended_at: row.ended_at,
            reference: row.reference,
            call_id: row.call_id,
            cause: row.cause,
            vendor_status: row.vendor_status,
            duration_s: row.talk_seconds,
            cost: row.cost_micros.map(amount),
            currency: row.currency,
            out: row.outputs,
            recording_url: row.recording_url,
            recording_expires_at: row.recording_expires_at,
            transcript_url: row.transcript_url,
            transcript_expires_at: row.transcript_expires_at,
        }
    }
}

/// Returns the next attempts of a campaign's current run after `after`, by id.
pub async fn page(
    workspace: &Workspace,
    campaign: &str,
    filter: ContactFilter,
    after: AttemptId,
    limit: u32,
) -> Result<Vec<ListedAttempt>, Error> {
    let run = workspace.campaign(campaign).await?.run;
    let rows = workspace.store.attempts(run, filter, after, limit).await?;
    Ok(rows.into_iter().map(ListedAttempt::from).collect())
}

/// Returns one attempt.
pub async fn one(workspace: &Workspace, id: AttemptId) -> Result<ListedAttempt, Error> {
    let found = workspace.store.attempt(id).await?;
    found.map(ListedAttempt::from).ok_or_else(|| Error::missing(format!("there is no attempt {id}"), "list them"))
}
