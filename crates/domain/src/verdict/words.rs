//! The words of each verdict.

use super::{Slots, StoppedBy, Verdict};
use crate::{ClockReading, ContactState, DialClass, ImportState, LaneState, Moment, PausedBy, Span, Zone};

impl Verdict {
    /// What it was answered from, for people. `clock`: the zone whose clocks they read.
    pub fn says(&self, reading: ClockReading, clock: Zone) -> String {
        match self {
            Self::Attempt { state } => format!("the attempt is {state}"),
            Self::DoNotCall { entry } => entry.clone().unwrap_or_else(|| "not on the do-not-call list".to_owned()),
            Self::Contact { state, stop_reason, was_refused } => match state {
                ContactState::Waiting => "it waits for its call".to_owned(),
                ContactState::Active => "a call is under way".to_owned(),
                ContactState::Done => "it is finished".to_owned(),
                ContactState::Stopped => {
                    format!("it was stopped: {}", stop_reason.map(|reason| reason.to_string()).unwrap_or_default())
                }
                ContactState::Review if *was_refused => "the provider refuses it: a person must look".to_owned(),
                ContactState::Review => "nobody can say whether its last call was placed".to_owned(),
            },
            Self::Attempts { calls, most } => format!("it has had {calls} of {most} calls"),
            Self::Leaving { leaves: true } => "it is to be stopped".to_owned(),
            Self::Leaving { leaves: false } => "it stays".to_owned(),
            Self::Number { has_live_call: true, .. } => "a call to it is under way for another campaign".to_owned(),
            Self::Number { is_in_review: true, .. } => "a call to it in an earlier run is in review".to_owned(),
            Self::Number { .. } => "no other call to it is under way".to_owned(),
            Self::Due { at, .. } if *at <= reading.now => "it is due".to_owned(),
            Self::Due { refused: Some((1, words)), .. } => format!("the provider refused it once: {words}"),
            Self::Due { refused: Some((times, words)), .. } => {
                format!("the provider refused it {times} times in a row: {words}")
            }
            Self::Due { class: DialClass::Capped, .. } => "a limit on its number holds it until then".to_owned(),
            Self::Due { class: DialClass::First, .. } => "its call is not due yet".to_owned(),
            Self::Due { class, .. } => format!("its {class} is not due yet"),
            Self::Clock => {
                "the clock of the database may be wrong: nobody is dialled while that is in doubt".to_owned()
            }
            Self::Planned { after, before } => format!("it was planned for {after} to {before}"),
            Self::Ownership { .. } => "another process owns the lane".to_owned(),
            Self::Revision { .. } => "the campaign has changed since it was planned".to_owned(),
            Self::Stop { stopped } => stopped.as_ref().map_or_else(
                || "nothing is stopped".to_owned(),
                |stopped| match stopped.by {
                    StoppedBy::File | StoppedBy::Person => stopped.reason.clone(),
                    StoppedBy::Quarantine => format!("quarantine: {}", stopped.reason),
                    StoppedBy::ZoneData => format!("zone data: {}", stopped.reason),
                },
            ),
            Self::Campaign { paused_by: Some(PausedBy::Draft), .. } => "a draft that nobody has started".to_owned(),
            Self::Campaign { state, reason: Some(reason), .. } => format!("{state}: {reason}"),
            Self::Campaign { state, .. } => state.to_string(),
            Self::Safety { failing } => failing.clone().unwrap_or_else(|| "few of the last calls failed".to_owned()),
            Self::Import { is_ready: true, is_staged: false, .. } => "its import is complete".to_owned(),
            Self::Import { import: Some((ImportState::Held, reason)), .. } => {
                format!("its import is held: {}", reason.as_deref().unwrap_or_default())
            }
            Self::Import { import: Some((ImportState::Canary, _)), .. } => {
                "its import waits for the outcomes of the first calls".to_owned()
            }
            Self::Import { .. } => "its import is not complete".to_owned(),
            Self::Lane { name, state, reason } => reason.clone().unwrap_or_else(|| match state {
                LaneState::Open => format!("lane {name} is open"),
                LaneState::Paused => format!("lane {name} is paused"),
            }),
            Self::Rest { reason, .. } => reason.clone().unwrap_or_else(|| "the lane does not rest".to_owned()),
            Self::UnknownUse { until: None } => "it is known what was used of the limits".to_owned(),
            Self::UnknownUse { until: Some(until) } => format!(
                "the lane's last process ended without saying what it had used of these limits; dialling begins at {}",
                second(*until, clock)
            ),
            Self::LaneDay { left: Some(0), .. } => "the lane has made all of its calls for today".to_owned(),
            Self::LaneDay { left: Some(left), .. } => format!("{left} calls left today"),
            Self::LaneDay { left: None, .. } => "the lane's calls of a day are not limited".to_owned(),
            Self::Slots(slots) => slots.says(clock),
            Self::Window { says, .. } | Self::NumberLimit { says, .. } => says.clone(),
            Self::Process { lane, dials: true, .. } => format!("a process dials lane {lane}"),
            Self::Process { lane, last, .. } => {
                let last = last
                    .as_ref()
                    .map(|(host, until)| format!(" ({host} did until {})", until.shown_near(reading.now, clock)));
                let last = last.unwrap_or_default();
                format!("no process dials lane {lane}{last}: start `ringfence serve` or `ringfence run`")
            }
        }
    }
}

impl Slots {
    fn says(&self, clock: Zone) -> String {
        let Some((held, limit, is_campaign)) = self.stuck() else {
            let (held, limit) = &self.of_lane;
            return match held.free(*limit) {
                0 => format!("all {limit} slots are taken{}: its turn comes when one of them ends", held.by_whom()),
                free => format!("{free} of {limit} slots are free"),
            };
        };
        let whose = if is_campaign { " of the campaign" } else { "" };
        let says = match (held.taken, limit) {
            (0, _) => format!("{} calls are of unknown fate, and no more are added to them", held.live),
            (_, 1) => format!("the only slot{whose} is taken by a call of unknown fate"),
            _ => format!("all {limit} slots{whose} are taken by calls of unknown fate"),
        };
        let first = if limit == 1 { "it" } else { "the first" };
        let free = held.first_free.map(|at| format!(", {first} is free at {}", minute(at, clock))).unwrap_or_default();
        format!("{says}{free}")
    }
}

/// The second by which it is surely over, on this clock.
pub(super) fn second(at: Moment, clock: Zone) -> String {
    (at + Span::from_millis(999)).local(clock).strftime("%H:%M:%S").to_string()
}

/// The minute by which it is surely over, on this clock.
pub(super) fn minute(at: Moment, clock: Zone) -> String {
    (at + Span::from_millis(59_999)).local(clock).strftime("%H:%M").to_string()
}
