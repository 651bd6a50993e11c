//! Pausing and resuming a lane.

use ringfence_domain::event::EventKind;
use ringfence_domain::{LaneId, LaneState, Moment};
use serde_json::{Value, json};

use super::rows::Lock;
use crate::StoreError;
use crate::events::{Subject, tell_change};
use crate::session::{Session, Sql, args, claim_fence, sql};

/// Pauses or resumes. After it returns no claim on the lane commits that had not seen it.
pub(crate) async fn hold(
    session: &mut Session,
    id: LaneId,
    reason: Option<&str>,
    now: Moment,
) -> Result<(), StoreError> {
    const PAUSE: Sql =
        sql!("UPDATE lanes SET state = 'paused', reason = $2, changed_at = $3 WHERE id = $1 AND state = 'open'");
    const RESUME: Sql = sql!(
        "UPDATE lanes SET state = 'open', reason = NULL, changed_at = $2, backoff_until = 0, backoff_reason = NULL, \
         consecutive_failures = 0, refused_for_now = NULL WHERE id = $1"
    );
    let known = super::rows::lock(session, id, Lock::Update).await?;
    let before = told(known.state, known.reason.as_deref());
    if let Some(reason) = reason {
        if session.run(&PAUSE, args![id, reason, now]).await? > 0 {
            let after = told(LaneState::Paused, Some(reason));
            tell_change(EventKind::LanePaused, Subject::Lane(id), Some(reason), now, (before, after));
        }
    } else {
        session.run(&RESUME, args![id, now]).await?;
        let change = (before, told(LaneState::Open, None));
        tell_change(EventKind::LaneOpen, Subject::Lane(id), Some("resumed"), now, change);
    }
    Ok(())
}

/// The state of a lane, for the record of its changes.
fn told(state: LaneState, reason: Option<&str>) -> Value {
    json!({ "state": state, "reason": reason })
}

/// Pauses on a person's word.
pub(crate) async fn pause(session: &mut Session, id: LaneId, reason: &str, now: Moment) -> Result<(), StoreError> {
    claim_fence::close(session).await?;
    hold(session, id, Some(reason), now).await
}
