//! The last question before a call: may this attempt be dialled now?
//!
//! The store asks it inside the claim's transaction, with everything locked that could change the answer.

use crate::number_limits::Hold;
use crate::{AttemptState, CampaignState, LaneState, Moment, NumberLimits, PastCall, Reading, ZoneSet};

/// Everything that the answer depends on, as the claim's transaction reads it.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    /// The attempt's own state.
    pub state: AttemptState,
    /// Not before this moment.
    pub dial_after: Moment,
    /// Before this moment.
    pub dial_before: Moment,
    /// The ownership under which it was opened, and the lane's present one.
    pub epochs: (i64, i64),
    /// The campaign revision by which it was planned, and the present one.
    pub revisions: (i64, i64),
    /// Whether the lane may dial.
    pub lane: LaneState,
    /// Whether the lane was told to rest, or rests after trouble.
    pub lane_rests: bool,
    /// What the campaign is doing.
    pub campaign: CampaignState,
    /// Whether everything on this database is stopped.
    pub stopped: bool,
    /// Whether too many of the run's last calls failed.
    pub failing: bool,
    /// Whether the number is on the do-not-call list.
    pub on_dnc: bool,
    /// Whether the contact is to be stopped as soon as it waits again.
    pub leaving: bool,
    /// What limits calls to the number.
    pub limits: &'a NumberLimits,
    /// The counted calls to the number, over all campaigns.
    pub earlier: &'a [PastCall],
    /// Where the callee may be.
    pub zones: &'a ZoneSet,
    /// Calls that the lane may still make today.
    pub left_today: Option<u32>,
}

/// Why an attempt is not dialled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Someone else settled it; nothing is to be done.
    NotOpen,
    /// Its moment has not come or has passed, its lane changed hands, or what it was planned by has changed: the
    /// contact goes back and is planned anew.
    PlanAgain,
    /// Everything is stopped, the lane or the campaign is paused or must be, or the lane's day is used up: the contact
    /// goes back and waits.
    Held,
    /// The number must not be called at all.
    Dnc,
    /// A limit on calls to the number holds it until this moment: a cap, a cool-off, an hour to avoid.
    Capped(Moment),
}

impl Refusal {
    /// Why, for the attempt's history; none where nothing is to be explained.
    pub const fn says(self) -> Option<&'static str> {
        match self {
            Self::NotOpen | Self::PlanAgain => None,
            Self::Held => Some("held at the last moment"),
            Self::Dnc => Some("on the do-not-call list"),
            Self::Capped(_) => Some("a limit on its number"),
        }
    }
}

impl Question<'_> {
    /// The answer at `reading`. When the clock is in doubt nothing is dialled.
    pub fn answer(&self, reading: Reading) -> Result<(), Refusal> {
        if self.state != AttemptState::Open {
            return Err(Refusal::NotOpen);
        }
        if self.on_dnc {
            return Err(Refusal::Dnc);
        }
        if self.leaving {
            return Err(Refusal::PlanAgain);
        }
        let in_time = self.dial_after <= reading.earliest() && reading.latest() < self.dial_before;
        if reading.in_doubt() || !in_time || self.epochs.0 != self.epochs.1 || self.revisions.0 != self.revisions.1 {
            return Err(Refusal::PlanAgain);
        }
        if self.stopped
            || self.failing
            || self.lane != LaneState::Open
            || self.lane_rests
            || self.campaign != CampaignState::Running
            || self.left_today == Some(0)
        {
            return Err(Refusal::Held);
        }
        // Enough time has passed for certain, and the callee's day is the one that is counted whichever it is. The clock's error is waited
        // out, too, so that nobody is refused twice for it.
        for at in [reading.earliest(), reading.latest()] {
            let held = |hold: Hold| Refusal::Capped(hold.until + reading.error);
            self.limits.allows(self.earlier, at, self.zones).map_err(held)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Span;
    use crate::cap::Cap;

    fn question<'q>(zones: &'q ZoneSet, limits: &'q NumberLimits) -> Question<'q> {
        Question {
            state: AttemptState::Open,
            dial_after: Moment::from_secs(100),
            dial_before: Moment::from_secs(130),
            epochs: (1, 1),
            revisions: (1, 1),
            lane: LaneState::Open,
            lane_rests: false,
            campaign: CampaignState::Running,
            stopped: false,
            failing: false,
            on_dnc: false,
            leaving: false,
            limits,
            earlier: &[],
            zones,
            left_today: None,
        }
    }

    #[test]
    fn each_reason_is_enough_by_itself() {
        let zones = ZoneSet::one(crate::Zone::utc());
        let none = NumberLimits::default();
        let at = |seconds: i64| Reading::exact(Moment::from_secs(seconds));
        let caps = NumberLimits { caps: vec![Cap::per_day(1)], ..NumberLimits::default() };
        let sent_at = Moment::from_secs(50);
        let earlier = [PastCall { sent_at, ended_at: None, outcome: None, refused: false }];
        let base = || question(&zones, &none);
        assert_eq!(base().answer(at(100)), Ok(()));
        assert_eq!(base().answer(at(99)), Err(Refusal::PlanAgain));
        assert_eq!(base().answer(at(130)), Err(Refusal::PlanAgain));
        let unsure = Reading { now: Moment::from_secs(129), error: Span::from_secs(1) };
        assert_eq!(base().answer(unsure), Err(Refusal::PlanAgain), "it may already be too late");
        let doubtful = Reading { now: Moment::from_secs(115), error: Span::from_millis(2001) };
        assert_eq!(base().answer(doubtful), Err(Refusal::PlanAgain));
        assert_eq!(Question { state: AttemptState::Sending, ..base() }.answer(at(100)), Err(Refusal::NotOpen));
        assert_eq!(Question { epochs: (1, 2), ..base() }.answer(at(100)), Err(Refusal::PlanAgain));
        assert_eq!(Question { revisions: (1, 2), ..base() }.answer(at(100)), Err(Refusal::PlanAgain));
        assert_eq!(Question { lane: LaneState::Paused, ..base() }.answer(at(100)), Err(Refusal::Held));
        assert_eq!(Question { lane_rests: true, ..base() }.answer(at(100)), Err(Refusal::Held));
        assert_eq!(Question { campaign: CampaignState::Paused, ..base() }.answer(at(100)), Err(Refusal::Held));
        assert_eq!(Question { leaving: true, ..base() }.answer(at(100)), Err(Refusal::PlanAgain));
        assert_eq!(Question { stopped: true, ..base() }.answer(at(100)), Err(Refusal::Held));
        assert_eq!(Question { failing: true, ..base() }.answer(at(100)), Err(Refusal::Held));
        assert_eq!(Question { left_today: Some(0), ..base() }.answer(at(100)), Err(Refusal::Held));
        assert_eq!(Question { on_dnc: true, ..base() }.answer(at(100)), Err(Refusal::Dnc));
        let capped = Question { limits: &caps, earlier: &earlier, ..base() }.answer(at(100));
        assert_eq!(capped, Err(Refusal::Capped(Moment::from_secs(86_400))));
        // A day has passed by one end of the clock's error, and not by the other.
        for (cap, seconds) in [("1/24h", 86_450), ("1/day", 86_400)] {
            let limits = NumberLimits { caps: vec![cap.parse().expect("a cap")], ..NumberLimits::default() };
            let long =
                || Question { dial_before: Moment::from_secs(90_000), limits: &limits, earlier: &earlier, ..base() };
            let at = |seconds, error| Reading { now: Moment::from_secs(seconds), error: Span::from_secs(error) };
            assert_eq!(long().answer(at(seconds, 0)), Ok(()), "{cap}");
            let held = Err(Refusal::Capped(Moment::from_secs(seconds + 2)));
            assert_eq!(long().answer(at(seconds + 1, 2)), held, "{cap}: it may be a second too early");
            assert_eq!(long().answer(at(seconds - 1, 2)), held, "{cap}");
            assert_eq!(long().answer(at(seconds + 2, 2)), Ok(()), "{cap}");
        }
    }
}
