//! A contact file goes into a run: read in one thread, stored by another, 10,000 rows at a time; then judged by the safety rails,
//! and released or held.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ringfence_domain::campaign::Missing;
use ringfence_domain::safety::ImportFacts;
use ringfence_domain::{Campaign, Clock, ContactId, ImportId, ImportState, Moment, PausedBy, Span, StopReason};
use ringfence_intake::{ContactFile, HeaderError, contact_files, contacts};
use ringfence_providers::Provider;
use ringfence_store::{
    CampaignRow, CompleteOrder, Database, ImportChunk, ImportCounts, ImportOrder, ImportRow, ImportStart, NewContact,
    Reject, RowVerdict, StopOrder, Store, StoreError, Whom,
};
use tokio::sync::mpsc;

use crate::failure::Failure;
use crate::home::eprint_line;

/// Rows stored in one transaction.
const CHUNK: usize = 10_000;

#[derive(Debug, Default)]
struct Rows {
    contacts: Vec<NewContact>,
    rejects: Vec<Reject>,
}

/// Takes a file into a run of a campaign. The same file right after itself changes nothing; a killed import is finished
/// by the next one of the same file. An import that a safety rail holds comes back as held, and nothing of it is
/// dialled. Of a `partial` file nobody is missing.
pub async fn import(
    store: &Arc<Database>,
    clock: &Arc<dyn Clock>,
    campaign: &CampaignRow,
    provider: &Arc<dyn Provider>,
    file: &InputFile,
    partial: bool,
) -> Result<ImportRow, Failure> {
    let (rules, path) = (&campaign.rules, file.path());
    // The header is looked at before anything is written.
    let columns = ContactFile::open(path, rules, Box::new(|_| Ok(())))?.columns().to_vec();
    contacts::check_quotes(path)?;
    let digest =
        contacts::digest(path, rules).map_err(|source| HeaderError::Unreadable { path: path.to_owned(), source })?;
    let now = clock.read().now;
    let (source, written_at) = (file.source(), file.age(now).map(|age| now - age));
    let order = ImportOrder { run: campaign.run, source, digest, columns: columns.clone(), written_at, now };
    let id = match store.begin_import(order).await? {
        ImportStart::Known(row) => return known(store, campaign, row, file.age(now), now).await,
        ImportStart::Begin(id) => id,
    };
    match take_in(store, clock, campaign, provider, file, (id, columns, now, partial)).await {
        // Another process took in the same file and was done first, or a person undid it.
        Err(Failure::Over) => {}
        done => done?,
    }
    stored(store, id).await
}

async fn take_in(
    store: &Arc<Database>,
    clock: &Arc<dyn Clock>,
    campaign: &CampaignRow,
    provider: &Arc<dyn Provider>,
    file: &InputFile,
    (id, columns, now, partial): (ImportId, Vec<String>, Moment, bool),
) -> Result<(), Failure> {
    let (rules, path) = (&campaign.rules, file.path());
    let mut counts = ImportCounts::default();
    let (sender, mut chunks) = mpsc::channel::<Result<Rows, HeaderError>>(2);
    let reading = {
        let (path, rules) = (path.to_owned(), rules.clone());
        let (store, provider) = (store.clone(), provider.clone());
        tokio::task::spawn_blocking(move || read(&path, &rules, &store, &provider, &sender))
    };
    while let Some(rows) = chunks.recv().await {
        let Rows { contacts, rejects } = rows?;
        counts.rows += (contacts.len() + rejects.len()) as i64;
        counts.rejected += rejects.len() as i64;
        let columns = columns.clone();
        let chunk = ImportChunk { import: id, run: campaign.run, contacts, rejects, columns, now };
        for verdict in store_chunk(store, chunk).await? {
            match verdict {
                RowVerdict::Accepted => counts.accepted += 1,
                RowVerdict::Updated => counts.updated += 1,
                RowVerdict::Unchanged => counts.unchanged += 1,
                RowVerdict::Duplicate { .. } => counts.duplicate += 1,
            }
        }
    }
    reading.await.map_err(|error| Failure::work(error.to_string()))?;
    let ImportCounts { rows, accepted, rejected, .. } = counts;
    let facts = ImportFacts { rows, accepted, rejected, age: file.age(now) };
    // Mended rejects are some rows of a file whose others are in.
    let stops = rules.contacts.missing == Missing::Stop && !partial && !contacts::is_rejects(&columns);
    let nobody = (stops && rows == rejected + counts.duplicate).then(|| {
        "nobody in it can be called, and contacts.missing = \"stop\" would stop everyone who waits".to_owned()
    });
    let mut reason = rules.safety.judge(&facts).or(nobody);
    if stops && reason.is_none() {
        let (missing, waiting) = store.missing_contacts(id).await?;
        reason = rules.safety.judge_missing(missing, waiting);
    }
    if let Some(reason) = reason {
        return Ok(store.hold_import(id, counts, reason).await?);
    }
    let row = ImportRow { counts, ..stored(store, id).await? };
    release(store, &**clock, rules, &row, stops).await
}

/// A chunk may be repeated: one that met another transaction head-on comes again.
async fn store_chunk(store: &Database, chunk: ImportChunk) -> Result<Vec<RowVerdict>, StoreError> {
    let mut left = 3;
    loop {
        match store.import_chunk(chunk.clone()).await {
            Err(StoreError::Refused(_) | StoreError::Unavailable(_)) if left > 0 => left -= 1,
            done => return done,
        }
    }
}

async fn stored(store: &Database, id: ImportId) -> Result<ImportRow, Failure> {
    store.import(id).await?.ok_or_else(|| Failure::work("the import vanished from the database"))
}

/// The file that came last came again: whoever waits goes on, unless the file has become too old meanwhile.
async fn known(
    store: &Database,
    campaign: &CampaignRow,
    row: ImportRow,
    age: Option<Span>,
    now: Moment,
) -> Result<ImportRow, Failure> {
    let facts = ImportFacts { rows: 0, accepted: 0, rejected: 0, age };
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

/// Lets an import that passed the rails, or that a person accepted, go: known contacts get their new data, who is missing is
/// stopped if it `stops`, and everyone, or the canary, may be dialled. May be repeated.
pub async fn release(
    store: &Database,
    clock: &dyn Clock,
    rules: &Campaign,
    row: &ImportRow,
    stops: bool,
) -> Result<(), Failure> {
    let now = clock.read().now;
    let mut after = ContactId(0);
    while let Some(last) = store.apply_changes(row.id, after, now).await? {
        after = last;
    }
    let mut missing = row.missing;
    if stops {
        let order = StopOrder::new(row.run, Whom::Missing(row.id), StopReason::Missing, now);
        missing += i64::from(order.carry_out(store).await?);
    }
    let canary = rules.safety.canary;
    store.complete_import(CompleteOrder { import: row.id, counts: row.counts, missing, canary, now }).await?;
    while store.forget_matches(row.id).await? {}
    Ok(())
}

fn read(
    path: &Path,
    campaign: &Campaign,
    store: &Database,
    provider: &Arc<dyn Provider>,
    chunks: &mpsc::Sender<Result<Rows, HeaderError>>,
) {
    let can_call = |number: &ringfence_domain::PhoneNumber| provider.can_call(number);
    let mut file = match ContactFile::open(path, campaign, Box::new(can_call)) {
        Ok(file) => file,
        Err(error) => return drop(chunks.blocking_send(Err(error))),
    };
    let mut rows = Rows::default();
    loop {
        match file.next_row() {
            Ok(Some(Ok(row))) => rows.contacts.push(NewContact {
                row_number: row.row_number,
                line: row.line,
                numbers: row.numbers.into_iter().map(|number| (number.clone(), store.hasher().key(&number))).collect(),
                zones: row.zones,
                external_id: row.external_id,
                fields: row.fields,
            }),
            Ok(Some(Err(reject))) => rows.rejects.push(Reject {
                row_number: reject.row_number,
                line: reject.line,
                code: reject.code.to_owned(),
                reason: reject.reason,
                record: reject.record,
                external_id: reject.external_id,
                numbers: reject.numbers.iter().map(|number| store.hasher().key(number)).collect(),
            }),
            Ok(None) => return drop(chunks.blocking_send(Ok(rows))),
            Err(error) => return drop(chunks.blocking_send(Err(error))),
        }
        if rows.contacts.len() + rows.rejects.len() >= CHUNK
            && chunks.blocking_send(Ok(std::mem::take(&mut rows))).is_err()
        {
            return;
        }
    }
}

/// What a dry run found out about a file.
#[derive(Debug, Default, serde::Serialize)]
pub struct DryRun {
    /// Rows read.
    pub rows: i64,
    /// Rows that can be called, before duplicates are seen.
    pub accepted: i64,
    /// Rows that cannot.
    pub rejected: i64,
    /// The first of them.
    pub first_rejects: Vec<String>,
    /// The safety rail that would hold it.
    pub held_for: Option<String>,
}

/// Reads every row and stores nothing.
pub fn dry_run(
    file: &InputFile,
    campaign: &Campaign,
    provider: &Arc<dyn Provider>,
    now: Moment,
) -> Result<DryRun, Failure> {
    let can_call = |number: &ringfence_domain::PhoneNumber| provider.can_call(number);
    contacts::check_quotes(file.path())?;
    let mut rows = ContactFile::open(file.path(), campaign, Box::new(can_call))?;
    let mut found = DryRun::default();
    while let Some(row) = rows.next_row()? {
        found.rows += 1;
        match row {
            Ok(_) => found.accepted += 1,
            Err(reject) => {
                found.rejected += 1;
                if found.first_rejects.len() < 10 {
                    found
                        .first_rejects
                        .push(format!("row {} (line {}): {}", reject.row_number, reject.line, reject.reason));
                }
            }
        }
    }
    let DryRun { rows, accepted, rejected, .. } = found;
    found.held_for = campaign.safety.judge(&ImportFacts { rows, accepted, rejected, age: file.age(now) });
    Ok(found)
}

/// A contact file to read; what came by standard input is kept beside for as long as it is needed.
#[derive(Debug)]
pub enum InputFile {
    /// A file of the operator's.
    Named(PathBuf),
    /// Standard input, kept.
    Kept(tempfile::NamedTempFile),
}

impl InputFile {
    /// The file of this name; `-` is standard input.
    pub fn given(path: &Path) -> Result<Self, Failure> {
        if path != Path::new("-") {
            return Ok(Self::Named(path.to_owned()));
        }
        let mut kept = tempfile::NamedTempFile::new()?;
        std::io::copy(&mut std::io::stdin().lock(), &mut kept)?;
        Ok(Self::Kept(kept))
    }

    /// The file that the campaign names, as of now on its own calendar; none when it names none.
    pub fn of_campaign(
        campaign: &Campaign,
        lane: ringfence_domain::Zone,
        now: Moment,
    ) -> Result<Option<Self>, Failure> {
        let Some(pattern) = &campaign.contacts.file else { return Ok(None) };
        let today = now.local(campaign.own_zone(lane)).date_naive();
        let path = contact_files::resolve(pattern, today).map_err(|error| {
            Failure::input(error.to_string(), "check contacts.file; {date} is today's date, as in 2026-11-23")
        })?;
        if path.as_os_str() != pattern.as_str() {
            eprint_line(&format!("reading {}", path.display()));
        }
        Ok(Some(Self::Named(path)))
    }

    /// Where to read.
    pub fn path(&self) -> &Path {
        match self {
            Self::Named(path) => path,
            Self::Kept(file) => file.path(),
        }
    }

    /// Where it came from, for people.
    pub fn source(&self) -> String {
        match self {
            Self::Named(path) => std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string(),
            Self::Kept(_) => "standard input".to_owned(),
        }
    }

    /// Time since it was written; unknown for standard input.
    pub fn age(&self, now: Moment) -> Option<Span> {
        let Self::Named(path) = self else { return None };
        let written = path.metadata().and_then(|data| data.modified()).ok()?;
        let since_epoch = written.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Some(now.since(Moment::from_millis(since_epoch.as_millis() as i64)))
    }
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
    format!("{rows} rows: {}", if shown.is_empty() { "nothing".to_owned() } else { shown.join(", ") })
}
