//! What a lane or a run has in hand, and whether that leaves a slot.

use crate::{AttemptState, LaneId, Moment, RunId};

/// Attempts that hold no slot any more may live beside those that do. More are not read by every
/// tick: then nothing new is planned.
const MOST_WITHOUT_SLOT: u32 = 1_000;

/// Live attempts of one run, or of a lane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct InHand {
    /// All of them.
    pub live: u32,
    /// Not claimed yet.
    pub open: u32,
    /// Claimed, and not answered yet.
    pub sending: u32,
    /// Those that hold a slot.
    pub taken: u32,
    /// Those that hold a slot while nobody knows whether their call is out.
    pub unsure: u32,
    /// When the first of the latter lets its slot go, whatever is heard until then.
    pub first_free: Option<Moment>,
}

/// What a transaction changed of the attempts of one run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttemptsMoved {
    /// The lane that they were opened on, if they were opened.
    pub opened_on: Option<LaneId>,
    /// The run.
    pub run: RunId,
    /// By how much the number of attempts in each state changed.
    pub by_state: Vec<(AttemptState, i64)>,
}

impl InHand {
    /// Both together.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self {
            live: self.live + other.live,
            open: self.open + other.open,
            sending: self.sending + other.sending,
            taken: self.taken + other.taken,
            unsure: self.unsure + other.unsure,
            first_free: [self.first_free, other.first_free].into_iter().flatten().min(),
        }
    }

    /// What is in hand after a change. Of attempts that are over, those without a slot come first: nobody
    /// knows which ones were, and a slot that is taken for too long holds up less than one that is given
    /// twice.
    #[must_use]
    pub fn after(self, by_state: &[(AttemptState, i64)]) -> Self {
        let of = |state: AttemptState| {
            by_state.iter().filter(|(other, _)| *other == state).map(|(_, delta)| delta).sum::<i64>()
        };
        let added = |n: u32, delta: i64| u32::try_from(i64::from(n) + delta).unwrap_or_default();
        let live = added(self.live, by_state.iter().filter(|(state, _)| state.is_live()).map(|(_, delta)| delta).sum());
        let without_slot = self.live.saturating_sub(self.taken);
        let over = self.live.saturating_sub(live);
        Self {
            live,
            open: added(self.open, of(AttemptState::Open)),
            sending: added(self.sending, of(AttemptState::Sending)),
            taken: live.saturating_sub(without_slot.saturating_sub(over)),
            unsure: added(self.unsure, of(AttemptState::Unknown)),
            first_free: self.first_free,
        }
    }

    /// How many of `limit` slots are free.
    pub fn free(&self, limit: u32) -> u32 {
        let most = limit.saturating_add(MOST_WITHOUT_SLOT);
        limit.saturating_sub(self.taken).min(most.saturating_sub(self.live))
    }

    /// Says which calls hold the slots, after the words that they are taken.
    pub(super) fn by_whom(&self) -> String {
        match self.unsure {
            0 => " by calls that are under way".to_owned(),
            unsure => format!(", {unsure} of them by calls of unknown fate"),
        }
    }

    /// Whether no slot of `limit` is free, and nothing but calls of unknown fate holds them.
    pub fn is_stuck(&self, limit: u32) -> bool {
        self.free(limit) == 0 && self.unsure == self.taken
    }
}

/// The slots of a lane, and those of a campaign within it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slots {
    /// What the lane has in hand, and how many slots it has.
    pub of_lane: (InHand, u32),
    /// The same of the campaign's run, where the campaign has a limit of its own.
    pub of_campaign: Option<(InHand, u32)>,
}

impl Slots {
    /// What is stuck, and how many slots it has; none when a slot is free or will be.
    pub(super) fn stuck(&self) -> Option<(&InHand, u32, bool)> {
        let of_campaign = self.of_campaign.as_ref().map(|(held, limit)| (held, *limit, true));
        let of_lane = Some((&self.of_lane.0, self.of_lane.1, false));
        [of_lane, of_campaign].into_iter().flatten().find(|(held, limit, _)| held.is_stuck(*limit))
    }

    /// Whether only calls of unknown fate hold them.
    pub fn is_stuck(&self) -> bool {
        self.stuck().is_some()
    }

    /// When the first of those is free, whatever is heard until then.
    pub fn first_free(&self) -> Option<Moment> {
        self.stuck().and_then(|(held, ..)| held.first_free)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_that_hold_no_slot_any_more_are_not_without_number() {
        let lost = |live, taken| InHand { live, taken, unsure: taken, ..InHand::default() };
        assert_eq!(lost(3, 3).free(3), 0);
        assert_eq!(lost(3, 1).free(3), 2);
        assert_eq!(lost(1_001, 0).free(3), 2);
        assert_eq!(lost(1_003, 0).free(3), 0);
        assert!(lost(3, 3).is_stuck(3) && lost(1_003, 0).is_stuck(3));
        assert!(!InHand { unsure: 2, ..lost(3, 3) }.is_stuck(3), "one call is out: its end frees a slot");
        let first = InHand { first_free: Some(Moment::from_secs(5)), ..lost(1, 1) };
        assert_eq!(first.with(lost(2, 2)).first_free, Some(Moment::from_secs(5)));
    }

    #[test]
    fn what_ends_frees_a_slot_only_when_it_certainly_held_one() {
        let before = InHand { live: 10, open: 2, sending: 1, taken: 7, unsure: 0, first_free: None };
        let sent = before.after(&[(AttemptState::Open, -2), (AttemptState::Sending, 2)]);
        assert_eq!((sent.live, sent.open, sent.sending, sent.taken), (10, 0, 3, 7));
        let opened = before.after(&[(AttemptState::Open, 4)]);
        assert_eq!((opened.live, opened.open, opened.taken), (14, 6, 11));
        let ended = |n: i64| before.after(&[(AttemptState::Placed, -n), (AttemptState::Ended, n)]);
        assert_eq!([1, 3, 4, 10].map(|n| ended(n).taken), [7, 7, 6, 0]);
        let lost = before.after(&[(AttemptState::Sending, -1), (AttemptState::Unknown, 1)]);
        assert_eq!((lost.live, lost.sending, lost.taken, lost.unsure), (10, 0, 7, 1));
    }

    #[test]
    fn what_two_have_in_hand_is_added_up() {
        let (early, late) = (Some(Moment::from_secs(5)), Some(Moment::from_secs(9)));
        let one = InHand { live: 10, open: 2, sending: 3, taken: 7, unsure: 5, first_free: late };
        let other = InHand { live: 20, open: 4, sending: 6, taken: 14, unsure: 10, first_free: early };
        let both = InHand { live: 30, open: 6, sending: 9, taken: 21, unsure: 15, first_free: early };
        assert_eq!(one.with(other), both);
    }
}
