//! The facts of a call that is over, whichever vendor made it.

use std::collections::BTreeMap;

use crate::{Moment, Outcome};

/// The vendor's details of a call.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CallDetails {
    /// The vendor's own word for how it ended.
    pub vendor_status: Option<String>,
    /// Seconds talked.
    pub talk_seconds: Option<u32>,
    /// The charge in millionths of the currency, and the currency as in ISO 4217.
    pub cost: Option<(i64, String)>,
    /// The values that the agent collected.
    pub outputs: BTreeMap<String, serde_json::Value>,
    /// The recording and when its link expires.
    pub recording: Option<(String, Option<Moment>)>,
    /// The transcript and when its link expires.
    pub transcript: Option<(String, Option<Moment>)>,
}

/// A counted call to a number, as the rules about the number see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PastCall {
    /// When it was sent.
    pub sent_at: Moment,
    /// When it was known to be over; none while it is out.
    pub ended_at: Option<Moment>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Whether the callee declined the call, or said no in it.
    pub refused: bool,
}
