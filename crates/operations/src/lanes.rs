//! Lanes: how they stand, and who may dial them.

use ringfence_domain::lane::LaneLimits;
use ringfence_domain::verdict::{Brakes, Slots, Verdict, because_of};
use ringfence_domain::{ClockReading, LaneId, LaneState, Moment, Zone};
use ringfence_engine::stop_switches;
use ringfence_store::{LaneLoad, LaneRow};
use serde::Serialize;

use crate::error::Error;
use crate::standby;
use crate::workspace::Workspace;

/// How a lane stands.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Lane {
    /// Its id.
    #[serde(skip)]
    pub id: LaneId,
    /// Its name.
    pub name: String,
    /// Its vendor.
    pub kind: String,
    /// Whether it may dial.
    pub state: LaneState,
    /// Why it is paused.
    pub reason: Option<String>,
    /// Why nothing is dialled on it, in one sentence; none while nothing forbids a call.
    pub because: Option<String>,
    /// What keeps calls from going out faster, in one sentence; none when nothing does.
    pub limited_by: Option<String>,
    /// Until when it rests.
    pub backoff_until: Option<Moment>,
    /// Why.
    pub backoff_reason: Option<String>,
    /// Live attempts.
    pub live: u32,
    /// Its slots.
    pub slots: LaneSlots,
    /// How long its calls usually take.
    pub usual_call: Option<String>,
    /// Calls that it may still make today, if that is limited.
    pub left_today: Option<u32>,
    /// Its limits.
    pub limits: LaneLimits,
    /// How much of them is used now, as the process that dials it said last; none while none does.
    pub used: Option<LimitsUsed>,
    /// The process that dials it, as in a log: `process 4711 on dialer-1`.
    pub owner: Option<String>,
    /// The process that dialled it last, when none does, and until when.
    pub last_owner: Option<String>,
    /// The same.
    pub last_dialled_until: Option<Moment>,
    /// Whose clocks people read its moments on.
    #[serde(skip)]
    pub zone: Zone,
}

/// What counts against the limits of a lane, within their present windows.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct LimitsUsed {
    /// New calls.
    pub calls: u32,
    /// Requests of any kind, questions about calls included.
    pub requests: u32,
}

/// The slots of a lane.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct LaneSlots {
    /// How many there are.
    pub of: u32,
    /// How many are taken,
    pub taken: u32,
    /// and how many of those by calls of unknown fate.
    pub unknown: u32,
    /// When the first of the latter is free, whatever is heard until then.
    pub first_free_at: Option<Moment>,
}

/// Returns all lanes by name.
pub async fn list(workspace: &Workspace) -> Result<Vec<Lane>, Error> {
    let (store, reading) = (&workspace.store, workspace.clock.read());
    let stop_switch = stop_switches::stop_file(&workspace.config.path).active();
    let mut lanes = Vec::new();
    for row in store.lanes().await? {
        let load = store.lane_load_shown(row.id, reading.now).await?;
        lanes.push(lane(row, &load, stop_switch.clone(), reading));
    }
    Ok(lanes)
}

/// Pauses the lane of this name.
pub async fn pause(workspace: &Workspace, name: &str, reason: &str) -> Result<(), Error> {
    let lane = named(workspace, name).await?;
    Ok(workspace.store.pause_lane(lane.id, reason.to_owned(), workspace.now()).await?)
}

/// Lets the lane of this name dial again.
pub async fn resume(workspace: &Workspace, name: &str) -> Result<(), Error> {
    let lane = named(workspace, name).await?;
    Ok(workspace.store.resume_lane(lane.id, workspace.now()).await?)
}

pub(crate) async fn named(workspace: &Workspace, name: &str) -> Result<LaneRow, Error> {
    let lanes = workspace.store.lanes().await?;
    let names: Vec<&str> = lanes.iter().map(|lane| lane.settings.name.as_str()).collect();
    let hint = format!("known: {}", names.join(", "));
    let found = lanes.iter().find(|lane| lane.settings.name == name).cloned();
    found.ok_or_else(|| Error::missing(format!("there is no lane `{name}`"), hint))
}

fn lane(row: LaneRow, load: &LaneLoad, stop_switch: Option<String>, reading: ClockReading) -> Lane {
    let (held, clock) = (load.all(), row.settings.timezone);
    let verdicts = load.verdicts(stop_switch, reading);
    let rests = |verdict: &&Verdict| matches!(verdict, Verdict::Rest { .. } | Verdict::UnknownUse { .. });
    let rest = verdicts
        .iter()
        .filter(rests)
        .filter(|verdict| verdict.forbids(reading))
        .max_by_key(|verdict| verdict.from(reading));
    // A lane that nobody dials may have nothing to dial.
    let forbids: Vec<Verdict> = verdicts.iter().filter(|verdict| verdict.forbids(reading)).cloned().collect();
    let because = because_of(&forbids, reading, clock);
    let brakes = Brakes {
        slots: &Slots { of_lane: (held, row.settings.limits.concurrent), of_campaign: None },
        limits: &row.settings.limits,
        limited: row.levels.limited,
        own: None,
        ahead: None,
        lower_priorities: row.settings.lower_priorities,
    };
    let is_dialled = row.owner.is_some() && row.lease_until > reading.now;
    let levels = row.levels;
    Lane {
        id: row.id,
        used: is_dialled.then_some(LimitsUsed { calls: levels.calls, requests: levels.requests }),
        limited_by: brakes.says().filter(|_| because.is_none() && is_dialled),
        because,
        backoff_until: rest.and_then(|rest| rest.from(reading)),
        backoff_reason: rest.map(|rest| rest.says(reading, clock)),
        state: row.state,
        reason: row.reason,
        live: held.live,
        slots: LaneSlots {
            of: row.settings.limits.concurrent,
            taken: held.taken,
            unknown: held.unsure,
            first_free_at: held.first_free,
        },
        usual_call: row.usual_call.map(|usual| usual.rounded().to_string()),
        left_today: load.left_today,
        last_owner: row.last_owner.as_deref().filter(|_| !is_dialled).map(standby::process),
        last_dialled_until: row.last_owner.is_some().then_some(row.lease_until).filter(|_| !is_dialled),
        owner: row.owner.as_deref().filter(|_| is_dialled).map(standby::process),
        zone: clock,
        name: row.settings.name,
        kind: row.settings.kind,
        limits: row.settings.limits,
    }
}
