//! One request and what became of it.

use ringfence_domain::{AttemptId, LaneId, Moment};
use serde::{Deserialize, Serialize};

use crate::lanes::health::LaneEffect;

/// One request and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sent {
    /// The attempt.
    pub attempt: AttemptId,
    /// Its lane.
    pub lane: LaneId,
    /// What became of it.
    pub result: SentResult,
    /// What that says about the lane.
    pub effect: LaneEffect,
}

/// What became of a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SentResult {
    /// The provider took the call.
    Accepted {
        /// Its name for the call.
        call_id: String,
        /// Without news by then, its number is free again.
        overdue_at: Moment,
    },
    /// Surely nothing left.
    NotSent {
        /// Why.
        cause: String,
    },
    /// Surely refused, through no fault of the contact.
    Refused {
        /// What the provider said.
        cause: String,
    },
    /// Surely refused for now: the contact waits longer each time, and the lane rests, for long
    /// only when it is not this one alone.
    Throttled {
        /// What the provider said.
        cause: String,
        /// Until when the lane rests.
        until: Moment,
    },
    /// Surely refused, for something that a person must look at.
    RequestRefused {
        /// What the provider said.
        cause: String,
    },
    /// Surely refused, as everyone of its campaign would be.
    CampaignRefused {
        /// What the provider said.
        cause: String,
    },
    /// Surely refused because the number cannot be called.
    NumberRefused {
        /// What the provider said.
        cause: String,
    },
    /// It may or may not have been placed.
    Unknown {
        /// Why that is not known.
        cause: String,
        /// Without news by then, its number is free again.
        overdue_at: Moment,
    },
}
