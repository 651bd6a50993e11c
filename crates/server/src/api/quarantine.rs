//! The quarantine of a database that may have forgotten calls.

use ringfence_operations::quarantine::{self, Lift, Lifted, Quarantines};
use serde::Deserialize;
use utoipa::ToSchema;

use super::call::{Answer, Call, Sent};

/// Shows the quarantine, and those before it.
#[utoipa::path(get, path = "/quarantine", tag = "everything", security(("token" = ["viewer"])),
    responses((status = 200, description = "The quarantine.", body = Quarantines)))]
pub(crate) async fn get_quarantine(call: Call) -> Answer {
    call.answer(&quarantine::show(&call.workspace).await?)
}

/// How to lift the quarantine.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LiftRequest {
    /// Why this database may dial again, for the record.
    #[schema(min_length = 1)]
    reason: String,
    /// Calls that fit nobody in the database are not ours.
    #[serde(default)]
    strangers: bool,
    /// No provider is asked.
    #[serde(default)]
    unasked: bool,
}

/// Asks the providers once more, then lets the database dial again.
#[utoipa::path(post, path = "/quarantine/lift", tag = "everything", security(("token" = ["admin"])), request_body = LiftRequest,
    responses((status = 200, description = "It is lifted.", body = Lifted)))]
pub(crate) async fn lift_quarantine(mut call: Call, Sent(sent): Sent<LiftRequest>) -> Answer {
    let LiftRequest { reason, strangers, unasked } = sent;
    let lift = Lift { reason, operator: call.caller.name(), strangers, unasked };
    let lifted = quarantine::lift(&mut call.workspace, &lift).await?;
    call.answer(&lifted)
}
