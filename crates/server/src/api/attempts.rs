//! Attempts of a campaign's current run.

use axum::extract::Path;
use ringfence_domain::{AttemptId, ContactState, Outcome};
use ringfence_operations::attempts::{self, ListedAttempt};
use ringfence_store::ContactFilter;
use serde::Deserialize;
use utoipa::IntoParams;

use super::call::{Answer, Asked, Call};
use super::paging::{Page, Wanted};

/// Which attempts.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AttemptQuery {
    /// Rows of the page, 1 to 1000; 50 without.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// Where the page begins, as the page before said.
    cursor: Option<String>,
    /// Only attempts at contacts in this state.
    #[param(inline)]
    state: Option<ContactState>,
    /// Only attempts at contacts whose last call ended so.
    #[param(inline)]
    outcome: Option<Outcome>,
}

/// Lists the attempts of a campaign's current run, oldest first.
#[utoipa::path(get, path = "/campaigns/{name}/attempts", tag = "contacts", security(("token" = ["viewer"])),
    params(("name" = String, Path, description = "The campaign."), AttemptQuery),
    responses((status = 200, description = "The attempts.", body = Page<ListedAttempt>)))]
pub(crate) async fn campaign_attempts(
    call: Call,
    Path(name): Path<String>,
    Asked(query): Asked<AttemptQuery>,
) -> Answer {
    let AttemptQuery { limit, cursor, state, outcome } = query;
    let wanted = Wanted::of(limit, cursor.as_deref(), (&name, state, outcome))?;
    let after = AttemptId(wanted.after_number()?.unwrap_or_default());
    let filter = ContactFilter { state, outcome, reached: None };
    let rows = attempts::page(&call.workspace, &name, filter, after, wanted.limit + 1).await?;
    call.answer(&wanted.page(rows, |row| row.id.to_string()))
}

/// Shows one attempt.
#[utoipa::path(get, path = "/attempts/{id}", tag = "contacts", params(("id" = i64, Path, description = "The attempt.")),
    security(("token" = ["viewer"])), responses((status = 200, description = "The attempt.", body = ListedAttempt)))]
pub(crate) async fn get_attempt(call: Call, Path(id): Path<i64>) -> Answer {
    call.answer(&attempts::one(&call.workspace, AttemptId(id)).await?)
}
