//! A clock that is set while calls are out: the calls stay as old as they were.

use ringfence_domain::{AttemptId, Moment, Span};
use ringfence_store::{LiveCall, StoreError};

use crate::Reconciler;

/// The smallest change, in milliseconds, that counts as setting the clock. A smaller one is its
/// error, or its drift between two rounds.
const SET: i64 = 2_000;

impl Reconciler {
    /// Notes that the clock was set since the last round. Nobody is called while it is in doubt, so
    /// every call that is out was sent before.
    pub(crate) async fn heed_clock(&mut self, now: Moment, tick: Moment) -> Result<(), StoreError> {
        let offset = now.millis() - tick.millis();
        let by = self.clock_offset.map_or(0, |before| offset - before);
        if by.abs() > SET {
            for call in self.store.live_calls(self.lease.lane).await? {
                *self.set_by.entry(call.attempt).or_default() += by;
            }
        }
        self.clock_offset = Some(offset);
        Ok(())
    }

    /// Returns the present by the clock that the call was sent by.
    pub(crate) fn present_of(&self, attempt: AttemptId, now: Moment) -> Moment {
        now - Span::from_millis(self.set_by.get(&attempt).copied().unwrap_or_default())
    }

    /// Tells whether `backoff` has passed after the last moment at which news of the call was
    /// expected.
    pub(crate) fn is_overdue(&self, call: &LiveCall, backoff: Span, now: Moment) -> bool {
        call.overdue_at.is_some_and(|overdue| overdue + backoff <= self.present_of(call.attempt, now))
    }
}
