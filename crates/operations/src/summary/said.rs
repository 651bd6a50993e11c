//! What people said in a run's calls, out of its counters.

use ringfence_domain::summary::{Said, UnclearOptOut, UnheededOptOut};
use ringfence_store::RunFigures;

/// Values that are named; the rest is in the export.
const NAMED: usize = 5;

/// What was said, the most frequent unclear values first.
pub(crate) fn said(numbers: &RunFigures) -> Said {
    let count = |name: &str| numbers.counts.get(name).copied().unwrap_or_default();
    let of = |prefix: &'static str| {
        numbers.counts.iter().filter_map(move |(name, calls)| Some((name.strip_prefix(prefix)?, *calls)))
    };
    let mut unclear: Vec<UnclearOptOut> = of("said:unclear:")
        .filter_map(|(name, calls)| {
            let (output, value) = name.split_once('=')?;
            Some(UnclearOptOut { output: output.to_owned(), value: value.to_owned(), calls })
        })
        .collect();
    unclear.sort_by(|one, other| other.calls.cmp(&one.calls).then_with(|| one.value.cmp(&other.value)));
    let rest = unclear.split_off(unclear.len().min(NAMED));
    if let Some(first) = rest.first() {
        let calls = rest.iter().map(|entry| entry.calls).sum();
        unclear.push(UnclearOptOut { output: first.output.clone(), value: "other words".to_owned(), calls });
    }
    let mut not_heeded: Vec<UnheededOptOut> = of("said:unheeded:")
        // Somebody wrote the rule since.
        .filter(|(name, _)| !numbers.conditions.campaign.rules.opt_out.as_ref().is_some_and(|when| when.reads(name)))
        .map(|(name, calls)| UnheededOptOut {
            output: name.to_owned(),
            calls,
            wanted: count(&format!("said:unheeded_yes:{name}")),
        })
        .collect();
    not_heeded.sort_by(|one, other| one.output.cmp(&other.output));
    Said { opted_out: count("said:opted_out"), refused: count("said:refused"), unclear, not_heeded }
}
