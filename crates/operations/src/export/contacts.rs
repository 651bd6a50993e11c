//! One line a contact.

use std::collections::BTreeSet;
use std::io::Write;

use ringfence_domain::{ContactId, Outcome, StopReason};
use ringfence_intake::contacts::of_people;
use ringfence_store::ContactRow;

use super::cells::{Cell, Line, Lines};
use super::{Format, PAGE, Source, ahead};
use crate::amount::amount;
use crate::error::Error;

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
pub(super) async fn write(source: &Source, format: Format, out: impl Write) -> Result<u64, Error> {
    let (inputs, outputs) = (inputs(source).await?, source.store.output_names(source.run).await?);
    let mut lines = Lines::begin(out, (format, source.zone), &COLUMNS, inputs, outputs)?;
    each_page(source, |contact| lines.write(&line(contact))).await?;
    lines.finish()
}

/// The columns of the lists in their order, the first list first; what later lists add after them.
async fn inputs(source: &Source) -> Result<Vec<String>, Error> {
    let mut known = BTreeSet::new();
    let imports = source.store.imports(source.run).await?;
    let columns = imports.iter().flat_map(|import| of_people(&import.columns)).map(|(_, column)| column);
    Ok(columns.filter(|column| known.insert(*column)).cloned().collect())
}

async fn each_page(source: &Source, mut each: impl FnMut(&ContactRow) -> Result<(), Error>) -> Result<(), Error> {
    let (store, run, filter) = (source.store.clone(), source.run, source.filter);
    let page = move |after: Option<ContactId>| {
        let store = store.clone();
        async move { store.contacts(run, filter, after.unwrap_or(ContactId(0)), PAGE).await }
    };
    ahead(page, |contact: &ContactRow| contact.id, |page| page.iter().try_for_each(&mut each)).await
}

fn line(contact: &ContactRow) -> Line<'_> {
    let call = contact.last_attempt.as_ref();
    let own = vec![
        Cell::Number(contact.id.0),
        Cell::text(Some(contact.number.e164())),
        Cell::text(Some(contact.state.as_str())),
        Cell::text(contact.stop_reason.map(StopReason::as_str)),
        Cell::Number(i64::from(contact.calls)),
        Cell::text(contact.last_outcome.map(Outcome::as_str)),
        Cell::text(call.and_then(|call| call.call_id.as_deref())),
        Cell::at(call.and_then(|call| call.sending_at)),
        Cell::number(call.and_then(|call| call.talk_seconds)),
        Cell::owned(call.and_then(|call| call.cost_micros).map(amount)),
        Cell::text(call.and_then(|call| call.currency.as_deref())),
        Cell::text(call.and_then(|call| call.recording_url.as_deref())),
        Cell::at(call.and_then(|call| call.recording_expires_at)),
        Cell::text(call.and_then(|call| call.transcript_url.as_deref())),
    ];
    Line { own, fields: Some(&contact.fields), outputs: call.map(|call| &call.outputs) }
}
