//! One line an attempt.

use std::collections::BTreeSet;
use std::io::Write;

use ringfence_domain::{AttemptId, Outcome};
use ringfence_store::{AttemptRow, CampaignRow};
use serde_json::{Map, Value, json};

use super::Format;
use crate::amount::amount;
use crate::error::Error;
use crate::spreadsheet::{inert, text};

const PAGE: u32 = 2_000;
const COLUMNS: [&str; 18] = [
    "id",
    "contact",
    "phone",
    "state",
    "outcome",
    "opened_at",
    "sent_at",
    "ended_at",
    "call_id",
    "cause",
    "vendor_status",
    "duration_s",
    "cost",
    "currency",
    "recording_url",
    "recording_expires_at",
    "transcript_url",
    "transcript_expires_at",
];

/// Writes every attempt of the current run, oldest first.
pub(super) async fn write(
    store: &ringfence_store::Database,
    campaign: &CampaignRow,
    format: Format,
    mut out: impl Write,
) -> Result<(), Error> {
    if format == Format::Json {
        for_each(store, campaign, |attempt| {
            let mut line = line(attempt);
            line.insert("out".to_owned(), json!(attempt.outputs));
            Ok(writeln!(out, "{}", Value::Object(line))?)
        })
        .await?;
        return Ok(out.flush()?);
    }
    let failed = |error: csv::Error| Error::work(format!("the export cannot be written: {error}"));
    // The columns of all rows must be known before the first line is written.
    let mut outputs = BTreeSet::new();
    for_each(store, campaign, |attempt| {
        outputs.extend(attempt.outputs.keys().cloned());
        Ok(())
    })
    .await?;
    let mut csv = csv::Writer::from_writer(out);
    let header = COLUMNS.iter().map(|name| (*name).to_owned()).chain(outputs.iter().map(|name| format!("out.{name}")));
    csv.write_record(header.map(|name| inert(&name))).map_err(failed)?;
    for_each(store, campaign, |attempt| {
        let line = line(attempt);
        let own = COLUMNS.iter().map(|name| text(&line[*name]));
        let collected = outputs.iter().map(|name| attempt.outputs.get(name).map(text).unwrap_or_default());
        csv.write_record(own.chain(collected).map(|value| inert(&value))).map_err(failed)
    })
    .await?;
    Ok(csv.flush()?)
}

async fn for_each(
    store: &ringfence_store::Database,
    campaign: &CampaignRow,
    mut each: impl FnMut(&AttemptRow) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut after = AttemptId(0);
    loop {
        let page = store.attempts(campaign.run, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        page.iter().try_for_each(&mut each)?;
    }
}

fn line(attempt: &AttemptRow) -> Map<String, Value> {
    let values = [
        json!(attempt.id),
        json!(attempt.contact),
        json!(attempt.number.as_ref().map(ringfence_domain::PhoneNumber::e164)),
        json!(attempt.state),
        json!(attempt.outcome.map(Outcome::as_str)),
        json!(attempt.opened_at),
        json!(attempt.sending_at),
        json!(attempt.ended_at),
        json!(attempt.call_id),
        json!(attempt.cause),
        json!(attempt.vendor_status),
        json!(attempt.talk_seconds),
        json!(attempt.cost_micros.map(amount)),
        json!(attempt.currency),
        json!(attempt.recording_url),
        json!(attempt.recording_expires_at),
        json!(attempt.transcript_url),
        json!(attempt.transcript_expires_at),
    ];
    COLUMNS.iter().map(|name| (*name).to_owned()).zip(values).collect()
}
