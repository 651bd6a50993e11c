//! Rails that hold a campaign before many people are called wrongly.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{Outcome, Percent, Span};

/// The rails after which an import is held, or a campaign is paused, until a person accepts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Safety {
    /// People that one import must have at least.
    #[serde(default)]
    pub min_contacts: Option<u32>,
    /// Contacts accepted in one import.
    pub max_contacts: Option<u32>,
    /// Rejected rows among those of one import, from [`Safety::FEW_ROWS`] rows on.
    pub max_rejected: Percent,
    /// Waiting contacts that a newer file no longer has, where those are stopped, from
    /// [`Safety::FEW_ROWS`] on.
    #[serde(default = "half")]
    pub max_missing: Percent,
    /// Time since the contact file was written.
    pub max_file_age: Option<Span>,
    /// The number of contacts of an import that are dialled first; the others wait for their
    /// outcomes.
    pub canary: Option<u32>,
    /// Failures among the last [`OutcomeWindow::LENGTH`] calls, or among the canary's.
    pub stop_at_failures: Percent,
}

const fn half() -> Percent {
    Percent::new(50)
}

impl Default for Safety {
    fn default() -> Self {
        Self {
            min_contacts: None,
            max_contacts: None,
            max_rejected: Percent::new(20),
            max_missing: half(),
            max_file_age: None,
            canary: None,
            stop_at_failures: Percent::new(50),
        }
    }
}

/// The facts of an import once its whole file was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportFacts {
    /// Rows read.
    pub rows: i64,
    /// Rows that became contacts.
    pub accepted: i64,
    /// Rows of people who can be called, whether they are new or known.
    pub people: i64,
    /// Rows that cannot be called.
    pub rejected: i64,
    /// Time since the file was written, where that is known.
    pub age: Option<Span>,
}

impl Safety {
    /// The number of rows below which a share says nothing.
    pub const FEW_ROWS: i64 = 20;

    /// Returns why an import must be held; none when it need not be.
    pub fn judge(&self, import: &ImportFacts) -> Option<String> {
        if let (Some(limit), Some(age)) = (self.max_file_age, import.age)
            && age > limit
        {
            return Some(format!("the file was written {} ago; safety.max_file_age is {limit}", about(age)));
        }
        if let Some(least) = self.min_contacts
            && import.people < i64::from(least)
        {
            return Some(format!(
                "{} people in it can be called; safety.min_contacts is {least} (some people of a larger list come in by \
                 `ringfence import --partial`)",
                import.people
            ));
        }
        if let Some(limit) = self.max_contacts
            && import.accepted > i64::from(limit)
        {
            return Some(format!("{} contacts were accepted; safety.max_contacts is {limit}", import.accepted));
        }
        if import.rows >= Self::FEW_ROWS && self.max_rejected.is_exceeded_by(import.rejected, import.rows) {
            let (rejected, rows) = (import.rejected, import.rows);
            return Some(format!(
                "{rejected} of {rows} rows were rejected; safety.max_rejected is {}",
                self.max_rejected
            ));
        }
        None
    }

    /// Returns why an import must be held that would stop `missing` of those who wait; none when it
    /// need not be.
    pub fn judge_missing(&self, missing: i64, waiting: i64) -> Option<String> {
        (waiting >= Self::FEW_ROWS && self.max_missing.is_exceeded_by(missing, waiting)).then(|| {
            format!(
                "{missing} of {waiting} who wait are not in the file; safety.max_missing is {} (some people of a larger \
                 list come in by `ringfence import --partial`)",
                self.max_missing
            )
        })
    }

    /// Returns why the rest of an import must not be dialled, by the ends of the canary's calls;
    /// none when it may.
    pub fn judge_canary(&self, failures: i64, calls: i64) -> Option<String> {
        self.stop_at_failures.is_reached_by(failures, calls).then(|| {
            format!(
                "{failures} of the first {calls} calls failed; safety.stop_at_failures is {}",
                self.stop_at_failures
            )
        })
    }

    /// Returns why a campaign must be paused, by the ends of its last calls; none when it need not
    /// be.
    pub fn judge_recent(&self, recent: &OutcomeWindow) -> Option<String> {
        let (failures, calls) = (recent.failures(), OutcomeWindow::LENGTH as i64);
        (recent.0.len() >= OutcomeWindow::LENGTH && self.stop_at_failures.is_reached_by(failures, calls)).then(|| {
            format!("{failures} of the last {calls} calls failed; safety.stop_at_failures is {}", self.stop_at_failures)
        })
    }
}

/// Rounds a long time to its largest whole unit.
fn about(span: Span) -> Span {
    let (hour, minute) = (Span::from_hours(1).millis(), Span::from_minutes(1).millis());
    let unit = if span.millis() >= hour { hour } else { minute };
    Span::from_millis(span.millis() / unit * unit)
}

/// The ends of the last calls of a run, oldest first: `x` for a failure, `o` for any other end.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutcomeWindow(String);

impl OutcomeWindow {
    /// The number of calls that are remembered.
    pub const LENGTH: usize = 20;

    /// Adds one call that is over.
    pub fn push(&mut self, failed: bool) {
        if self.0.len() >= Self::LENGTH {
            self.0.remove(0);
        }
        self.0.push(if failed { 'x' } else { 'o' });
    }

    fn failures(&self) -> i64 {
        self.0.bytes().filter(|end| *end == b'x').count() as i64
    }
}

impl FromStr for OutcomeWindow {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() <= Self::LENGTH && text.bytes().all(|end| matches!(end, b'x' | b'o')) {
            Ok(Self(text.to_owned()))
        } else {
            Err(format!("`{text}` does not say how calls ended"))
        }
    }
}

impl fmt::Display for OutcomeWindow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Outcome {
    /// Tells whether such an end speaks against the contact list rather than for bad luck.
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::InvalidNumber)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn facts(rows: i64, accepted: i64, rejected: i64) -> ImportFacts {
        ImportFacts { rows, accepted, people: accepted, rejected, age: None }
    }

    #[test]
    fn an_import_is_held_by_each_rail_alone() {
        let safety = Safety { max_contacts: Some(50), max_file_age: Some(Span::from_hours(20)), ..Safety::default() };
        assert_eq!(safety.judge(&facts(50, 50, 0)), None);
        assert!(safety.judge(&facts(51, 51, 0)).is_some_and(|why| why.contains("max_contacts")));
        assert_eq!(safety.judge(&facts(100, 40, 20)), None, "exactly a fifth");
        assert!(safety.judge(&facts(100, 40, 21)).is_some_and(|why| why.contains("max_rejected")));
        assert_eq!(safety.judge(&facts(19, 0, 19)), None, "too few rows to judge by");
        assert_eq!(safety.judge_missing(20, 40), None);
        assert!(safety.judge_missing(21, 40).is_some_and(|why| why.contains("max_missing")));
        assert_eq!(safety.judge_missing(19, 19), None, "too few to judge by");
        let few = Safety { min_contacts: Some(10), ..Safety::default() };
        assert!(few.judge(&facts(0, 0, 0)).is_some_and(|why| why.contains("min_contacts")), "a header and no people");
        assert_eq!(few.judge(&ImportFacts { people: 10, ..facts(10, 0, 0) }), None, "people who are known count");
        let old = ImportFacts { age: Some(Span::from_hours(21)), ..facts(1, 1, 0) };
        assert!(safety.judge(&old).is_some_and(|why| why.contains("21h ago")));
    }

    proptest! {
        #[test]
        fn recent_calls_are_judged_like_a_list(ends in prop::collection::vec(any::<bool>(), 0..80), percent in 1_u8..=100) {
            let safety = Safety { stop_at_failures: Percent::new(percent), ..Safety::default() };
            let mut recent = OutcomeWindow::default();
            for (made, end) in ends.iter().enumerate() {
                recent.push(*end);
                prop_assert_eq!(recent.to_string().parse::<OutcomeWindow>(), Ok(recent.clone()));
                let last = &ends[(made + 1).saturating_sub(20)..=made];
                let failed = last.iter().filter(|end| **end).count();
                let stops = last.len() == 20 && failed * 100 >= 20 * usize::from(percent);
                prop_assert_eq!(safety.judge_recent(&recent).is_some(), stops);
            }
        }
    }
}
