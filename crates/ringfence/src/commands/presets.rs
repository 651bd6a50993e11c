//! `ringfence presets`

use ringfence_operations::presets::{self, PresetRules};

use crate::common::Common;
use crate::failure::{DONE, Failure};
use crate::screen;

/// What each preset asks for, with its source.
pub fn presets(common: &Common) -> Result<u8, Failure> {
    let all = presets::list()?;
    if common.json {
        screen::print_json(&all)?;
    } else {
        screen::print(&all.iter().map(text).collect::<String>())?;
    }
    Ok(DONE)
}

fn text(preset: &PresetRules) -> String {
    let hours = preset.hours.as_ref().map(ToString::to_string).unwrap_or_default();
    let mut text = format!("{}: {hours}, {}\n", preset.name, preset.timezone);
    if !preset.holidays.is_empty() {
        text.push_str(&format!("  no calls on the public holidays of {}\n", preset.holidays.join(", ")));
    }
    let caps = preset.per_number.iter().map(|cap| format!("{cap} to a number"));
    let cool_off = preset.cool_off;
    let after = [("a conversation", cool_off.after_answered), ("a refusal", cool_off.after_refusal)];
    let after = after.iter().filter_map(|(what, span)| Some(format!("none for {} after {what}", span.as_ref()?)));
    let limits: Vec<String> = caps.chain(after).collect();
    if !limits.is_empty() {
        text.push_str(&format!("  {}\n", limits.join(", ")));
    }
    text.push_str(&format!("  since {}, as of {}: {}\n\n", preset.effective, preset.version, preset.source));
    text
}
