//! All calls since a moment: `POST /business/{id}/queues/outbound`, page by page.

use ringfence_domain::Moment;

use super::Iqra;
use super::queue::{SKEW, order, text};
use crate::Budget;
use crate::call::{AskError, ListedCall, Listing};

/// The most pages, of 100 rows each, that are read: three minutes at 60 requests a minute.
const MOST_PAGES: usize = 180;

impl Iqra {
    pub(super) async fn listed_since(&self, since: Moment, budget: &dyn Budget) -> Result<Listing, AskError> {
        let mut listing = Listing::default();
        let mut cursor: Option<String> = None;
        let mut readable = true;
        for _ in 0..MOST_PAGES {
            let page = self.queued(&order(since - SKEW, None, cursor.as_deref()), budget).await?;
            let before = listing.calls.len();
            listing.calls.extend(page.rows.iter().filter_map(|row| {
                Some(ListedCall {
                    call_id: text(row, "queueId")?,
                    number: Listing::number(&text(row, "recipientNumber")?, None)?,
                    at: text(row, "enqueuedAt").and_then(|at| at.parse().ok()),
                    agent: None,
                    named: true,
                })
            }));
            readable &= listing.calls.len() - before == page.rows.len();
            cursor = page.next;
            if cursor.is_none() {
                listing.complete = readable;
                break;
            }
        }
        Ok(listing)
    }
}
