//! `ringfence dnc`

use std::path::{Path, PathBuf};

use ringfence_domain::phone::Country;
use ringfence_domain::{NumberKey, PhoneNumber};
use ringfence_store::{DncRow, Store};
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

/// The do-not-call list, effective for the very next claim.
pub(super) async fn dnc(common: &Common, args: &DncArgs) -> Result<u8, Failure> {
    let home = Home::enter(common).await?;
    let done = match &args.action {
        DncAction::Add { phones, reason, country } => {
            let numbers = phones.iter().map(|phone| number(phone, *country)).collect::<Result<Vec<_>, _>>()?;
            let rows = numbers.into_iter().map(|number| entry(&home, number, reason.as_ref(), "by hand")).collect();
            let added = home.store.add_dnc(rows).await?;
            json!({ "added": added, "known": phones.len() as u64 - added })
        }
        DncAction::Remove { phones, country } => {
            let numbers = phones.iter().map(|phone| number(phone, *country)).collect::<Result<Vec<_>, _>>()?;
            let mut removed = 0;
            for number in &numbers {
                removed += u64::from(home.store.remove_dnc(home.store.hasher().key(number)).await?);
            }
            json!({ "removed": removed, "unknown": numbers.len() as u64 - removed })
        }
        DncAction::Import { file, column, country, reason } => {
            take_in(&home, file, column.as_deref(), *country, reason.as_ref()).await?
        }
        DncAction::List => {
            list(common, &home).await?;
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

fn entry(home: &Home, number: PhoneNumber, reason: Option<&String>, source: &str) -> DncRow {
    DncRow {
        number_key: home.store.hasher().key(&number),
        number,
        reason: reason.cloned(),
        source: Some(source.to_owned()),
        added_at: home.now(),
    }
}

async fn take_in(
    home: &Home,
    path: &Path,
    column: Option<&str>,
    country: Option<Country>,
    reason: Option<&String>,
) -> Result<serde_json::Value, Failure> {
    let unreadable = |error: csv::Error| {
        Failure::input(format!("{} cannot be read: {error}", path.display()), "it must be CSV with a header")
    };
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_path(path).map_err(unreadable)?;
    let columns: Vec<String> = reader
        .headers()
        .map_err(unreadable)?
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
    let source = std::path::absolute(path)?.display().to_string();
    let (mut rows, mut added, mut wrong, mut chunk) = (0_u64, 0, Vec::new(), Vec::new());
    for record in reader.records() {
        let record = record.map_err(unreadable)?;
        rows += 1;
        match PhoneNumber::parse(record.get(place).unwrap_or_default(), country) {
            Ok(number) => chunk.push(entry(home, number, reason, &source)),
            Err(error) => {
                let line = record.position().map_or(rows + 1, csv::Position::line);
                wrong.push(format!("line {line}: {error}"));
            }
        }
        if chunk.len() >= CHUNK {
            added += home.store.add_dnc(std::mem::take(&mut chunk)).await?;
        }
    }
    added += home.store.add_dnc(chunk).await?;
    for line in wrong.iter().take(10) {
        crate::home::eprint_line(&format!("{}: {line}", path.display()));
    }
    let unreadable = wrong.len() as u64;
    Ok(json!({ "rows": rows, "added": added, "known": rows - added - unreadable, "unreadable": unreadable }))
}

async fn list(common: &Common, home: &Home) -> Result<(), Failure> {
    let out = std::io::BufWriter::new(std::io::stdout().lock());
    if common.json {
        let mut list = screen::JsonList::begin(out)?;
        each(home, |row| {
            list.push(&json!({
                "phone": row.number.e164(), "added_at": row.added_at, "source": row.source, "reason": row.reason,
            }))
        })
        .await?;
        return list.end();
    }
    let failed = |error: csv::Error| Failure::work(format!("the list cannot be written: {error}"));
    let mut csv = csv::Writer::from_writer(out);
    csv.write_record(["phone", "added_at", "source", "reason"]).map_err(failed)?;
    each(home, |row| {
        let text = |value: &Option<String>| super::export::inert(value.as_deref().unwrap_or_default());
        let phone = row.number.e164().to_owned();
        csv.write_record([phone, row.added_at.to_string(), text(&row.source), text(&row.reason)]).map_err(failed)
    })
    .await?;
    Ok(csv.flush()?)
}

/// Every entry, in the order of the keys.
async fn each(home: &Home, mut each: impl FnMut(&DncRow) -> Result<(), Failure>) -> Result<(), Failure> {
    let mut after = i64::MIN;
    loop {
        let page = home.store.dnc_page(after, CHUNK as u32).await?;
        let Some(NumberKey(last)) = page.last().map(|row| row.number_key) else { return Ok(()) };
        after = last;
        page.iter().try_for_each(&mut each)?;
    }
}
