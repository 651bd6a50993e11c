//! Scheduled moments of campaigns: each is worked at by one process, and is over only when its contact file is in.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use ringfence_domain::schedule::ScheduleMode;
use ringfence_domain::{CampaignId, CampaignState, Clock, ImportState, Moment, Span};
use ringfence_providers::Provider;
use ringfence_store::{CampaignRow, Database, Lifeline, ScheduleRow};
use tokio_util::sync::CancellationToken;

use crate::failure::Failure;
use crate::importing::{self, InputFile};

/// Campaigns that begin at once, at most: each reads a file into memory in portions, and all write one database.
const AT_ONCE: usize = 2;
/// How often moments are looked for.
const ROUND: Duration = Duration::from_secs(1);
/// A moment is ours for so long without renewal.
const LEASE: Span = Span::from_secs(9);
const RENEW_EVERY: Duration = Duration::from_secs(3);

/// Begins campaigns when their schedule says.
#[derive(Debug)]
pub struct Timekeeper {
    store: Arc<Database>,
    clock: Arc<dyn Clock>,
    worker: String,
    providers: BTreeMap<String, Arc<dyn Provider>>,
}

/// A moment that this process works at.
struct Taken {
    campaign: CampaignRow,
    schedule: ScheduleRow,
    due: Moment,
}

impl Timekeeper {
    /// For the process named `worker`, which has these lanes.
    pub fn new(
        store: Arc<Database>,
        clock: Arc<dyn Clock>,
        worker: String,
        providers: BTreeMap<String, Arc<dyn Provider>>,
    ) -> Self {
        Self { store, clock, worker, providers }
    }

    /// Looks again and again until told to stop, whatever is being worked at. A moment that is being worked at then is left to
    /// the next process.
    pub async fn run(self, stop: CancellationToken) {
        let mut under_way = FuturesUnordered::new();
        let mut busy = BTreeSet::new();
        let mut round = tokio::time::interval(ROUND);
        round.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                Some((campaign, result)) = under_way.next() => {
                    busy.remove(&campaign);
                    told(&result);
                }
                _ = round.tick() => match self.take_due(&busy, AT_ONCE - under_way.len()).await {
                    Ok(taken) => for moment in taken {
                        busy.insert(moment.campaign.id);
                        under_way.push(self.begin(moment));
                    },
                    Err(failure) => tracing::error!(?failure, "schedules cannot be looked at: {failure}"),
                },
            }
        }
    }

    /// Works at every moment that is due and nobody else's. Returns how many are over.
    pub async fn run_once(&self) -> Result<u32, Failure> {
        let (mut under_way, mut seen, mut over) = (FuturesUnordered::new(), BTreeSet::new(), 0);
        loop {
            for moment in self.take_due(&seen, AT_ONCE - under_way.len()).await? {
                seen.insert(moment.campaign.id);
                under_way.push(self.begin(moment));
            }
            let Some((_, result)) = under_way.next().await else { return Ok(over) };
            over += u32::from(told(&result));
        }
    }

    /// Takes up to `room` moments that are due, of our lanes and nobody else's; not those of `busy` campaigns.
    async fn take_due(&self, busy: &BTreeSet<CampaignId>, room: usize) -> Result<Vec<Taken>, Failure> {
        let mut found = Vec::new();
        for schedule in self.store.schedules().await? {
            if found.len() >= room {
                break;
            }
            if busy.contains(&schedule.campaign) {
                continue;
            }
            let reading = self.clock.read();
            let Some(due) = schedule.next_at.filter(|due| *due <= reading.earliest() && !reading.in_doubt()) else {
                continue;
            };
            let campaign = match self.store.campaign_by_id(schedule.campaign).await {
                Ok(campaign) => campaign,
                // It waits for rules that can be read, and holds up no other.
                Err(error @ ringfence_store::StoreError::Corrupt { .. }) => {
                    tracing::error!(%error, "a campaign cannot begin: {error}");
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if self.providers.contains_key(&campaign.rules.provider) && self.take(&schedule, due).await? {
                found.push(Taken { campaign, schedule, due });
            }
        }
        Ok(found)
    }

    /// Works at one moment. Returns whether it is over.
    async fn begin(&self, taken: Taken) -> (CampaignId, Result<bool, Failure>) {
        let Taken { campaign, schedule, due } = taken;
        let result = async {
            let result = tokio::select! {
                result = self.work(&campaign, &schedule, due) => result,
                () = self.keep(&schedule, due) => return Ok(false),
            };
            match result {
                Ok(result) => {
                    tracing::info!(campaign = campaign.rules.name, "{}: {result}", campaign.rules.name);
                    self.finish(&campaign, &schedule, due, result).await?;
                }
                // What a person must mend is not mended by trying again at once; what the database could not do is.
                Err(failure) if failure.code() == 1 => {
                    tracing::error!(campaign = campaign.rules.name, "{}: {failure}", campaign.rules.name);
                    self.finish(&campaign, &schedule, due, failure.to_string()).await?;
                }
                Err(failure) => {
                    tracing::error!(?failure, "{} cannot begin now: {failure}", campaign.rules.name);
                    return Ok(false);
                }
            }
            Ok(true)
        };
        (campaign.id, result.await)
    }

    async fn take(&self, schedule: &ScheduleRow, due: Moment) -> Result<bool, Failure> {
        let dead =
            schedule.worker.clone().filter(|other| *other != self.worker && Lifeline::is_dead(&self.store, other));
        let now = self.clock.read().now;
        Ok(self.store.take_moment(schedule.campaign, due, self.worker.clone(), dead, now, now + LEASE).await?)
    }

    /// Keeps the moment ours; ends only when it is not any more.
    async fn keep(&self, schedule: &ScheduleRow, due: Moment) {
        loop {
            tokio::time::sleep(RENEW_EVERY).await;
            if let Ok(false) = self.take(schedule, due).await {
                return;
            }
        }
    }

    /// Takes in the contact file, into the current run or a fresh one. May be repeated.
    async fn work(&self, campaign: &CampaignRow, schedule: &ScheduleRow, due: Moment) -> Result<String, Failure> {
        let now = self.clock.read().now;
        let rules = &campaign.rules;
        if campaign.state == CampaignState::Cancelled {
            return Ok("it is cancelled".to_owned());
        }
        let (begins, _) = rules.schedule.at_moment(due, now, schedule.zone);
        if !begins {
            return Ok(format!("the moment {due} was missed and is let go"));
        }
        let file = InputFile::of_campaign_in_background(rules, schedule.zone, now).await?;
        if let Some(file) = &file {
            // A file that cannot be read must not end the run before.
            importing::look(file, rules).await?;
        }
        let campaign = match rules.schedule.mode {
            ScheduleMode::Add => campaign.clone(),
            ScheduleMode::Restart => {
                let (run, _) = self.store.begin_run(campaign.id, format!("schedule {due}"), now).await?;
                CampaignRow { run: run.id, ..campaign.clone() }
            }
        };
        let Some(file) = file else { return Ok("it has no contacts.file to read".to_owned()) };
        let provider = self.providers.get(&rules.provider).ok_or_else(|| Failure::work("the lane vanished"))?;
        let imported = importing::import(&self.store, &self.clock, &campaign, provider, &file, false).await?;
        let importing::Imported { row, taken_as_empty } = imported;
        let held = row.held_for.as_deref().filter(|_| row.state == ImportState::Held);
        let held = held.map(|why| format!("; held: {why}")).unwrap_or_default();
        let nobody = importing::nobody_line(&row).map(|line| format!("; {line}")).unwrap_or_default();
        let empty = importing::empty_line(&taken_as_empty).map(|line| format!("; {line}")).unwrap_or_default();
        Ok(format!("{}: {}{held}{nobody}{empty}", file.source(), importing::counts_line(&row)))
    }

    async fn finish(
        &self,
        campaign: &CampaignRow,
        schedule: &ScheduleRow,
        due: Moment,
        result: String,
    ) -> Result<(), Failure> {
        let (_, next) = campaign.rules.schedule.at_moment(due, self.clock.read().now, schedule.zone);
        Ok(self.store.finish_moment(campaign.id, due, next, result).await?)
    }
}

/// Says what went wrong. Returns whether the moment is over.
fn told(result: &Result<bool, Failure>) -> bool {
    match result {
        Ok(over) => *over,
        Err(failure) => {
            tracing::error!(?failure, "a scheduled campaign cannot begin now: {failure}");
            false
        }
    }
}
