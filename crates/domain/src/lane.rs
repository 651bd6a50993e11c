//! A lane: one account at one provider, with its limits and hours.

use serde::{Deserialize, Serialize};

use crate::window::{Hours, Timetable};
use crate::{CampaignId, Moment, Rate, Share, Zone};

/// How fast and how much a lane may be used, over all processes together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct LaneLimits {
    /// New calls in every sliding window.
    pub calls: Rate,
    /// Requests of any kind, polls included, in every sliding window.
    pub requests: Rate,
    /// Calls at once, from the moment that one is planned until its end is known.
    pub concurrent: u32,
    /// Calls in one calendar day of the lane's zone.
    pub per_day: Option<u32>,
}

/// The use that an owner has made of its lane's limits within their windows. It is given back with
/// the lane, so that the next owner need not wait as if everything had just been used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitUsage {
    /// The limits that it was kept for; it says nothing about others.
    pub limits: LaneLimits,
    /// When calls were sent.
    pub calls: Vec<Moment>,
    /// When requests of any kind were sent.
    pub requests: Vec<Moment>,
    /// When calls of campaigns with a limit of their own were sent.
    pub campaigns: Vec<(CampaignId, Rate, Vec<Moment>)>,
}

/// The limits of a lane and of its campaigns that calls may wait for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitKind {
    /// The lane's new calls.
    Calls,
    /// The lane's requests, questions about calls included.
    Requests,
    /// A campaign's own new calls.
    Campaign,
}

/// The limit that a lane's calls wait for now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limited {
    /// Which.
    pub by: LimitKind,
    /// Since when they have waited for it without a break.
    pub since: Moment,
}

/// How much of a lane's limits is used now, as its owner says with every renewal of its lease.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitLevels {
    /// Calls within the present window of the limit of new calls.
    pub calls: u32,
    /// Requests of any kind within the present window of theirs.
    pub requests: u32,
    /// The limit that calls wait for.
    pub limited: Option<Limited>,
}

/// What all lanes have, whatever their vendor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneSettings {
    /// The operator's name for it.
    pub name: String,
    /// The vendor, as in the configuration file.
    pub kind: String,
    /// Its limits.
    pub limits: LaneLimits,
    /// The vendor's own hours; intersected with every campaign's.
    pub hours: Option<Timetable>,
    /// Whose clocks the hours and the daily limit are read on.
    pub timezone: Zone,
    /// The share of the lane that goes to campaigns of lower priorities while the highest one has
    /// somebody to call.
    #[serde(default = "a_tenth")]
    pub lower_priorities: Share,
}

const fn a_tenth() -> Share {
    LaneSettings::LOWER_PRIORITIES
}

impl LaneSettings {
    /// The share of lower priorities where a lane names none.
    pub const LOWER_PRIORITIES: Share = Share::new(10);

    /// Returns the vendor's hours with their zone.
    pub fn vendor_hours(&self) -> Option<Hours> {
        self.hours.clone().map(|hours| Hours::new(hours, self.timezone))
    }
}
