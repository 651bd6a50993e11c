//! How a campaign's calls went over time: by hour, by weekday and hour, and by how often somebody
//! had been called.

use ringfence_domain::{Moment, Span, Zone};
use ringfence_store::RunHour;

use crate::error::Error;
use crate::workspace::Workspace;

/// The most hours that are read: eight weeks of them.
const HOURS: i64 = 8 * 7 * 24;
/// Later calls to a person are counted together.
const TRIES: u32 = 9;

/// How the calls of a campaign's current run went.
#[derive(Debug)]
pub struct Charts {
    /// Each hour in which calls were sent, the oldest first.
    pub hours: Vec<RunHour>,
    /// Calls and answered calls by weekday, Monday first, and hour of the day.
    pub week: [[(i64, i64); 24]; 7],
    /// By how often somebody had been called, from the first call on: calls, and people who were
    /// reached by them.
    pub tries: Vec<(i64, i64)>,
}

/// Reads them, by the clocks of a zone.
pub async fn charts(workspace: &Workspace, campaign: &str, zone: Zone) -> Result<Charts, Error> {
    let run = workspace.campaign(campaign).await?.run;
    let hours = workspace.store.run_hours(run, HOURS).await?;
    let counts = workspace.store.run_counts(run).await?;
    let of = |name: String| counts.get(&name).copied().unwrap_or_default();
    let mut tries: Vec<(i64, i64)> =
        (1..=TRIES).map(|n| (of(format!("try:{n}")), of(format!("try_reached:{n}")))).collect();
    while tries.last().is_some_and(|(calls, _)| *calls == 0) {
        tries.pop();
    }
    let mut week = [[(0, 0); 24]; 7];
    for hour in &hours {
        let (day, of_day) = place(hour.at, zone);
        let cell = &mut week[day][of_day];
        cell.0 += hour.calls;
        cell.1 += hour.answered;
    }
    Ok(Charts { hours, week, tries })
}

/// The weekday, Monday is 0, and the hour of the day. Zones off by half an hour count the hour in
/// which the middle of ours lies.
fn place(at: Moment, zone: Zone) -> (usize, usize) {
    let local = (at + Span::from_minutes(30)).local(zone);
    (local.weekday().to_monday_zero_offset() as usize, local.hour() as usize)
}
