//! One line a contact.

use std::collections::BTreeSet;
use std::io::Write;

use ringfence_domain::{ContactId, Moment};
use ringfence_store::ContactRow;
use serde_json::{Map, Value, json};

use super::{Format, Source, local};
use crate::amount::amount;
use crate::error::Error;
use crate::spreadsheet::{inert, text};

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

/// Writes every contact of a run that the filter lets through.
pub(super) async fn write(source: &Source<'_>, format: Format, out: impl Write) -> Result<u64, Error> {
    if format == Format::Json {
        return write_json(source, out).await;
    }
    // The columns of all rows must be known before the first line is written.
    let (mut inputs, mut outputs) = (BTreeSet::new(), BTreeSet::new());
    each_page(source, |page| {
        for contact in page {
            inputs.extend(contact.fields.keys().cloned());
            outputs.extend(contact.last_attempt.iter().flat_map(|call| call.outputs.keys().cloned()));
        }
        Ok(())
    })
    .await?;
    let inputs = in_order(source, inputs).await?;
    write_csv(source, &inputs, &outputs, out).await
}

/// The columns of the rows in the order of the lists, the first list first; others after them.
async fn in_order(source: &Source<'_>, mut inputs: BTreeSet<String>) -> Result<Vec<String>, Error> {
    let mut ordered = Vec::with_capacity(inputs.len());
    for import in source.store.imports(source.run).await? {
        ordered.extend(import.columns.into_iter().filter(|column| inputs.remove(column)));
    }
    ordered.extend(inputs);
    Ok(ordered)
}

async fn each_page(source: &Source<'_>, mut each: impl FnMut(&[ContactRow]) -> Result<(), Error>) -> Result<(), Error> {
    let mut after = ContactId(0);
    loop {
        let page = source.store.contacts(source.run, source.filter, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        each(&page)?;
    }
}

async fn write_csv(
    source: &Source<'_>,
    inputs: &[String],
    outputs: &BTreeSet<String>,
    out: impl Write,
) -> Result<u64, Error> {
    let mut lines = 0;
    let failed = |error: csv::Error| Error::work(format!("the export cannot be written: {error}"));
    let mut csv = csv::Writer::from_writer(out);
    let header = COLUMNS
        .iter()
        .map(|name| (*name).to_owned())
        .chain(inputs.iter().map(|name| format!("in.{name}")))
        .chain(outputs.iter().map(|name| format!("out.{name}")));
    csv.write_record(header.map(|name| inert(&name))).map_err(failed)?;
    each_page(source, |page| {
        lines += page.len() as u64;
        for contact in page {
            let fixed = line(contact, |at| json!(local(at, source.zone)));
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
    Ok(lines)
}

async fn write_json(source: &Source<'_>, mut out: impl Write) -> Result<u64, Error> {
    let mut lines = 0;
    each_page(source, |page| {
        lines += page.len() as u64;
        for contact in page {
            let mut fixed = line(contact, |at| json!(at));
            fixed.insert("in".to_owned(), json!(contact.fields));
            let collected = contact.last_attempt.as_ref().map_or_else(|| json!({}), |call| json!(call.outputs));
            fixed.insert("out".to_owned(), collected);
            writeln!(out, "{}", Value::Object(fixed))?;
        }
        Ok(())
    })
    .await?;
    out.flush()?;
    Ok(lines)
}

/// `time` writes a moment.
fn line(contact: &ContactRow, time: impl Fn(Moment) -> Value) -> Map<String, Value> {
    let call = contact.last_attempt.as_ref();
    let at = |at: Option<Moment>| at.map_or(Value::Null, &time);
    let values = [
        json!(contact.id),
        json!(contact.number.e164()),
        json!(contact.state),
        json!(contact.stop_reason),
        json!(contact.calls),
        json!(contact.last_outcome),
        json!(call.and_then(|call| call.call_id.as_deref())),
        at(call.and_then(|call| call.sending_at)),
        json!(call.and_then(|call| call.talk_seconds)),
        json!(call.and_then(|call| call.cost_micros).map(amount)),
        json!(call.and_then(|call| call.currency.as_deref())),
        json!(call.and_then(|call| call.recording_url.as_deref())),
        at(call.and_then(|call| call.recording_expires_at)),
        json!(call.and_then(|call| call.transcript_url.as_deref())),
    ];
    COLUMNS.iter().map(|name| (*name).to_owned()).zip(values).collect()
}
