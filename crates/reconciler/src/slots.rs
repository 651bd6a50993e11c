//! The effect of the vendor's word on the slots that calls hold.

use ringfence_domain::{AttemptId, CallStatus, Moment, Span};

use ringfence_store::{LiveCall, StoreError};

use crate::Reconciler;

/// How often the usual length of calls is measured again.
const USUAL_EVERY: Span = Span::from_minutes(1);
/// How much longer a call that is out holds its slot than until the next question.
const SPARE: Span = Span::from_secs(30);
/// The time after its claim from which a call that is missing in the vendor's list is taken not to
/// be out: lists lag behind.
const LISTED_AFTER: Span = Span::from_secs(30);

/// Returns until when a call holds its slot after this answer of the vendor, when the next
/// question comes at `next`. None when nothing changes.
pub(crate) fn slot_until(call: &LiveCall, said: &CallStatus, next: Moment, now: Moment) -> Option<(AttemptId, Moment)> {
    let until = next + next.since(now) + SPARE;
    (*said == CallStatus::Pending && call.slot_until < until).then(|| (call.attempt, until + SPARE))
}

impl Reconciler {
    /// Measures how long a call of the lane usually takes, and keeps it for everyone who counts
    /// slots.
    pub(crate) async fn learn_usual(&mut self, tick: Moment) -> Result<(), StoreError> {
        if tick < self.usual_at {
            return Ok(());
        }
        self.usual_at = tick + USUAL_EVERY;
        let lane = self.lease.lane;
        if let Some(usual) = self.store.usual_call(lane).await?.filter(|usual| self.usual != Some(*usual)) {
            self.store.keep_usual_call(lane, usual).await?;
            self.usual = Some(usual);
        }
        Ok(())
    }

    /// Frees the slots of calls that are not out by the vendor's list.
    pub(crate) async fn free_slots(
        &self,
        unknown: &[&LiveCall],
        not_out: &[AttemptId],
        now: Moment,
    ) -> Result<(), StoreError> {
        let listed = |call: &LiveCall| now >= call.sending_at + LISTED_AFTER && call.slot_until > now;
        let gone = unknown.iter().filter(|call| not_out.contains(&call.attempt) && listed(call));
        let gone: Vec<_> = gone.map(|call| (call.attempt, now)).collect();
        if gone.is_empty() { Ok(()) } else { self.store.hold_slots(gone).await }
    }
}
