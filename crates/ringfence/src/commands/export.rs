//! `ringfence export`

use std::collections::BTreeSet;
use std::io::Write;

use ringfence_domain::{ContactId, ContactState};
use ringfence_store::{ContactFilter, ContactRow, Database};
use serde_json::{Map, Value, json};

use crate::cli::Common;
use crate::failure::{DONE, Failure};
use crate::home::{self, Home};
use crate::summary;

const PAGE: u32 = 2_000;
const COLUMNS: [&str; 14] = [
    "id",
    "phone",
    "state",
    "reason",
    "attempts",
    "last_outcome",
    "last_call_id",
    "last_at",
    "duration_s",
    "cost",
    "currency",
    "recording_url",
    "recording_expires_at",
    "transcript_url",
];

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
    #[arg(long, conflicts_with = "only")]
    pub attempts: bool,
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

/// One line a contact.
pub(super) async fn export(common: &Common, args: &ExportArgs) -> Result<u8, Failure> {
    let mut home = Home::enter(common).await?;
    let campaign = home.campaign(&args.campaign).await?;
    let filter = match args.only {
        None => ContactFilter::default(),
        Some(ExportOnly::Reached) => ContactFilter { reached: Some(true), ..ContactFilter::default() },
        Some(ExportOnly::Unreached) => ContactFilter { reached: Some(false), ..ContactFilter::default() },
        Some(ExportOnly::Review) => ContactFilter { state: Some(ContactState::Review), ..ContactFilter::default() },
    };
    if args.refresh {
        let refreshed = super::relink::relink(&mut home, &campaign).await?;
        home::eprint_line(&format!("{refreshed} expired links were refreshed"));
    }
    let json = common.json || args.format == ExportFormat::Json;
    let store = &home.store;
    if args.attempts {
        let out = std::io::BufWriter::new(std::io::stdout().lock());
        super::export_attempts::write(&home, &campaign, json, out).await?;
        home.store.close().await;
        return Ok(DONE);
    }
    // The columns of all rows must be known before the first line is written.
    let (mut inputs, mut outputs) = (BTreeSet::new(), BTreeSet::new());
    if !json {
        each_page(&**store, &campaign, filter, |page| {
            for contact in page {
                inputs.extend(contact.fields.keys().cloned());
                outputs.extend(contact.last_attempt.iter().flat_map(|call| call.outputs.keys().cloned()));
            }
            Ok(())
        })
        .await?;
    }
    let out = std::io::BufWriter::new(std::io::stdout().lock());
    let written = if json {
        write_json(&**store, &campaign, filter, out).await
    } else {
        write_csv(&**store, &campaign, filter, &inputs, &outputs, out).await
    };
    store.close().await;
    written.map(|()| DONE)
}

async fn each_page(
    store: &Database,
    campaign: &ringfence_store::CampaignRow,
    filter: ContactFilter,
    mut each: impl FnMut(&[ContactRow]) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut after = ContactId(0);
    loop {
        let page = store.contacts(campaign.run, filter, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        each(&page)?;
    }
}

async fn write_csv(
    store: &Database,
    campaign: &ringfence_store::CampaignRow,
    filter: ContactFilter,
    inputs: &BTreeSet<String>,
    outputs: &BTreeSet<String>,
    out: impl Write,
) -> Result<(), Failure> {
    let failed = |error: csv::Error| Failure::work(format!("the export cannot be written: {error}"));
    let mut csv = csv::Writer::from_writer(out);
    let header = COLUMNS
        .iter()
        .map(|name| (*name).to_owned())
        .chain(inputs.iter().map(|name| format!("in.{name}")))
        .chain(outputs.iter().map(|name| format!("out.{name}")));
    csv.write_record(header.map(|name| inert(&name))).map_err(failed)?;
    each_page(store, campaign, filter, |page| {
        for contact in page {
            let fixed = line(contact);
            let own = COLUMNS.iter().map(|name| text(&fixed[*name]));
            let row = inputs.iter().map(|name| contact.fields.get(name).cloned().unwrap_or_default());
            let collected = outputs.iter().map(|name| {
                contact.last_attempt.as_ref().and_then(|call| call.outputs.get(name)).map(text).unwrap_or_default()
            });
            csv.write_record(own.chain(row).chain(collected).map(|value| inert(&value))).map_err(failed)?;
        }
        Ok(())
    })
    .await?;
    csv.flush()?;
    Ok(())
}

async fn write_json(
    store: &Database,
    campaign: &ringfence_store::CampaignRow,
    filter: ContactFilter,
    mut out: impl Write,
) -> Result<(), Failure> {
    each_page(store, campaign, filter, |page| {
        for contact in page {
            let mut fixed = line(contact);
            fixed.insert("in".to_owned(), json!(contact.fields));
            let collected = contact.last_attempt.as_ref().map_or_else(|| json!({}), |call| json!(call.outputs));
            fixed.insert("out".to_owned(), collected);
            writeln!(out, "{}", Value::Object(fixed))?;
        }
        Ok(())
    })
    .await?;
    out.flush()?;
    Ok(())
}

fn line(contact: &ContactRow) -> Map<String, Value> {
    let call = contact.last_attempt.as_ref();
    let values = [
        json!(contact.id),
        json!(contact.number.e164()),
        json!(contact.state),
        json!(contact.stop_reason),
        json!(contact.calls),
        json!(contact.last_outcome),
        json!(call.and_then(|call| call.call_id.as_deref())),
        json!(call.and_then(|call| call.sending_at)),
        json!(call.and_then(|call| call.talk_seconds)),
        json!(call.and_then(|call| call.cost_micros).map(summary::amount)),
        json!(call.and_then(|call| call.currency.as_deref())),
        json!(call.and_then(|call| call.recording_url.as_deref())),
        json!(call.and_then(|call| call.recording_expires_at)),
        json!(call.and_then(|call| call.transcript_url.as_deref())),
    ];
    COLUMNS.iter().map(|name| (*name).to_owned()).zip(values).collect()
}

pub(super) fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A value that no spreadsheet takes for a formula. A number with its `+` is none, and keeps it.
pub(super) fn inert(value: &str) -> String {
    let number =
        value.strip_prefix('+').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    let starts = value
        .trim_start_matches([' ', '\u{feff}'])
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let plain_number = value.parse::<f64>().is_ok();
    if starts && !number && !plain_number { format!("'{value}") } else { value.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::inert;

    #[test]
    fn formulas_are_inert_and_numbers_whole() {
        for (value, written) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-cmd|' /C calc'!A0", "'-cmd|' /C calc'!A0"),
            (" =1", "' =1"),
            ("＝1", "'＝1"),
            ("+919876543210", "+919876543210"),
            ("-15.5", "-15.5"),
            ("plain", "plain"),
        ] {
            assert_eq!(inert(value), written);
        }
    }
}
