//! Pausing and resuming a lane.

use ringfence_domain::event::EventKind;
use ringfence_domain::{LaneId, Moment};

use crate::StoreError;
use crate::events::{Subject, tell};
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
    if let Some(reason) = reason {
        if session.run(&PAUSE, args![id, reason, now]).await? > 0 {
            tell(EventKind::LanePaused, Subject::Lane(id), Some(reason), now);
        }
    } else {
        session.run(&RESUME, args![id, now]).await?;
        tell(EventKind::LaneOpen, Subject::Lane(id), Some("resumed"), now);
    }
    Ok(())
}

/// Pauses on a person's word.
pub(crate) async fn pause(session: &mut Session, id: LaneId, reason: &str, now: Moment) -> Result<(), StoreError> {
    claim_fence::close(session).await?;
    hold(session, id, Some(reason), now).await
}
