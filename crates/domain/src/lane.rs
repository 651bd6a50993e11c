//! A lane: one account at one provider, with its limits and hours.

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use crate::Rate;
use crate::window::{Hours, WeekTable};

/// How fast and how much a lane may be used, over all processes together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    pub hours: Option<WeekTable>,
    /// Whose clocks the hours and the daily limit are read on.
    pub timezone: Tz,
}

impl LaneSettings {
    /// The vendor's hours with their zone.
    pub fn vendor_hours(&self) -> Option<Hours> {
        self.hours.clone().map(|week| Hours { week, zone: self.timezone })
    }
}
