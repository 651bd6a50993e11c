//! A person stops the new calls of a campaign.

use ringfence_domain::{CampaignState, PausedBy};
use serde::Serialize;

use crate::error::Error;
use crate::workspace::Workspace;

/// A campaign that a person paused.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PausedCampaign {
    /// The campaign.
    pub campaign: String,
    /// Its state.
    pub state: CampaignState,
    /// Why it is paused.
    pub reason: String,
}

/// Stops new calls of a campaign. Calls that are out go on.
pub async fn pause(workspace: &Workspace, name: &str, reason: &str) -> Result<PausedCampaign, Error> {
    let campaign = workspace.campaign(name).await?;
    workspace.store.pause_campaign(campaign.id, PausedBy::Person, reason.to_owned(), workspace.now()).await?;
    let now = workspace.campaign(name).await?;
    Ok(PausedCampaign { campaign: name.to_owned(), state: now.state, reason: now.reason.unwrap_or_default() })
}
