//! The inquiry in quarantine: which calls the vendor knows that the database may have forgotten.
//!
//! `quarantine lift` asks once more by the same function, unless it is told `--unasked`. It is
//! refused while a call of a vendor's list cannot be entered yet, or fits nobody who waits
//! (`--strangers` accepts that).

use ringfence_domain::{Moment, Span};
use ringfence_providers::{Budget, Listing, Provider};
use ringfence_store::{AdoptOrder, Database, LaneInquiry, LaneRow, QuarantineRow, StoreError, VendorCall};

use crate::Reconciler;

/// A vendor's call may go on for this long after its phone begins to ring.
const RING_AND_TALK: Span = Span::from_hours(1);

/// Asks a lane's vendor for all calls since the quarantine's moment, enters those that the
/// database has forgotten, and keeps the result. It can be repeated: calls of one number are
/// entered one after the other.
pub async fn inquire(
    store: &Database,
    quarantine: &QuarantineRow,
    lane: &LaneRow,
    provider: &dyn Provider,
    budget: &dyn Budget,
    now: Moment,
) -> Result<LaneInquiry, StoreError> {
    let mut inquiry = LaneInquiry { lane: lane.settings.name.clone(), asked_at: now, ..LaneInquiry::default() };
    let since = quarantine.since.unwrap_or(quarantine.noticed_at - UNKNOWN_SINCE);
    match provider.calls_since(since, budget).await {
        Ok(Some(listing)) => {
            inquiry.listed = Some(listing.calls.len() as i64);
            if !listing.complete {
                inquiry.trouble = Some(
                    "the list may not show all calls: it does not go back far enough, or rows of it cannot be read"
                        .to_owned(),
                );
            }
            let order = AdoptOrder {
                lane: lane.id,
                calls: oldest_first(store, listing),
                since,
                overdue_at: provider.held_until(now) + RING_AND_TALK,
                now,
            };
            let done = store.adopt(order).await?;
            (inquiry.known, inquiry.adopted) = (done.known, done.adopted);
            (inquiry.waiting, inquiry.strange) = (done.waiting, done.strange);
        }
        Ok(None) => inquiry.trouble = Some("this vendor has no list of calls".to_owned()),
        Err(error) => inquiry.trouble = Some(error.to_string()),
    }
    store.keep_inquiry(quarantine.id, inquiry.clone()).await?;
    Ok(inquiry)
}

/// The wait before the vendor is asked again while calls were found, or wait for an earlier one of
/// their number.
const AGAIN: Span = Span::from_secs(5);
/// The wait when there are no such calls.
const LATER: Span = Span::from_secs(60);
/// How often the reconciler looks for a quarantine.
const LOOK: Span = Span::from_secs(1);

impl Reconciler {
    /// Asks the vendor, in quarantine, for calls that the database has forgotten. `tick` is the
    /// time by a clock that nobody sets.
    pub(crate) async fn inquire(&mut self, now: Moment, tick: Moment) -> Result<(), StoreError> {
        self.inquire_at = tick + LOOK;
        let Some(quarantine) = self.store.quarantine().await? else { return Ok(()) };
        let lanes = self.store.lanes().await?;
        let Some(lane) = lanes.iter().find(|lane| lane.id == self.lease.lane) else { return Ok(()) };
        let done = inquire(&self.store, &quarantine, lane, &*self.provider, &self.pacer, now).await?;
        self.inquire_at = tick + if done.adopted + done.waiting > 0 { AGAIN } else { LATER };
        Ok(())
    }
}

/// How far back the vendor is asked when nobody knows since when calls are missing.
const UNKNOWN_SINCE: Span = Span::from_days(30);

/// Sorts calls by their time. A call without a time has not begun yet: it is the newest.
fn oldest_first(store: &Database, listing: Listing) -> Vec<VendorCall> {
    let mut calls: Vec<VendorCall> = listing
        .calls
        .into_iter()
        .map(|call| VendorCall {
            number_key: store.hasher().key(&call.number),
            call_id: call.call_id,
            number: call.number,
            at: call.at,
            agent: call.agent,
            named: call.named,
        })
        .collect();
    calls.sort_by_key(|call| (call.at.unwrap_or(Moment::NEVER), call.call_id.clone()));
    calls
}
