//! The contacts of a campaign's current run.

use std::collections::BTreeMap;

use ringfence_domain::{ContactId, ContactState, ImportId, Moment, Outcome, StopReason};
use ringfence_store::{ContactFilter, ContactRow};
use serde::Serialize;

use crate::error::Error;
use crate::workspace::Workspace;

const PAGE: u32 = 1_000;

/// One contact of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ListedContact {
    /// Its id.
    pub id: ContactId,
    /// What the operator's own system calls the person.
    pub external_id: Option<String>,
    /// The number that is called next, or was called last.
    pub phone: String,
    /// Its state.
    pub state: ContactState,
    /// Why it was stopped, if it was.
    pub reason: Option<StopReason>,
    /// Calls so far.
    pub calls: u32,
    /// How the last of them ended.
    pub last_outcome: Option<Outcome>,
    /// When it is due; only of who waits.
    pub due_at: Option<Moment>,
    /// The import that brought it.
    pub import: ImportId,
    /// Its row in the file of that import.
    pub row: i64,
    /// The values of that row.
    pub fields: BTreeMap<String, String>,
}

impl From<ContactRow> for ListedContact {
    fn from(contact: ContactRow) -> Self {
        Self {
            id: contact.id,
            external_id: contact.external_id,
            phone: contact.number.e164().to_owned(),
            state: contact.state,
            reason: contact.stop_reason,
            calls: contact.calls,
            last_outcome: contact.last_outcome,
            due_at: (contact.state == ContactState::Waiting).then_some(contact.due_at),
            import: contact.import,
            row: contact.row_number,
            fields: contact.fields,
        }
    }
}

/// Returns the next contacts of a campaign's current run after `after`, by id.
pub async fn page(
    workspace: &Workspace,
    campaign: &str,
    filter: ContactFilter,
    after: ContactId,
    limit: u32,
) -> Result<Vec<ListedContact>, Error> {
    let run = workspace.campaign(campaign).await?.run;
    let rows = workspace.store.contacts(run, filter, after, limit).await?;
    Ok(rows.into_iter().map(ListedContact::from).collect())
}

/// Returns one contact, in whichever run it is.
pub async fn one(workspace: &Workspace, id: ContactId) -> Result<ListedContact, Error> {
    let found = workspace.store.contact(id).await?;
    found.map(ListedContact::from).ok_or_else(|| Error::missing(format!("there is no contact {id}"), "list them"))
}

/// Gives the first `limit` contacts that the filter lets through to `each`, by id. Returns whether
/// there are more.
pub async fn for_each(
    workspace: &Workspace,
    campaign: &str,
    filter: ContactFilter,
    limit: u32,
    mut each: impl FnMut(ListedContact) -> Result<(), Error>,
) -> Result<bool, Error> {
    let campaign = workspace.campaign(campaign).await?;
    let (mut after, mut shown) = (ContactId(0), 0);
    loop {
        let page = workspace.store.contacts(campaign.run, filter, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(false) };
        after = last.id;
        for contact in page {
            if shown == limit {
                return Ok(true);
            }
            shown += 1;
            each(contact.into())?;
        }
    }
}
