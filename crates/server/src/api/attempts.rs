//! Attempts of a campaign's current run.

use axum::extract::Path;
use ringfence_domain::AttemptId;
use ringfence_operations::attempts::{self, ListedAttempt};
use ringfence_operations::changes;
use ringfence_store::ContactFilter;

use super::call::{Answer, Asked, Call, wrong};
use super::contacts::ContactQuery;
use super::paging::Page;

/// Lists the attempts of a campaign's current run, oldest first.
#[utoipa::path(get, path = "/campaigns/{name}/attempts", tag = "contacts", security(("token" = ["viewer"])),
    params(("name" = String, Path, description = "The campaign."), ContactQuery),
    responses((status = 200, description = "The attempts.", body = Page<ListedAttempt>)))]
pub(crate) async fn campaign_attempts(
    call: Call,
    Path(name): Path<String>,
    Asked(query): Asked<ContactQuery>,
) -> Answer {
    let (wanted, filter) = query.wanted(&name)?;
    if let Some(since) = query.since()? {
        // A contact that leaves a state would take its earlier attempts out of the list.
        if filter != ContactFilter::default() {
            return Err(wrong("updated_since", "with it, attempts are given whatever state and outcome are"));
        }
        let after = wanted.after_change()?;
        let changed = changes::attempts(&call.workspace, &name, (since, after), wanted.limit + 1).await?;
        return call.answer(&wanted.changed::<_, ListedAttempt>(changed));
    }
    let after = AttemptId(wanted.after_number()?.unwrap_or_default());
    let rows = attempts::page(&call.workspace, &name, filter, after, wanted.limit + 1).await?;
    call.answer(&wanted.page(rows, |row| row.id.to_string()))
}

/// Shows one attempt.
#[utoipa::path(get, path = "/attempts/{id}", tag = "contacts", params(("id" = i64, Path, description = "The attempt.")),
    security(("token" = ["viewer"])), responses((status = 200, description = "The attempt.", body = ListedAttempt)))]
pub(crate) async fn get_attempt(call: Call, Path(id): Path<i64>) -> Answer {
    call.answer(&attempts::one(&call.workspace, AttemptId(id)).await?)
}
