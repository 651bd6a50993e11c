//! What a lane could dial next, and what it has in hand.

use std::collections::BTreeMap;

use ringfence_domain::verdict::{InHand, Slots, Verdict};
use ringfence_domain::{BucketId, CampaignId, ClockReading, DialClass, LaneId, Moment, RunId, ZoneSet};

use crate::lanes::daily_calls::{calls_on, day_of};
use crate::lanes::rows::{LaneRow, Lock, lock};
use crate::lanes::tallies::Tallies;
use crate::session::{Session, Sql, args, sql};
use crate::stop_all::{Stop, stopped};
use crate::{StoreError, stop_all, verdicts};

/// Waiting contacts that may be due, seen as one.
#[derive(Debug, Clone)]
pub struct EligibleBucket {
    /// Its id.
    pub id: BucketId,
    /// Its campaign.
    pub campaign: CampaignId,
    /// The revision of the campaign's rules.
    pub revision: i64,
    /// Its run.
    pub run: RunId,
    /// Where its contacts may be.
    pub zones: ZoneSet,
    /// Why they are due.
    pub class: DialClass,
    /// The campaign's priority, 1 first.
    pub priority: i64,
    /// No contact of it is due earlier.
    pub next_due_at: Moment,
    /// How many wait in it, due or not.
    pub waiting: u32,
}

/// How a lane stands, but for what it has in hand.
#[derive(Debug, Clone)]
pub struct LaneStanding {
    /// The lane.
    pub lane: LaneRow,
    /// Calls that it may still make today, if that is limited.
    pub left_today: Option<u32>,
    /// What stopped everything on this database.
    pub stop: Option<Stop>,
}

/// What a lane has in hand.
#[derive(Debug, Clone)]
pub struct LaneLoad {
    /// How it stands.
    pub lane: LaneRow,
    /// Live attempts by run.
    pub live: BTreeMap<RunId, InHand>,
    /// Calls that it may still make today, if that is limited.
    pub left_today: Option<u32>,
    /// What stopped everything on this database.
    pub stop: Option<Stop>,
}

impl LaneStanding {
    /// The first verdict that forbids every call of the lane, if one does. `stop_switch`: what the
    /// file `STOP` says, if it is there.
    pub fn held_by(&self, stop_switch: Option<String>, reading: ClockReading) -> Option<Verdict> {
        let of_lane = verdicts::of_lane(stopped(stop_switch, self.stop.as_ref()), &self.lane, reading);
        of_lane.into_iter().find(|verdict| verdict.forbids(reading))
    }
}

impl LaneLoad {
    /// Every verdict on the lane itself, in the order of a claim. `stop_switch`: what the file
    /// `STOP` says, if it is there.
    pub fn verdicts(&self, stop_switch: Option<String>, reading: ClockReading) -> Vec<Verdict> {
        let slots = Slots { of_lane: (self.all(), self.lane.settings.limits.concurrent), of_campaign: None };
        let of_lane = verdicts::of_lane(stopped(stop_switch, self.stop.as_ref()), &self.lane, reading);
        let by_use = [
            verdicts::unknown_use(&self.lane, None, reading),
            verdicts::lane_day(&self.lane, self.left_today, reading),
        ];
        let last = [Verdict::Slots(slots), verdicts::process(&self.lane, reading)];
        of_lane.into_iter().chain(by_use).chain(last).collect()
    }

    /// The live attempts of all runs together.
    pub fn all(&self) -> InHand {
        self.live.values().copied().fold(InHand::default(), InHand::with)
    }
}

/// The buckets that may hold someone to dial, best first.
pub(crate) async fn eligible(
    session: &mut Session,
    lane: LaneId,
    now: Moment,
    limit: u32,
) -> Result<Vec<EligibleBucket>, StoreError> {
    const ELIGIBLE: Sql = sql!(
        "SELECT b.id, b.campaign_id, c.revision, b.run_id, b.zones, b.class, b.priority, b.next_due_at, b.waiting FROM buckets b \
         JOIN campaigns c ON c.id = b.campaign_id JOIN runs r ON r.id = b.run_id \
         WHERE b.lane_id = $1 AND b.eligible_at <= $2 AND c.state = 'running' AND c.run_id = b.run_id AND r.ready \
         AND NOT b.staged AND r.closed_for IS NULL ORDER BY b.priority, b.eligible_at, b.id LIMIT $3"
    );
    let rows = session.rows(&ELIGIBLE, args![lane, now, i64::from(limit)]).await?;
    rows.iter()
        .map(|row| {
            Ok(EligibleBucket {
                id: BucketId(row.get("id")?),
                campaign: CampaignId(row.get("campaign_id")?),
                revision: row.get("revision")?,
                run: RunId(row.get("run_id")?),
                zones: row.word("buckets", "zones")?,
                class: row.word("buckets", "class")?,
                priority: row.get("priority")?,
                next_due_at: row.moment("next_due_at")?,
                waiting: row.get::<i64>("waiting")? as u32,
            })
        })
        .collect()
}

/// The campaign of the highest priority that the lane may dial now, with its priority.
pub(crate) async fn foremost(
    session: &mut Session,
    lane: LaneId,
    now: Moment,
) -> Result<Option<(String, i64)>, StoreError> {
    const FOREMOST: Sql = sql!(
        "SELECT c.name, b.priority FROM buckets b JOIN campaigns c ON c.id = b.campaign_id JOIN runs r ON r.id = b.run_id \
         WHERE b.lane_id = $1 AND b.eligible_at <= $2 AND c.state = 'running' AND c.run_id = b.run_id AND r.ready \
         AND NOT b.staged AND r.closed_for IS NULL AND b.waiting > 0 ORDER BY b.priority, b.eligible_at, b.id LIMIT 1"
    );
    let row = session.row(&FOREMOST, args![lane, now]).await?;
    row.map(|row| Ok((row.get("name")?, row.get("priority")?))).transpose()
}

/// When the next bucket of the lane becomes eligible.
pub(crate) async fn next_eligible(session: &mut Session, lane: LaneId) -> Result<Option<Moment>, StoreError> {
    const NEXT: Sql = sql!(
        "SELECT min(b.eligible_at) AS at FROM buckets b JOIN campaigns c ON c.id = b.campaign_id JOIN runs r ON r.id = b.run_id \
         WHERE b.lane_id = $1 AND c.state = 'running' AND c.run_id = b.run_id AND r.ready AND NOT b.staged AND r.closed_for IS NULL"
    );
    Ok(session.one(&NEXT, args![lane]).await?.moment_or_none("at")?.filter(|at| *at < Moment::NEVER))
}

/// What the lane has in hand: counted now, or as it is shown to people.
pub(crate) async fn load(
    session: &mut Session,
    tallies: &Tallies,
    lane: LaneId,
    is_shown: bool,
    now: Moment,
) -> Result<LaneLoad, StoreError> {
    let LaneStanding { lane, left_today, stop } = standing(session, lane, now).await?;
    let live =
        if is_shown { tallies.shown(session, &lane, now).await? } else { tallies.count(session, &lane, now).await? };
    Ok(LaneLoad { lane, live, left_today, stop })
}

pub(crate) async fn standing(session: &mut Session, lane: LaneId, now: Moment) -> Result<LaneStanding, StoreError> {
    let lane = lock(session, lane, Lock::Read).await?;
    let left_today = match lane.settings.limits.per_day {
        Some(per_day) => Some(per_day.saturating_sub(calls_on(session, lane.id, &day_of(&lane.settings, now)).await?)),
        None => None,
    };
    let stop = stop_all::stop(session).await?;
    Ok(LaneStanding { lane, left_today, stop })
}
