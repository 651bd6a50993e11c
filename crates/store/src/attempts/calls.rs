//! The calls of vendors that attempts have: no two attempts have the same one.

use std::collections::HashSet;

use ringfence_domain::{AttemptId, LaneId};
use serde::Serialize;

use crate::StoreError;
use crate::session::{self, Session, Sql, args, sql};

/// A call, and the attempt that has it.
#[derive(Debug, Serialize)]
pub(super) struct CallRow<'c> {
    pub(super) attempt_id: AttemptId,
    pub(super) lane_id: LaneId,
    pub(super) call_id: &'c str,
}

/// Enters calls. Returns the attempts that have theirs; the others' are another attempt's.
pub(super) async fn enter(session: &mut Session, calls: &[CallRow<'_>]) -> Result<HashSet<AttemptId>, StoreError> {
    const ENTER: Sql = sql!(
        "INSERT INTO calls (lane_id, call_id, attempt_id) SELECT u.lane_id, u.call_id, u.attempt_id FROM"
        rows (attempt_id bigint, lane_id bigint, call_id text)
        "WHERE true ORDER BY 1, 2 ON CONFLICT DO NOTHING RETURNING attempt_id"
    );
    if calls.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = session.rows(&ENTER, args![session::rows(calls)]).await?;
    rows.iter().map(|row| row.get("attempt_id").map(AttemptId)).collect()
}
