//! `ringfence presets`

use std::collections::BTreeMap;

use ringfence_domain::campaign::CallingZone;
use ringfence_domain::preset::Preset;
use ringfence_intake::presets::{names, preset};
use serde_json::json;

use crate::cli::Common;
use crate::failure::{DONE, Failure};
use crate::screen;

/// What each preset asks for, with its source.
pub(super) fn presets(common: &Common) -> Result<u8, Failure> {
    let all = names().map(|name| preset(name, &BTreeMap::new()).map_err(|error| Failure::work(error.to_string())));
    let all = all.collect::<Result<Vec<Preset>, _>>()?;
    if common.json {
        let shown: Vec<_> = all.iter().map(|preset| json!({
            "name": preset.name, "version": preset.version, "effective": preset.effective, "source": preset.source,
            "hours": preset.hours, "timezone": clocks(preset), "holidays": holidays(preset),
            "per_number": preset.per_number, "cool_off": preset.cool_off,
        })).collect();
        screen::print_json(&shown)?;
        return Ok(DONE);
    }
    for preset in all {
        let hours = preset.hours.as_ref().map(ToString::to_string).unwrap_or_default();
        let mut text = format!("{}: {hours}, {}\n", preset.name, clocks(&preset));
        if !holidays(&preset).is_empty() {
            text.push_str(&format!("  no calls on the public holidays of {}\n", holidays(&preset).join(", ")));
        }
        let limits = preset.number_limits();
        let caps = limits.caps.iter().map(|cap| format!("{cap} to a number"));
        let cool_off = limits.cool_off;
        let after = [("a conversation", cool_off.after_answered), ("a refusal", cool_off.after_refusal)];
        let after = after.iter().filter_map(|(what, span)| Some(format!("none for {} after {what}", span.as_ref()?)));
        let limits: Vec<String> = caps.chain(after).collect();
        if !limits.is_empty() {
            text.push_str(&format!("  {}\n", limits.join(", ")));
        }
        text.push_str(&format!("  since {}, as of {}: {}\n\n", preset.effective, preset.version, preset.source));
        screen::print(&text)?;
    }
    Ok(DONE)
}

fn clocks(preset: &Preset) -> String {
    match preset.timezone {
        CallingZone::Fixed(zone) => zone.name().to_owned(),
        CallingZone::Contact => "the callee's own clock".to_owned(),
    }
}

fn holidays(preset: &Preset) -> Vec<&str> {
    preset.closures.holidays.iter().map(|holidays| holidays.name.as_str()).collect()
}
