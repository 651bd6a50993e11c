//! The scheduled moments of campaigns: one process works at each, and a moment is over only when
//! its work is done.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use ringfence_domain::event::EventKind;
use ringfence_domain::{CampaignId, CampaignState, Clock, Moment, Span};
use ringfence_store::{CampaignRow, Database, ProcessLock, ScheduleRow, StoreError};
use tokio_util::sync::CancellationToken;

/// The most campaigns that begin at once: each reads a file into memory in portions, and all write
/// one database.
const AT_ONCE: usize = 2;
/// How often the scheduler looks for moments.
const ROUND: Duration = Duration::from_secs(1);
/// How long a moment stays ours without a renewal.
const LEASE: Span = Span::from_secs(9);
const RENEW_EVERY: Duration = Duration::from_secs(3);

/// The work that is done when the scheduled moment of a campaign comes.
#[async_trait]
pub trait BeginCampaign: std::fmt::Debug + Send + Sync {
    /// Tells whether this process begins campaigns of this lane.
    fn knows_lane(&self, lane: &str) -> bool;

    /// Begins the campaign at the moment `due`. Returns a sentence for people that says what was
    /// done. A process may die in the middle, so the same moment may be begun again.
    async fn begin(&self, campaign: &CampaignRow, schedule: &ScheduleRow, due: Moment) -> Result<String, NotBegun>;
}

/// Why a campaign did not begin, as a sentence for people.
#[derive(Debug)]
pub enum NotBegun {
    /// A person must mend something: the moment is over.
    Mend(String),
    /// The same moment may succeed at another try.
    Later(String),
}

/// Begins campaigns at the moments of their schedules.
#[derive(Debug)]
pub struct CronScheduler {
    store: Arc<Database>,
    clock: Arc<dyn Clock>,
    worker: String,
    work: Arc<dyn BeginCampaign>,
}

/// A moment that this process works at.
struct Taken {
    campaign: CampaignRow,
    schedule: ScheduleRow,
    due: Moment,
}

impl CronScheduler {
    /// Makes the scheduler of the process named `worker`, which does `work` at every moment.
    pub fn new(store: Arc<Database>, clock: Arc<dyn Clock>, worker: String, work: Arc<dyn BeginCampaign>) -> Self {
        Self { store, clock, worker, work }
    }

    /// Looks for due moments until `stop` is cancelled, while earlier ones are still worked at. A
    /// moment that is still worked at then is left to the next process.
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
                    Err(error) => tracing::error!(%error, "schedules cannot be looked at: {error}"),
                },
            }
        }
    }

    /// Works at every due moment that no other process has. Returns how many are over.
    pub async fn run_once(&self) -> Result<u32, StoreError> {
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

    /// Takes up to `room` due moments of our lanes that no other process has; leaves out those of
    /// `busy` campaigns.
    async fn take_due(&self, busy: &BTreeSet<CampaignId>, room: usize) -> Result<Vec<Taken>, StoreError> {
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
                Err(error @ StoreError::Corrupt { .. }) => {
                    tracing::error!(%error, "a campaign cannot begin: {error}");
                    continue;
                }
                Err(error) => return Err(error),
            };
            if self.work.knows_lane(&campaign.rules.provider) && self.acquire(&schedule, due).await? {
                found.push(Taken { campaign, schedule, due });
            }
        }
        Ok(found)
    }

    /// Works at one moment. Returns whether it is over.
    async fn begin(&self, taken: Taken) -> (CampaignId, Result<bool, StoreError>) {
        let Taken { campaign, schedule, due } = taken;
        let result = async {
            let result = tokio::select! {
                result = self.work(&campaign, &schedule, due) => result,
                () = self.renew(&schedule, due) => return Ok(false),
            };
            match result {
                Ok(result) => self.finish(&campaign, &schedule, due, result).await?,
                // What a person must mend is not mended by trying again at once; what the database
                // could not do is.
                Err(NotBegun::Mend(why)) => {
                    self.finish(&campaign, &schedule, due, (EventKind::ScheduleFailed, why)).await?;
                }
                Err(NotBegun::Later(why)) => {
                    tracing::error!("{} cannot begin now: {why}", campaign.rules.name);
                    return Ok(false);
                }
            }
            Ok(true)
        };
        (campaign.id, result.await)
    }

    async fn acquire(&self, schedule: &ScheduleRow, due: Moment) -> Result<bool, StoreError> {
        let dead =
            schedule.worker.clone().filter(|other| *other != self.worker && ProcessLock::is_dead(&self.store, other));
        let now = self.clock.read().now;
        self.store.take_moment(schedule.campaign, due, self.worker.clone(), dead, now, now + LEASE).await
    }

    /// Renews our lease of the moment; ends only when the moment is not ours any more.
    async fn renew(&self, schedule: &ScheduleRow, due: Moment) {
        loop {
            tokio::time::sleep(RENEW_EVERY).await;
            if let Ok(false) = self.acquire(schedule, due).await {
                return;
            }
        }
    }

    /// Begins the campaign, or lets a missed moment go. It can be repeated.
    async fn work(
        &self,
        campaign: &CampaignRow,
        schedule: &ScheduleRow,
        due: Moment,
    ) -> Result<(EventKind, String), NotBegun> {
        if campaign.state == CampaignState::Cancelled {
            return Ok((EventKind::ScheduleMissed, "it is cancelled".to_owned()));
        }
        let (begins, _) = campaign.rules.schedule.at_moment(due, self.clock.read().now, schedule.zone);
        if !begins {
            let told = format!("the moment {due} was missed and is let go");
            return Ok((EventKind::ScheduleMissed, told));
        }
        Ok((EventKind::ScheduleDone, self.work.begin(campaign, schedule, due).await?))
    }

    async fn finish(
        &self,
        campaign: &CampaignRow,
        schedule: &ScheduleRow,
        due: Moment,
        result: (EventKind, String),
    ) -> Result<(), StoreError> {
        let now = self.clock.read().now;
        let (_, next) = campaign.rules.schedule.at_moment(due, now, schedule.zone);
        self.store.finish_moment(campaign.id, due, next, result, now).await
    }
}

/// Logs what went wrong. Returns whether the moment is over.
fn told(result: &Result<bool, StoreError>) -> bool {
    match result {
        Ok(over) => *over,
        Err(error) => {
            tracing::error!(%error, "a scheduled campaign cannot begin now: {error}");
            false
        }
    }
}
