//! What `serve` does at a scheduled moment: it takes in the campaign's contact file.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use ringfence_domain::schedule::ScheduleMode;
use ringfence_domain::{Clock, ImportState, Moment};
use ringfence_engine::{BeginCampaign, CronScheduler, NotBegun};
use ringfence_providers::Provider;
use ringfence_store::{CampaignRow, Database, ScheduleRow};

use crate::error::{Error, ErrorKind};
use crate::importing;
use crate::input_file::InputFile;
use crate::notices::Notices;

/// Imports the contact files of campaigns.
#[derive(Debug)]
struct ScheduledImport {
    store: Arc<Database>,
    clock: Arc<dyn Clock>,
    /// The lanes of this process, by name.
    providers: BTreeMap<String, Arc<dyn Provider>>,
    notices: Notices,
}

/// Makes the scheduler of the process named `worker`, which has these lanes: at each moment it
/// imports the campaign's contact file.
pub fn cron_scheduler(
    store: Arc<Database>,
    clock: Arc<dyn Clock>,
    worker: String,
    providers: BTreeMap<String, Arc<dyn Provider>>,
    notices: Notices,
) -> CronScheduler {
    let work = ScheduledImport { store: store.clone(), clock: clock.clone(), providers, notices };
    CronScheduler::new(store, clock, worker, Arc::new(work))
}

#[async_trait]
impl BeginCampaign for ScheduledImport {
    fn knows_lane(&self, lane: &str) -> bool {
        self.providers.contains_key(lane)
    }

    async fn begin(&self, campaign: &CampaignRow, schedule: &ScheduleRow, due: Moment) -> Result<String, NotBegun> {
        self.import(campaign, schedule, due).await.map_err(|error| match error.kind {
            ErrorKind::Input | ErrorKind::Missing | ErrorKind::Conflict | ErrorKind::Stale => {
                NotBegun::Mend(error.to_string())
            }
            ErrorKind::Work | ErrorKind::Superseded | ErrorKind::Held => NotBegun::Later(error.to_string()),
        })
    }
}

impl ScheduledImport {
    /// Takes in the contact file, into the current run or a fresh one. May be repeated.
    async fn import(&self, campaign: &CampaignRow, schedule: &ScheduleRow, due: Moment) -> Result<String, Error> {
        let now = self.clock.read().now;
        let rules = &campaign.rules;
        let file = InputFile::of_campaign_in_background(rules, schedule.zone, now, &self.notices).await?;
        // A file that cannot be read must not end the run before.
        let looked = match &file {
            Some(file) => Some(importing::look(file, rules).await?),
            None => None,
        };
        let campaign = match rules.schedule.mode {
            ScheduleMode::Add => campaign.clone(),
            ScheduleMode::Restart => {
                let (run, _) = self.store.begin_run(campaign.id, format!("schedule {due}"), now).await?;
                CampaignRow { run: run.id, ..campaign.clone() }
            }
        };
        let Some((file, looked)) = file.as_ref().zip(looked) else {
            return Ok("it has no contacts.file to read".to_owned());
        };
        let provider = self.providers.get(&rules.provider).ok_or_else(|| Error::work("the lane vanished"))?;
        let looked = (file, looked);
        let imported = importing::import_looked(&self.store, &self.clock, &campaign, provider, looked, false).await?;
        let importing::Imported { row, taken_as_empty } = imported;
        let held = row.held_for.as_deref().filter(|_| row.state == ImportState::Held);
        let held = held.map(|why| format!("; held: {why}")).unwrap_or_default();
        let nobody = importing::nobody_line(&row).map(|line| format!("; {line}")).unwrap_or_default();
        let empty = importing::empty_line(&taken_as_empty).map(|line| format!("; {line}")).unwrap_or_default();
        Ok(format!("{}: {}{held}{nobody}{empty}", file.source(), importing::counts_line(&row)))
    }
}
