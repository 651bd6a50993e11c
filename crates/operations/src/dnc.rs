//! The do-not-call list, effective for the very next claim.

mod list_file;
mod origins;
mod sorted;

use std::io::Write;

use ringfence_domain::event::EventKind;
use ringfence_domain::phone::{Country, mask_numbers};
use ringfence_domain::{CampaignId, Moment, NumberKey, PhoneNumber};
use ringfence_store::{DncList, Subject};
use serde::Serialize;

pub use self::list_file::{FileProgress, ImportedNumbers, ListFile, import};

use crate::error::Error;
use crate::spreadsheet::inert;
use crate::workspace::Workspace;

const PAGE: u32 = 10_000;

/// Numbers that were put on the list.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct AddedNumbers {
    /// Those that are new on it.
    pub added: u64,
    /// Those that were on it.
    pub known: u64,
}

/// Numbers that were taken off the list.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct RemovedNumbers {
    /// Those that were on it.
    pub removed: u64,
    /// Those that were not.
    pub unknown: u64,
}

/// A number on the list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ListedNumber {
    /// The number.
    pub phone: String,
    /// Since when.
    pub added_at: Moment,
    /// Where it came from.
    pub source: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

/// Puts numbers on the list of a campaign, or on everyone's. All or none: a person who sees a
/// mistake must not wonder who is on the list.
pub async fn add(
    workspace: &Workspace,
    campaign: Option<&str>,
    phones: &[String],
    country: Option<Country>,
    reason: Option<&str>,
) -> Result<AddedNumbers, Error> {
    let campaign = id_of(workspace, campaign).await?;
    let numbers = numbers(workspace, phones, country)
        .await
        .map_err(|error| Error { message: format!("{}; none was added", error.message), ..error })?;
    let store = &workspace.store;
    let list = store.begin_dnc(list_of(workspace, campaign, "by hand".to_owned(), reason)).await?;
    let numbers = numbers.into_iter().map(|number| (list, store.hasher().key(&number), number)).collect();
    let added = store.add_dnc(numbers).await?;
    let told = format!("{added} by hand{}", reason.map(|reason| format!(": {reason}")).unwrap_or_default());
    note(workspace, EventKind::DncAdded, campaign, told).await?;
    Ok(AddedNumbers { added, known: phones.len() as u64 - added })
}

/// Takes numbers off the list of a campaign, or off everyone's.
pub async fn remove(
    workspace: &Workspace,
    campaign: Option<&str>,
    phones: &[String],
    country: Option<Country>,
) -> Result<RemovedNumbers, Error> {
    let campaign = id_of(workspace, campaign).await?;
    let store = &workspace.store;
    let numbers = numbers(workspace, phones, country).await?;
    let mut removed = 0;
    for number in &numbers {
        removed += u64::from(store.remove_dnc(store.hasher().key(number), campaign).await?);
    }
    if removed > 0 {
        let numbers: Vec<String> = numbers.iter().map(|number| mask_numbers(number.e164())).collect();
        note(workspace, EventKind::DncRemoved, campaign, numbers.join(", ")).await?;
    }
    Ok(RemovedNumbers { removed, unknown: numbers.len() as u64 - removed })
}

/// Enters what was done to the list of a campaign, or to everyone's.
async fn note(workspace: &Workspace, kind: EventKind, campaign: Option<CampaignId>, told: String) -> Result<(), Error> {
    let subject = campaign.map_or(Subject::All, Subject::Campaign);
    Ok(workspace.store.note_event(kind, subject, Some(told), workspace.now()).await?)
}

/// Gives every number of a list to `each`, in the order of the keys.
pub async fn for_each(
    workspace: &Workspace,
    campaign: Option<&str>,
    mut each: impl FnMut(&ListedNumber) -> Result<(), Error>,
) -> Result<(), Error> {
    let campaign = id_of(workspace, campaign).await?;
    let mut after = i64::MIN;
    loop {
        let page = workspace.store.dnc_page(campaign, after, PAGE).await?;
        let Some(NumberKey(last)) = page.last().map(|row| row.number_key) else { return Ok(()) };
        after = last;
        for row in page {
            let phone = row.number.e164().to_owned();
            let DncList { added_at, source, reason, .. } = row.list;
            each(&ListedNumber { phone, added_at, source, reason })?;
        }
    }
}

/// Returns the next numbers of a list after a key, in the order of the keys, and the key of the
/// last one.
pub async fn page(
    workspace: &Workspace,
    campaign: Option<&str>,
    after: i64,
    limit: u32,
) -> Result<(Vec<ListedNumber>, Option<i64>), Error> {
    let campaign = id_of(workspace, campaign).await?;
    let rows = workspace.store.dnc_page(campaign, after, limit).await?;
    let last = rows.last().map(|row| row.number_key.0);
    let listed = rows.into_iter().map(|row| {
        let phone = row.number.e164().to_owned();
        let DncList { added_at, source, reason, .. } = row.list;
        ListedNumber { phone, added_at, source, reason }
    });
    Ok((listed.collect(), last))
}

/// Writes a list as CSV.
pub async fn write_csv(workspace: &Workspace, campaign: Option<&str>, out: impl Write) -> Result<(), Error> {
    let failed = |error: csv::Error| Error::work(format!("the list cannot be written: {error}"));
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(["phone", "added_at", "source", "reason"]).map_err(failed)?;
    for_each(workspace, campaign, |number| {
        let (source, reason) = (number.source.as_deref(), number.reason.as_deref());
        let said = [source, reason].map(|said| inert(said.unwrap_or_default()));
        csv.write_record([&number.phone, &number.added_at.to_string(), &*said[0], &*said[1]]).map_err(failed)
    })
    .await?;
    Ok(csv.flush()?)
}

async fn id_of(workspace: &Workspace, campaign: Option<&str>) -> Result<Option<CampaignId>, Error> {
    Ok(match campaign {
        Some(name) => Some(workspace.campaign(name).await?.id),
        None => None,
    })
}

fn list_of(workspace: &Workspace, campaign: Option<CampaignId>, source: String, reason: Option<&str>) -> DncList {
    DncList { campaign, source: Some(source), reason: reason.map(str::to_owned), added_at: workspace.now() }
}

/// Reads the numbers that a person typed.
async fn numbers(
    workspace: &Workspace,
    phones: &[String],
    country: Option<Country>,
) -> Result<Vec<PhoneNumber>, Error> {
    let mut numbers = Vec::with_capacity(phones.len());
    for phone in phones {
        let read = match country {
            Some(_) => PhoneNumber::parse(phone, country).map_err(|error| {
                Error::input(format!("`{phone}`: {error}"), "write it with + and country code: +919876543210")
            }),
            None => workspace.number(phone).await,
        };
        numbers.push(read.map_err(|error| in_quotes(phones, country, error))?);
    }
    Ok(numbers)
}

/// A number with spaces in it comes as several words when it is not quoted.
fn in_quotes(phones: &[String], country: Option<Country>, error: Error) -> Error {
    let whole = phones.join(" ");
    if phones.len() > 1 && PhoneNumber::parse(&whole, country).is_ok() {
        let message = format!("{} are read as {} numbers", phones.join(" and "), phones.len());
        return Error::input(message, format!("put a number with spaces in quotes: \"{whole}\""));
    }
    error
}
