//! `ringfence dnc`

mod sorted;

use std::path::{Path, PathBuf};

use ringfence_domain::phone::Country;
use ringfence_domain::{CampaignId, NumberKey, PhoneNumber};
use ringfence_intake::{Problem, Table, contacts};
use ringfence_store::{DncList, DncRow};
use serde_json::json;

use self::sorted::Sorted;

use crate::cli::Common;
use crate::failure::{DONE, Failure};
use crate::home::{self, Home};
use crate::importing::InputFile;
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
        /// The file, with a header; - for standard input
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
    // A list may be there before any campaign is.
    let home = match args.action {
        DncAction::Add { .. } | DncAction::Import { .. } => Home::enter_or_make(common).await?,
        DncAction::Remove { .. } | DncAction::List => Home::enter(common).await?,
    };
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
    let mut all_read = true;
    let done = match &args.action {
        DncAction::Add { phones, reason, country } => {
            let numbers = phones.iter().map(|phone| number(phone, *country)).collect::<Result<Vec<_>, _>>();
            // All or none: whoever sees the mistake must not wonder who is on the list.
            let numbers = numbers.map_err(|failure| match failure {
                Failure::Input { message, hint } => {
                    Failure::Input { message: format!("{message}; none was added"), hint }
                }
                other => other,
            })?;
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
            let file = InputFile::given(file)?;
            let done = take_in(&home, &file, column.as_deref(), *country, list(file.source(), reason)).await?;
            all_read = done.unreadable == 0;
            json!({
                "rows": done.rows, "added": done.added, "known": done.rows - done.added - done.unreadable,
                "unreadable": done.unreadable,
            })
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
    if !all_read {
        // Whoever relies on the list must know that some of it is not on it.
        return Err(Failure::input(
            "rows that cannot be read as numbers are not on the list",
            "mend them and import the file again; --country says how to read numbers without +",
        ));
    }
    Ok(DONE)
}

fn number(text: &str, country: Option<Country>) -> Result<PhoneNumber, Failure> {
    PhoneNumber::parse(text, country).map_err(|error| {
        Failure::input(format!("`{text}`: {error}"), "write it with + and country code: +919876543210")
    })
}

/// What came of a file.
struct TakenIn {
    rows: u64,
    added: u64,
    unreadable: u64,
}

async fn take_in(
    home: &Home,
    file: &InputFile,
    column: Option<&str>,
    country: Option<Country>,
    list: DncList,
) -> Result<TakenIn, Failure> {
    let (mut table, place) = checked(file.path(), column)?;
    let source = file.source();
    let failed = |error: std::io::Error| Failure::work(format!("numbers cannot be sorted: {error}"));
    let progress = screen::FileProgress::begin(std::fs::metadata(file.path()).map_or(0, |file| file.len()));
    let mut sorted = Sorted::begin().map_err(failed)?;
    let mut done = TakenIn { rows: 0, added: 0, unreadable: 0 };
    while let Some(record) = table.next_row()? {
        done.rows += 1;
        // Names in another encoding are no reason to leave a number out.
        let text = record.text(place);
        match PhoneNumber::parse(&text, country) {
            Ok(number) => sorted.add(home.store.hasher().key(&number), &number).map_err(failed)?,
            Err(error) => {
                done.unreadable += 1;
                if done.unreadable <= SHOWN {
                    home::eprint_line(&format!("{source}: line {}: {}", record.line(), contacts::shown(&text, &error)));
                }
            }
        }
        if done.rows.is_multiple_of(CHUNK as u64) {
            progress.at(table.bytes_read(), done.rows);
        }
    }
    if done.unreadable > SHOWN {
        home::eprint_line(&format!("{source}: {} more rows like these", done.unreadable - SHOWN));
    }
    if done.rows == 0 {
        home::eprint_line(&format!("caution: {source} has a header and no numbers"));
    }
    let list = home.store.begin_dnc(list).await?;
    let mut chunk = Vec::with_capacity(CHUNK);
    for part in sorted.parts() {
        for number in part.map_err(failed)? {
            chunk.push(number);
            if chunk.len() == CHUNK {
                done.added +=
                    home.store.add_dnc(list, std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK))).await?;
            }
        }
    }
    done.added += home.store.add_dnc(list, chunk).await?;
    progress.end();
    Ok(done)
}

/// The table of a list, and the place of its column of numbers. It was read to its end: of a list that cannot be read, or that
/// quotes have swallowed rows of, nobody is left out in silence.
fn checked(path: &Path, column: Option<&str>) -> Result<(Table, usize), Failure> {
    let table = Table::open(path)?;
    let columns = table.columns();
    let wanted = column.unwrap_or("phone");
    let place = match columns.iter().position(|name| name == wanted) {
        Some(place) => place,
        None if column.is_none() && columns.len() == 1 => 0,
        None => {
            let problem = Problem::NoColumn { column: wanted.to_owned(), columns: columns.to_vec(), meant: None };
            return Err(Failure::input(problem.of(path).to_string(), "name the column of the number with --column"));
        }
    };
    // A list of short numbers would lose its first.
    if columns.iter().any(|name| name.chars().filter(|letter| letter.is_numeric()).count() >= 7) {
        return Err(Problem::NoHeader(columns[place].clone()).of(path).into());
    }
    // Whoever stands in another column of numbers would be called all the same.
    let other = columns.iter().enumerate().find(|(at, name)| *at != place && is_for_numbers(name));
    if let (None, Some((_, other))) = (column, other) {
        return Err(Failure::input(
            format!("{} has numbers in `{}` and, by its name, in `{other}`", path.display(), columns[place]),
            "import it once for each: --column phone, then --column with the other name",
        ));
    }
    if let Some(problem) = table.with_numbers_in(&[place]).look_through(&|| true)?.swallowed {
        return Err(problem.of(path).into());
    }
    Ok((Table::open(path)?, place))
}

/// Whether a column's name says that it holds phone numbers.
fn is_for_numbers(name: &str) -> bool {
    let name = name.to_lowercase();
    ["phone", "mobile", "landline", "whatsapp"].iter().any(|word| name.contains(word))
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
        let text = |value: &Option<String>| crate::commands::export::inert(value.as_deref().unwrap_or_default());
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
