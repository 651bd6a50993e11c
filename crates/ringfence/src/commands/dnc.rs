//! `ringfence dnc`

use std::path::PathBuf;

use ringfence_domain::phone::Country;
use ringfence_operations::InputFile;
use ringfence_operations::dnc::{self, FileProgress, ImportedNumbers, ListFile};
use serde::Serialize;
use serde_json::json;

use crate::common::Common;
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

/// The do-not-call list, effective for the very next claim.
pub async fn dnc(common: &Common, args: &DncArgs) -> Result<u8, Failure> {
    // A list may be there before any campaign is.
    let home = match args.action {
        DncAction::Add { .. } | DncAction::Import { .. } => Home::enter_or_make(common).await?,
        DncAction::Remove { .. } | DncAction::List => Home::enter(common).await?,
    };
    let campaign = args.campaign.as_deref();
    match &args.action {
        DncAction::Add { phones, reason, country } => {
            let done = dnc::add(&home, campaign, phones, *country, reason.as_deref()).await?;
            home.store.close().await;
            print(common, &done)?;
        }
        DncAction::Remove { phones, country } => {
            let done = dnc::remove(&home, campaign, phones, *country).await?;
            home.store.close().await;
            print(common, &done)?;
        }
        DncAction::Import { file, column, country, reason } => {
            let file = &InputFile::given(file)?;
            let (column, reason) = (column.as_deref(), reason.as_deref());
            let list = ListFile { file, column, country: *country, reason };
            let done = import(&home, campaign, &list).await?;
            home.store.close().await;
            print(common, &done)?;
            // An operator who relies on the list must know that some of it is not on it.
            if done.unreadable > 0 {
                return Err(Failure::input(
                    "rows that cannot be read as numbers are not on the list",
                    "mend them and import the file again; --country says how to read numbers without +",
                ));
            }
        }
        DncAction::List => {
            list(common, &home, campaign).await?;
            home.store.close().await;
        }
    }
    Ok(DONE)
}

/// Imports a file while a bar shows how far it is.
async fn import(home: &Home, campaign: Option<&str>, list: &ListFile<'_>) -> Result<ImportedNumbers, Failure> {
    let mut bar = None;
    let mut show = |FileProgress { bytes, of_bytes, rows }| {
        bar.get_or_insert_with(|| crate::progress::FileProgress::begin(of_bytes)).at(bytes, rows);
    };
    let done = dnc::import(home, campaign, list, &mut show).await;
    if let Some(bar) = bar {
        bar.end();
    }
    done
}

fn print(common: &Common, done: &impl Serialize) -> Result<(), Failure> {
    let done = json!(done);
    if common.json {
        return screen::print_json(&done);
    }
    let parts: Vec<String> = done.as_object().into_iter().flatten().map(|(name, n)| format!("{n} {name}")).collect();
    screen::print(&format!("{}\n", parts.join(", ")))
}

async fn list(common: &Common, home: &Home, campaign: Option<&str>) -> Result<(), Failure> {
    let out = screen::data();
    if !common.json {
        return dnc::write_csv(home, campaign, out).await;
    }
    let mut list = screen::JsonList::begin(out)?;
    dnc::for_each(home, campaign, |number| list.push(number)).await?;
    list.end()
}
