//! Presets: calling rules of a law or a code, shipped as data with their source.

use std::sync::Arc;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::cap::Cap;
use crate::cool_off::CoolOff;
use crate::number_limits::NumberLimits;
use crate::window::{Closures, Hours, Timetable};
use crate::zones::CallingZone;
use crate::{Zone, ZoneSet};

/// The rules of one law or code, as it was when the campaign was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preset {
    /// `in-trai-promotional`
    pub name: String,
    /// Grows whenever the data changes: a date.
    pub version: Date,
    /// The law and where its text was read.
    pub source: String,
    /// Since when the law says so.
    pub effective: Date,
    /// When it lets people be called; any time without.
    pub hours: Option<Timetable>,
    /// Whose clocks the hours are read on.
    pub timezone: CallingZone,
    /// Days on which it lets nobody be called.
    pub closures: Arc<Closures>,
    /// How many calls a number may get.
    pub per_number: Vec<Cap>,
    /// How long a number is left alone.
    pub cool_off: CoolOff,
}

impl Preset {
    /// Returns its hours for someone in `own` zones; none when their zone matters and is not known.
    pub fn hours_in(&self, own: &ZoneSet) -> Option<Vec<Hours>> {
        let table = match (&self.hours, self.closures.is_empty()) {
            (Some(table), _) => table.clone(),
            (None, false) => Timetable::always(),
            (None, true) => return Some(Vec::new()),
        };
        let hours = |zone: &Zone| Hours::new(table.clone(), *zone).less(self.closures.clone());
        match self.timezone {
            CallingZone::Fixed(zone) => Some(vec![hours(&zone)]),
            CallingZone::Contact if own.is_empty() => None,
            CallingZone::Contact => Some(own.zones().iter().map(hours).collect()),
        }
    }

    /// Returns its limits on calls to one number.
    pub fn number_limits(&self) -> NumberLimits {
        NumberLimits { caps: self.per_number.clone(), cool_off: self.cool_off, avoid_same_hour: false }
    }
}
