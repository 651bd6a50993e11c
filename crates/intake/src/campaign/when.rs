//! The keys of `[calling]` that campaigns and presets share: whose clocks, which days are closed.

use std::collections::BTreeMap;

use jiff::civil::Date;
use ringfence_domain::campaign::CallingZone;
use ringfence_domain::window::{Closures, Holidays};
use ringfence_domain::{date, place};

use crate::Mistake;
use crate::section::{Explain, Placed, Section};

/// Reads `timezone`: a name, or "contact".
pub(crate) fn timezone(section: &mut Section<'_>) -> CallingZone {
    let Some(text) = section.text("timezone").filter(|text| text.value != "contact") else {
        return CallingZone::Contact;
    };
    place::zone(&text.value).map_or_else(
        |error| {
            let hint = error.explain().0.unwrap_or_default();
            let hint = format!("{hint}; or write \"contact\" for each contact's own zone");
            section.found().add(Mistake::new(text.at.clone(), error.to_string()).hint(hint));
            CallingZone::Contact
        },
        CallingZone::Fixed,
    )
}

/// Reads `closed` and `holidays`: days on which nobody is called. `own` are the operator's
/// holidays.
pub(crate) fn closures(section: &mut Section<'_>, own: &BTreeMap<String, String>) -> Closures {
    let mut closures = Closures::default();
    for text in section.texts("closed").unwrap_or_default() {
        if let Some(day) = date::parse(&text.value) {
            closures.days.insert(day);
            continue;
        }
        let mistake = Mistake::new(text.at, format!("`{}` is not a date", text.value));
        let hint = "write year-month-day: 2026-11-08; days of every year belong in hours: Dec 25 off";
        section.found().add(mistake.hint(hint));
    }
    for text in section.texts("holidays").unwrap_or_default() {
        match Holidays::named(&text.value, own) {
            Ok(holidays) => closures.holidays.push(holidays),
            Err(error) => refuse(section, &text, &error),
        }
    }
    closures
}

/// Reads a date in quotes, as in `"2026-11-23"`.
pub(crate) fn day(section: &mut Section<'_>, key: &str) -> Option<Date> {
    let text = section.text(key)?;
    if let Some(day) = date::parse(&text.value) {
        return Some(day);
    }
    let mistake = Mistake::new(text.at, format!("`{}` is not a date", text.value));
    section.found().add(mistake.hint("write year-month-day: 2026-11-23"));
    None
}

pub(super) fn refuse(section: &Section<'_>, text: &Placed<String>, error: &impl Explain) {
    let (hint, _) = error.explain();
    section.found().add(Mistake { at: text.at.clone(), message: error.to_string(), hint });
}
