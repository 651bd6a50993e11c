//! The reports that vendors send by themselves.

use ringfence_domain::{Moment, Span};
use ringfence_store::StoreError;

use crate::Reconciler;

/// The most reports that are read at once.
const REPORTS: u32 = 500;
/// How long a report of a call that nobody knows waits for the receipt that names the call.
const REPORTS_KEPT: Span = Span::from_days(7);
/// How long what happened in calls is kept for streams and webhooks that missed it.
const CALL_EVENTS_KEPT: Span = Span::from_hours(24);
/// How often both are forgotten, and how much of the latter at once: calls go on meanwhile.
const FORGET_EVERY: Span = Span::from_minutes(1);
const PORTIONS: usize = 200;

impl Reconciler {
    /// Reads the vendor's reports. A report of a call that is out is a reason to ask about the call
    /// now; a report of a call that nobody knows waits for the receipt.
    pub(crate) async fn read_reports(&mut self, now: Moment) -> Result<(), StoreError> {
        let (lane, tick) = (self.lease.lane, self.tick());
        let unread = self.store.unread_reports(lane, REPORTS).await?;
        if !unread.is_empty() {
            let read = unread.iter().map(|report| (report.id, self.provider.reported(report.body.as_bytes())));
            self.store.read_reports(read.collect(), now).await?;
        }
        let mut used = Vec::new();
        self.reported.clear();
        for report in self.store.reported(lane).await? {
            if report.own {
                self.reported.entry(report.attempt).or_default().extend(report.call_id);
            }
            if !report.used {
                self.backoff.ask_now(report.attempt, tick);
                used.push(report.id);
            }
        }
        if !used.is_empty() {
            self.store.use_reports(used, now).await?;
        }
        if tick >= self.forget_at {
            self.forget_at = tick + FORGET_EVERY;
            while self.store.forget_reports(now - REPORTS_KEPT).await? > 0 {}
            for _ in 0..PORTIONS {
                if !self.store.forget_call_events(now - CALL_EVENTS_KEPT).await? {
                    break;
                }
            }
        }
        Ok(())
    }
}
