//! How late the last calls of each lane were.

use std::collections::BTreeMap;

use ringfence_domain::{LaneId, Moment, Span};

use crate::error::Error;
use crate::workspace::Workspace;

/// How late the last calls of a lane were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lateness {
    /// How many calls were looked at.
    pub calls: usize,
    /// Half of them were sent within this time after they were due.
    pub half: Span,
    /// 99 of 100 were.
    pub most: Span,
    /// When the vendor took the last call.
    pub taken_at: Option<Moment>,
}

/// Reads it, by lane. Lanes that have not dialled lately are left out.
pub async fn by_lane(workspace: &Workspace) -> Result<BTreeMap<LaneId, Lateness>, Error> {
    let lanes = workspace.store.recent_calls().await?;
    let lateness = |(lane, recent): (LaneId, ringfence_store::RecentCalls)| {
        let (calls, mut late) = (recent.late.len(), recent.late);
        late.sort_unstable();
        let within = |share: usize| late.get((calls * share / 100).min(calls.saturating_sub(1))).copied();
        let (half, most) = (within(50)?, within(99)?);
        Some((lane, Lateness { calls, half, most, taken_at: recent.taken_at }))
    };
    Ok(lanes.into_iter().filter_map(lateness).collect())
}
