//! What decides for a whole run whether it is dialled.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use ringfence_domain::verdict::{Brakes, InHand, Slots, Verdict};
use ringfence_domain::{ClockReading, ImportId, LaneId, Moment, NumberKey, RunId, Zone};

use crate::attempts::eligible::foremost;
use crate::campaigns::rows::CampaignRow;
use crate::campaigns::runs::RunRow;
use crate::campaigns::{rows, runs};
use crate::contacts::rows::ContactRow;
use crate::imports::rows::{ImportRow, last_of};
use crate::lanes;
use crate::lanes::daily_calls::{calls_on, day_of};
use crate::lanes::rows::LaneRow;
use crate::lanes::tallies::Tallies;
use crate::session::Session;
use crate::stop_all::{Stop, stopped};
use crate::{StoreError, contacts, stop_all, verdicts};

/// The conditions under which a campaign's current run is dialled.
#[derive(Debug, Clone)]
pub struct RunConditions {
    /// The campaign.
    pub campaign: CampaignRow,
    /// Its current run.
    pub run: RunRow,
    /// Its lane.
    pub lane: LaneRow,
    /// Calls that the lane may still make today, if that is limited.
    pub left_today: Option<u32>,
    /// Live attempts of the lane,
    pub of_lane: InHand,
    /// and those of this run.
    pub of_run: InHand,
    /// Everything on this database is stopped.
    pub stop: Option<Stop>,
    /// The newest contact file.
    pub last_import: Option<ImportRow>,
    /// The campaign of the highest priority that the lane may dial now, with its priority.
    pub foremost: Option<(String, i64)>,
}

impl RunConditions {
    /// The zone whose clocks the campaign's people read.
    pub fn clock(&self) -> Zone {
        self.campaign.rules.own_zone(self.lane.settings.timezone)
    }

    /// Every verdict that holds for the whole run: those that a person lifts first come first.
    /// `stop_switch`: what the file `STOP` says, if it is there.
    pub fn verdicts(&self, stop_switch: Option<String>, reading: ClockReading) -> Vec<Verdict> {
        let CampaignRow { state, paused_by, reason, rules, .. } = &self.campaign;
        let [clock, stop, lane, rest] =
            verdicts::of_lane(stopped(stop_switch, self.stop.as_ref()), &self.lane, reading);
        vec![
            clock,
            stop,
            Verdict::Campaign { state: *state, paused_by: *paused_by, reason: reason.clone() },
            Verdict::Safety { failing: rules.safety.judge_recent(&self.run.recent) },
            lane,
            rest,
            verdicts::unknown_use(&self.lane, rules.limits.calls, reading),
            verdicts::lane_day(&self.lane, self.left_today, reading),
            Verdict::Slots(self.slots()),
        ]
    }

    /// The slots of the lane and of the campaign.
    pub fn slots(&self) -> Slots {
        let own = self.campaign.rules.limits.concurrent;
        Slots {
            of_lane: (self.of_lane, self.lane.settings.limits.concurrent),
            of_campaign: own.map(|limit| (self.of_run, limit)),
        }
    }

    /// Names what keeps the run's calls from going out faster, while nothing forbids them.
    pub fn brake(&self) -> Option<String> {
        let settings = &self.lane.settings;
        let mine = i64::from(self.campaign.rules.priority);
        Brakes {
            slots: &self.slots(),
            limits: &settings.limits,
            limited: self.lane.levels.limited,
            own: self.campaign.rules.limits.calls,
            ahead: self
                .foremost
                .as_ref()
                .filter(|(_, priority)| *priority < mine)
                .map(|(name, at)| (name.as_str(), *at)),
            lower_priorities: settings.lower_priorities,
        }
        .says()
    }

    /// Whether a process dials the lane.
    pub fn process(&self, reading: ClockReading) -> Verdict {
        verdicts::process(&self.lane, reading)
    }

    /// The verdict on contacts of one of its imports, or of any that is not released. The newest
    /// import is known with its state.
    pub fn import(&self, of: Option<ImportId>, is_staged: bool) -> Verdict {
        let newest = self.last_import.as_ref().filter(|import| of.is_none_or(|of| of == import.id));
        let import = newest.map(|import| (import.state, import.held_for.clone()));
        Verdict::Import { is_ready: self.run.ready, is_staged, import }
    }
}

/// Everyone with a number in the current run of a campaign, by the campaign's name, each with the
/// run's conditions. As many questions for a thousand campaigns as for one.
pub(crate) async fn contacts_of_number(
    session: &mut Session,
    tallies: &Tallies,
    number: NumberKey,
    now: Moment,
) -> Result<Vec<(RunConditions, ContactRow)>, StoreError> {
    let contacts = contacts::rows::in_current_runs(session, number).await?;
    let campaigns = rows::of_runs(session, contacts.iter().map(|contact| contact.run)).await?;
    let conditions = conditions(session, tallies, campaigns, now).await?;
    let mut of_run: HashMap<RunId, ContactRow> = contacts.into_iter().map(|contact| (contact.run, contact)).collect();
    Ok(conditions.into_iter().filter_map(|run| of_run.remove(&run.run.id).map(|contact| (run, contact))).collect())
}

/// The conditions of the campaigns' current runs, in the order of the campaigns.
pub(crate) async fn conditions(
    session: &mut Session,
    tallies: &Tallies,
    campaigns: Vec<CampaignRow>,
    now: Moment,
) -> Result<Vec<RunConditions>, StoreError> {
    if campaigns.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<RunId> = campaigns.iter().map(|campaign| campaign.run).collect();
    let mut run_rows = runs::by_ids(session, &ids).await?;
    let mut imports = last_of(session, &ids).await?;
    let stop = stop_all::stop(session).await?;
    let mut known: HashMap<LaneId, OnLane> = HashMap::new();
    let mut conditions = Vec::new();
    for campaign in campaigns {
        let Some(run) = run_rows.remove(&campaign.run) else { continue };
        let OnLane { lane, left_today, in_hand, foremost } = match known.entry(campaign.lane) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => unknown.insert(on_lane(session, tallies, campaign.lane, now).await?),
        };
        conditions.push(RunConditions {
            lane: lane.clone(),
            left_today: *left_today,
            of_lane: in_hand.values().copied().fold(InHand::default(), InHand::with),
            of_run: in_hand.get(&campaign.run).copied().unwrap_or_default(),
            stop: stop.clone(),
            foremost: foremost.clone(),
            last_import: imports.remove(&campaign.run),
            run,
            campaign,
        });
    }
    Ok(conditions)
}

/// What all runs of a lane share.
struct OnLane {
    lane: LaneRow,
    left_today: Option<u32>,
    in_hand: BTreeMap<RunId, InHand>,
    foremost: Option<(String, i64)>,
}

async fn on_lane(session: &mut Session, tallies: &Tallies, id: LaneId, now: Moment) -> Result<OnLane, StoreError> {
    let lane = lanes::rows::lock(session, id, lanes::rows::Lock::Read).await?;
    let left_today = match lane.settings.limits.per_day {
        Some(per_day) => {
            let used = calls_on(session, lane.id, &day_of(&lane.settings, now)).await?;
            Some(per_day.saturating_sub(used))
        }
        None => None,
    };
    let in_hand = tallies.shown(session, &lane, now).await?;
    let foremost = foremost(session, id, now).await?;
    Ok(OnLane { lane, left_today, in_hand, foremost })
}
