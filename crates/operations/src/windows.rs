//! When those who wait may be called: the windows of the next hours, by campaign and zone.

use std::collections::BTreeMap;

use ringfence_domain::window::Calendar;
use ringfence_domain::{ContactId, Moment, Span};
use ringfence_store::{CampaignRow, LaneRow};

use crate::error::Error;
use crate::workspace::Workspace;

/// The most openings and closings that are looked for in one window.
const CHANGES: usize = 200;

/// The window of people who wait, over some hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Their campaign.
    pub campaign: String,
    /// Where they may be, in short.
    pub zones: String,
    /// How many wait.
    pub waiting: i64,
    /// When it is open: from, until.
    pub open: Vec<(Moment, Moment)>,
    /// Whether it is open now.
    pub is_open: bool,
    /// When that changes, if ever.
    pub next_change: Option<Moment>,
}

/// Returns when one contact's window is open, from `from` for `length`: from, until. None when it
/// is in no campaign's current run.
pub async fn of_contact(
    workspace: &Workspace,
    contact: ContactId,
    (from, length): (Moment, Span),
) -> Result<Option<Vec<(Moment, Moment)>>, Error> {
    let store = &workspace.store;
    let Some(row) = store.contact(contact).await? else { return Ok(None) };
    let Some(campaign) = store.campaigns().await?.into_iter().find(|campaign| campaign.run == row.run) else {
        return Ok(None);
    };
    let lanes = store.lanes().await?;
    let vendor = lanes.iter().find(|lane| lane.id == campaign.lane).and_then(|lane| lane.settings.vendor_hours());
    let mut calendar = campaign.rules.calendar(&row.zones, vendor.as_ref());
    Ok(Some(open_between(&mut calendar, from, from + length)))
}

/// When a window is open within a stretch of time.
fn open_between(calendar: &mut Calendar, from: Moment, until: Moment) -> Vec<(Moment, Moment)> {
    let (mut open, mut at) = (Vec::new(), from);
    for _ in 0..CHANGES {
        let state = calendar.at(at);
        let end = state.next_change.filter(|change| *change < until).unwrap_or(until);
        if state.open {
            open.push((at, end));
        }
        if end >= until {
            break;
        }
        at = end;
    }
    open
}

/// Returns the windows of everybody who waits, from `from` for `length`: those with the most people
/// first, `limit` at most.
pub async fn ahead(
    workspace: &Workspace,
    campaign: Option<&str>,
    (from, length): (Moment, Span),
    limit: usize,
) -> Result<Vec<Window>, Error> {
    let store = &workspace.store;
    let campaigns = store.campaigns().await?;
    let lanes: Vec<LaneRow> = store.lanes().await?;
    let wanted = |row: &&CampaignRow| campaign.is_none_or(|name| row.rules.name == name);
    let known: BTreeMap<_, _> = campaigns.iter().filter(wanted).map(|row| (row.id, row)).collect();
    let mut waiting: BTreeMap<_, i64> = BTreeMap::new();
    for row in store.waiting_by_zone(workspace.now()).await? {
        if known.contains_key(&row.campaign) {
            *waiting.entry((row.campaign, row.zones.to_string())).or_default() += row.waiting;
        }
    }
    let mut most: Vec<_> = waiting.into_iter().collect();
    most.sort_by_key(|(_, waiting)| std::cmp::Reverse(*waiting));
    most.truncate(limit);
    let mut windows = Vec::new();
    for ((id, zones), waiting) in most {
        let (Some(row), Ok(zones)) = (known.get(&id), zones.parse()) else { continue };
        let vendor = lanes.iter().find(|lane| lane.id == row.lane).and_then(|lane| lane.settings.vendor_hours());
        let mut calendar = row.rules.calendar(&zones, vendor.as_ref());
        let present = calendar.at(workspace.now());
        windows.push(Window {
            campaign: row.rules.name.clone(),
            zones: zones.short(),
            waiting,
            open: open_between(&mut calendar, from, from + length),
            is_open: present.open,
            next_change: present.next_change,
        });
    }
    Ok(windows)
}
