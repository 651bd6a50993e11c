//! Contacts or attempts of a campaign as CSV or JSON lines.

mod attempts;
mod cells;
mod contacts;
mod relink;

use std::io::Write;
use std::sync::Arc;

use ringfence_domain::{ContactState, Moment, RunId, Zone};
use ringfence_store::{CampaignRow, ContactFilter, StoreError};

use crate::erasure;
use crate::error::Error;
use crate::workspace::Workspace;

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header.
    Csv,
    /// One JSON object a line.
    Json,
}

/// Which contacts are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Only {
    /// Those reached as the campaign defines it.
    Reached,
    /// Those not reached, or not yet.
    Unreached,
    /// Those whose call is of unknown fate.
    Review,
}

/// What to export, and how.
#[derive(Debug, Clone)]
pub struct ExportOrder {
    /// The campaign.
    pub campaign: String,
    /// One of its runs, counted from 1; the current one when none is named.
    pub run: Option<i64>,
    /// Whether there is a line for each attempt instead of each contact.
    pub attempts: bool,
    /// Only these contacts, or attempts at these contacts.
    pub only: Option<Only>,
    /// The form.
    pub format: Format,
    /// Whether a CSV file begins with the mark by which Excel knows UTF-8.
    pub bom: bool,
}

/// One run of a campaign, to be exported.
struct Source {
    store: Arc<ringfence_store::Database>,
    run: RunId,
    /// The zone whose clocks the campaign's people read; times of a CSV file are on them.
    zone: Zone,
    filter: ContactFilter,
}

/// Asks the vendor again for the links to recordings and transcripts that have expired. Returns how
/// many calls have new links.
pub async fn refresh_links(workspace: &mut Workspace, campaign: &str) -> Result<u32, Error> {
    let campaign = workspace.campaign(campaign).await?;
    relink::relink(workspace, &campaign).await
}

/// Finds the run that is to be exported.
pub async fn find(workspace: &Workspace, order: &ExportOrder) -> Result<(CampaignRow, RunId), Error> {
    let campaign = workspace.campaign(&order.campaign).await?;
    let runs = workspace.store.runs(campaign.id).await?;
    let number = order.run.or_else(|| runs.iter().find(|run| run.id == campaign.run).map(|run| run.number));
    let number = number.unwrap_or(1);
    let found = runs.iter().find(|run| run.number == number);
    let last = runs.last().map_or(1, |run| run.number);
    let message = format!("{} has no run {number}", order.campaign);
    let run = found.ok_or_else(|| {
        Error::missing(message, format!("name one from 1 to {last}; `ringfence runs {}` lists them", order.campaign))
    })?;
    erasure::refuse_erased(&order.campaign, number, run.erased_at, campaign.rules.own_zone(Zone::utc()))?;
    Ok((campaign, run.id))
}

/// Writes lines of a run, page by page. Returns how many there are, without the header.
pub async fn write(workspace: &Workspace, order: &ExportOrder, mut out: impl Write) -> Result<u64, Error> {
    let (campaign, run) = find(workspace, order).await?;
    let store = &workspace.store;
    let lane = store.lanes().await?.into_iter().find(|lane| lane.id == campaign.lane);
    let zone = campaign.rules.own_zone(lane.map_or_else(Zone::utc, |lane| lane.settings.timezone));
    let filter = match order.only {
        None => ContactFilter::default(),
        Some(Only::Reached) => ContactFilter { reached: Some(true), ..ContactFilter::default() },
        Some(Only::Unreached) => ContactFilter { reached: Some(false), ..ContactFilter::default() },
        Some(Only::Review) => ContactFilter { state: Some(ContactState::Review), ..ContactFilter::default() },
    };
    let source = Source { store: store.clone(), run, zone, filter };
    if order.bom && order.format == Format::Csv {
        out.write_all("\u{feff}".as_bytes())?;
    }
    if order.attempts {
        attempts::write(&source, order.format, out).await
    } else {
        contacts::write(&source, order.format, out).await
    }
}

/// Rows that are read at a time.
const PAGE: u32 = 2_000;

/// Goes through all pages of a list: the next one is read while `each` works at the last one.
/// `place` tells where a row stands, and `page` gives those after it.
async fn ahead<T, K, P, R>(
    page: P,
    place: impl Fn(&T) -> K,
    mut each: impl FnMut(&[T]) -> Result<(), Error>,
) -> Result<(), Error>
where
    T: Send + 'static,
    P: Fn(Option<K>) -> R,
    R: Future<Output = Result<Vec<T>, StoreError>> + Send + 'static,
{
    let mut rows = page(None).await?;
    while let Some(last) = rows.last() {
        let next = tokio::spawn(page(Some(place(last))));
        each(&rows)?;
        rows = next.await.map_err(|error| Error::work(error.to_string()))??;
    }
    Ok(())
}

/// A moment in a CSV file: `2026-11-26T09:02:11+05:30`.
fn local(at: Moment, zone: Zone) -> String {
    at.local(zone).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}
