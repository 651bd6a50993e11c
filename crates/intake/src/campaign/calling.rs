//! `[calling]`: when contacts may be called.

use std::collections::BTreeMap;
use std::sync::Arc;

use ringfence_domain::Span;
use ringfence_domain::campaign::{Calling, CallingZone};
use ringfence_domain::window::Timetable;

use super::presets::preset;
use super::when;
use crate::section::Section;

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
    let timezone = when::timezone(&mut section);
    let closures = Arc::new(when::closures(&mut section, own));
    let mut presets = Vec::new();
    for text in section.texts("rules").unwrap_or_default() {
        match preset(&text.value, own) {
            Ok(preset) => presets.push(preset),
            Err(error) => when::refuse(&section, &text, &error),
        }
    }
    let guard: Option<Span> = section.parsed("guard");
    let always = hours.never_closes() && lane.is_none_or(Timetable::never_closes);
    let closes = !always || !closures.is_empty() || !presets.is_empty();
    let guard = guard.unwrap_or(if closes { DEFAULT_GUARD } else { Span::ZERO });
    section.finish();
    Calling { hours, timezone, closures, presets, guard }
}
