//! The parts of a summary that come from counts alone.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_domain::Outcome;
use ringfence_domain::summary::{AttemptCounts, ContactCounts, Cost, Pace};

use crate::amount::amount;

/// Answered calls after which an output that none of them had is spoken of.
const ENOUGH: i64 = 10;

/// The counts of a run.
pub(crate) struct Counts<'c>(pub(crate) &'c BTreeMap<String, i64>);

impl Counts<'_> {
    /// The count of this name; 0 where nothing was counted.
    pub(crate) fn of(&self, name: &str) -> i64 {
        self.0.get(name).copied().unwrap_or_default()
    }

    pub(crate) fn contacts(&self) -> ContactCounts {
        let of = |state: &str| self.of(&format!("contact:{state}"));
        let (waiting, active, done) = (of("waiting"), of("active"), of("done"));
        let (stopped, review) = (of("stopped"), of("review"));
        ContactCounts { total: waiting + active + done + stopped + review, waiting, active, done, stopped, review }
    }

    pub(crate) fn attempts(&self) -> AttemptCounts {
        let of = |state: &str| self.of(&format!("attempt:{state}"));
        AttemptCounts {
            placed: of("placed") + of("ended") - self.dropped(),
            not_sent: of("not_sent"),
            refused: of("refused"),
            unknown: of("unknown"),
            in_flight: of("sending") + of("placed"),
        }
    }

    pub(crate) fn outcomes(&self) -> BTreeMap<&'static str, i64> {
        let shown = Outcome::ALL.iter().filter(|outcome| !matches!(outcome, Outcome::NotDialled | Outcome::Unknown));
        shown.map(|outcome| (outcome.as_str(), self.of(&format!("outcome:{outcome}")))).collect()
    }

    /// Calls that the vendor took and never made.
    fn dropped(&self) -> i64 {
        self.of("outcome:not_dialled")
    }

    fn answered(&self) -> i64 {
        self.of("outcome:answered")
    }

    pub(crate) fn rate(&self, last_minute: i64) -> Pace {
        let ended: i64 = Outcome::ALL.iter().map(|outcome| self.of(&format!("outcome:{outcome}"))).sum();
        let calls = ended - self.dropped();
        let rate = || (self.answered() as f64 / calls as f64 * 1000.0).round() / 1000.0;
        Pace { calls_per_min: last_minute as f64, answer_rate: (calls > 0).then(rate) }
    }

    /// Those of the `asked` outputs that no answered call had once there were enough.
    pub(crate) fn never_collected(&self, asked: BTreeSet<&str>) -> Vec<String> {
        let is_missing = |name: &&str| self.answered() >= ENOUGH && self.of(&format!("heard:{name}")) == 0;
        asked.into_iter().filter(is_missing).map(str::to_owned).collect()
    }

    pub(crate) fn cost(&self) -> Vec<Cost> {
        let cost = |(name, micros): (&String, &i64)| {
            let currency = name.strip_prefix("cost:")?.to_owned();
            Some(Cost { currency, amount: amount(*micros), micros: *micros })
        };
        self.0.iter().filter_map(cost).collect()
    }
}
