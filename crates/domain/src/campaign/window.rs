//! The window of a campaign's contacts, and the parts that it is made of.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Campaign;
use crate::window::{Calendar, Closures, Hours, Timetable};
use crate::{Moment, Span, Zone, ZoneSet};

impl Campaign {
    /// Returns the window of contacts whose own zones are `own`: the time that every part of it
    /// leaves open. `vendor`: the lane's own hours.
    pub fn calendar(&self, own: &ZoneSet, vendor: Option<&Hours>) -> Calendar {
        let (from, until) = self.schedule.bounds(&self.zones_for(own.clone()));
        self.calendar_of_any_day(own, vendor).between(from, until)
    }

    /// Returns the same window, whatever the campaign's first and last day.
    pub fn calendar_of_any_day(&self, own: &ZoneSet, vendor: Option<&Hours>) -> Calendar {
        let parts = self.window(own, vendor);
        let unknown = own.zones().iter().any(|zone| !zone.is_readable());
        let nowhere = unknown || parts.iter().any(|part| part.hours.is_none());
        let hours = parts.into_iter().filter_map(|part| part.hours).flatten().collect();
        let calendar = Calendar::new(hours, self.calling.guard);
        if nowhere { calendar.nowhere() } else { calendar }
    }

    /// Returns the rules that never leave time to call contacts whose own zones are `own`: the
    /// fewest parts of the window, or `schedule` when it opens on none of the campaign's days.
    /// Empty when there is some time.
    pub fn contradiction(&self, own: &ZoneSet, vendor: Option<&Hours>, now: Moment) -> Vec<String> {
        if self.calendar(own, vendor).next_opening(now).is_some() {
            return Vec::new();
        }
        if self.calendar_of_any_day(own, vendor).next_opening(now).is_some() {
            return vec!["schedule".to_owned()];
        }
        let parts = self.window(own, vendor);
        contradiction(&parts, self.calling.guard, now).into_iter().map(|part| part.rule.clone()).collect()
    }

    /// Returns the parts of that window, each of which can close it by itself.
    pub fn window(&self, own: &ZoneSet, vendor: Option<&Hours>) -> Vec<WindowPart> {
        let calling = &self.calling;
        let zones = self.zones_for(own.clone());
        let everywhere = |table: &Timetable, closures: &Arc<Closures>| {
            let hours = |zone: &Zone| Hours::new(table.clone(), *zone).less(closures.clone());
            (!zones.is_empty()).then(|| zones.zones().iter().map(hours).collect())
        };
        let own_hours = everywhere(&calling.hours, &Arc::default());
        let mut parts = vec![WindowPart::new("hours", "[calling] hours".to_owned(), own_hours)];
        if !calling.closures.is_empty() {
            let closed = everywhere(&Timetable::always(), &calling.closures);
            parts.push(WindowPart::new(CLOSED_DAYS, "holidays and closed days".to_owned(), closed));
        }
        for preset in &calling.presets {
            let hours = preset.hours_in(own);
            if hours.as_ref().is_none_or(|hours| !hours.is_empty()) {
                parts.push(WindowPart::new(
                    format!("preset {}", preset.name),
                    format!("the preset {}", preset.name),
                    hours,
                ));
            }
        }
        if let Some(vendor) = vendor {
            parts.push(WindowPart::new("vendor_hours", "the lane's own hours".to_owned(), Some(vec![vendor.clone()])));
        }
        parts
    }
}

/// One part of a window.
#[derive(Debug, Clone)]
pub struct WindowPart {
    /// The rule: `hours`, `closed_days`, `preset fr` or `vendor_hours`.
    pub rule: String,
    /// What people call it.
    pub name: String,
    /// Hours that must all be open; none when the contact's zone matters and is not known, so that
    /// it never opens.
    pub hours: Option<Vec<Hours>>,
}

/// The part that closes single days.
const CLOSED_DAYS: &str = "closed_days";

/// Returns the part, of those that are closed at `at`, that stays closed the longest.
pub fn closed_longest(parts: &[WindowPart], at: Moment) -> Option<&WindowPart> {
    let opening = |part: &WindowPart| part.calendar().next_opening(at).unwrap_or(Moment::NEVER);
    let closed = parts.iter().filter(|part| !part.calendar().at(at).open);
    // Of equals the first.
    closed.rev().max_by_key(|part| opening(part))
}

/// Returns the fewest parts that leave no time together, with this guard before each closing; all
/// of them when no two do.
pub fn contradiction(parts: &[WindowPart], guard: Span, now: Moment) -> Vec<&WindowPart> {
    let never = |chosen: &[&WindowPart]| {
        let nowhere = chosen.iter().any(|part| part.hours.is_none());
        let hours = chosen.iter().flat_map(|part| part.hours.clone().unwrap_or_default()).collect();
        nowhere || Calendar::new(hours, guard).next_opening(now).is_none()
    };
    let single = parts.iter().map(|part| vec![part]);
    let pairs =
        parts.iter().enumerate().flat_map(|(place, one)| parts[place + 1..].iter().map(move |other| vec![one, other]));
    single.chain(pairs).find(|chosen| never(chosen)).unwrap_or_else(|| parts.iter().collect())
}

impl WindowPart {
    fn new(rule: impl Into<String>, name: String, hours: Option<Vec<Hours>>) -> Self {
        Self { rule: rule.into(), name, hours }
    }

    /// Returns when this part alone is open.
    pub fn calendar(&self) -> Calendar {
        let calendar = Calendar::new(self.hours.clone().unwrap_or_default(), Span::ZERO);
        if self.hours.is_none() { calendar.nowhere() } else { calendar }
    }

    /// Returns its hours as they are written, and whose clocks they are read on.
    pub fn says(&self) -> String {
        let Some(hours) = &self.hours else { return "no zone is known".to_owned() };
        if self.rule == CLOSED_DAYS {
            let closures = hours.first().map(|hours| hours.closures.clone()).unwrap_or_default();
            let names: Vec<&str> = closures.holidays.iter().map(|holidays| holidays.name.as_str()).collect();
            return match (names.join(", "), closures.days.len()) {
                (names, 0) => format!("no holiday of {names}"),
                (names, _) if names.is_empty() => "no closed day".to_owned(),
                (names, _) => format!("no closed day, and no holiday of {names}"),
            };
        }
        if let Some(unread) = hours.iter().map(|hours| hours.zone).find(|zone| !zone.is_readable()) {
            return format!("the zone file of {unread} cannot be read: nobody there is called");
        }
        let zones: ZoneSet = hours.iter().map(|hours| hours.zone).collect();
        format!("{} in {}", self.written(), zones.short())
    }

    /// Returns its hours as they are written.
    pub fn written(&self) -> String {
        let tables = self.hours.iter().flatten().map(|hours| hours.table.to_string());
        tables.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(" and ")
    }

    /// Returns why the hours are closed at `at`, when a closed day is the reason.
    pub fn closed_day(&self, at: Moment) -> Option<String> {
        let mut hours = self.hours.iter().flatten();
        hours.find_map(|hours| hours.closures.reason(at.date(hours.zone)))
    }
}
