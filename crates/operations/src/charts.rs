//! How a campaign's calls went: by hour, by weekday and hour, by how often somebody had been called,
//! and by the caller id that they showed.

use std::collections::BTreeMap;

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
    /// The caller ids of the campaign and those that it had.
    pub callers: Vec<CallerFigures>,
}

/// How the calls went that showed one caller id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerFigures {
    /// The caller id.
    pub id: String,
    /// Calls that were made with it and are over.
    pub calls: i64,
    /// Those of them that were answered.
    pub answered: i64,
}

/// Reads them, by the clocks of a zone.
pub async fn charts(workspace: &Workspace, campaign: &str, zone: Zone) -> Result<Charts, Error> {
    let campaign = workspace.campaign(campaign).await?;
    let run = campaign.run;
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
    let callers = callers(&campaign.rules.caller_ids, &counts);
    Ok(Charts { hours, week, tries, callers })
}

/// The caller ids in the order of the rules, then those that calls had before the rules changed.
fn callers(of_rules: &[String], counts: &BTreeMap<String, i64>) -> Vec<CallerFigures> {
    let of = |name: String| counts.get(&name).copied().unwrap_or_default();
    let earlier = counts.keys().filter_map(|name| name.strip_prefix("caller:"));
    let earlier = earlier.filter(|id| !of_rules.iter().any(|known| known == id));
    let figures = |id: &str| CallerFigures {
        id: id.to_owned(),
        calls: of(format!("caller:{id}")),
        answered: of(format!("caller_answered:{id}")),
    };
    of_rules.iter().map(String::as_str).chain(earlier).map(figures).collect()
}

/// The weekday, Monday is 0, and the hour of the day. Zones off by half an hour count the hour in
/// which the middle of ours lies.
fn place(at: Moment, zone: Zone) -> (usize, usize) {
    let local = (at + Span::from_minutes(30)).local(zone);
    (local.weekday().to_monday_zero_offset() as usize, local.hour() as usize)
}
