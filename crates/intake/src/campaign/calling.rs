//! `[calling]`: when contacts may be called.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use ringfence_domain::campaign::{Calling, CallingZone};
use ringfence_domain::window::{Closures, Holidays, Timetable};
use ringfence_domain::{Span, Zone};

use crate::Mistake;
use crate::presets::preset;
use crate::section::{Explain, Placed, Section};

const DEFAULT_GUARD: Span = Span::from_secs(60);

pub(super) fn calling(
    section: Option<Section<'_>>,
    own: &BTreeMap<String, String>,
    lane: Option<&Timetable>,
) -> Calling {
    let default_hours = || "09:00-21:00".parse::<Timetable>().expect("the default hours are hours");
    let Some(mut section) = section else {
        return Calling {
            hours: default_hours(),
            timezone: CallingZone::Contact,
            closures: Arc::default(),
            presets: Vec::new(),
            guard: DEFAULT_GUARD,
        };
    };
    let hours = section.parsed::<Timetable>("hours").unwrap_or_else(default_hours);
    let timezone = timezone(&mut section);
    let closures = Arc::new(closures(&mut section, own));
    let mut presets = Vec::new();
    for text in section.texts("rules").unwrap_or_default() {
        match preset(&text.value, own) {
            Ok(preset) => presets.push(preset),
            Err(error) => refuse(&section, &text, &error),
        }
    }
    let guard: Option<Span> = section.parsed("guard");
    let always = hours.never_closes() && lane.is_none_or(Timetable::never_closes);
    let closes = !always || !closures.is_empty() || !presets.is_empty();
    let guard = guard.unwrap_or(if closes { DEFAULT_GUARD } else { Span::ZERO });
    section.finish();
    Calling { hours, timezone, closures, presets, guard }
}

/// `timezone`: a name, or "contact".
pub(crate) fn timezone(section: &mut Section<'_>) -> CallingZone {
    let Some(text) = section.text("timezone").filter(|text| text.value != "contact") else {
        return CallingZone::Contact;
    };
    text.value.parse::<Zone>().map_or_else(
        |error| {
            let hint = error.explain().0.unwrap_or_default();
            let hint = format!("{hint}; or write \"contact\" for each contact's own zone");
            section.found().add(Mistake::new(text.at.clone(), error.to_string()).hint(hint));
            CallingZone::Contact
        },
        CallingZone::Fixed,
    )
}

/// `closed` and `holidays`: days on which nobody is called. `own` are the operator's holidays.
pub(crate) fn closures(section: &mut Section<'_>, own: &BTreeMap<String, String>) -> Closures {
    let mut closures = Closures::default();
    for text in section.texts("closed").unwrap_or_default() {
        if let Ok(day) = text.value.parse::<NaiveDate>() {
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

fn refuse(section: &Section<'_>, text: &Placed<String>, error: &impl Explain) {
    let (hint, _) = error.explain();
    section.found().add(Mistake { at: text.at.clone(), message: error.to_string(), hint });
}
