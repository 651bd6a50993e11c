//! `ringfence dnc`

use std::path::{Path, PathBuf};

use ringfence_domain::phone::Country;
use ringfence_domain::{CampaignId, NumberKey, PhoneNumber};
use ringfence_store::{DncList, DncRow, Store};
use serde_json::json;

use crate::cli::Common;
use crate::failure::{DONE, Failure};
use crate::home::Home;
use crate::screen;

/// `dnc`
#[derive(Debug, clap::Args)]
pub struct DncArgs {
    /// What to do
    #[command(subcommand)]
    pub action: DncAction,
    /// The list of this campaign only [default: the list that holds for all]
    #[arg(long, global = true)]
    pub campaign: Option<String>,
}

/// What to do with the do-not-call list.
#[derive(Debug, clap::Subcommand)]
pub enum DncAction {
    /// Put numbers on the list
    Add {
        /// The numbers, with + and country code
        #[arg(required = true)]
        phones: Vec<String>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// How to read numbers without a country code: IN, US
        #[arg(long)]
        country: Option<Country>,
    },
    /// Take numbers off the list
    Remove {
        /// The numbers, with + and country code
        #[arg(required = true)]
        phones: Vec<String>,
        /// How to read numbers without a country code: IN, US
        #[arg(long)]
        country: Option<Country>,
    },
    /// Put every number of a CSV file on the list
    Import {
        /// The file, with a header
        file: PathBuf,
        /// The column of the number [default: the only one, or phone]
        #[arg(long)]
        column: Option<String>,
        /// How to read numbers without a country code: IN, US
        #[arg(long)]
        country: Option<Country>,
        /// Why
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
    /// Print the list
    List,
}

const CHUNK: usize = 10_000;
/// Rows that cannot be read are told one by one up to so many.
const SHOWN: u64 = 10;

/// The do-not-call list, effective for the very next claim.
pub(super) async fn dnc(common: &Common, args: &DncArgs) -> Result<u8, Failure> {
    let home = Home::enter(common).await?;
    let campaign = match &args.campaign {
        Some(name) => Some(home.campaign(name).await?.id),
        None => None,
    };
    let list = |source: String, reason: &Option<String>| DncList {
        campaign,
        source: Some(source),
        reason: reason.clone(),
        added_at: home.now(),
    };
    let done = match &args.action {
        DncAction::Add { phones, reason, country } => {
            let numbers = phones.iter().map(|phone| number(phone, *country)).collect::<Result<Vec<_>, _>>()?;
            let numbers = numbers.into_iter().map(|number| (home.store.hasher().key(&number), number)).collect();
            let list = home.store.begin_dnc(list("by hand".to_owned(), reason)).await?;
            let added = home.store.add_dnc(list, numbers).await?;
            json!({ "added": added, "known": phones.len() as u64 - added })
        }
        DncAction::Remove { phones, country } => {
            let numbers = phones.iter().map(|phone| number(phone, *country)).collect::<Result<Vec<_>, _>>()?;
            let mut removed = 0;
            for number in &numbers {
                removed += u64::from(home.store.remove_dnc(home.store.hasher().key(number), campaign).await?);
            }
            json!({ "removed": removed, "unknown": numbers.len() as u64 - removed })
        }
        DncAction::Import { file, column, country, reason } => {
            let source = std::path::absolute(file)?.display().to_string();
            take_in(&home, file, column.as_deref(), *country, list(source, reason)).await?
        }
        DncAction::List => {
            print(common, &home, campaign).await?;
            home.store.close().await;
            return Ok(DONE);
        }
    };
    home.store.close().await;
    if common.json {
        screen::print_json(&done)?;
    } else {
        let parts: Vec<String> =
            done.as_object().into_iter().flatten().map(|(name, n)| format!("{n} {name}")).collect();
        screen::print(&format!("{}\n", parts.join(", ")))?;
    }
    Ok(DONE)
}

fn number(text: &str, country: Option<Country>) -> Result<PhoneNumber, Failure> {
    PhoneNumber::parse(text, country).map_err(|error| {
        Failure::input(format!("`{text}`: {error}"), "write it with + and country code: +919876543210")
    })
}

async fn take_in(
    home: &Home,
    path: &Path,
    column: Option<&str>,
    country: Option<Country>,
    list: DncList,
) -> Result<serde_json::Value, Failure> {
    let wrong_file = |error: csv::Error| {
        Failure::input(format!("{} cannot be read: {error}", path.display()), "it must be CSV with a header")
    };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).map_err(wrong_file)?;
    let columns: Vec<String> = reader
        .headers()
        .map_err(wrong_file)?
        .iter()
        .map(|name| name.trim_start_matches('\u{feff}').trim().to_owned())
        .collect();
    let wanted = column.unwrap_or("phone");
    let place = match columns.iter().position(|name| name == wanted) {
        Some(place) => place,
        None if column.is_none() && columns.len() == 1 => 0,
        None => {
            return Err(Failure::input(
                format!("{} has no column `{wanted}`; it has: {}", path.display(), columns.join(", ")),
                "name the column of the number with --column",
            ));
        }
    };
    let list = home.store.begin_dnc(list).await?;
    let bytes = std::fs::metadata(path).map_or(0, |file| file.len());
    let progress = screen::FileProgress::begin(bytes);
    let (mut rows, mut added, mut unreadable, mut chunk) = (0_u64, 0, 0_u64, Vec::with_capacity(CHUNK));
    let mut record = csv::StringRecord::new();
    while reader.read_record(&mut record).map_err(wrong_file)? {
        rows += 1;
        match PhoneNumber::parse(record.get(place).unwrap_or_default(), country) {
            Ok(number) => chunk.push((home.store.hasher().key(&number), number)),
            Err(error) => {
                unreadable += 1;
                if unreadable <= SHOWN {
                    let line = record.position().map_or(rows + 1, csv::Position::line);
                    crate::home::eprint_line(&format!("{}: line {line}: {error}", path.display()));
                }
            }
        }
        if chunk.len() >= CHUNK {
            added += home.store.add_dnc(list, std::mem::take(&mut chunk)).await?;
            progress.at(reader.position().byte(), rows);
        }
    }
    added += home.store.add_dnc(list, chunk).await?;
    progress.end();
    if unreadable > SHOWN {
        crate::home::eprint_line(&format!("{}: {} more rows like these", path.display(), unreadable - SHOWN));
    }
    Ok(json!({ "rows": rows, "added": added, "known": rows - added - unreadable, "unreadable": unreadable }))
}

async fn print(common: &Common, home: &Home, campaign: Option<CampaignId>) -> Result<(), Failure> {
    let out = std::io::BufWriter::new(std::io::stdout().lock());
    if common.json {
        let mut list = screen::JsonList::begin(out)?;
        each(home, campaign, |row| {
            list.push(&json!({
                "phone": row.number.e164(), "added_at": row.list.added_at, "source": row.list.source, "reason": row.list.reason,
            }))
        })
        .await?;
        return list.end();
    }
    let failed = |error: csv::Error| Failure::work(format!("the list cannot be written: {error}"));
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(["phone", "added_at", "source", "reason"]).map_err(failed)?;
    each(home, campaign, |row| {
        let text = |value: &Option<String>| super::export::inert(value.as_deref().unwrap_or_default());
        let phone = row.number.e164().to_owned();
        csv.write_record([phone, row.list.added_at.to_string(), text(&row.list.source), text(&row.list.reason)])
            .map_err(failed)
    })
    .await?;
    Ok(csv.flush()?)
}

/// Every entry, in the order of the keys.
async fn each(
    home: &Home,
    campaign: Option<CampaignId>,
    mut each: impl FnMut(&DncRow) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut after = i64::MIN;
    loop {
        let page = home.store.dnc_page(campaign, after, CHUNK as u32).await?;
        let Some(NumberKey(last)) = page.last().map(|row| row.number_key) else { return Ok(()) };
        after = last;
        page.iter().try_for_each(&mut each)?;
    }
}
