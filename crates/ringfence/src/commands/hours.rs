//! `ringfence hours`

use ringfence_domain::window::{Calendar, Hours, WeekTable};
use ringfence_domain::{Span, zones};
use serde_json::json;

use crate::cli::Common;
use crate::failure::{DONE, Failure};
use crate::{home, screen};

/// `hours`
#[derive(Debug, clap::Args)]
pub struct HoursArgs {
    /// The hours, as in OpenStreetMap: "Mo-Sa 09:00-21:00; Su off"
    pub expression: String,
    /// Whose clocks: an IANA name
    #[arg(long, value_name = "TZ")]
    pub timezone: String,
    /// At this moment [default: now]
    #[arg(long, value_name = "RFC3339")]
    pub at: Option<ringfence_domain::Moment>,
    /// Also list every change up to this moment
    #[arg(long, value_name = "RFC3339")]
    pub until: Option<ringfence_domain::Moment>,
}

/// Whether a window is open, when that changes, and every change up to a moment.
pub(super) fn hours(common: &Common, args: &HoursArgs) -> Result<u8, Failure> {
    let week: WeekTable = args.expression.parse().map_err(|error: ringfence_domain::window::HoursError| {
        let marks = " ".repeat(args.expression[..error.at.start].chars().count())
            + &"^".repeat(args.expression[error.at.clone()].chars().count().max(1));
        Failure::input(format!("{error}\n  {}\n  {marks}", args.expression), error.hint)
    })?;
    let zone = zones::zone(&args.timezone).map_err(|error| {
        let close = zones::all_names().find(|name| name.eq_ignore_ascii_case(&args.timezone));
        Failure::input(
            error.to_string(),
            close.map_or("write it as Asia/Kolkata".to_owned(), |name| format!("did you mean {name}?")),
        )
    })?;
    let mut calendar = Calendar::new(vec![Hours { week, zone }], Span::ZERO);
    let at = args.at.unwrap_or_else(home::wall_clock);
    let now = calendar.at(at);
    if common.json {
        screen::print(&format!("{}\n", json!({ "open": now.open, "next_change": now.next_change })))?;
    } else {
        let next = now.next_change.map_or("never changes".to_owned(), |change| {
            format!("{} {}", if now.open { "closes" } else { "opens" }, change.local(zone).to_rfc3339())
        });
        screen::print(&format!(
            "{} at {}, {next}\n",
            if now.open { "open" } else { "closed" },
            at.local(zone).to_rfc3339()
        ))?;
    }
    let (mut open, mut next) = (now.open, now.next_change);
    while let (Some(change), Some(until)) = (next, args.until)
        && change <= until
    {
        open = !open;
        if common.json {
            screen::print(&format!("{}\n", json!({ "at": change, "open": open })))?;
        } else {
            screen::print(&format!("{} {}\n", change.local(zone).to_rfc3339(), if open { "opens" } else { "closes" }))?;
        }
        next = calendar.at(change).next_change;
    }
    Ok(DONE)
}
