//! The process that works for a run: it starts the lane, watches the run, and leaves when it is
//! over.

use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ringfence_domain::summary::Summary;
use ringfence_domain::verdict::StoppedBy;
use ringfence_domain::{AttemptState, Clock, Moment, RunId, Span, StopSwitch};
use ringfence_engine::{DatabaseLoss, LaneEngine, outage, presence, receipts};
use ringfence_store::{CampaignRow, Database, ProcessLock, RunFigures};
use tokio_util::sync::CancellationToken;

use super::{Ended, Until, Watch};
use crate::error::Error;
use crate::notices::Notices;
use crate::standby;
use crate::summary::{Asker, summarize};

/// A `run` that has not renewed for so long does not live any more.
const LEADER_LEASE: Span = Span::from_secs(9);

/// How often the run is looked at.
const LOOK: Duration = Duration::from_millis(300);
/// A call whose vendor may hold it for longer than this is not waited for.
const HELD_BY_VENDOR: Span = Span::from_hours(3);

/// Becomes the process that lives for the run; else the name of the one that does.
pub(super) async fn follow(
    store: &Arc<Database>,
    clock: &dyn Clock,
    run: RunId,
    name: &str,
) -> Result<Option<String>, Error> {
    let current = store.run(run).await?.leader;
    let dead = current.filter(|follower| follower != name && ProcessLock::is_dead(store, follower));
    let now = clock.read().now;
    Ok(store.follow_run(run, name.to_owned(), dead, now, now + LEADER_LEASE).await?)
}

/// Lets others live for the run at once. Where that cannot be said, they wait for the lease to run
/// out.
pub(super) async fn unfollow(store: &Arc<Database>, run: RunId, name: &str) {
    match tokio::time::timeout(Duration::from_secs(2), store.unfollow_run(run, name.to_owned())).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the run could not be given back: {error}"),
        Err(_) => tracing::warn!("the run could not be given back: the database does not answer"),
    }
}

/// Follows a run to its end.
pub(super) struct RunLeader<'f> {
    pub(super) store: &'f Arc<Database>,
    /// The same, for what the process does itself.
    pub(super) own: &'f Arc<Database>,
    pub(super) clock: &'f Arc<dyn Clock>,
    pub(super) campaign: &'f CampaignRow,
    pub(super) name: &'f str,
    pub(super) stop_switch: Arc<dyn StopSwitch>,
    pub(super) notices: &'f Notices,
    /// In quarantine: since when none of the campaign's calls is out.
    pub(super) quiet_since: Cell<Option<Moment>>,
}

impl RunLeader<'_> {
    pub(super) async fn look(&self) -> Result<(RunFigures, Summary), Error> {
        let reading = self.clock.read();
        let numbers = self.store.numbers(self.campaign.rules.name.clone(), reading.now).await?;
        let numbers = numbers.ok_or_else(|| Error::work("the campaign vanished from the database"))?;
        let summary =
            summarize(&numbers, &Asker { stop_switch: self.stop_switch.active(), is_dialling: true }, reading);
        Ok((numbers, summary))
    }

    /// Dials until what is asked for holds, time is up, or a signal comes.
    pub(super) async fn dial(
        &self,
        engine: LaneEngine,
        until: Until,
        max_time: Option<Span>,
        watch: &mut dyn Watch,
        leave: Pin<&mut (dyn Future<Output = std::io::Result<u8>> + Send)>,
    ) -> Result<(Summary, Ended), Error> {
        // A run that cannot be looked at is not begun.
        self.look().await?;
        presence::introduce(self.own, &**self.clock, self.name, "run").await?;
        let stop = CancellationToken::new();
        let living = presence::stay(self.own.clone(), self.clock.clone(), self.name.to_owned(), stop.clone());
        let living = tokio::spawn(living);
        let (lane, notices) = (self.campaign.rules.provider.clone(), self.notices.clone());
        let told = standby::tell(lane, engine.ownership(), move |line| notices.tell(line));
        let told = tokio::spawn(told);
        let running = tokio::spawn(engine.run(stop.clone()));
        let deadline = max_time.map(|time| self.clock.boot() + time.duration());
        let ended = self.wait(until, deadline, watch, leave).await;
        watch.end();
        if matches!(ended, Ok(Ended::Signal(_))) {
            self.notices.tell("finishing what is being sent…");
        }
        stop.cancel();
        let (running, ..) = tokio::join!(running, living, told);
        for line in receipts::leave(self.store) {
            self.notices.tell(&line);
        }
        let ended = ended?;
        running.map_err(|error| Error::work(format!("the engine ended badly: {error}")))?;
        let (_, summary) = self.look().await?;
        Ok((summary, ended))
    }

    /// Waits while the engine dials.
    async fn wait(
        &self,
        until: Until,
        deadline: Option<Duration>,
        watch: &mut dyn Watch,
        mut leave: Pin<&mut (dyn Future<Output = std::io::Result<u8>> + Send)>,
    ) -> Result<Ended, Error> {
        let mut renew_at = self.clock.boot();
        let unusable = outage::lasts(self.store);
        tokio::pin!(unusable);
        loop {
            // A database that does not answer for a moment is waited for: the engine dials nobody
            // meanwhile.
            let looked = tokio::select! {
                looked = self.look() => looked,
                code = &mut leave => return Ok(Ended::Signal(code?)),
            };
            match looked {
                Ok((numbers, summary)) => {
                    watch.show(&summary);
                    if self.holds(&numbers, &summary, until).await.unwrap_or(false) {
                        return Ok(Ended::AsAsked);
                    }
                }
                Err(error) => tracing::warn!(?error, "the run cannot be looked at now"),
            }
            if let Some(loss) = DatabaseLoss::of_file(self.store) {
                return Err(Error::from(loss));
            }
            if deadline.is_some_and(|deadline| self.clock.boot() >= deadline) {
                return Ok(Ended::TimeUp);
            }
            if self.clock.boot() >= renew_at {
                renew_at = self.clock.boot() + Duration::from_secs(3);
                drop(follow(self.store, &**self.clock, self.campaign.run, self.name).await);
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                code = &mut leave => return Ok(Ended::Signal(code?)),
                outage = &mut unusable => return Err(outage.into()),
            }
        }
    }

    /// In quarantine: whether the vendor was asked what the database has forgotten, and everything
    /// that it knew is settled.
    pub(super) async fn has_asked(&self, numbers: &RunFigures, active: i64, now: Moment) -> Result<bool, Error> {
        let quiet_since = (active == 0).then(|| self.quiet_since.get().unwrap_or(now));
        self.quiet_since.set(quiet_since);
        let Some(quarantine) = self.store.quarantine().await? else { return Ok(false) };
        if quarantine.is_mixture() {
            // What is out may never be found in it, and its file is to be put back once more.
            return Ok(true);
        }
        let inquiries = self.store.inquiries(quarantine.id).await?;
        let asked = inquiries.into_iter().find(|inquiry| inquiry.lane == numbers.conditions.lane.settings.name);
        let asked = match (asked, quiet_since) {
            (Some(asked), Some(quiet_since)) => asked.waiting == 0 || asked.asked_at >= quiet_since,
            _ => false,
        };
        // What the answer has entered since the numbers were read is not settled yet.
        Ok(asked && self.look().await?.1.contacts.active == 0)
    }

    /// Whether there is nothing left to wait for.
    pub(super) async fn holds(&self, numbers: &RunFigures, summary: &Summary, until: Until) -> Result<bool, Error> {
        let contacts = &summary.contacts;
        if contacts.waiting + contacts.active == 0 {
            return Ok(true);
        }
        let now = summary.as_of;
        // Contacts that wait for a canary are let go, or held, as soon as its calls are over.
        if summary.waiting_for.held > 0 && summary.held_by.is_none() && contacts.active == 0 {
            let canaries = self.store.canaries(numbers.conditions.lane.id, now).await?;
            if canaries.iter().any(|canary| canary.campaign == self.campaign.id && canary.pending == 0) {
                return Ok(false);
            }
        }
        if numbers.conditions.stop.as_ref().is_some_and(|stop| stop.by == StoppedBy::Quarantine) {
            return self.has_asked(numbers, contacts.active, now).await;
        }
        // After the last day of a campaign its lane ends it, and stops everybody who waits.
        let rules = &numbers.conditions.campaign.rules;
        let over = rules.schedule.over_at(rules.calling.timezone);
        if contacts.waiting > 0 && over.is_some_and(|over| over <= now) {
            return Ok(false);
        }
        // A pause is lifted by people only; what is out is still waited for.
        if summary.held_by.is_some() && contacts.active == 0 {
            return Ok(true);
        }
        let horizon = match until {
            // Without any moment to come, as when a contact's zones share no open hour, waiting is
            // for ever.
            Until::Done => return Ok(contacts.active == 0 && summary.next_dial_at.is_none()),
            // Clocks that are set right now and then may see a contact due a little later than it
            // was a moment ago.
            Until::Idle => now + Span::from_secs(1),
            Until::Today => {
                let zone = numbers.conditions.clock();
                Moment::from_millis(now.next_day(zone).millis() - 1)
            }
        };
        // Calls of unknown fate are not waited for: their slots come free, and then the next run
        // goes on.
        if contacts.active == 0 && summary.slots_are_stuck {
            return Ok(true);
        }
        // A lane's rest is waited for as its pace is.
        let horizon = summary.rests_until.map_or(horizon, |until| horizon.max(until));
        let soon = summary.next_dial_at.is_some_and(|at| at <= horizon);
        if soon && summary.held_by.is_none() {
            return Ok(false);
        }
        if contacts.active == 0 {
            return Ok(true);
        }
        let calls = self.store.live_calls(numbers.conditions.lane.id).await?;
        let own = calls.iter().filter(|call| call.campaign == self.campaign.id);
        let held = own
            .filter(|call| call.state == AttemptState::Placed)
            .filter(|call| call.overdue_at.is_some_and(|overdue| overdue.since(call.sending_at) > HELD_BY_VENDOR))
            .count() as i64;
        Ok(contacts.active <= held)
    }
}
