//! All campaigns, in a line each.

use ringfence_domain::summary::{ContactCounts, RunName};
use ringfence_domain::{Moment, Zone};
use ringfence_engine::stop_switches;
use serde::Serialize;

use crate::error::Error;
use crate::status;
use crate::summary::{Asker, summarize};
use crate::workspace::Workspace;

/// A campaign in a line.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Listed {
    /// Its name.
    pub campaign: String,
    /// Its state, as in its summary.
    pub state: &'static str,
    /// What holds it.
    pub held_by: Option<String>,
    /// Its lane.
    pub lane: String,
    /// Its priority, 1 first.
    pub priority: u8,
    /// Its run.
    pub run: RunName,
    /// Its contacts by state.
    pub contacts: ContactCounts,
    /// When it begins by itself.
    pub schedule: Option<Scheduled>,
}

/// When a campaign begins by itself.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Scheduled {
    /// The moments, as cron writes them.
    pub cron: Option<String>,
    /// On whose clock.
    pub timezone: String,
    /// The same.
    #[serde(skip)]
    pub zone: Zone,
    /// The next moment.
    pub next_at: Option<Moment>,
    /// The last one.
    pub last_at: Option<Moment>,
    /// What came of it.
    pub last_result: Option<String>,
    /// Whether its list did not come.
    pub last_failed: bool,
}

/// Returns all campaigns by name, and tells of those that cannot be read.
pub async fn list(workspace: &Workspace) -> Result<Vec<Listed>, Error> {
    let store = &workspace.store;
    let mut schedules = store.schedules().await?;
    let asker = Asker { stop_switch: stop_switches::stop_file(&workspace.config.path).active(), is_dialling: false };
    let (mut rows, reading) = (Vec::new(), workspace.clock.read());
    for figures in status::figures(workspace, None, reading.now).await? {
        let (summary, campaign) = (summarize(&figures, &asker, reading), figures.conditions.campaign);
        let own = schedules.iter().position(|schedule| schedule.campaign == campaign.id);
        let schedule = own.map(|place| schedules.swap_remove(place)).map(|schedule| Scheduled {
            cron: campaign.rules.schedule.cron.as_ref().map(ToString::to_string),
            timezone: schedule.zone.name().to_owned(),
            zone: schedule.zone,
            next_at: schedule.next_at,
            last_at: schedule.last_at,
            last_result: schedule.last_result,
            last_failed: schedule.last_failed,
        });
        rows.push(Listed {
            campaign: summary.campaign,
            state: summary.state,
            held_by: summary.held_by,
            lane: campaign.rules.provider,
            priority: campaign.rules.priority,
            run: summary.run,
            contacts: summary.contacts,
            schedule,
        });
    }
    workspace.say_unreadable().await?;
    Ok(rows)
}

impl Listed {
    /// Says that its list did not come, if so.
    pub fn missing_line(&self) -> Option<String> {
        let schedule = self.schedule.as_ref().filter(|schedule| schedule.last_failed)?;
        Some(missing_line(&self.campaign, schedule.last_at, schedule.zone, schedule.last_result.as_deref()))
    }
}

fn missing_line(campaign: &str, at: Option<Moment>, zone: Zone, why: Option<&str>) -> String {
    let at = at.map(|at| format!(" at {}", at.shown(zone))).unwrap_or_default();
    format!("the list of {campaign} did not come{at}: {}", why.unwrap_or_default())
}

/// Tells of every list that did not come at its scheduled moment: of this campaign, or of all.
pub(crate) async fn say_missing_lists(workspace: &Workspace, campaign: Option<&str>) -> Result<(), Error> {
    let failed = workspace.store.schedules().await?.into_iter().filter(|schedule| schedule.last_failed);
    let failed: Vec<_> = failed.collect();
    if failed.is_empty() {
        return Ok(());
    }
    for row in workspace.store.campaigns().await? {
        let name = &row.rules.name;
        let schedule = failed.iter().find(|schedule| schedule.campaign == row.id);
        if let Some(schedule) = schedule.filter(|_| campaign.is_none_or(|campaign| campaign == name)) {
            let line = missing_line(name, schedule.last_at, schedule.zone, schedule.last_result.as_deref());
            workspace.notices.tell(&format!("caution: {line}"));
        }
    }
    Ok(())
}
