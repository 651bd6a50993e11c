//! The presets: rules of laws and codes.

use std::collections::BTreeMap;

use jiff::civil::Date;
use ringfence_domain::campaign::CallingZone;
use ringfence_domain::cap::Cap;
use ringfence_domain::cool_off::CoolOff;
use ringfence_domain::preset::Preset;
use ringfence_domain::window::Timetable;
use ringfence_intake::presets::{names, preset};
use serde::Serialize;

use crate::error::Error;

/// What a preset asks for, and its source.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct PresetRules {
    /// Its name.
    pub name: String,
    /// As of when it was read in its source.
    #[schema(value_type = String, format = Date)]
    pub version: Date,
    /// Since when it holds.
    #[schema(value_type = String, format = Date)]
    pub effective: Date,
    /// The law or the code.
    pub source: String,
    /// When people may be called.
    pub hours: Option<Timetable>,
    /// On whose clock.
    pub timezone: String,
    /// On whose public holidays nobody is called.
    pub holidays: Vec<String>,
    /// How many calls to a number.
    pub per_number: Vec<Cap>,
    /// How long a number is left alone after a call.
    pub cool_off: CoolOff,
}

/// Returns all presets by name.
pub fn list() -> Result<Vec<PresetRules>, Error> {
    let all = names().map(|name| preset(name, &BTreeMap::new()).map_err(|error| Error::work(error.to_string())));
    all.map(|preset| preset.map(rules)).collect()
}

fn rules(preset: Preset) -> PresetRules {
    PresetRules {
        timezone: match preset.timezone {
            CallingZone::Fixed(zone) => zone.name().to_owned(),
            CallingZone::Contact => "the callee's own clock".to_owned(),
        },
        holidays: preset.closures.holidays.iter().map(|holidays| holidays.name.clone()).collect(),
        name: preset.name,
        version: preset.version,
        effective: preset.effective,
        source: preset.source,
        hours: preset.hours,
        per_number: preset.per_number,
        cool_off: preset.cool_off,
    }
}
