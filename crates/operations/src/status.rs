//! How campaigns stand.

use ringfence_domain::summary::Summary;
use ringfence_domain::{Moment, Zone};
use ringfence_engine::stop_switches;
use ringfence_store::RunFigures;

use crate::error::Error;
use crate::summary::{Asker, summarize};
use crate::workspace::{Workspace, is_listed};

/// Returns the names of the operator's campaigns.
pub async fn names(workspace: &Workspace) -> Result<Vec<String>, Error> {
    let names = workspace.store.campaigns().await?.into_iter().map(|campaign| campaign.rules.name);
    Ok(names.filter(|name| is_listed(name)).collect())
}

/// Returns the figures of a campaign, or of all of the operator's, by name.
pub(crate) async fn figures(
    workspace: &Workspace,
    campaign: Option<&str>,
    now: Moment,
) -> Result<Vec<RunFigures>, Error> {
    let figures = match campaign {
        Some(name) => workspace.store.numbers_shown(name.to_owned(), now).await?.into_iter().collect(),
        None => workspace.store.all_numbers_shown(now).await?,
    };
    Ok(figures.into_iter().filter(|figures| is_listed(&figures.conditions.campaign.rules.name)).collect())
}

/// Returns the summary of a campaign, or of all, each with the zone whose clocks its people read.
pub async fn summaries(workspace: &Workspace, campaign: Option<&str>) -> Result<Vec<(Summary, Zone)>, Error> {
    let asker = Asker { stop_switch: stop_switches::stop_file(&workspace.config.path).active(), is_dialling: false };
    let reading = workspace.clock.read();
    let figures = figures(workspace, campaign, reading.now).await?;
    Ok(figures.iter().map(|figures| (summarize(figures, &asker, reading), figures.conditions.clock())).collect())
}
