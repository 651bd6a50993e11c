//! The runs of a campaign, with their figures.

use std::collections::BTreeMap;

use ringfence_domain::summary::ContactCounts;
use ringfence_domain::{Moment, StopReason, Zone};
use serde::Serialize;

use crate::error::Error;
use crate::summary::Counts;
use crate::workspace::Workspace;

/// One run.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ListedRun {
    /// Counted from 1.
    pub number: i64,
    /// The key that it was begun with.
    pub key: Option<String>,
    /// Whether it is the current one.
    pub current: bool,
    /// When it began.
    pub started_at: Moment,
    /// When its last call was sent.
    pub last_dial_at: Option<Moment>,
    /// Why nobody in it waits any more.
    pub closed_for: Option<StopReason>,
    /// Since when its people are erased: only counts are left of them.
    pub erased_at: Option<Moment>,
    /// Its contacts by state.
    pub contacts: ContactCounts,
    /// Contacts reached as the campaign defines it.
    pub reached: i64,
    /// Calls that the provider took.
    pub calls: i64,
    /// Ended calls by outcome.
    pub outcomes: BTreeMap<&'static str, i64>,
}

/// Returns the runs of a campaign, the first one first, and the zone whose clocks its people read.
pub async fn list(workspace: &Workspace, campaign: &str) -> Result<(Vec<ListedRun>, Zone), Error> {
    let store = &workspace.store;
    let row = workspace.campaign(campaign).await?;
    let lane = store.lanes().await?.into_iter().find(|lane| lane.id == row.lane);
    let zone = row.rules.own_zone(lane.map_or_else(Zone::utc, |lane| lane.settings.timezone));
    let mut listed = Vec::new();
    for run in store.runs(row.id).await? {
        let counts = store.run_counts(run.id).await?;
        let counts = Counts(&counts);
        let outcomes = counts.outcomes().into_iter().filter(|(_, n)| *n > 0).collect();
        listed.push(ListedRun {
            number: run.number,
            key: run.key,
            current: run.id == row.run,
            started_at: run.started_at,
            last_dial_at: run.last_dial_at,
            closed_for: run.closed_for,
            erased_at: run.erased_at,
            contacts: counts.contacts(),
            reached: counts.of("reached"),
            calls: counts.attempts().placed,
            outcomes,
        });
    }
    Ok((listed, zone))
}
