//! The parts of a summary that come from counts alone.

use std::collections::BTreeMap;

use ringfence_domain::Outcome;
use ringfence_domain::summary::{AttemptCounts, ContactCounts, Cost, Pace};
use ringfence_store::RunFigures;

use crate::amount::amount;

/// Answered calls after which an output that none of them had is spoken of.
const ENOUGH: i64 = 10;

/// The counts of a run.
pub(super) struct Counts<'f>(pub(super) &'f RunFigures);

impl Counts<'_> {
    /// The count of this name; 0 where nothing was counted.
    pub(super) fn of(&self, name: &str) -> i64 {
        self.0.counts.get(name).copied().unwrap_or_default()
    }

    pub(super) fn contacts(&self) -> ContactCounts {
        let of = |state: &str| self.of(&format!("contact:{state}"));
        let (waiting, active, done) = (of("waiting"), of("active"), of("done"));
        let (stopped, review) = (of("stopped"), of("review"));
        ContactCounts { total: waiting + active + done + stopped + review, waiting, active, done, stopped, review }
    }

    pub(super) fn attempts(&self) -> AttemptCounts {
        let of = |state: &str| self.of(&format!("attempt:{state}"));
        AttemptCounts {
            placed: of("placed") + of("ended") - self.dropped(),
            not_sent: of("not_sent"),
            refused: of("refused"),
            unknown: of("unknown"),
            in_flight: of("sending") + of("placed"),
        }
    }

    pub(super) fn outcomes(&self) -> BTreeMap<&'static str, i64> {
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

    pub(super) fn rate(&self) -> Pace {
        let ended: i64 = Outcome::ALL.iter().map(|outcome| self.of(&format!("outcome:{outcome}"))).sum();
        let calls = ended - self.dropped();
        let rate = || (self.answered() as f64 / calls as f64 * 1000.0).round() / 1000.0;
        Pace { calls_per_min: self.0.last_minute as f64, answer_rate: (calls > 0).then(rate) }
    }

    /// Outputs that the rules ask for, and that no answered call had once there were enough.
    pub(super) fn never_collected(&self) -> Vec<String> {
        let asked = self.0.conditions.campaign.rules.asked_outputs();
        let is_missing = |name: &&str| self.answered() >= ENOUGH && self.of(&format!("heard:{name}")) == 0;
        asked.into_iter().filter(is_missing).map(str::to_owned).collect()
    }

    pub(super) fn cost(&self) -> Vec<Cost> {
        let cost = |(name, micros): (&String, &i64)| {
            let currency = name.strip_prefix("cost:")?.to_owned();
            Some(Cost { currency, amount: amount(*micros) })
        };
        self.0.counts.iter().filter_map(cost).collect()
    }
}
