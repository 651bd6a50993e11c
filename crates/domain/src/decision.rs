//! What follows a call: the rules that turn an outcome into the contact's next state.

use crate::campaign::{Redial, RetryRules};
use crate::{DialClass, Moment, Outcome, Span, StopReason};

/// What follows for the contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Finished.
    Done,
    /// Due again, not before this moment. It never encodes a window.
    Redial {
        /// The earliest moment by delay.
        due_at: Moment,
        /// Its place in the order.
        class: DialClass,
    },
    /// Given up.
    Stop(StopReason),
    /// A person must say.
    Review,
}

/// A call that is over, and what is known of its contact.
#[derive(Debug, Clone, Copy)]
pub struct Case {
    /// How the call ended.
    pub outcome: Outcome,
    /// Counted calls to the contact in this run, this one included.
    pub calls: u32,
    /// Calls with this same outcome, this one included.
    pub same_outcome: u32,
    /// Why the contact had been due.
    pub class: DialClass,
    /// When the outcome was learned.
    pub now: Moment,
    /// Anything that differs from attempt to attempt; spreads redials over the jitter.
    pub seed: u64,
}

/// The wait before a contact is tried again whose call the vendor dropped undialled.
const NOT_DIALLED_WAIT: Span = Span::from_minutes(5);
/// After so many dropped calls a person must look.
const NOT_DIALLED_LIMIT: u32 = 10;
/// Redials are spread over this part of their delay, in percent.
const JITTER_PERCENT: i64 = 10;

/// The rules in order; the first that speaks decides.
pub fn decide(case: &Case, rules: &RetryRules) -> Decision {
    match case.outcome {
        Outcome::Answered => return Decision::Done,
        Outcome::InvalidNumber => return Decision::Stop(StopReason::InvalidNumber),
        Outcome::Unknown => return Decision::Review,
        // The vendor took it and dropped it, again and again: somebody should look.
        Outcome::NotDialled if case.same_outcome >= NOT_DIALLED_LIMIT => return Decision::Review,
        Outcome::NotDialled => {
            return Decision::Redial { due_at: case.now + NOT_DIALLED_WAIT, class: case.class };
        }
        Outcome::Voicemail
        | Outcome::Busy
        | Outcome::NoAnswer
        | Outcome::Rejected
        | Outcome::Unreachable
        | Outcome::Failed => {}
    }
    let Some(Redial::After(delays)) = rules.after.get(&case.outcome) else {
        return Decision::Done;
    };
    if case.calls >= rules.max_attempts {
        return Decision::Stop(StopReason::AttemptsUsed);
    }
    let place = (case.same_outcome.max(1) as usize - 1).min(delays.len().saturating_sub(1));
    let delay = delays.get(place).copied().unwrap_or(NOT_DIALLED_WAIT);
    Decision::Redial { due_at: case.now + jittered(delay, case.seed), class: DialClass::Retry }
}

/// The delay and up to a tenth more, never less: a person asked to be left alone for at least the delay.
fn jittered(delay: Span, seed: u64) -> Span {
    let spread = delay.millis() * JITTER_PERCENT / 100;
    let share = (seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32).cast_signed();
    Span::from_millis(delay.millis() + spread * share / (1 << 32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn case(outcome: Outcome, calls: u32) -> Case {
        Case { outcome, calls, same_outcome: calls, class: DialClass::First, now: Moment::from_secs(0), seed: 0 }
    }

    #[test]
    fn the_whole_table() {
        let rules = RetryRules::default();
        let lines: Vec<String> = Outcome::ALL
            .iter()
            .flat_map(|outcome| (1..=3).map(|calls| (*outcome, calls)))
            .map(|(outcome, calls)| format!("{outcome} {calls}: {:?}", decide(&case(outcome, calls), &rules)))
            .map(|line| {
                line.replace("Redial { due_at: Moment(", "again (").replace("), class: ", " ms, ").replace(" }", ")")
            })
            .collect();
        assert_eq!(
            lines,
            [
                "answered 1: Done",
                "answered 2: Done",
                "answered 3: Done",
                "voicemail 1: again (86400000 ms, Retry)",
                "voicemail 2: again (86400000 ms, Retry)",
                "voicemail 3: Stop(AttemptsUsed)",
                "busy 1: again (900000 ms, Retry)",
                "busy 2: again (900000 ms, Retry)",
                "busy 3: Stop(AttemptsUsed)",
                "no_answer 1: again (3600000 ms, Retry)",
                "no_answer 2: again (14400000 ms, Retry)",
                "no_answer 3: Stop(AttemptsUsed)",
                "rejected 1: Done",
                "rejected 2: Done",
                "rejected 3: Done",
                "unreachable 1: again (7200000 ms, Retry)",
                "unreachable 2: again (7200000 ms, Retry)",
                "unreachable 3: Stop(AttemptsUsed)",
                "invalid_number 1: Stop(InvalidNumber)",
                "invalid_number 2: Stop(InvalidNumber)",
                "invalid_number 3: Stop(InvalidNumber)",
                "failed 1: again (3600000 ms, Retry)",
                "failed 2: again (3600000 ms, Retry)",
                "failed 3: Stop(AttemptsUsed)",
                "not_dialled 1: again (300000 ms, First)",
                "not_dialled 2: again (300000 ms, First)",
                "not_dialled 3: again (300000 ms, First)",
                "unknown 1: Review",
                "unknown 2: Review",
                "unknown 3: Review",
            ]
        );
    }

    proptest! {
        #[test]
        fn jitter_only_ever_adds_and_at_most_a_tenth(seed: u64, minutes in 1_i64..100_000) {
            let delay = Span::from_minutes(minutes);
            let got = jittered(delay, seed);
            prop_assert!(got >= delay && got.millis() <= delay.millis() + delay.millis() / 10);
        }

        #[test]
        fn one_cap_holds_over_all_outcomes(calls in 3_u32..50, outcome in prop::sample::select(Outcome::ALL.to_vec())) {
            let decision = decide(&case(outcome, calls), &RetryRules::default());
            if outcome.is_counted() {
                let redials = matches!(decision, Decision::Redial { .. });
                prop_assert!(!redials);
            }
        }
    }
}
