//! The last calls of each lane: how late they were, and when the vendor took the last one.

use std::collections::BTreeMap;

use ringfence_domain::{LaneId, Moment, Span};

use crate::StoreError;
use crate::session::{Session, Sql, args, sql};

/// The last calls over all lanes that are looked at.
const DEPTH: i64 = 2_000;

/// The last calls of one lane.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecentCalls {
    /// How long after it was due each one was sent, the newest first.
    pub late: Vec<Span>,
    /// When the vendor took the newest of those that it took.
    pub taken_at: Option<Moment>,
}

/// The last calls of each lane, as far as they are among the newest of all.
pub(crate) async fn list(session: &mut Session) -> Result<BTreeMap<LaneId, RecentCalls>, StoreError> {
    let mut lanes: BTreeMap<LaneId, RecentCalls> = BTreeMap::new();
    for row in session.rows(&NEWEST, args![DEPTH]).await? {
        let lane = lanes.entry(LaneId(row.get("lane_id")?)).or_default();
        lane.late.push(row.moment("sending_at")?.since(row.moment("dial_after")?).max(Span::ZERO));
        if lane.taken_at.is_none() {
            lane.taken_at = row.moment_or_none("placed_at")?;
        }
    }
    Ok(lanes)
}

pub(crate) const NEWEST: Sql = sql!(
    "SELECT lane_id, dial_after, sending_at, placed_at FROM attempts WHERE sending_at IS NOT NULL ORDER BY id DESC LIMIT $1"
);
