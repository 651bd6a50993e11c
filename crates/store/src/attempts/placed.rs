//! Calls that vendors took, of attempts that are being sent: most results are that, and little needs to be known
//! of them.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_domain::{AttemptId, LaneId, Moment, Placement, RunId};
use serde::Serialize;

use crate::StoreError;
use crate::receipts::sent::Sent;
use crate::session::{self, Session, Sql, args, sql};

#[derive(Serialize)]
struct PlacedRow<'s> {
    attempt_id: AttemptId,
    lane_id: LaneId,
    call_id: &'s str,
    overdue_at: i64,
}

/// Records the calls that were taken of attempts that are being sent. Returns these attempts with their runs; whatever
/// else came is left as it is: attempts in other states, and calls that another attempt has.
pub(super) async fn record(
    session: &mut Session,
    now: Moment,
    sent: &[Sent],
) -> Result<BTreeMap<AttemptId, RunId>, StoreError> {
    const ENTER: Sql = sql!(
        "INSERT INTO calls (lane_id, call_id, attempt_id) SELECT u.lane_id, u.call_id, u.attempt_id FROM"
        rows (attempt_id bigint, lane_id bigint, call_id text, overdue_at bigint)
        "CROSS JOIN attempts a WHERE a.id = u.attempt_id AND a.state = 'sending' ORDER BY 1, 2 \
         ON CONFLICT DO NOTHING RETURNING attempt_id"
    );
    const PLACED: Sql = sql!(
        "UPDATE attempts AS a SET live_change = (SELECT n FROM change_number), state = 'placed', call_id = u.call_id, \
         placed_at = $2, overdue_at = u.overdue_at, cause = NULL FROM"
        rows (attempt_id bigint, lane_id bigint, call_id text, overdue_at bigint)
        "WHERE a.id = u.attempt_id AND a.state = 'sending' RETURNING id, run_id"
    );
    let mut rows: BTreeMap<AttemptId, PlacedRow<'_>> = BTreeMap::new();
    for one in sent {
        if let Placement::Accepted { call_id } = &one.placement {
            let overdue_at = one.overdue_at.millis();
            rows.entry(one.attempt).or_insert(PlacedRow {
                attempt_id: one.attempt,
                lane_id: one.lane,
                call_id,
                overdue_at,
            });
        }
    }
    if rows.is_empty() {
        return Ok(BTreeMap::new());
    }
    let all: Vec<&PlacedRow<'_>> = rows.values().collect();
    let entered = session.rows(&ENTER, args![session::rows(&all)]).await?;
    let entered =
        entered.iter().map(|row| row.get("attempt_id").map(AttemptId)).collect::<Result<BTreeSet<_>, StoreError>>()?;
    rows.retain(|attempt, _| entered.contains(attempt));
    let own: Vec<&PlacedRow<'_>> = rows.values().collect();
    let placed = session.rows(&PLACED, args![session::rows(&own), now]).await?;
    // Another process doubted one in between: the next try sees it.
    if placed.len() != own.len() {
        return Err(StoreError::Refused(sqlx::Error::RowNotFound));
    }
    placed.iter().map(|row| Ok((AttemptId(row.get("id")?), RunId(row.get("run_id")?)))).collect()
}
