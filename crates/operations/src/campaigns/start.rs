//! A person starts a campaign that is in the database, where a process dials its lane.

use ringfence_domain::CampaignState;
use ringfence_domain::summary::Summary;
use ringfence_store::{Begin, StoreError};
use serde::Serialize;

use crate::error::Error;
use crate::importing;
use crate::imports::{TakenIn, described};
use crate::input_file::InputFile;
use crate::status;
use crate::workspace::Workspace;

/// A campaign that was started.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StartedCampaign {
    /// How it stands now.
    #[serde(flatten)]
    pub summary: Summary,
    /// What came of its contact file, if it names one.
    pub import: Option<TakenIn>,
}

/// Starts a draft, takes in the contact file that the campaign names, and begins a fresh run if one
/// is asked for by a key that began none before. Lifts neither a stop nor a pause.
pub async fn start(workspace: &mut Workspace, name: &str, fresh: Option<&str>) -> Result<StartedCampaign, Error> {
    let (store, clock) = (workspace.store.clone(), workspace.clock.clone());
    let mut row = workspace.campaign(name).await?;
    if row.state == CampaignState::Cancelled {
        return Err(StoreError::Cancelled { campaign: name.to_owned() }.into());
    }
    let (lane, provider) = workspace.lane_of(&row.rules)?;
    let settings = lane.setup.settings.clone();
    let file = InputFile::of_campaign_in_background(&row.rules, settings.timezone, workspace.now(), &workspace.notices)
        .await?;
    let looked = match &file {
        Some(file) => Some(importing::look(file, &row.rules).await?),
        None => None,
    };
    let lane = store.register_lane(settings, workspace.now()).await?;
    let (_, started) = store.apply(row.rules.clone(), lane.id, Begin::Running, workspace.now()).await?;
    row = started;
    if let Some(key) = fresh {
        store.begin_run(row.id, key.to_owned(), workspace.now()).await?;
        row = store.campaign_by_id(row.id).await?;
    }
    let mut import = None;
    if let Some(looked) = file.as_ref().zip(looked) {
        let taken = importing::import_looked(&store, &clock, &row, &provider, looked, false).await?;
        import = Some(TakenIn { import: described(workspace, taken.row).await?, taken_as_empty: taken.taken_as_empty });
    }
    let found = status::summaries(workspace, Some(name)).await?.into_iter().next();
    let (summary, _) = found.ok_or_else(|| Error::work(format!("the campaign {name} has vanished")))?;
    Ok(StartedCampaign { summary, import })
}
