//! A person ends a campaign for good.

use ringfence_domain::StopReason;
use ringfence_store::{StopOrder, StopScope};
use serde::Serialize;

use crate::error::Error;
use crate::workspace::Workspace;

/// A campaign that a person cancelled.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CancelledCampaign {
    /// The campaign.
    pub campaign: String,
    /// Its state.
    pub state: &'static str,
    /// Waiting contacts that were stopped.
    pub stopped: u32,
}

/// Ends a campaign for good: its waiting contacts are never called. Calls that are out go on to
/// their end.
pub async fn cancel(workspace: &Workspace, name: &str, reason: &str) -> Result<CancelledCampaign, Error> {
    let store = &workspace.store;
    let campaign = workspace.campaign(name).await?;
    let run = store.cancel_campaign(campaign.id, reason.to_owned(), workspace.now()).await?;
    let order = StopOrder::new(run, StopScope::All, StopReason::Cancelled, workspace.now());
    let stopped = order.carry_out(store).await?;
    Ok(CancelledCampaign { campaign: name.to_owned(), state: "cancelled", stopped })
}
