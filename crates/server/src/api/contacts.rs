//! Contacts of a campaign's current run.

use axum::extract::Path;
use ringfence_domain::{ContactId, ContactState, Outcome};
use ringfence_operations::contacts::{self, ListedContact};
use ringfence_store::ContactFilter;
use serde::Deserialize;
use utoipa::IntoParams;

use super::call::{Answer, Asked, Call};
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
}

impl ContactQuery {
    /// How much of a campaign's list is asked for, after which id, and whom the filter lets through.
    pub(crate) fn wanted(&self, campaign: &str) -> Answer<(Wanted, i64, ContactFilter)> {
        let Self { limit, cursor, state, outcome } = self;
        let wanted = Wanted::of(*limit, cursor.as_deref(), (campaign, state, outcome))?;
        let after = wanted.after_number()?.unwrap_or_default();
        Ok((wanted, after, ContactFilter { state: *state, outcome: *outcome, reached: None }))
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
    let (wanted, after, filter) = query.wanted(&name)?;
    let rows = contacts::page(&call.workspace, &name, filter, ContactId(after), wanted.limit + 1).await?;
    call.answer(&wanted.page(rows, |row| row.id.to_string()))
}

/// Shows one contact.
#[utoipa::path(get, path = "/contacts/{id}", tag = "contacts", params(("id" = i64, Path, description = "The contact.")),
    security(("token" = ["viewer"])), responses((status = 200, description = "The contact.", body = ListedContact)))]
pub(crate) async fn get_contact(call: Call, Path(id): Path<i64>) -> Answer {
    call.answer(&contacts::one(&call.workspace, ContactId(id)).await?)
}
