//! `ringfence export`

use ringfence_operations::export::{self, ExportOrder, Format, Only};

use crate::common::Common;
use crate::failure::{DONE, Failure};
use crate::home::Home;
use crate::screen;

/// `export`
#[derive(Debug, clap::Args)]
pub struct ExportArgs {
    /// The campaign
    pub campaign: String,
    /// The form
    #[arg(long, value_enum, default_value_t = ExportFormat::Csv)]
    pub format: ExportFormat,
    /// Only these contacts
    #[arg(long, value_enum)]
    pub only: Option<ExportOnly>,
    /// One line an attempt instead of one a contact
    #[arg(long)]
    pub attempts: bool,
    /// One of its runs, counted from 1 [default: the current one]
    #[arg(long, value_name = "N")]
    pub run: Option<i64>,
    /// Begin a CSV file with the mark by which Excel knows UTF-8
    #[arg(long)]
    pub bom: bool,
    /// First ask the vendor again for links to recordings and transcripts that expired
    #[arg(long)]
    pub refresh: bool,
}

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportFormat {
    /// Comma-separated values with a header
    Csv,
    /// One JSON object a line
    Json,
}

/// Which contacts are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ExportOnly {
    /// Those reached as the campaign defines it
    Reached,
    /// Those not reached, or not yet
    Unreached,
    /// Those whose call is of unknown fate
    Review,
}

/// One line a contact, or an attempt.
pub async fn export(common: &Common, args: &ExportArgs) -> Result<u8, Failure> {
    let mut home = Home::enter(common).await?;
    if args.refresh {
        let refreshed = export::refresh_links(&mut home, &args.campaign).await?;
        crate::stderr::eprint_line(&format!("{refreshed} expired links were refreshed"));
    }
    let only = args.only.map(|only| match only {
        ExportOnly::Reached => Only::Reached,
        ExportOnly::Unreached => Only::Unreached,
        ExportOnly::Review => Only::Review,
    });
    let json = common.json || args.format == ExportFormat::Json;
    let format = if json { Format::Json } else { Format::Csv };
    let campaign = args.campaign.clone();
    let order = ExportOrder { campaign, run: args.run, attempts: args.attempts, only, format, bom: args.bom };
    let out = screen::data();
    let written = export::write(&home, &order, out).await;
    home.store.close().await;
    written.map(|_| DONE)
}
