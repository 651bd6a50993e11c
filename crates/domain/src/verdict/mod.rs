//! Why a call is made or not: every reason, as data.
//!
//! A [`Verdict`] answers one question about a call, and carries what it was answered from. The
//! claim takes the first that denies. The planner, `why`, `status`, `lanes` and the summary of a
//! run show the same verdicts, made by the same functions, so that none of them can contradict the
//! claim.
//!
//! Adding a reason not to dial: a variant here. The compiler then shows where its name (`rule`),
//! its answer (`allows`), the moment that it waits for (`waits_for`), its words ([`Verdict::says`])
//! and what follows on it in a claim ([`Verdict::denies`]) are written.

mod brake;
mod claim;
mod sentence;
mod slots;
mod words;

#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use crate::campaign::WindowPart;
use crate::number_limits::LimitHold;
use crate::window::Calendar;
use crate::{
    AttemptState, CampaignState, ClockReading, ContactState, DialClass, ImportState, LaneState, Moment, NumberLimits,
    PastCall, PausedBy, Span, StopReason, ZoneSet,
};

pub use self::brake::Brakes;
pub use self::claim::{ClaimDenied, decide};
pub use self::sentence::{Waiting, because, because_of, because_of_contact};
pub use self::slots::{AttemptsMoved, InHand, Slots};

/// One question about a call, and its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Is the attempt still open? Somebody else may have settled it.
    Attempt {
        /// Its state.
        state: AttemptState,
    },
    /// Is the number on the do-not-call list?
    DoNotCall {
        /// What the list says of it; none when it is not listed.
        entry: Option<String>,
    },
    /// Does the contact wait for a call?
    Contact {
        /// Its state.
        state: ContactState,
        /// Why it was stopped, if it was.
        stop_reason: Option<StopReason>,
        /// The provider refused its last call.
        was_refused: bool,
    },
    /// Does the contact have calls left? The rules may allow fewer than when this call was decided.
    Attempts {
        /// Its counted calls in this run.
        calls: u32,
        /// How many the campaign allows: `max_attempts`.
        most: u32,
    },
    /// Is the contact to be stopped as soon as its call is over?
    Leaving {
        /// It is.
        leaves: bool,
    },
    /// Is no other call to the number out, or of unknown fate?
    Number {
        /// Another contact's call is under way.
        has_live_call: bool,
        /// A call of an earlier run is in review.
        is_in_review: bool,
    },
    /// Has the contact's moment come?
    Due {
        /// The moment.
        at: Moment,
        /// What it waits for.
        class: DialClass,
        /// How often in a row the provider refused it, and what it said last.
        refused: Option<(usize, String)>,
    },
    /// Is the clock certain enough?
    Clock,
    /// Is it still the time that the attempt was planned for?
    Planned {
        /// From this moment on,
        after: Moment,
        /// and before this one.
        before: Moment,
    },
    /// Is the lane still owned as it was when the attempt was opened?
    Ownership {
        /// The epoch of the attempt.
        of_attempt: i64,
        /// The epoch of the lane.
        present: i64,
    },
    /// Are the campaign's rules still those that the attempt was planned by?
    Revision {
        /// The revision of the attempt.
        of_attempt: i64,
        /// The revision of the campaign.
        present: i64,
    },
    /// Is nothing stopped?
    Stop {
        /// What is.
        stopped: Option<Stopped>,
    },
    /// Is the campaign running?
    Campaign {
        /// Its state.
        state: CampaignState,
        /// On whose word it is paused.
        paused_by: Option<PausedBy>,
        /// Why.
        reason: Option<String>,
    },
    /// Did few enough of the last calls fail?
    Safety {
        /// Why not.
        failing: Option<String>,
    },
    /// Is the contact's import released?
    Import {
        /// A contact file of the run is completely in.
        is_ready: bool,
        /// The contact's import is not released.
        is_staged: bool,
        /// Its state and what holds it, where known.
        import: Option<(ImportState, Option<String>)>,
    },
    /// Is the lane open?
    Lane {
        /// Its name.
        name: String,
        /// Its state.
        state: LaneState,
        /// Why it is paused.
        reason: Option<String>,
    },
    /// Does the lane not rest, as the provider or its trouble asks?
    Rest {
        /// Until when it rests; none when it does not.
        until: Option<Moment>,
        /// Why.
        reason: Option<String>,
    },
    /// Is it known what the lane's last process used of the limits?
    UnknownUse {
        /// When its use is too old to count; none when it is known.
        until: Option<Moment>,
    },
    /// May the lane make another call today?
    LaneDay {
        /// Calls that it may still make; none when they are not limited.
        left: Option<u32>,
        /// When its next day begins.
        tomorrow: Moment,
    },
    /// Is a slot free, or held by a call that will end?
    Slots(Slots),
    /// Is a part of the window open?
    Window {
        /// The name of the part: `hours`, `closed_days`, `preset uk`, `vendor_hours`, or `window`
        /// for all.
        part: String,
        /// It is open.
        is_open: bool,
        /// Its hours, or the closed day.
        says: String,
        /// When it opens.
        opens: Option<Moment>,
    },
    /// Does a limit on calls to the number allow one?
    NumberLimit {
        /// Its key in the campaign file.
        rule: &'static str,
        /// Its words, with who made it.
        says: String,
        /// When it allows a call; none when it does now.
        until: Option<Moment>,
    },
    /// Does a process dial the lane? It forbids nothing; without one nothing happens.
    Process {
        /// The lane.
        lane: String,
        /// One does.
        dials: bool,
        /// The machine of the process that did last, and until when.
        last: Option<(String, Moment)>,
    },
}

/// What stopped everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoppedBy {
    /// The file `STOP` beside the configuration.
    File,
    /// A person, with `ringfence stop`.
    Person,
    /// The database may have forgotten calls.
    Quarantine,
    /// A process with newer time zone data than this one has dialled on the database.
    ZoneData,
}

/// Everything is stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stopped {
    /// By what.
    pub by: StoppedBy,
    /// Why, for everyone who asks later.
    pub reason: String,
}

/// What lets a verdict that does not allow a call allow one.
enum WaitsFor {
    /// A moment, where it is known.
    Time(Option<Moment>),
    /// A person, a process, or the end of a call.
    Somebody,
}

impl Verdict {
    /// The name of the rule that it is the answer of.
    pub fn rule(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Attempt { .. } => "attempt",
            Self::DoNotCall { .. } => "dnc",
            Self::Contact { .. } | Self::Leaving { .. } => "contact",
            Self::Attempts { .. } => "max_attempts",
            Self::Number { .. } => "number",
            Self::Due { .. } => "due",
            Self::Clock => "clock",
            Self::Planned { .. } => "planned",
            Self::Ownership { .. } => "ownership",
            Self::Revision { .. } => "revision",
            Self::Stop { .. } => "stop",
            Self::Campaign { .. } => "campaign",
            Self::Safety { .. } => "safety",
            Self::Import { .. } => "import",
            Self::Lane { .. } => "lane",
            Self::Rest { .. } | Self::UnknownUse { .. } => "pace",
            Self::LaneDay { .. } => "lane_day",
            Self::Slots(_) => "slots",
            Self::Window { part, .. } => return Cow::Owned(part.clone()),
            Self::NumberLimit { rule, .. } => rule,
            Self::Process { .. } => "process",
        })
    }

    /// Whether a call may be made as far as this goes. Of the clock's error the careful side
    /// counts.
    pub fn allows(&self, reading: ClockReading) -> bool {
        match self {
            Self::Attempt { state } => *state == AttemptState::Open,
            Self::DoNotCall { entry } => entry.is_none(),
            Self::Contact { state, .. } => *state == ContactState::Waiting,
            Self::Attempts { calls, most } => calls < most,
            Self::Leaving { leaves } => !leaves,
            Self::Number { has_live_call, is_in_review } => !has_live_call && !is_in_review,
            Self::Due { at, .. } => *at <= reading.now,
            Self::Clock => !reading.in_doubt(),
            Self::Planned { after, before } => *after <= reading.earliest() && reading.latest() < *before,
            Self::Ownership { of_attempt, present } | Self::Revision { of_attempt, present } => of_attempt == present,
            Self::Stop { stopped } => stopped.is_none(),
            Self::Campaign { state, .. } => *state == CampaignState::Running,
            Self::Safety { failing } => failing.is_none(),
            Self::Import { is_ready, is_staged, .. } => *is_ready && !is_staged,
            Self::Lane { state, .. } => *state == LaneState::Open,
            Self::Rest { until, .. } | Self::UnknownUse { until } => {
                until.is_none_or(|until| until <= reading.earliest())
            }
            Self::LaneDay { left, .. } => *left != Some(0),
            Self::Slots(slots) => !slots.is_stuck(),
            Self::Window { is_open, .. } => *is_open,
            Self::NumberLimit { until, .. } => until.is_none(),
            Self::Process { dials, .. } => *dials,
        }
    }

    /// Whether it forbids a call. That nobody dials is no reason not to.
    pub fn forbids(&self, reading: ClockReading) -> bool {
        !self.allows(reading) && !matches!(self, Self::Process { .. })
    }

    /// When it will allow a call, if it does not now and that is known.
    pub fn from(&self, reading: ClockReading) -> Option<Moment> {
        match self.waits_for() {
            WaitsFor::Time(until) if !self.allows(reading) => until.filter(|until| *until > reading.earliest()),
            _ => None,
        }
    }

    /// Whether time alone satisfies it, if anything ever does.
    pub fn is_of_time(&self) -> bool {
        matches!(self.waits_for(), WaitsFor::Time(_))
    }

    fn waits_for(&self) -> WaitsFor {
        match self {
            Self::Due { at, .. } => WaitsFor::Time(Some(*at)),
            Self::Planned { after, .. } => WaitsFor::Time(Some(*after)),
            Self::Clock => WaitsFor::Time(None),
            Self::Rest { until, .. } | Self::UnknownUse { until } | Self::NumberLimit { until, .. } => {
                WaitsFor::Time(*until)
            }
            Self::LaneDay { tomorrow, .. } => WaitsFor::Time(Some(*tomorrow)),
            Self::Slots(slots) => WaitsFor::Time(slots.first_free()),
            Self::Window { opens, .. } => WaitsFor::Time(*opens),
            Self::Attempt { .. }
            | Self::DoNotCall { .. }
            | Self::Contact { .. }
            | Self::Attempts { .. }
            | Self::Leaving { .. }
            | Self::Number { .. }
            | Self::Ownership { .. }
            | Self::Revision { .. }
            | Self::Stop { .. }
            | Self::Campaign { .. }
            | Self::Safety { .. }
            | Self::Import { .. }
            | Self::Lane { .. }
            | Self::Process { .. } => WaitsFor::Somebody,
        }
    }

    /// The verdict of these limits on a number: by both ends of the clock's error, so that enough
    /// time has passed for certain. The error is waited out, too, so that nobody is denied twice
    /// for it. `says`: the words of the limits while they allow a call.
    pub fn of_number_limits(
        limits: &NumberLimits,
        earlier: &[PastCall],
        reading: ClockReading,
        zones: &ZoneSet,
        says: impl FnOnce() -> (&'static str, String),
    ) -> Self {
        let held = [reading.earliest(), reading.latest()].into_iter().find_map(|at| {
            let LimitHold { until, rule, says } = limits.allows(earlier, at, zones).err()?;
            Some(Self::NumberLimit { rule, says, until: Some(until + reading.error) })
        });
        held.unwrap_or_else(|| {
            let (rule, says) = says();
            Self::NumberLimit { rule, says, until: None }
        })
    }

    /// Makes the verdict of a lane that rests until this moment.
    pub fn of_rest(until: Moment, reason: Option<&str>, reading: ClockReading) -> Self {
        let rests = until > reading.earliest();
        let reason = rests.then(|| reason.unwrap_or("the lane rests").to_owned());
        Self::Rest { until: rests.then_some(until), reason }
    }

    /// The verdict of one part of a window.
    pub fn of_window_part(part: &WindowPart, now: Moment) -> Self {
        let mut calendar = part.calendar();
        let is_open = calendar.at(now).open;
        let says = part.closed_day(now).filter(|_| !is_open).unwrap_or_else(|| part.says());
        Self::Window { part: part.rule.clone(), is_open, says, opens: calendar.next_opening(now) }
    }

    /// The verdict of a whole window.
    pub fn of_window(
        calendar: &mut Calendar,
        guard: Span,
        days: &[(&str, Option<jiff::civil::Date>)],
        now: Moment,
    ) -> Self {
        let mut says = "all of these at once".to_owned();
        if guard != Span::ZERO {
            says.push_str(&format!(", but not in the last {guard} before closing"));
        }
        for (word, date) in days {
            if let Some(date) = date {
                says.push_str(&format!(", {word} {date}"));
            }
        }
        let is_open = calendar.at(now).open;
        Self::Window { part: "window".to_owned(), is_open, says, opens: calendar.next_opening(now) }
    }
}
