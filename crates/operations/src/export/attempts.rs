//! One line an attempt.

use std::io::Write;

use ringfence_domain::{AttemptId, Outcome, PhoneNumber};
use ringfence_store::AttemptRow;

use super::cells::{Cell, Line, Lines};
use super::{Format, PAGE, Source, ahead};
use crate::amount::amount;
use crate::error::Error;

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
pub(super) async fn write(source: &Source, format: Format, out: impl Write) -> Result<u64, Error> {
    let outputs = source.store.output_names(source.run).await?;
    let mut lines = Lines::begin(out, (format, source.zone), &COLUMNS, Vec::new(), outputs)?;
    for_each(source, |attempt| lines.write(&line(attempt))).await?;
    lines.finish()
}

async fn for_each(source: &Source, mut each: impl FnMut(&AttemptRow) -> Result<(), Error>) -> Result<(), Error> {
    let (store, run, filter) = (source.store.clone(), source.run, source.filter);
    let page = move |after: Option<AttemptId>| {
        let store = store.clone();
        async move { store.attempts(run, filter, after.unwrap_or(AttemptId(0)), PAGE).await }
    };
    ahead(page, |attempt: &AttemptRow| attempt.id, |page| page.iter().try_for_each(&mut each)).await
}

fn line(attempt: &AttemptRow) -> Line<'_> {
    let own = vec![
        Cell::Number(attempt.id.0),
        Cell::Number(attempt.contact.0),
        Cell::text(attempt.number.as_ref().map(PhoneNumber::e164)),
        Cell::text(Some(attempt.state.as_str())),
        Cell::text(attempt.outcome.map(Outcome::as_str)),
        Cell::At(attempt.opened_at),
        Cell::at(attempt.sending_at),
        Cell::at(attempt.ended_at),
        Cell::text(attempt.call_id.as_deref()),
        Cell::text(attempt.cause.as_deref()),
        Cell::text(attempt.vendor_status.as_deref()),
        Cell::number(attempt.talk_seconds),
        Cell::owned(attempt.cost_micros.map(amount)),
        Cell::text(attempt.currency.as_deref()),
        Cell::text(attempt.recording_url.as_deref()),
        Cell::at(attempt.recording_expires_at),
        Cell::text(attempt.transcript_url.as_deref()),
        Cell::at(attempt.transcript_expires_at),
    ];
    Line { own, fields: None, outputs: Some(&attempt.outputs) }
}
