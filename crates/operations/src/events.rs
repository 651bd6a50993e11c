//! The changes of state, as they are kept: what happened, to what, by whom and why.

use ringfence_domain::event::Event;
use ringfence_domain::{Moment, Span, Zone};
use ringfence_store::EventFilter;

use crate::error::Error;
use crate::workspace::Workspace;

/// Events that are read at once.
const PAGE: i64 = 1_000;

/// Reads a moment, `2026-11-26T09:00:00Z`, or how long ago it was, `2h`.
pub fn since(text: &str, now: Moment) -> Result<Moment, Error> {
    if let Ok(ago) = text.parse::<Span>() {
        return Ok(now - ago);
    }
    text.parse().map_err(|_| {
        Error::input(
            format!("`{text}` is neither a moment nor a length of time"),
            "write --since 2h, or --since 2026-11-26T09:00:00Z",
        )
    })
}

/// Returns the next events that are asked for, the oldest first.
pub async fn page(workspace: &Workspace, filter: EventFilter, limit: u32) -> Result<Vec<Event>, Error> {
    if let Some(name) = &filter.campaign {
        workspace.campaign(name).await?;
    }
    if let Some(name) = &filter.lane {
        crate::lanes::named(workspace, name).await?;
    }
    Ok(workspace.store.events(filter, i64::from(limit)).await?)
}

/// Returns the last events before one that are asked for, the newest first; all of them without
/// `before`.
pub async fn latest(
    workspace: &Workspace,
    filter: EventFilter,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Event>, Error> {
    Ok(workspace.store.latest_events(filter, before.unwrap_or(i64::MAX), i64::from(limit)).await?)
}

/// Gives every event that is asked for to `each`, the oldest first. Returns the number of the last
/// one, after which more may come.
pub async fn for_each(
    workspace: &Workspace,
    mut filter: EventFilter,
    mut each: impl FnMut(&Event) -> Result<(), Error>,
) -> Result<i64, Error> {
    if let Some(name) = &filter.campaign {
        workspace.campaign(name).await?;
    }
    if let Some(name) = &filter.lane {
        crate::lanes::named(workspace, name).await?;
    }
    loop {
        let page = workspace.store.events(filter.clone(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(filter.after) };
        filter.after = last.id;
        page.iter().try_for_each(&mut each)?;
    }
}

/// Returns the zone whose clocks the readers of events look at: that of the lanes when they all
/// have the same, else UTC.
pub async fn clock(workspace: &Workspace) -> Result<Zone, Error> {
    let lanes = workspace.store.lanes().await?;
    let mut zones: Vec<Zone> = lanes.iter().map(|lane| lane.settings.timezone).collect();
    zones.dedup();
    Ok(match zones.as_slice() {
        [zone] => *zone,
        _ => Zone::utc(),
    })
}
