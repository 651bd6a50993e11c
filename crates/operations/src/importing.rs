//! A contact file goes into a run: read in one thread, stored by another, 10,000 rows at a time;
//! then judged by the safety rails, and released or held.
//!
//! A file is read twice. The first reading changes nothing: it checks quotes and lengths to the end
//! and hashes the content, so that a broken list is refused whole, the same list changes nothing,
//! and a killed import is found again by its hash. The second reading stores, and is refused when
//! the content has changed.

mod dry_run;
mod rows;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ringfence_domain::campaign::Missing;
use ringfence_domain::event::EventKind;
use ringfence_domain::phone::mask_numbers;
use ringfence_domain::safety::ImportFacts;
use ringfence_domain::{Campaign, Clock, ContactId, ImportId, ImportState, Moment, PausedBy, Span, StopReason};
use ringfence_intake::{ContactFile, Problem, TableError, contacts};
use ringfence_providers::Provider;
use ringfence_store::{
    CampaignRow, CompleteOrder, Database, ImportChunk, ImportCounts, ImportOrder, ImportRow, ImportStart, NewContact,
    Reject, RowVerdict, StopOrder, StopScope, Subject,
};
use tokio::sync::mpsc;

pub use self::dry_run::{DryRun, dry_run};
use self::rows::Rows;
use crate::error::{Error, ErrorKind};
use crate::input_file::{InputFile, in_background, until_left};

/// Cells that were taken as empty, by the word in them.
pub type TakenAsEmpty = BTreeMap<String, i64>;

/// What became of a contact file.
#[derive(Debug)]
pub struct Imported {
    /// The import.
    pub row: ImportRow,
    /// What this reading of the file took as empty; nothing when it was in already.
    pub taken_as_empty: TakenAsEmpty,
}

/// What is known of a contact file once all of it was read.
#[derive(Debug)]
pub struct Looked {
    columns: Vec<String>,
    digest: String,
    /// Lines that one value has swallowed, if they look like rows: why the import must be held.
    swallowed: Option<Problem>,
}

/// Reads a contact file to its end, before anything of it is used: header, quotes, length of its
/// rows. It is left when nobody waits for it any more.
pub async fn look(file: &InputFile, rules: &Campaign) -> Result<Looked, Error> {
    let (path, rules) = (file.path().to_owned(), rules.clone());
    in_background(move |left| look_at(&path, &rules, until_left(left))).await?
}

/// [`look`] at once, in this thread, for as long as it `is_wanted`.
pub fn look_at(path: &Path, rules: &Campaign, is_wanted: impl Fn() -> bool + Send + 'static) -> Result<Looked, Error> {
    let file = ContactFile::open(path, rules, Box::new(|_| Ok(())))?.read_while(is_wanted);
    let columns = file.columns().to_vec();
    let looked = file.into_table().look_through()?;
    Ok(Looked { columns, digest: contacts::digest(looked.hash, rules), swallowed: looked.swallowed })
}

impl Looked {
    /// A file whose quotes have swallowed rows, as an error.
    pub fn or_swallowed(self, path: &Path) -> Result<(), TableError> {
        self.swallowed.map_or(Ok(()), |problem| Err(problem.of(path)))
    }
}

/// Takes a file into a run of a campaign. The same file right after itself changes nothing; a
/// killed import is finished by the next one of the same file. An import that a safety rail holds
/// comes back as held, and nothing of it is dialled. Of a `partial` file nobody is missing.
pub async fn import(
    store: &Arc<Database>,
    clock: &Arc<dyn Clock>,
    campaign: &CampaignRow,
    provider: &Arc<dyn Provider>,
    file: &InputFile,
    partial: bool,
) -> Result<Imported, Error> {
    let looked = match look(file, &campaign.rules).await {
        Ok(looked) => looked,
        Err(error) => return Err(failed(store, clock, campaign, file, error).await),
    };
    import_looked(store, clock, campaign, provider, (file, looked), partial).await
}

/// Enters a file that could not be taken in among the events, and gives the error back.
pub(crate) async fn failed(
    store: &Arc<Database>,
    clock: &Arc<dyn Clock>,
    campaign: &CampaignRow,
    file: &InputFile,
    error: Error,
) -> Error {
    let (source, said) = (file.source(), error.to_string());
    let name = Path::new(&source).file_name().and_then(|name| name.to_str()).unwrap_or(&source);
    let cause = mask_numbers(&if said.contains(name) { said } else { format!("{source}: {said}") });
    let noted =
        store.note_event(EventKind::ImportFailed, Subject::Campaign(campaign.id), Some(cause), clock.read().now);
    // What went wrong first is what the person must hear of.
    drop(noted.await);
    error
}

/// [`import`] of a file that was just looked at by the campaign's rules. It is read once more, and
/// refused when it has changed since.
pub async fn import_looked(
    store: &Arc<Database>,
    clock: &Arc<dyn Clock>,
    campaign: &CampaignRow,
    provider: &Arc<dyn Provider>,
    looked: (&InputFile, Looked),
    partial: bool,
) -> Result<Imported, Error> {
    import_told(store, clock, campaign, provider, looked, partial, &|_| {}).await
}

/// The same; `begun` is told the id of the import as soon as it has one.
pub(crate) async fn import_told(
    store: &Arc<Database>,
    clock: &Arc<dyn Clock>,
    campaign: &CampaignRow,
    provider: &Arc<dyn Provider>,
    (file, looked): (&InputFile, Looked),
    partial: bool,
    begun: &(dyn Fn(ImportId) + Sync),
) -> Result<Imported, Error> {
    let now = clock.read().now;
    let (source, written_at) = (file.source(), file.age(now).map(|age| now - age));
    let (columns, digest) = (looked.columns.clone(), looked.digest.clone());
    let order = ImportOrder { run: campaign.run, source, digest, columns, written_at, now };
    let id = match store.begin_import(order).await? {
        ImportStart::Known(row) => {
            begun(row.id);
            let row = known(store, campaign, row, file.age(now), now).await?;
            return Ok(Imported { row, taken_as_empty: TakenAsEmpty::new() });
        }
        ImportStart::Begin(id) => id,
    };
    begun(id);
    let taken_as_empty = match take_in(store, clock, campaign, provider, file, (id, looked, now, partial)).await {
        Ok(taken_as_empty) => taken_as_empty,
        // Another process took in the same file and was done first, or a person undid it.
        Err(Error { kind: ErrorKind::Superseded, .. }) => TakenAsEmpty::new(),
        Err(error) => return Err(failed(store, clock, campaign, file, error).await),
    };
    Ok(Imported { row: stored(store, id).await?, taken_as_empty })
}

async fn take_in(
    store: &Arc<Database>,
    clock: &Arc<dyn Clock>,
    campaign: &CampaignRow,
    provider: &Arc<dyn Provider>,
    file: &InputFile,
    (id, looked, now, partial): (ImportId, Looked, Moment, bool),
) -> Result<TakenAsEmpty, Error> {
    let (rules, path) = (&campaign.rules, file.path());
    let (mut counts, mut empty) = (ImportCounts::default(), TakenAsEmpty::new());
    let Looked { columns, digest, swallowed } = looked;
    let (sender, mut chunks) = mpsc::channel::<Result<Rows, TableError>>(1);
    let reading = {
        let (path, rules) = (path.to_owned(), rules.clone());
        let (store, provider) = (store.clone(), provider.clone());
        tokio::task::spawn_blocking(move || read_rows(&path, &rules, &digest, &store, &provider, &sender))
    };
    while let Some(rows) = chunks.recv().await {
        let Rows { contacts, rejects, taken_as_empty, .. } = rows?;
        empty.extend(taken_as_empty);
        counts.rows += (contacts.len() + rejects.len()) as i64;
        counts.rejected += rejects.len() as i64;
        let columns = columns.clone();
        let chunk = ImportChunk { import: id, run: campaign.run, contacts, rejects, columns, now };
        for verdict in store.import_chunk(chunk).await? {
            match verdict {
                RowVerdict::Accepted => counts.accepted += 1,
                RowVerdict::Updated => counts.updated += 1,
                RowVerdict::Unchanged => counts.unchanged += 1,
                RowVerdict::Duplicate { .. } => counts.duplicate += 1,
            }
        }
    }
    reading.await.map_err(|error| Error::work(error.to_string()))?;
    let ImportCounts { rows, accepted, rejected, .. } = counts;
    // Of some people of a larger list there may be few.
    let whole = !partial && !contacts::is_rejects(&columns);
    let people = if whole { people(&counts) } else { i64::MAX };
    let facts = ImportFacts { rows, accepted, people, rejected, age: file.age(now) };
    // Mended rejects are some rows of a file whose others are in.
    let stops = rules.contacts.missing == Missing::Stop && whole;
    let nobody = (stops && rows == rejected + counts.duplicate).then(|| {
        "nobody in it can be called, and contacts.missing = \"stop\" would stop everyone who waits".to_owned()
    });
    let swallowed = swallowed.map(|problem| problem.sentence());
    let mut reason = swallowed.or_else(|| rules.safety.judge(&facts)).or(nobody);
    if stops && reason.is_none() {
        let (missing, waiting) = store.missing_contacts(id).await?;
        reason = rules.safety.judge_missing(missing, waiting);
    }
    if let Some(reason) = reason {
        store.hold_import(id, counts, reason, clock.read().now).await?;
        return Ok(empty);
    }
    let row = ImportRow { counts, ..stored(store, id).await? };
    release(store, &**clock, rules, &row, stops).await?;
    Ok(empty)
}

async fn stored(store: &Database, id: ImportId) -> Result<ImportRow, Error> {
    store.import(id).await?.ok_or_else(|| Error::work("the import vanished from the database"))
}

/// The file that came last came again: those who wait go on, unless the file has become too old
/// meanwhile.
async fn known(
    store: &Database,
    campaign: &CampaignRow,
    row: ImportRow,
    age: Option<Span>,
    now: Moment,
) -> Result<ImportRow, Error> {
    // Only its age is another one: what it holds was judged when it came in.
    let facts = ImportFacts { rows: 0, accepted: 0, people: i64::MAX, rejected: 0, age };
    if let Some(reason) = campaign.rules.safety.judge(&facts).filter(|_| !row.accepted_by_person) {
        store.pause_campaign(campaign.id, PausedBy::Safety, reason, now).await?;
    }
    let ImportCounts { accepted, updated, unchanged, .. } = row.counts;
    if row.state == ImportState::Held {
        return Ok(row);
    }
    let counts = ImportCounts { accepted: 0, updated: 0, unchanged: accepted + updated + unchanged, ..row.counts };
    Ok(ImportRow { counts, ..row })
}

/// Lets an import that passed the rails, or that a person accepted, go: known contacts get their
/// new data, who is missing is stopped if it `stops`, and everyone, or the canary, may be dialled.
/// May be repeated.
pub async fn release(
    store: &Database,
    clock: &dyn Clock,
    rules: &Campaign,
    row: &ImportRow,
    stops: bool,
) -> Result<(), Error> {
    let now = clock.read().now;
    let mut after = ContactId(0);
    while let Some(last) = store.apply_changes(row.id, after, now).await? {
        after = last;
    }
    let mut missing = row.missing;
    if stops {
        let order = StopOrder::new(row.run, StopScope::Missing(row.id), StopReason::Missing, now);
        missing += i64::from(order.carry_out(store).await?);
    }
    let canary = rules.safety.canary;
    store.complete_import(CompleteOrder { import: row.id, counts: row.counts, missing, canary, now }).await?;
    while store.forget_matches(row.id).await? {}
    Ok(())
}

/// Rows of people who can be called.
fn people(counts: &ImportCounts) -> i64 {
    counts.accepted + counts.updated + counts.unchanged
}

fn read_rows(
    path: &Path,
    campaign: &Campaign,
    digest: &str,
    store: &Database,
    provider: &Arc<dyn Provider>,
    chunks: &mpsc::Sender<Result<Rows, TableError>>,
) {
    let can_call = |number: &ringfence_domain::PhoneNumber| provider.can_call(number);
    let mut file = match ContactFile::open(path, campaign, Box::new(can_call)) {
        Ok(file) => file,
        Err(error) => return drop(chunks.blocking_send(Err(error))),
    };
    let mut rows = Rows::default();
    loop {
        match file.next_row() {
            Ok(Some(Ok(row))) => rows.add_contact(NewContact {
                row_number: row.row_number,
                line: row.line,
                numbers: row.numbers.into_iter().map(|number| (number.clone(), store.hasher().key(&number))).collect(),
                zones: row.zones,
                external_id: row.external_id,
                fields: row.fields,
            }),
            Ok(Some(Err(reject))) => rows.add_reject(Reject {
                row_number: reject.row_number,
                line: reject.line,
                code: reject.code.to_owned(),
                reason: reject.reason,
                record: reject.record,
                external_id: reject.external_id,
                numbers: reject.numbers.iter().map(|number| store.hasher().key(number)).collect(),
            }),
            // What was looked at must be what was read: quotes and digest were checked there.
            Ok(None) if file.digest() != digest => {
                return drop(chunks.blocking_send(Err(Problem::Changed.of(path))));
            }
            Ok(None) => {
                rows.taken_as_empty = file.taken_as_empty();
                return drop(chunks.blocking_send(Ok(rows)));
            }
            Err(error) => return drop(chunks.blocking_send(Err(error))),
        }
        if rows.is_full() && chunks.blocking_send(Ok(std::mem::take(&mut rows))).is_err() {
            return;
        }
    }
}

/// What to say of an import in which nobody can be called, if it is so.
pub fn nobody_line(row: &ImportRow) -> Option<String> {
    let ImportCounts { rows, rejected, .. } = row.counts;
    let why = match (rows, rejected) {
        (0, _) => "it has a header and no people".to_owned(),
        (rows, rejected) if rows == rejected => format!("all of its {rows} rows were rejected"),
        _ => return None,
    };
    Some(format!("caution: nobody of {} can be called: {why}", row.source))
}

/// What to say of cells that were taken as empty, if there were any.
pub fn empty_line(taken: &TakenAsEmpty) -> Option<String> {
    let words: Vec<String> = taken.iter().map(|(word, cells)| format!("{cells} `{word}`")).collect();
    let cells: i64 = taken.values().sum();
    (cells > 0).then(|| {
        let were = if cells == 1 { "cell was" } else { "cells were" };
        format!("{cells} {were} taken as empty: {}; contacts.empty_words names these words", words.join(", "))
    })
}

/// What the summary of a run says of its import.
pub fn counts_line(row: &ImportRow) -> String {
    let ImportCounts { rows, accepted, updated, unchanged, duplicate, rejected } = row.counts;
    let parts = [
        (accepted, "accepted"),
        (updated, "updated"),
        (unchanged, "unchanged"),
        (duplicate, "duplicate"),
        (rejected, "rejected"),
        (row.missing, "missing"),
    ];
    let shown: Vec<String> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, name)| format!("{n} {name}")).collect();
    format!("{rows} rows: {}", if shown.is_empty() { "nobody".to_owned() } else { shown.join(", ") })
}
