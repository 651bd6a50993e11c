//! How campaigns stand.

use ringfence_domain::Zone;
use ringfence_domain::summary::Summary;
use ringfence_engine::stop_switches;

use crate::error::Error;
use crate::summary::{Asker, summarize};
use crate::workspace::{Workspace, is_listed};

/// Returns the names of the operator's campaigns.
pub async fn names(workspace: &Workspace) -> Result<Vec<String>, Error> {
    let names = workspace.store.campaigns().await?.into_iter().map(|campaign| campaign.rules.name);
    Ok(names.filter(|name| is_listed(name)).collect())
}

/// Returns the summary of a campaign, or of all, each with the zone whose clocks its people read.
pub async fn summaries(workspace: &Workspace, campaign: Option<&str>) -> Result<Vec<(Summary, Zone)>, Error> {
    let store = &workspace.store;
    let names = match campaign {
        Some(name) => vec![name.to_owned()],
        None => store.campaigns().await?.into_iter().map(|campaign| campaign.rules.name).collect(),
    };
    let asker = Asker { stop_switch: stop_switches::stop_file(&workspace.config.path).active(), is_dialling: false };
    let mut summaries = Vec::new();
    for name in names.into_iter().filter(|name| is_listed(name)) {
        let reading = workspace.clock.read();
        if let Some(figures) = store.numbers_shown(name, reading.now).await? {
            summaries.push((summarize(&figures, &asker, reading), figures.conditions.clock()));
        }
    }
    Ok(summaries)
}
