//! A contact file goes into a run: read in one thread, stored by another, 10,000 rows at a time.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ringfence_domain::{Campaign, Clock, RunId};
use ringfence_intake::{ContactFile, HeaderError, contacts};
use ringfence_providers::Provider;
use ringfence_store::{
    Database, ImportChunk, ImportOrder, ImportRow, ImportStart, NewContact, Reject, RowVerdict, Store,
};
use tokio::sync::mpsc;

use crate::failure::Failure;

/// Rows stored in one transaction.
const CHUNK: usize = 10_000;

/// What a file holds.
#[derive(Debug, Default)]
struct Rows {
    contacts: Vec<NewContact>,
    rejects: Vec<Reject>,
}

/// Takes a file in. The very same file twice changes nothing.
pub async fn import(
    store: &Arc<Database>,
    clock: &Arc<dyn Clock>,
    run: RunId,
    campaign: &Campaign,
    provider: &Arc<dyn Provider>,
    path: &Path,
) -> Result<ImportRow, Failure> {
    // The header is looked at before anything is written.
    drop(ContactFile::open(path, campaign, Box::new(|_| Ok(())))?);
    let digest =
        contacts::digest(path, campaign).map_err(|source| HeaderError::Unreadable { path: path.to_owned(), source })?;
    let now = clock.read().now;
    let source = path.display().to_string();
    let order = ImportOrder { run, source: source.clone(), digest, now };
    let id = match store.begin_import(order).await? {
        ImportStart::Known(row) => {
            return Ok(ImportRow {
                unchanged: row.accepted + row.updated + row.unchanged,
                accepted: 0,
                updated: 0,
                ..row
            });
        }
        ImportStart::Begin(id) => id,
    };
    let mut total = ImportRow {
        id,
        source,
        complete: true,
        rows: 0,
        accepted: 0,
        updated: 0,
        unchanged: 0,
        duplicate: 0,
        rejected: 0,
    };
    let (sender, mut chunks) = mpsc::channel::<Result<Rows, HeaderError>>(2);
    let reading = {
        let (path, campaign) = (path.to_owned(), campaign.clone());
        let (store, provider) = (store.clone(), provider.clone());
        tokio::task::spawn_blocking(move || read(&path, &campaign, &store, &provider, &sender))
    };
    while let Some(rows) = chunks.recv().await {
        let rows = rows?;
        total.rows += (rows.contacts.len() + rows.rejects.len()) as i64;
        total.rejected += rows.rejects.len() as i64;
        let chunk = ImportChunk { import: id, run, contacts: rows.contacts, rejects: rows.rejects, now };
        for verdict in store.import_chunk(chunk).await? {
            match verdict {
                RowVerdict::Accepted => total.accepted += 1,
                RowVerdict::Updated => total.updated += 1,
                RowVerdict::Unchanged => total.unchanged += 1,
                RowVerdict::Duplicate { .. } => total.duplicate += 1,
            }
        }
    }
    reading.await.map_err(|error| Failure::work(error.to_string()))?;
    store.complete_import(run, total.clone(), clock.read().now).await?;
    Ok(total)
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
                number_key: store.hasher().key(&row.number),
                number: row.number,
                zones: row.zones,
                fields: row.fields,
            }),
            Ok(Some(Err(reject))) => {
                rows.rejects.push(Reject { row_number: reject.row_number, line: reject.line, reason: reject.reason });
            }
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

/// What a file would bring, without touching the database.
#[derive(Debug, Default, serde::Serialize)]
pub struct DryRun {
    /// Rows read.
    pub rows: i64,
    /// Rows that can be called.
    pub accepted: i64,
    /// Rows that cannot.
    pub rejected: i64,
    /// The first of those, with their reasons.
    pub first_rejects: Vec<String>,
}

/// Reads every row and judges it.
pub fn dry_run(path: &Path, campaign: &Campaign, provider: &Arc<dyn Provider>) -> Result<DryRun, Failure> {
    let can_call = |number: &ringfence_domain::PhoneNumber| provider.can_call(number);
    let mut file = ContactFile::open(path, campaign, Box::new(can_call))?;
    let mut found = DryRun::default();
    while let Some(row) = file.next_row()? {
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
    Ok(found)
}

/// Rejected rows as a file: the row's number, its line, the reason.
pub async fn write_rejects(store: &Database, import: &ImportRow, path: &Path) -> Result<(), Failure> {
    let mut out =
        csv::Writer::from_path(path).map_err(|error| Failure::work(format!("{}: {error}", path.display())))?;
    let failed = |error: csv::Error| Failure::work(error.to_string());
    out.write_record(["row", "line", "reason"]).map_err(failed)?;
    for reject in store.rejects(import.id, u32::MAX).await? {
        out.write_record([reject.row_number.to_string(), reject.line.to_string(), reject.reason]).map_err(failed)?;
    }
    out.flush()?;
    Ok(())
}

/// The contact file of a run: the one given, the campaign's own, or standard input kept in a temporary file.
pub fn contact_file(
    given: Option<&Path>,
    campaign: &Campaign,
) -> Result<Option<(PathBuf, Option<tempfile::NamedTempFile>)>, Failure> {
    match given {
        Some(path) if path == Path::new("-") => {
            let mut kept = tempfile::NamedTempFile::new()?;
            std::io::copy(&mut std::io::stdin().lock(), &mut kept)?;
            Ok(Some((kept.path().to_owned(), Some(kept))))
        }
        Some(path) => Ok(Some((path.to_owned(), None))),
        None => Ok(campaign.contacts.file.as_ref().map(|path| (PathBuf::from(path), None))),
    }
}
