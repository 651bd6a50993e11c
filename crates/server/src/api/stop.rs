//! The stop switch of everything, and what stands still.

use ringfence_operations::attention::{self, Health};
use ringfence_operations::stop::{self, Started, StoppedAll};

use super::call::{Answer, Call, Sent};
use super::campaigns::ReasonRequest;

/// Says what stands still or needs a person, why, and since when.
#[utoipa::path(get, path = "/status", tag = "everything", security(("token" = ["viewer"])),
    responses((status = 200, description = "What needs a person.", body = Health)))]
pub(crate) async fn status(call: Call) -> Answer {
    call.answer(&attention::look(&call.workspace, None).await?)
}

/// Stops every new call on this database, and ends the calls that are out where their vendor can.
#[utoipa::path(post, path = "/stop", tag = "everything", security(("token" = ["operator"])), request_body = ReasonRequest,
    responses((status = 200, description = "Everything is stopped.", body = StoppedAll)))]
pub(crate) async fn stop_all(call: Call, Sent(sent): Sent<ReasonRequest>) -> Answer {
    let reason = sent.or_caller(&call)?;
    call.answer(&stop::stop(&call.workspace, &reason).await?)
}

/// Lifts the stop.
#[utoipa::path(post, path = "/start", tag = "everything", security(("token" = ["operator"])),
    responses((status = 200, description = "The stop is lifted.", body = Started)))]
pub(crate) async fn start_all(call: Call) -> Answer {
    call.answer(&stop::start(&call.workspace).await?)
}
