//! How many calls of a run were sent in each hour, and how many of them were answered.

use ringfence_domain::{Moment, RunId};

use crate::StoreError;
use crate::counters::HOUR;
use crate::session::{Row, Session, Sql, args, sql};

/// One hour of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunHour {
    /// When it begins.
    pub at: Moment,
    /// Calls that were sent in it and are over.
    pub calls: i64,
    /// Those of them that were answered.
    pub answered: i64,
}

pub(crate) const LAST: Sql =
    sql!("SELECT hour, calls, answered FROM run_hours WHERE run_id = $1 ORDER BY hour DESC LIMIT $2");

/// The last hours of a run in which calls were sent, `limit` at most, the oldest first.
pub(crate) async fn last(session: &mut Session, run: RunId, limit: i64) -> Result<Vec<RunHour>, StoreError> {
    let hour = |row: &Row| {
        let at = Moment::from_millis(row.get::<i64>("hour")? * HOUR);
        Ok(RunHour { at, calls: row.get("calls")?, answered: row.get("answered")? })
    };
    let rows = session.rows(&LAST, args![run, limit]).await?;
    rows.iter().rev().map(hour).collect()
}
