//! When a window is open.

use std::path::Path;
use std::sync::Arc;

use ringfence_domain::window::{Calendar, Closures, Holidays, HolidaysError, Hours, HoursError, Timetable};
use ringfence_domain::zone_data::ZoneData;
use ringfence_domain::{Moment, Span, Zone, place as places};
use ringfence_intake::Config;
use serde::Serialize;

use crate::error::Error;
use crate::workspace::{self, Place};
use crate::zones;

/// A window, and the time that is asked about.
#[derive(Debug)]
pub struct HoursRequest<'r> {
    /// The hours, in the syntax of OpenStreetMap.
    pub expression: &'r str,
    /// The zone, by its IANA name.
    pub timezone: &'r str,
    /// Public holidays that close it.
    pub holidays: &'r [String],
    /// The moment; now without one.
    pub at: Option<Moment>,
    /// The last moment whose changes are wanted.
    pub until: Option<Moment>,
}

/// Whether a window is open, and when that changes.
#[derive(Debug)]
pub struct HoursAnswer {
    /// The moment that was asked about.
    pub at: Moment,
    /// The zone.
    pub zone: Zone,
    /// How it stands then.
    pub now: OpenNow,
    /// Every change until the last moment, in order.
    pub changes: Vec<HoursChange>,
}

/// How a window stands at a moment.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct OpenNow {
    /// Whether it is open.
    pub open: bool,
    /// When that changes, if ever.
    pub next_change: Option<Moment>,
}

/// One change of a window.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct HoursChange {
    /// When.
    pub at: Moment,
    /// Whether it is open from then on.
    pub open: bool,
}

/// Says whether a window is open, when that changes, and every change up to a moment. Tells whose
/// clocks it goes by.
pub fn hours(place: &Place, request: &HoursRequest<'_>) -> Result<HoursAnswer, Error> {
    let config = workspace::find_config(place, None)?;
    let table = table(request.expression)?;
    let zone = match request.timezone {
        "UTC" => Zone::utc(),
        name => places::zone(name)
            .map_err(|error| Error::input(error.to_string(), ringfence_intake::config::zone_hint(&error)))?,
    };
    let closures = Arc::new(closures(config.as_deref(), request.holidays)?);
    let mut calendar = Calendar::new(vec![Hours::new(table, zone).less(closures.clone())], Span::ZERO);
    let at = request.at.unwrap_or_else(workspace::wall_clock);
    let now = calendar.at(at);
    place.notices.tell(&format!("zone data: {}", ZoneData::in_use()));
    for caution in zones::cautions() {
        place.notices.tell(&format!("caution: {caution}"));
    }
    if !zone.is_readable() {
        place.notices.tell(&format!("the zone file of {zone} cannot be read: nobody there is called"));
    }
    if let Some(reason) = closures.reason(at.date(zone)) {
        place.notices.tell(&reason);
    }
    let (mut changes, mut open, mut next) = (Vec::new(), now.open, now.next_change);
    while let (Some(change), Some(until)) = (next, request.until)
        && change <= until
    {
        open = !open;
        changes.push(HoursChange { at: change, open });
        next = calendar.at(change).next_change;
    }
    Ok(HoursAnswer { at, zone, now: OpenNow { open: now.open, next_change: now.next_change }, changes })
}

fn table(expression: &str) -> Result<Timetable, Error> {
    expression.parse().map_err(|error: HoursError| {
        let marks = " ".repeat(expression[..error.at.start].chars().count())
            + &"^".repeat(expression[error.at.clone()].chars().count().max(1));
        Error::input(format!("{error}\n  {expression}\n  {marks}"), error.hint)
    })
}

/// Returns the holidays of these names: the configuration's own, if there is one, else those that
/// are shipped.
fn closures(config: Option<&Path>, names: &[String]) -> Result<Closures, Error> {
    let (config, mistakes) = match config {
        Some(path) if !names.is_empty() => Config::look(path, &workspace::vendors(), &|name| std::env::var(name).ok()),
        _ => (None, None),
    };
    let own = config.map(|config| config.holidays).unwrap_or_default();
    let known = names.iter().map(|name| Holidays::named(name, &own));
    let known = known.collect::<Result<_, _>>().map_err(|error| match mistakes {
        // It may be named in a file with mistakes.
        Some(mistakes) if matches!(error, HolidaysError::Unknown { .. }) => mistakes.into(),
        _ => Error::input(error.to_string(), error.hint()),
    });
    Ok(Closures { holidays: known?, ..Closures::default() })
}
