//! The decision after a call: the rules that turn an outcome into the contact's next state.

use crate::campaign::{Redial, RetryRules};
use crate::{DialClass, Moment, Outcome, Span, StopReason};

/// The decision for the contact.
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
pub struct CallResult {
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
    /// A number that differs from attempt to attempt; it spreads redials over the jitter.
    pub seed: u64,
    /// When the callee asked to be called back, if they did.
    pub callback: Option<Moment>,
    /// Whether the callee wants no more calls.
    pub opted_out: bool,
}

/// The wait before a contact is tried again whose call the vendor dropped undialled.
const NOT_DIALLED_WAIT: Span = Span::from_minutes(5);
/// The number of dropped calls after which a person must look.
const NOT_DIALLED_LIMIT: u32 = 10;

/// Decides by the rules in order; the first that speaks decides.
pub fn decide(case: &CallResult, rules: &RetryRules) -> Decision {
    match case.outcome {
        // A callee who asked for a call is called back, within the same number of calls.
        Outcome::Answered if !case.opted_out && case.calls < rules.max_attempts => {
            let again = |due_at| Decision::Redial { due_at, class: DialClass::Callback };
            return case.callback.map_or(Decision::Done, again);
        }
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
    if case.opted_out {
        return Decision::Stop(StopReason::Dnc);
    }
    let Some(Redial::After(delays)) = rules.after.get(&case.outcome) else {
        return Decision::Done;
    };
    if case.calls >= rules.max_attempts {
        return Decision::Stop(StopReason::AttemptsUsed);
    }
    let place = (case.same_outcome.max(1) as usize - 1).min(delays.len().saturating_sub(1));
    let delay = delays.get(place).copied().unwrap_or(NOT_DIALLED_WAIT);
    Decision::Redial { due_at: case.now + jittered(delay, rules.jitter, case.seed), class: DialClass::Retry }
}

/// Returns the delay and up to `percent` more, never less: a person asked to be left alone for at
/// least the delay.
fn jittered(delay: Span, percent: u8, seed: u64) -> Span {
    let share = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    let most = i128::from(delay.millis()) * i128::from(percent) / 100;
    let added = most * i128::from(share) / (1 << 32);
    Span::from_millis(delay.millis().saturating_add(i64::try_from(added).unwrap_or(i64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn case(outcome: Outcome, calls: u32) -> CallResult {
        CallResult {
            outcome,
            calls,
            same_outcome: calls,
            class: DialClass::First,
            now: Moment::from_secs(0),
            seed: 0,
            callback: None,
            opted_out: false,
        }
    }

    #[test]
    fn a_person_looks_at_the_tenth_call_that_the_vendor_dropped() {
        let rules = RetryRules::default();
        let again = Decision::Redial { due_at: Moment::from_secs(300), class: DialClass::First };
        assert_eq!(decide(&case(Outcome::NotDialled, 9), &rules), again);
        assert_eq!(decide(&case(Outcome::NotDialled, 10), &rules), Decision::Review);
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

    #[test]
    fn who_asked_is_called_back_unless_they_want_no_more_calls_or_had_enough() {
        let rules = RetryRules::default();
        let callback = Some(Moment::from_secs(5_000));
        let decided =
            |calls, opted_out| decide(&CallResult { callback, opted_out, ..case(Outcome::Answered, calls) }, &rules);
        let again = Decision::Redial { due_at: Moment::from_secs(5_000), class: DialClass::Callback };
        assert_eq!(decided(1, false), again);
        assert_eq!(decided(2, false), again);
        assert_eq!(decided(3, false), Decision::Done, "it counts as an attempt");
        assert_eq!(decided(1, true), Decision::Done);
        let machine = CallResult { opted_out: true, ..case(Outcome::Voicemail, 1) };
        assert_eq!(decide(&machine, &rules), Decision::Stop(StopReason::Dnc));
    }

    #[test]
    fn redials_are_spread_over_the_whole_jitter() {
        let delay = Span::from_minutes(60);
        let added: Vec<i64> =
            (0..1_000).map(|seed| (jittered(delay, 10, seed).millis() - delay.millis()) / 60_000).collect();
        assert_eq!((added.iter().min(), added.iter().max()), (Some(&0), Some(&5)), "whole minutes, of six");
    }

    proptest! {
        #[test]
        fn jitter_only_ever_adds_and_no_more_than_it_may(seed: u64, minutes in 1_i64..100_000, percent in 0_u8..=100) {
            let delay = Span::from_minutes(minutes);
            let got = jittered(delay, percent, seed);
            prop_assert!(got >= delay && got.millis() <= delay.millis() + delay.millis() * i64::from(percent) / 100);
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
