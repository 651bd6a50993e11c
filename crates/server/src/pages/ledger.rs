//! What happened to a call, line by line.

use ringfence_domain::Zone;
use ringfence_operations::ledger::Entry;

use super::visitor::Visitor;

/// Letters of a report that are shown.
const REPORT: usize = 2_000;

/// One line.
#[derive(Debug)]
pub(crate) struct LedgerLine {
    pub(crate) at: String,
    pub(crate) says: String,
    /// The vendor's report; empty when it is none.
    pub(crate) report: String,
}

impl LedgerLine {
    pub(crate) fn of(visitor: &Visitor, entry: &Entry, zone: Zone) -> Self {
        let report = visitor.seen(entry.report.as_deref().unwrap_or_default());
        Self {
            at: entry.at.shown_second(zone),
            says: visitor.seen(&entry.says),
            report: report.chars().take(REPORT).collect(),
        }
    }
}
