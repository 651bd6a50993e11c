//! The record of changes that people asked for.

use ringfence_domain::Moment;
use ringfence_domain::event::Event;
use ringfence_operations::events;
use ringfence_store::{EventFilter, EventScope};
use serde::Deserialize;
use utoipa::IntoParams;

use super::call::{Answer, Asked, Call};
use super::paging::{Page, Wanted};

/// Which changes.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditQuery {
    /// Rows of the page, 1 to 1000; 50 without.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// Where the page begins, as the page before said.
    cursor: Option<String>,
    /// Only changes from this moment on.
    since: Option<Moment>,
    /// Only changes of this campaign.
    campaign: Option<String>,
    /// Only changes of this lane and of its campaigns.
    lane: Option<String>,
}

/// Lists the changes that people asked for, oldest first: who, from where, why, before and after.
#[utoipa::path(get, path = "/audit", tag = "everything", params(AuditQuery), security(("token" = ["admin"])),
    responses((status = 200, description = "The changes.", body = Page<Event>)))]
pub(crate) async fn list_audit(call: Call, Asked(query): Asked<AuditQuery>) -> Answer {
    let AuditQuery { limit, cursor, since, campaign, lane } = query;
    let wanted = Wanted::of(limit, cursor.as_deref(), (since.map(Moment::millis), &campaign, &lane))?;
    let after = wanted.after_number()?.unwrap_or_default();
    let filter = EventFilter { after, since, campaign, lane, scope: EventScope::ByPeople };
    let rows = events::page(&call.workspace, filter, wanted.limit + 1).await?;
    call.answer(&wanted.page(rows, |event| event.id.to_string()))
}
