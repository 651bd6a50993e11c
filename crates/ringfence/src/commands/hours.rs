//! `ringfence hours`

use ringfence_domain::Moment;
use ringfence_operations::hours::{self, HoursRequest};
use serde_json::json;

use crate::common::Common;
use crate::failure::{DONE, Failure};
use crate::screen;

/// `hours`
#[derive(Debug, clap::Args)]
pub struct HoursArgs {
    /// The hours, as in OpenStreetMap: "Mo-Sa 09:00-21:00; Su off; Dec 24-26 off"
    pub expression: String,
    /// Whose clocks: an IANA name
    #[arg(long, value_name = "TZ")]
    pub timezone: String,
    /// Closed on these public holidays: IN, US, GB, FR, AU, a region as IN-MH, or a name of your
    /// own in ringfence.toml
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
pub fn hours(common: &Common, args: &HoursArgs) -> Result<u8, Failure> {
    let request = HoursRequest {
        expression: &args.expression,
        timezone: &args.timezone,
        holidays: &args.holidays,
        at: args.at,
        until: args.until,
    };
    let answer = hours::hours(&common.place(), &request)?;
    let (now, zone) = (answer.now, answer.zone);
    if common.json {
        screen::print(&format!("{}\n", json!(now)))?;
        for change in &answer.changes {
            screen::print(&format!("{}\n", json!(change)))?;
        }
        return Ok(DONE);
    }
    let next = now.next_change.map_or("never changes".to_owned(), |change| {
        format!("{} {}", if now.open { "closes" } else { "opens" }, change.rfc3339(zone))
    });
    screen::print(&format!("{} at {}, {next}\n", if now.open { "open" } else { "closed" }, answer.at.rfc3339(zone)))?;
    for change in &answer.changes {
        screen::print(&format!("{} {}\n", change.at.rfc3339(zone), if change.open { "opens" } else { "closes" }))?;
    }
    Ok(DONE)
}
