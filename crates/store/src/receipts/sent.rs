//! One request and the vendor's answer to it.

use ringfence_domain::{AttemptId, LaneEffect, LaneId, Moment, Placement};
use serde::{Deserialize, Serialize};

/// One request and the vendor's answer to it: a receipt, when the vendor took the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The attempt.
    pub attempt: AttemptId,
    /// Its lane.
    pub lane: LaneId,
    /// The answer.
    pub placement: Placement,
    /// When it came.
    pub answered_at: Moment,
    /// When the number of a call that was taken, or whose fate is unknown, is free again without
    /// news.
    pub overdue_at: Moment,
    /// What the answer says of the lane.
    pub effect: LaneEffect,
}
