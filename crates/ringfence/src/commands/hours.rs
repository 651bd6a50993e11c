//! `ringfence hours`

use std::path::Path;
use std::sync::Arc;

use ringfence_domain::place;
use ringfence_domain::window::{Calendar, Closures, Holidays, HolidaysError, Hours, HoursError, Timetable};
use ringfence_domain::zone_data::ZoneData;
use ringfence_domain::{Moment, Span, Zone};
use ringfence_intake::Config;
use ringfence_operations::{workspace, zones};
use serde_json::json;

use crate::cli::Common;
use crate::failure::{DONE, Failure};
use crate::{home, screen};

/// `hours`
#[derive(Debug, clap::Args)]
pub struct HoursArgs {
    /// The hours, as in OpenStreetMap: "Mo-Sa 09:00-21:00; Su off; Dec 24-26 off"
    pub expression: String,
    /// Whose clocks: an IANA name
    #[arg(long, value_name = "TZ")]
    pub timezone: String,
    /// Closed on these public holidays: IN, US, GB, FR, AU, a region as IN-MH, or a name of your own in ringfence.toml
    #[arg(long, value_name = "CC", value_delimiter = ',')]
    pub holidays: Vec<String>,
    /// At this moment [default: now]
    #[arg(long, value_name = "RFC3339", value_parser = moment)]
    pub at: Option<Moment>,
    /// Also list every change up to this moment
    #[arg(long, value_name = "RFC3339", value_parser = moment)]
    pub until: Option<Moment>,
}

fn moment(text: &str) -> Result<Moment, String> {
    text.parse().map_err(|error| format!("{error}; write it as 2026-11-20T15:29:00Z or 2026-11-20T20:59:00+05:30"))
}

/// Whether a window is open, when that changes, and every change up to a moment.
pub(super) fn hours(common: &Common, args: &HoursArgs) -> Result<u8, Failure> {
    let config = workspace::find_config(&common.place(), None)?;
    let table: Timetable = args.expression.parse().map_err(|error: HoursError| {
        let marks = " ".repeat(args.expression[..error.at.start].chars().count())
            + &"^".repeat(args.expression[error.at.clone()].chars().count().max(1));
        Failure::input(format!("{error}\n  {}\n  {marks}", args.expression), error.hint)
    })?;
    let zone = match args.timezone.as_str() {
        "UTC" => Zone::utc(),
        name => place::zone(name)
            .map_err(|error| Failure::input(error.to_string(), ringfence_intake::config::zone_hint(&error)))?,
    };
    let closures = Arc::new(closures(config.as_deref(), &args.holidays)?);
    let mut calendar = Calendar::new(vec![Hours::new(table, zone).less(closures.clone())], Span::ZERO);
    let at = args.at.unwrap_or_else(workspace::wall_clock);
    let now = calendar.at(at);
    // The first line of stdout stays the answer; whose clocks it is by, and why a day is closed, is said beside it.
    home::eprint_line(&format!("zone data: {}", ZoneData::in_use()));
    for caution in zones::cautions() {
        home::eprint_line(&format!("caution: {caution}"));
    }
    if !zone.is_readable() {
        home::eprint_line(&format!("the zone file of {zone} cannot be read: nobody there is called"));
    }
    if let Some(reason) = closures.reason(at.date(zone)) {
        home::eprint_line(&reason);
    }
    if common.json {
        screen::print(&format!("{}\n", json!({ "open": now.open, "next_change": now.next_change })))?;
    } else {
        let next = now.next_change.map_or("never changes".to_owned(), |change| {
            format!("{} {}", if now.open { "closes" } else { "opens" }, change.rfc3339(zone))
        });
        screen::print(&format!("{} at {}, {next}\n", if now.open { "open" } else { "closed" }, at.rfc3339(zone)))?;
    }
    let (mut open, mut next) = (now.open, now.next_change);
    while let (Some(change), Some(until)) = (next, args.until)
        && change <= until
    {
        open = !open;
        if common.json {
            screen::print(&format!("{}\n", json!({ "at": change, "open": open })))?;
        } else {
            screen::print(&format!("{} {}\n", change.rfc3339(zone), if open { "opens" } else { "closes" }))?;
        }
        next = calendar.at(change).next_change;
    }
    Ok(DONE)
}

/// The holidays of these names, from the configuration if there is one, else those that are shipped.
fn closures(config: Option<&Path>, names: &[String]) -> Result<Closures, Failure> {
    let (config, mistakes) = match config {
        Some(path) if !names.is_empty() => Config::look(path, &workspace::vendors(), &|name| std::env::var(name).ok()),
        _ => (None, None),
    };
    let own = config.map(|config| config.holidays).unwrap_or_default();
    let known = names.iter().map(|name| Holidays::named(name, &own));
    let known = known.collect::<Result<_, _>>().map_err(|error| match mistakes {
        // It may be named in a file with mistakes.
        Some(mistakes) if matches!(error, HolidaysError::Unknown { .. }) => mistakes.into(),
        _ => Failure::input(error.to_string(), error.hint()),
    });
    Ok(Closures { holidays: known?, ..Closures::default() })
}
