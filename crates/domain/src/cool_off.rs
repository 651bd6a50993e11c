//! Cool-offs: how long a number is left alone after a conversation or a refusal.
//!
//! A cool-off holds back a callback too, even one that the callee asked for: of several rules the
//! narrowest wins, and `check` cautions about it.

use serde::{Deserialize, Serialize};

use crate::call::PastCall;
use crate::{Moment, Outcome, Span};

/// The time for which a number is not called, over all campaigns and lanes, counted from the
/// moment that the call was known to be over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CoolOff {
    /// After a call that somebody picked up, or may have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_answered: Option<Span>,
    /// After a call that the callee declined, or in which they said no as their campaign defines
    /// it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after_refusal: Option<Span>,
}

impl CoolOff {
    /// Returns the longer of each.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            after_answered: self.after_answered.max(other.after_answered),
            after_refusal: self.after_refusal.max(other.after_refusal),
        }
    }

    /// Tells whether there is none.
    pub fn is_none(self) -> bool {
        self == Self::default()
    }

    /// Returns how far back ends of calls must be known.
    pub fn memory(self) -> Span {
        self.after_answered.max(self.after_refusal).unwrap_or(Span::ZERO)
    }

    /// Tells whether the number may be called at `now`; if not, returns from when on, and after
    /// which call.
    pub fn allows(self, earlier: &[PastCall], now: Moment) -> Result<(), (Moment, &'static str)> {
        let free = |span: Option<Span>, counts: fn(&PastCall) -> bool| {
            earlier.iter().filter(|call| counts(call)).filter_map(|call| Some(call.ended_at? + span?)).max()
        };
        let both = [
            // A call of which nobody ever learned how it ended may have been a conversation.
            (
                free(self.after_answered, |call| matches!(call.outcome, Some(Outcome::Answered | Outcome::Unknown))),
                "after_answered",
            ),
            (free(self.after_refusal, |call| call.refused), "after_refusal"),
        ];
        let longest = both.into_iter().filter_map(|(free, after)| Some((free?, after))).max_by_key(|(free, _)| *free);
        longest.filter(|(free, _)| *free > now).map_or(Ok(()), Err)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400;

    fn call(outcome: Outcome, ended: i64, refused: bool) -> PastCall {
        let ended_at = Some(Moment::from_secs(ended));
        PastCall { sent_at: Moment::from_secs(ended - 60), ended_at, outcome: Some(outcome), refused }
    }

    #[test]
    fn the_longer_of_both_must_be_known() {
        let none = CoolOff::default();
        assert!(none.is_none());
        assert_eq!(none.memory(), Span::ZERO);
        let answered = CoolOff { after_answered: Some(Span::from_days(7)), ..none };
        assert!(!answered.is_none());
        assert_eq!(answered.memory(), Span::from_days(7));
        assert_eq!(CoolOff { after_refusal: Some(Span::from_days(60)), ..answered }.memory(), Span::from_days(60));
    }

    #[test]
    fn the_longest_that_applies_decides() {
        let rule = CoolOff { after_answered: Some(Span::from_days(7)), after_refusal: Some(Span::from_days(60)) };
        let now = Moment::from_secs(10 * DAY);
        let allows = |calls: &[PastCall]| rule.allows(calls, now).map_err(|(free, after)| (free.secs() / DAY, after));
        assert_eq!(allows(&[]), Ok(()));
        assert_eq!(allows(&[call(Outcome::Busy, 9 * DAY, false)]), Ok(()), "nobody was spoken to");
        assert_eq!(allows(&[call(Outcome::Answered, 9 * DAY, false)]), Err((16, "after_answered")));
        assert_eq!(
            allows(&[call(Outcome::Unknown, 9 * DAY, false)]),
            Err((16, "after_answered")),
            "perhaps it was one"
        );
        assert_eq!(allows(&[call(Outcome::Answered, 3 * DAY, false)]), Ok(()), "just over");
        assert_eq!(allows(&[call(Outcome::Answered, 3 * DAY + 1, false)]), Err((10, "after_answered")));
        assert_eq!(allows(&[call(Outcome::Rejected, 2 * DAY, true)]), Err((62, "after_refusal")));
        let both = [call(Outcome::Answered, 2 * DAY, true), call(Outcome::Answered, 9 * DAY, false)];
        assert_eq!(allows(&both), Err((62, "after_refusal")));
        let out = PastCall { ended_at: None, outcome: None, ..both[0] };
        assert_eq!(rule.allows(&[PastCall { refused: false, ..out }], now), Ok(()), "it is not over");
    }
}
