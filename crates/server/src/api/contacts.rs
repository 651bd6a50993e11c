//! Contacts of a campaign's current run.

use axum::extract::Path;
use ringfence_domain::{ContactId, ContactState, Outcome};
use ringfence_operations::changes::{self, ReadUntil};
use ringfence_operations::contacts::{self, ListedContact};
use ringfence_store::ContactFilter;
use serde::Deserialize;
use utoipa::IntoParams;

use super::call::{Answer, Asked, Call, wrong};
use super::paging::{Page, Wanted};

/// Which contacts, or attempts at which contacts.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContactQuery {
    /// Rows of the page, 1 to 1000; 50 without.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// Where the page begins, as the page before said.
    cursor: Option<String>,
    /// Only contacts in this state.
    #[param(inline)]
    state: Option<ContactState>,
    /// Only contacts whose last call ended so.
    #[param(inline)]
    outcome: Option<Outcome>,
    /// Only what changed since, in the order of the changes: `0`, or the `updated_until` of an
    /// earlier list. A row may come twice; none is left out, however late its change was committed,
    /// and whichever run it is of. Who does not match `state` and `outcome` any more is not told:
    /// leave them out to keep a copy. Attempts take neither with it.
    updated_since: Option<String>,
}

impl ContactQuery {
    /// Reads which page is wanted, and which contacts.
    pub(crate) fn wanted(&self, campaign: &str) -> Answer<(Wanted, ContactFilter)> {
        let Self { limit, cursor, state, outcome, updated_since } = self;
        let wanted = Wanted::of(*limit, cursor.as_deref(), (campaign, state, outcome, updated_since))?;
        Ok((wanted, ContactFilter { state: *state, outcome: *outcome, reached: None }))
    }

    /// Since when a change counts, if only what changed is asked for.
    pub(crate) fn since(&self) -> Answer<Option<ReadUntil>> {
        self.updated_since
            .as_deref()
            .map(|since| since.parse().map_err(|error| wrong("updated_since", error)))
            .transpose()
    }
}

/// Lists the contacts of a campaign's current run, by id.
#[utoipa::path(get, path = "/campaigns/{name}/contacts", tag = "contacts", security(("token" = ["viewer"])),
    params(("name" = String, Path, description = "The campaign."), ContactQuery),
    responses((status = 200, description = "The contacts.", body = Page<ListedContact>)))]
pub(crate) async fn campaign_contacts(
    call: Call,
    Path(name): Path<String>,
    Asked(query): Asked<ContactQuery>,
) -> Answer {
    let (wanted, filter) = query.wanted(&name)?;
    if let Some(since) = query.since()? {
        let after = wanted.after_change()?;
        let changed = changes::contacts(&call.workspace, &name, filter, (since, after), wanted.limit + 1).await?;
        return call.answer(&wanted.changed::<_, ListedContact>(changed));
    }
    let after = ContactId(wanted.after_number()?.unwrap_or_default());
    let rows = contacts::page(&call.workspace, &name, filter, after, wanted.limit + 1).await?;
    call.answer(&wanted.page(rows, |row| row.id.to_string()))
}

/// Shows one contact.
#[utoipa::path(get, path = "/contacts/{id}", tag = "contacts", params(("id" = i64, Path, description = "The contact.")),
    security(("token" = ["viewer"])), responses((status = 200, description = "The contact.", body = ListedContact)))]
pub(crate) async fn get_contact(call: Call, Path(id): Path<i64>) -> Answer {
    call.answer(&contacts::one(&call.workspace, ContactId(id)).await?)
}
