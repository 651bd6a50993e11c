//! Lanes: how they stand, and who may dial them.

use axum::extract::Path;
use ringfence_operations::lanes::{self, Lane};

use super::call::{Answer, Call, Sent};
use super::campaigns::ReasonRequest;

/// Lists the lanes by name.
#[utoipa::path(get, path = "/lanes", tag = "lanes", security(("token" = ["viewer"])),
    responses((status = 200, description = "The lanes.", body = Vec<Lane>)))]
pub(crate) async fn list_lanes(call: Call) -> Answer {
    call.answer(&lanes::list(&call.workspace).await?)
}

/// Stops new calls on a lane.
#[utoipa::path(post, path = "/lanes/{lane}/pause", tag = "lanes", params(("lane" = String, Path, description = "The lane.")),
    security(("token" = ["operator"])), request_body = ReasonRequest,
    responses((status = 200, description = "It is paused.", body = Lane)))]
pub(crate) async fn pause_lane(call: Call, Path(name): Path<String>, Sent(sent): Sent<ReasonRequest>) -> Answer {
    let reason = sent.or_caller(&call)?;
    lanes::pause(&call.workspace, &name, &reason).await?;
    one(&call, &name).await
}

/// Lets a lane dial again; the process that dials it reads its secrets anew.
#[utoipa::path(post, path = "/lanes/{lane}/resume", tag = "lanes", params(("lane" = String, Path, description = "The lane.")),
    security(("token" = ["operator"])), responses((status = 200, description = "It may dial.", body = Lane)))]
pub(crate) async fn resume_lane(call: Call, Path(name): Path<String>) -> Answer {
    lanes::resume(&call.workspace, &name).await?;
    one(&call, &name).await
}

async fn one(call: &Call, name: &str) -> Answer {
    let lane = lanes::list(&call.workspace).await?.into_iter().find(|lane| lane.name == name);
    call.answer(&lane)
}
