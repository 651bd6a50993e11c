//! One campaign, with all of its rules.

use ringfence_domain::Campaign;
use ringfence_domain::summary::Summary;
use ringfence_intake::keys::form;
use serde::Serialize;

use crate::error::Error;
use crate::status;
use crate::workspace::Workspace;

/// A campaign: how it stands, and what it goes by.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Shown {
    /// How it stands.
    #[serde(flatten)]
    pub summary: Summary,
    /// The number of its rules and state: it grows with every change of them.
    pub revision: i64,
    /// Its rules as a campaign file, with every default.
    pub file: String,
}

/// Returns a campaign with its rules.
pub async fn show(workspace: &Workspace, name: &str) -> Result<Shown, Error> {
    let campaign = workspace.campaign(name).await?;
    let found = status::summaries(workspace, Some(name)).await?.into_iter().next();
    let (summary, _) = found.ok_or_else(|| Error::missing(format!("there is no campaign `{name}`"), "list them"))?;
    Ok(Shown { summary, revision: campaign.revision, file: file_of(&campaign.rules)? })
}

/// Rules as a campaign file, with every default.
pub(super) fn file_of(rules: &Campaign) -> Result<String, Error> {
    toml::to_string(&form(rules)).map_err(|error| Error::work(error.to_string()))
}
