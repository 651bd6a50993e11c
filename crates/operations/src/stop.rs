//! The stop switch of a whole database, and its release.

use ringfence_domain::verdict::StoppedBy;
use ringfence_domain::{AttemptId, AttemptState, Moment, PhoneNumber, Zone};
use ringfence_engine::stop_switches;
use ringfence_store::LiveCall;
use serde::Serialize;

use crate::error::Error;
use crate::workspace::{self, Workspace};
use crate::zones;

/// Everything is stopped.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct StoppedAll {
    /// That it is.
    pub stopped: bool,
    /// Why.
    pub reason: String,
    /// The calls that had begun before, and go on.
    pub calls_out: Vec<CallOut>,
    /// How many of them their vendors have ended.
    pub cancelled: usize,
}

/// A call that is out.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct CallOut {
    /// Its lane.
    pub lane: String,
    /// Its attempt.
    pub attempt: AttemptId,
    /// The number that is called.
    pub phone: String,
    /// When its request left.
    pub since: Moment,
    /// Its id at the vendor.
    pub call_id: Option<String>,
    /// Whether its fate is unknown.
    pub unknown: bool,
    /// The number, which shows itself masked.
    #[serde(skip)]
    pub number: PhoneNumber,
    /// The state of the attempt.
    #[serde(skip)]
    pub state: AttemptState,
    /// Whose clocks people read its moments on.
    #[serde(skip)]
    pub zone: Zone,
}

impl CallOut {
    fn of(lane: &str, zone: Zone, call: LiveCall) -> Self {
        Self {
            lane: lane.to_owned(),
            attempt: call.attempt,
            phone: call.number.e164().to_owned(),
            since: call.sending_at,
            unknown: call.state == AttemptState::Unknown,
            call_id: call.call_id,
            number: call.number,
            state: call.state,
            zone,
        }
    }
}

/// The database's stop is lifted.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Started {
    /// Whether the file `STOP` still stops everything.
    pub stopped: bool,
    /// What the file is called, then.
    pub reason: Option<String>,
}

/// Returns what stops everything, if anything does, and why: the file `STOP`, or a stop of the
/// database.
pub async fn why(workspace: &Workspace) -> Result<Option<(StoppedBy, String)>, Error> {
    if let Some(file) = stop_switches::stop_file(&workspace.config.path).active() {
        return Ok(Some((StoppedBy::File, file)));
    }
    Ok(workspace.store.stop().await?.map(|stop| (stop.by, stop.reason)))
}

/// Returns how many calls are out, or may be.
pub async fn calls_out(workspace: &Workspace) -> Result<i64, Error> {
    Ok(workspace.store.calls_out().await?)
}

/// Returns the calls that are out, or may be, lane by lane.
pub async fn out(workspace: &Workspace) -> Result<Vec<CallOut>, Error> {
    let mut out = Vec::new();
    for lane in workspace.store.lanes().await? {
        let (name, zone) = (&lane.settings.name, lane.settings.timezone);
        out.extend(workspace.store.live_calls(lane.id).await?.into_iter().map(|call| CallOut::of(name, zone, call)));
    }
    Ok(out)
}

/// Stops new calls of everything on this database, and ends the calls that are out where their
/// vendor can.
pub async fn stop(workspace: &Workspace, reason: &str) -> Result<StoppedAll, Error> {
    let store = &workspace.store;
    store.stop_all(reason.to_owned(), workspace.now()).await?;
    // Without secrets everything is stopped all the same, and the calls that are out go on.
    let config = workspace.with_secrets().unwrap_or_else(|_| (*workspace.config).clone());
    let (mut calls_out, mut cancelled) = (Vec::new(), 0);
    for lane in store.lanes().await? {
        let settings = lane.settings;
        let configured = config.lanes.get(&settings.name);
        let provider = configured.and_then(|lane| workspace::provider(lane).ok());
        for call in store.live_calls(lane.id).await? {
            let ended = match (&provider, &call.call_id) {
                (Some(provider), Some(id)) => provider.cancel(id).await.unwrap_or(false),
                _ => false,
            };
            cancelled += usize::from(ended);
            calls_out.push(CallOut::of(&settings.name, settings.timezone, call));
        }
    }
    Ok(StoppedAll { stopped: true, reason: reason.to_owned(), calls_out, cancelled })
}

/// Lets everything on this database dial again. What stops it besides a person is an error.
pub async fn start(workspace: &Workspace) -> Result<Started, Error> {
    workspace.store.start_all(workspace.now()).await?;
    if let Some(still) = workspace.store.stop().await? {
        let (what, hint) = match still.by {
            StoppedBy::Quarantine => ("a quarantine still holds this database", "`ringfence quarantine` says more"),
            StoppedBy::ZoneData => ("nobody is dialled by this process", zones::MEND),
            StoppedBy::File | StoppedBy::Person => {
                ("somebody stopped this database again", "`ringfence start` lifts that, too")
            }
        };
        return Err(Error::held(format!("the stop is lifted, and {what}: {}", still.reason), hint));
    }
    let reason = stop_switches::stop_file(&workspace.config.path).active();
    Ok(Started { stopped: reason.is_some(), reason })
}
