//! What the answer to a request says of its lane: that it works, is in trouble, must rest, or
//! waits for a person.

use serde::{Deserialize, Serialize};

use crate::{Moment, Placement, Span};

/// The rest of a lane when its vendor asks for one and does not say how long.
const THROTTLED: Span = Span::from_secs(10);

/// The number of undocumented answers in a row that pause a lane which worked before. After one of
/// them the lane rests as after any trouble.
const UNDOCUMENTED: u32 = 3;

/// What was learned of a lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LaneEffect {
    /// Nothing was learned.
    Nothing,
    /// It works: a call was taken, or refused for its own sake.
    Fine,
    /// It does not answer as it should: after each time in a row it rests longer.
    Trouble(String),
    /// It asked to be left alone until then.
    Slow(Moment, String),
    /// A person must mend something first.
    Pause(String),
}

/// The answers that one process got from a lane.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LaneAnswers {
    /// Whether the vendor has taken a call, so that address and account are right.
    has_taken: bool,
    /// Answers in a row that no page of the vendor documents.
    undocumented: u32,
}

impl LaneAnswers {
    /// Adds an answer that came at `now`. Returns its effect on the lane. That of an undocumented
    /// answer depends on the answers before it: it pauses the lane when no call was taken yet, when
    /// it speaks of the account, and when it came three times in a row.
    pub fn add(&mut self, placement: &Placement, now: Moment) -> LaneEffect {
        self.undocumented = match placement {
            Placement::Undocumented { .. } => self.undocumented + 1,
            Placement::NotSent { .. } | Placement::Unknown { .. } => self.undocumented,
            _ => 0,
        };
        self.has_taken |= matches!(placement, Placement::Accepted { .. });
        match placement {
            // A fault of the campaign pauses the campaign; other campaigns of the lane go on.
            Placement::Accepted { .. }
            | Placement::CampaignFault { .. }
            | Placement::RequestFault { .. }
            | Placement::NumberFault { .. } => LaneEffect::Fine,
            Placement::Reworded { .. } => LaneEffect::Nothing,
            Placement::NotSent { cause } | Placement::Unknown { cause } => LaneEffect::Trouble(cause.clone()),
            Placement::LaneFault { cause } => LaneEffect::Pause(cause.clone()),
            Placement::Throttled { cause, retry_after } => {
                LaneEffect::Slow(rest_until(*retry_after, now), cause.clone())
            }
            Placement::Undocumented { cause, of_account } => {
                let pauses = *of_account || self.undocumented >= UNDOCUMENTED || !self.has_taken;
                if pauses { LaneEffect::Pause(cause.clone()) } else { LaneEffect::Trouble(cause.clone()) }
            }
        }
    }
}

/// Returns until when a vendor that answered at `now` wants to be left alone.
pub fn rest_until(retry_after: Option<Span>, now: Moment) -> Moment {
    now + retry_after.unwrap_or(THROTTLED)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment::from_secs(1_000);

    fn undocumented(of_account: bool) -> Placement {
        Placement::Undocumented { cause: "405".into(), of_account }
    }

    fn taken() -> Placement {
        Placement::Accepted { call_id: "c1".into() }
    }

    #[test]
    fn an_undocumented_answer_pauses_a_lane_that_never_took_a_call() {
        let mut answers = LaneAnswers::default();
        assert_eq!(answers.add(&undocumented(false), NOW), LaneEffect::Pause("405".into()));
    }

    #[test]
    fn a_lane_that_worked_pauses_at_the_third_undocumented_answer_in_a_row() {
        let mut answers = LaneAnswers::default();
        assert_eq!(answers.add(&taken(), NOW), LaneEffect::Fine);
        let trouble = LaneEffect::Trouble("405".into());
        assert_eq!(answers.add(&undocumented(false), NOW), trouble);
        assert_eq!(answers.add(&undocumented(false), NOW), trouble);
        // A refusal that is documented ends the row, and an answer that is lost does not.
        assert_eq!(answers.add(&Placement::NumberFault { cause: "no".into() }, NOW), LaneEffect::Fine);
        assert_eq!(answers.add(&undocumented(false), NOW), trouble);
        answers.add(&Placement::Unknown { cause: "reset".into() }, NOW);
        assert_eq!(answers.add(&undocumented(false), NOW), trouble);
        assert_eq!(answers.add(&undocumented(false), NOW), LaneEffect::Pause("405".into()));
    }

    #[test]
    fn an_undocumented_answer_about_the_account_pauses_whatever_came_before() {
        let mut answers = LaneAnswers::default();
        answers.add(&taken(), NOW);
        assert_eq!(answers.add(&undocumented(true), NOW), LaneEffect::Pause("405".into()));
    }

    #[test]
    fn a_lane_rests_as_long_as_its_vendor_asks_and_ten_seconds_otherwise() {
        let throttled = |retry_after| Placement::Throttled { cause: "429".into(), retry_after };
        let mut answers = LaneAnswers::default();
        for (retry_after, secs) in [(Some(Span::from_secs(60)), 60), (None, 10)] {
            let effect = answers.add(&throttled(retry_after), NOW);
            assert_eq!(effect, LaneEffect::Slow(Moment::from_secs(1_000 + secs), "429".into()));
        }
    }
}
