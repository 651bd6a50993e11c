//! All calls since a moment: `GET /call/logs`. No page says how far back it goes.

use ringfence_domain::{Moment, Span};

use super::{Twenty2, india};
use crate::Budget;
use crate::call::{AskError, ListedCall, Listing};

/// The most by which the vendor's clock may differ from ours.
const SKEW: Span = Span::from_minutes(2);

impl Twenty2 {
    /// Returns the calls that began since then, and those that have not begun: the vendor holds
    /// them until the next morning.
    pub(super) async fn listed_since(&self, since: Moment, budget: &dyn Budget) -> Result<Listing, AskError> {
        let from = since - SKEW;
        let log = self.list(budget).await?;
        // A list that shows an older call shows all later ones, unless rows of it cannot be read.
        let reaches = log.calls.iter().filter_map(|row| row.started_at).any(|at| at < from);
        let complete = reaches && log.unread.is_empty();
        let recent = log.calls.into_iter().filter(|row| row.started_at.is_none_or(|at| at >= from));
        let calls = recent.filter_map(|row| {
            let number = Listing::number(&row.callee, Some(india()))?;
            Some(ListedCall { call_id: row.call_id, number, at: row.started_at, agent: row.agent, named: true })
        });
        Ok(Listing { calls: calls.collect(), complete })
    }
}
