//! All calls since a moment: `GET /agents/executions/list`, page by page.

use std::collections::BTreeSet;

use ringfence_domain::Moment;

use super::UnleashX;
use super::find::{PAGE, from};
use super::rows::Execution;
use crate::Budget;
use crate::call::{AskError, ListedCall, Listing};

/// The most pages that are read: three minutes at 60 requests a minute.
const MOST_PAGES: usize = 180;

impl UnleashX {
    /// Returns the calls of that day and later. The list's times name no zone, so the day before is
    /// asked for too.
    pub(super) async fn listed_since(&self, since: Moment, budget: &dyn Budget) -> Result<Listing, AskError> {
        let mut listing = Listing::default();
        let mut seen = BTreeSet::new();
        let mut readable = true;
        for page in 1..=MOST_PAGES {
            let query = vec![("fromdate", from(since)), ("page", page.to_string()), ("limit", PAGE.to_string())];
            let rows = self.list(query, budget).await?;
            let last = rows.len() < PAGE;
            readable &= rows.iter().all(|row| self.listed(row).is_some());
            let fresh: Vec<ListedCall> = rows
                .iter()
                .filter_map(|row| self.listed(row))
                .filter(|call| seen.insert(call.call_id.clone()))
                .collect();
            // A list that knows no pages gives the same rows again.
            let repeats = fresh.is_empty() && !rows.is_empty();
            listing.calls.extend(fresh.into_iter().filter(|call| call.at.is_none_or(|at| at >= since)));
            if last || repeats {
                listing.complete = last && readable;
                break;
            }
        }
        Ok(listing)
    }

    fn listed(&self, row: &Execution) -> Option<ListedCall> {
        let at = row.created_at().and_then(|local| self.clock.moment(local));
        Some(ListedCall {
            call_id: row.call_id()?,
            number: Listing::number(&row.number()?, None)?,
            at,
            agent: row.agent(),
            named: row.names_its_call(),
        })
    }
}
