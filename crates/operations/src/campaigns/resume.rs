//! A person lets a campaign dial again.

use ringfence_domain::campaign::Missing;
use ringfence_domain::{ImportId, ImportState, LaneState};
use ringfence_intake::contacts::is_rejects;
use ringfence_store::{CampaignRow, Resumed};
use serde::Serialize;

use crate::error::{Error, ErrorKind};
use crate::importing;
use crate::workspace::Workspace;

/// A campaign that may dial again.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ResumedCampaign {
    /// The campaign.
    pub campaign: String,
    /// Its state.
    pub state: &'static str,
    /// The held imports that were accepted.
    pub accepted_imports: Vec<ImportId>,
    /// Its lane, if that is paused: then nobody is dialled all the same.
    #[serde(skip)]
    pub paused_lane: Option<String>,
}

/// Lets a campaign dial again. `accept`: what a safety rail holds is released, too; without it a
/// held campaign stays held.
pub async fn resume(workspace: &Workspace, name: &str, accept: bool) -> Result<ResumedCampaign, Error> {
    let store = &workspace.store;
    let campaign = workspace.campaign(name).await?;
    let accepted = match store.resume_campaign(campaign.id, accept, workspace.now()).await? {
        Resumed::Running { accepted } => accepted,
        Resumed::NeedsAccept { reason } => {
            return Err(Error::held(
                format!("{name} is held by a safety rail: {reason}"),
                format!("look at it, then `ringfence resume {name} --accept`, or `ringfence import --undo`"),
            ));
        }
    };
    let lanes = store.lanes().await?;
    let lane = lanes.into_iter().find(|lane| lane.id == campaign.lane && lane.state == LaneState::Paused);
    for id in &accepted {
        release(workspace, &campaign, *id).await?;
    }
    Ok(ResumedCampaign {
        campaign: name.to_owned(),
        state: "running",
        accepted_imports: accepted,
        paused_lane: lane.map(|lane| lane.settings.name),
    })
}

/// Accepts one import that a safety rail holds: its people may be called when their campaign may
/// call. The campaign stays as it is.
pub async fn accept_import(workspace: &Workspace, id: ImportId) -> Result<(), Error> {
    let store = &workspace.store;
    let import = crate::imports::one(workspace, id).await?;
    let campaign = store.campaign_by_id(store.run(import.row.run).await?.campaign).await?;
    if !store.accept_import(campaign.id, id, workspace.now()).await? {
        let says = format!("import {id} is not held, or a newer file has taken its place");
        return Err(Error::conflict(says, format!("look at the newest import of {}", campaign.rules.name)));
    }
    release(workspace, &campaign, id).await
}

/// Releases an import that a person accepted.
async fn release(workspace: &Workspace, campaign: &CampaignRow, id: ImportId) -> Result<(), Error> {
    let store = &workspace.store;
    let Some(import) = store.import(id).await? else { return Ok(()) };
    if import.state != ImportState::Held {
        return Ok(store.release_import(import.run, id, workspace.now()).await?);
    }
    let stops = campaign.rules.contacts.missing == Missing::Stop && !is_rejects(&import.columns);
    match importing::release(store, &*workspace.clock, &campaign.rules, &import, stops).await {
        Ok(()) | Err(Error { kind: ErrorKind::Superseded, .. }) => Ok(()),
        Err(error) => Err(error),
    }
}
