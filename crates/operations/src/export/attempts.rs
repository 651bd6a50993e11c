//! One line an attempt.

use std::collections::BTreeSet;
use std::io::Write;

use ringfence_domain::{AttemptId, Moment, Outcome};
use ringfence_store::AttemptRow;
use serde_json::{Map, Value, json};

use super::{Format, Source, local};
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

/// Writes every attempt of a run at the contacts that the filter lets through, oldest first.
pub(super) async fn write(source: &Source<'_>, format: Format, mut out: impl Write) -> Result<u64, Error> {
    let mut lines = 0;
    if format == Format::Json {
        for_each(source, |attempt| {
            lines += 1;
            let mut line = line(attempt, |at| json!(at));
            line.insert("out".to_owned(), json!(attempt.outputs));
            Ok(writeln!(out, "{}", Value::Object(line))?)
        })
        .await?;
        out.flush()?;
        return Ok(lines);
    }
    let failed = |error: csv::Error| Error::work(format!("the export cannot be written: {error}"));
    // The columns of all rows must be known before the first line is written.
    let mut outputs = BTreeSet::new();
    for_each(source, |attempt| {
        outputs.extend(attempt.outputs.keys().cloned());
        Ok(())
    })
    .await?;
    let mut csv = csv::Writer::from_writer(out);
    let header = COLUMNS.iter().map(|name| (*name).to_owned()).chain(outputs.iter().map(|name| format!("out.{name}")));
    csv.write_record(header.map(|name| inert(&name))).map_err(failed)?;
    for_each(source, |attempt| {
        lines += 1;
        let line = line(attempt, |at| json!(local(at, source.zone)));
        let own = COLUMNS.iter().map(|name| text(&line[*name]));
        let collected = outputs.iter().map(|name| attempt.outputs.get(name).map(text).unwrap_or_default());
        csv.write_record(own.chain(collected).map(|value| inert(&value))).map_err(failed)
    })
    .await?;
    csv.flush()?;
    Ok(lines)
}

async fn for_each(source: &Source<'_>, mut each: impl FnMut(&AttemptRow) -> Result<(), Error>) -> Result<(), Error> {
    let mut after = AttemptId(0);
    loop {
        let page = source.store.attempts(source.run, source.filter, after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(()) };
        after = last.id;
        page.iter().try_for_each(&mut each)?;
    }
}

/// `time` writes a moment.
fn line(attempt: &AttemptRow, time: impl Fn(Moment) -> Value) -> Map<String, Value> {
    let at = |at: Option<Moment>| at.map_or(Value::Null, &time);
    let values = [
        json!(attempt.id),
        json!(attempt.contact),
        json!(attempt.number.as_ref().map(ringfence_domain::PhoneNumber::e164)),
        json!(attempt.state),
        json!(attempt.outcome.map(Outcome::as_str)),
        time(attempt.opened_at),
        at(attempt.sending_at),
        at(attempt.ended_at),
        json!(attempt.call_id),
        json!(attempt.cause),
        json!(attempt.vendor_status),
        json!(attempt.talk_seconds),
        json!(attempt.cost_micros.map(amount)),
        json!(attempt.currency),
        json!(attempt.recording_url),
        at(attempt.recording_expires_at),
        json!(attempt.transcript_url),
        at(attempt.transcript_expires_at),
    ];
    COLUMNS.iter().map(|name| (*name).to_owned()).zip(values).collect()
}
