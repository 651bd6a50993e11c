//! The last question before a call: may this attempt be dialled now?
//!
//! The store asks it inside the claim's transaction, with everything locked that could change the
//! answer.

use std::borrow::Borrow;

use super::Verdict;
use crate::{ClockReading, Moment};

/// What becomes of an attempt that is not dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimDenied {
    /// Somebody else settled it; nothing is to be done.
    NotOpen,
    /// The contact goes back and is planned anew.
    PlanAgain,
    /// The contact goes back and waits until somebody, or time, lets it go.
    Held,
    /// The number must not be called at all.
    Dnc,
    /// A limit on calls to the number holds it until this moment.
    Capped(Moment),
    /// The contact has had every call that the rules allow it.
    AttemptsUsed,
}

impl ClaimDenied {
    /// Why, for the attempt's history; none where nothing is to be explained.
    pub const fn says(self) -> Option<&'static str> {
        match self {
            Self::NotOpen | Self::PlanAgain => None,
            Self::Held => Some("held at the last moment"),
            Self::Dnc => Some("on the do-not-call list"),
            Self::Capped(_) => Some("a limit on its number"),
            Self::AttemptsUsed => Some("no attempts left"),
        }
    }
}

impl Verdict {
    /// What follows in a claim when it does not allow the call.
    pub fn denies(&self, reading: ClockReading) -> Option<ClaimDenied> {
        if self.allows(reading) {
            return None;
        }
        match self {
            Self::Attempt { .. } => Some(ClaimDenied::NotOpen),
            Self::DoNotCall { .. } => Some(ClaimDenied::Dnc),
            Self::Attempts { .. } => Some(ClaimDenied::AttemptsUsed),
            Self::Contact { .. }
            | Self::Leaving { .. }
            | Self::Number { .. }
            | Self::Due { .. }
            | Self::Clock
            | Self::Planned { .. }
            | Self::Ownership { .. }
            | Self::Revision { .. }
            | Self::Window { .. } => Some(ClaimDenied::PlanAgain),
            Self::Stop { .. }
            | Self::Campaign { .. }
            | Self::Safety { .. }
            | Self::Import { .. }
            | Self::Lane { .. }
            | Self::Rest { .. }
            | Self::UnknownUse { .. }
            | Self::LaneDay { .. }
            | Self::Slots(_) => Some(ClaimDenied::Held),
            Self::NumberLimit { until, .. } => Some(until.map_or(ClaimDenied::Held, ClaimDenied::Capped)),
            // The process that asks is the one that dials.
            Self::Process { .. } => None,
        }
    }
}

/// The answer of all verdicts together: the first that denies.
pub fn decide<V: Borrow<Verdict>>(
    verdicts: impl IntoIterator<Item = V>,
    reading: ClockReading,
) -> Result<(), ClaimDenied> {
    verdicts.into_iter().find_map(|verdict| verdict.borrow().denies(reading)).map_or(Ok(()), Err)
}
