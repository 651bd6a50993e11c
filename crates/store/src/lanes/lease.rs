//! The time that a process owns a lane for.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use ringfence_domain::lane::{LaneSettings, LimitUsage};
use ringfence_domain::{LaneId, Moment};

/// What the owner before leaves behind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EarlierUse {
    /// The last moment at which it may have used the lane.
    pub used_until: Moment,
    /// What it said that it had used.
    pub spent: Option<LimitUsage>,
}

/// Our ownership of a lane. Past its deadline nothing is sent, polls included, whatever the
/// database says by then.
#[derive(Debug)]
pub struct LaneLease {
    /// The lane.
    pub lane: LaneId,
    /// The epoch of this ownership.
    pub epoch: i64,
    /// What the lane goes by for as long as it is ours.
    pub settings: LaneSettings,
    /// The last moment at which someone else may have used the lane.
    pub used_until: Moment,
    /// What the last owner said that it had used, if it gave the lane back in good order.
    pub spent: Option<LimitUsage>,
    deadline_ms: AtomicI64,
}

impl LaneLease {
    /// Ownership up to this boot time.
    pub fn new(lane: LaneId, epoch: i64, settings: LaneSettings, before: EarlierUse, deadline: Duration) -> Self {
        let EarlierUse { used_until, spent } = before;
        Self { lane, epoch, settings, used_until, spent, deadline_ms: AtomicI64::new(deadline.as_millis() as i64) }
    }

    /// Whether the lane is still ours at this boot time.
    pub fn holds(&self, boot: Duration) -> bool {
        (boot.as_millis() as i64) < self.deadline_ms.load(Ordering::Acquire)
    }

    /// Ours up to `deadline`, both in boot time. An ownership that has run out is not revived:
    /// all that worked under it has stopped, and only a new epoch begins anew. False then.
    pub fn extend(&self, now: Duration, deadline: Duration) -> bool {
        let lives = self.holds(now);
        if lives {
            self.deadline_ms.store(deadline.as_millis() as i64, Ordering::Release);
        }
        lives
    }

    /// Over at once.
    pub fn end(&self) {
        self.deadline_ms.store(0, Ordering::Release);
    }
}
