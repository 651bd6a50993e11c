//! The summary of a campaign's run, as `run --json`, `demo --json` and `status --json` print it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::Moment;

/// One run of one campaign in numbers. Contact states add up to `total`, `stopped_for` to
/// `stopped`, `waiting_for` to `waiting`; `outcomes` counts ended attempts.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Summary {
    /// The campaign's name.
    pub campaign: String,
    /// draft, running, idle, held, paused, done or cancelled.
    pub state: &'static str,
    /// When these numbers were true.
    pub as_of: Moment,
    /// The run.
    pub run: RunName,
    /// Another process was already running this campaign.
    pub already_running: bool,
    /// Which stop switch holds it, if any.
    pub held_by: Option<String>,
    /// Contacts by state.
    pub contacts: ContactCounts,
    /// Contacts reached as the campaign defines it.
    pub reached: i64,
    /// The waiting contacts, by what they wait for.
    pub waiting_for: WaitingFor,
    /// The stopped contacts, by reason.
    pub stopped_for: BTreeMap<&'static str, i64>,
    /// Attempts by their state.
    pub attempts: AttemptCounts,
    /// Ended attempts by outcome.
    pub outcomes: BTreeMap<&'static str, i64>,
    /// Contacts that the provider refused for now again and again, while it took others.
    pub refused_alone: i64,
    /// Callbacks that callees asked for.
    pub callbacks: Callbacks,
    /// The wishes of callees, as the campaign reads them.
    pub said: Said,
    /// Outputs that the campaign's rules ask for and that no answered call had, once there were
    /// ten: probably misspelt.
    pub never_collected: Vec<String>,
    /// The pace, and how often someone picked up.
    pub rate: Pace,
    /// When it should be finished, if that can be told.
    pub eta: Option<Moment>,
    /// Seconds talked.
    pub talk_seconds: i64,
    /// The vendor's charges, by currency.
    pub cost: Vec<Cost>,
    /// The lane it dials through.
    pub lane: LaneOwnership,
    /// The newest contact file.
    pub last_import: Option<ImportStatus>,
    /// The reason that nothing is dialled, in one sentence; none while calls are being placed or
    /// nothing is left to do.
    pub because: Option<String>,
    /// What keeps calls from going out faster, in one sentence; none when nothing does, and while
    /// nothing is dialled.
    pub limited_by: Option<String>,
    /// Whether only calls of unknown fate hold the slots. `run` gives up waiting for such slots
    /// only when those calls are in review: until then the vendor is asked, and a slot may come
    /// free any second.
    #[serde(skip)]
    pub slots_are_stuck: bool,
    /// Until when the lane rests, if it does.
    #[serde(skip)]
    pub rests_until: Option<Moment>,
    /// When the next call may be made.
    pub next_dial_at: Option<Moment>,
    /// When the last call was sent.
    pub last_dial_at: Option<Moment>,
    /// When the run began.
    pub started_at: Moment,
    /// When its last contact was finished.
    pub finished_at: Option<Moment>,
}

/// The number and the key of a run.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct RunName {
    /// Counted from 1.
    pub number: i64,
    /// The key it was begun with.
    pub key: Option<String>,
}

/// Contacts by state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ContactCounts {
    /// All of them.
    pub total: i64,
    /// Due now or later.
    pub waiting: i64,
    /// With a live attempt.
    pub active: i64,
    /// Finished.
    pub done: i64,
    /// Given up.
    pub stopped: i64,
    /// With a call of unknown fate.
    pub review: i64,
}

/// The waiting contacts, by what they wait for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct WaitingFor {
    /// The delay after an earlier call.
    pub retry: i64,
    /// The window to open.
    pub window: i64,
    /// A cap on their number.
    pub contact_cap: i64,
    /// The lane's daily limit.
    pub lane_budget: i64,
    /// The lane to be resumed.
    pub lane_paused: i64,
    /// A stop switch to be let go: a stop, a pause, a held import; the outcomes of their import's
    /// canary; or a person's word on an earlier call to their number.
    pub held: i64,
    /// Their turn.
    pub pace: i64,
}

/// Attempts by their state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct AttemptCounts {
    /// Calls that the provider took and did not drop.
    pub placed: i64,
    /// Claimed, and certainly not sent.
    pub not_sent: i64,
    /// Certainly refused.
    pub refused: i64,
    /// Fate unknown now.
    pub unknown: i64,
    /// Being sent or under way now.
    pub in_flight: i64,
}

/// The wishes of callees.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Said {
    /// They want no more calls, and are on the do-not-call list.
    pub opted_out: i64,
    /// They said no.
    pub refused: i64,
    /// Opt-out outputs with a value that is neither wanted nor no nor empty: a person must look.
    pub unclear: Vec<UnclearOptOut>,
    /// Outputs that speak of no more calls while the campaign has no rule for them.
    pub not_heeded: Vec<UnheededOptOut>,
}

/// A value of an opt-out output that cannot be understood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct UnclearOptOut {
    /// The output.
    pub output: String,
    /// Its value; longer ones together as `a longer text`.
    pub value: String,
    /// In how many calls.
    pub calls: i64,
}

/// An output that speaks of no more calls, and that no rule reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct UnheededOptOut {
    /// The output.
    pub output: String,
    /// In how many calls it was.
    pub calls: i64,
    /// In how many of them it was neither no nor empty.
    pub wanted: i64,
}

/// Callbacks that callees asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Callbacks {
    /// With a time that was understood.
    pub understood: i64,
    /// With a time that was missing or not understood: these are called after the campaign's own
    /// delay, and at the soonest on the next day when the words name a later one.
    pub not_understood: i64,
}

/// The pace, and how often someone picked up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Pace {
    /// Calls placed in the last minute.
    pub calls_per_min: f64,
    /// Answered calls among ended ones, from 0 to 1.
    pub answer_rate: Option<f64>,
}

/// An amount in one currency.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Cost {
    /// As in ISO 4217.
    pub currency: String,
    /// Decimal, as text so that nothing is rounded.
    pub amount: String,
    /// The same in millionths.
    #[serde(skip)]
    pub micros: i64,
}

/// The state of the lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LaneOwnership {
    /// Its name.
    pub name: String,
    /// open or paused.
    pub state: &'static str,
    /// Why, when paused or slowed.
    pub reason: Option<String>,
}

/// The state of a contact file that is taken in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct ImportStatus {
    /// Its number.
    pub import: i64,
    /// Rows read.
    pub rows: i64,
    /// Rows that became contacts.
    pub accepted: i64,
    /// Known rows with new data.
    pub updated: i64,
    /// Known rows as they were.
    pub unchanged: i64,
    /// Rows whose number stood earlier in the file.
    pub duplicate: i64,
    /// Rows that cannot be called, with reasons kept.
    pub rejected: i64,
    /// Contacts stopped because the file no longer has them.
    pub missing: i64,
    /// loading, held, canary, complete or undone.
    pub state: &'static str,
    /// The safety rail that holds it.
    pub held_for: Option<String>,
}
