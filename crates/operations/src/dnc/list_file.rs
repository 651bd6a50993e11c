//! A CSV file of numbers goes onto the do-not-call list.

use std::path::Path;

use ringfence_domain::PhoneNumber;
use ringfence_domain::event::EventKind;
use ringfence_domain::phone::Country;
use ringfence_intake::{Problem, Table, contacts};
use ringfence_store::DncList;
use serde::Serialize;

use super::origins::Origins;
use super::sorted::Sorted;
use super::{id_of, list_of, note};
use crate::error::Error;
use crate::input_file::InputFile;
use crate::workspace::Workspace;

const CHUNK: usize = 10_000;
/// Rows that cannot be read are told one by one up to this many.
const SHOWN: u64 = 10;

/// A file of numbers, and how to read it.
#[derive(Debug)]
pub struct ListFile<'f> {
    /// The file, with a header.
    pub file: &'f InputFile,
    /// The column of the number. Without one: the only column, or `phone`.
    pub column: Option<&'f str>,
    /// How to read numbers without a country code.
    pub country: Option<Country>,
    /// Why they must not be called, where the rows do not say it themselves.
    pub reason: Option<&'f str>,
}

/// What came of a file.
#[derive(Debug, Clone, Copy, Default, Serialize, utoipa::ToSchema)]
pub struct ImportedNumbers {
    /// Rows read.
    pub rows: u64,
    /// Numbers that are new on the list.
    pub added: u64,
    /// Numbers that were on it.
    pub known: u64,
    /// Rows that cannot be read as numbers: they are not on the list.
    pub unreadable: u64,
}

/// How far a file is read.
#[derive(Debug, Clone, Copy)]
pub struct FileProgress {
    /// Bytes read.
    pub bytes: u64,
    /// Bytes of the whole file.
    pub of_bytes: u64,
    /// Rows read.
    pub rows: u64,
}

/// Puts every number of a file on the list of a campaign, or on everyone's. Rows that cannot be
/// read are told, and counted.
pub async fn import(
    workspace: &Workspace,
    campaign: Option<&str>,
    list: &ListFile<'_>,
    progress: &mut (dyn FnMut(FileProgress) + Send),
) -> Result<ImportedNumbers, Error> {
    let campaign = id_of(workspace, campaign).await?;
    let (path, source) = (list.file.path(), list.file.source());
    let (mut table, place) = checked(path, list.column).map_err(|error| list.file.named(error))?;
    let of_bytes = std::fs::metadata(path).map_or(0, |file| file.len());
    progress(FileProgress { bytes: 0, of_bytes, rows: 0 });
    let given = list_of(workspace, campaign, source.clone(), list.reason);
    let mut origins = Origins::of(table.columns(), given);
    let mut sorted = Sorted::begin().map_err(|error| failed(&error))?;
    let mut done = ImportedNumbers::default();
    while let Some(record) = table.next_row().map_err(|error| list.file.named(error.into()))? {
        done.rows += 1;
        let line = record.line();
        // Names in another encoding are no reason to leave a number out.
        let text = record.text(place);
        match PhoneNumber::parse(&text, list.country) {
            Ok(number) => {
                let (key, origin) = (workspace.store.hasher().key(&number), origins.place(record));
                sorted.add(key, &number, origin).map_err(|error| failed(&error))?;
            }
            Err(error) => {
                done.unreadable += 1;
                if done.unreadable <= SHOWN {
                    let shown = contacts::shown(&text, &error);
                    workspace.notices.tell(&format!("{source}: line {line}: {shown}"));
                }
            }
        }
        if done.rows.is_multiple_of(CHUNK as u64) {
            progress(FileProgress { bytes: table.bytes_read(), of_bytes, rows: done.rows });
        }
    }
    if done.unreadable > SHOWN {
        workspace.notices.tell(&format!("{source}: {} more rows like these", done.unreadable - SHOWN));
    }
    if done.rows == 0 {
        workspace.notices.tell(&format!("caution: {source} has a header and no numbers"));
    }
    say_lost(workspace, &origins, &source);
    done.added = store(workspace, sorted, origins.into_lists()).await?;
    let reason = list.reason.map(|reason| format!(": {reason}")).unwrap_or_default();
    note(workspace, EventKind::DncAdded, campaign, format!("{} of {source}{reason}", done.added)).await?;
    done.known = done.rows - done.added - done.unreadable;
    Ok(done)
}

/// Stores the numbers in the order of their keys. Returns how many are new.
async fn store(workspace: &Workspace, sorted: Sorted, origins: Vec<DncList>) -> Result<u64, Error> {
    let mut lists = Vec::with_capacity(origins.len());
    for origin in origins {
        lists.push(workspace.store.begin_dnc(origin).await?);
    }
    let (mut added, mut chunk) = (0, Vec::with_capacity(CHUNK));
    for part in sorted.parts() {
        for (key, origin, number) in part.map_err(|error| failed(&error))? {
            chunk.push((lists[origin as usize], key, number));
            if chunk.len() == CHUNK {
                let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK));
                added += workspace.store.add_dnc(full).await?;
            }
        }
    }
    Ok(added + workspace.store.add_dnc(chunk).await?)
}

/// Tells what was not kept of the rows' own dates, sources and reasons.
fn say_lost(workspace: &Workspace, origins: &Origins, source: &str) {
    let lost = [
        (origins.undated, "added_at cannot be read: write 2026-11-26T09:00:00Z; these numbers are listed since now"),
        (
            origins.left_out,
            "there are too many different dates, sources and reasons; these numbers are listed since now",
        ),
    ];
    for (rows, why) in lost.into_iter().filter(|(rows, _)| *rows > 0) {
        workspace.notices.tell(&format!("caution: {source}: rows: {rows}: {why}"));
    }
}

fn failed(error: &std::io::Error) -> Error {
    Error::work(format!("numbers cannot be sorted: {error}"))
}

/// The table of a list, and the place of its column of numbers. It was read to its end: of a list
/// that cannot be read, or that quotes have swallowed rows of, nobody is left out in silence.
fn checked(path: &Path, column: Option<&str>) -> Result<(Table, usize), Error> {
    let table = Table::open(path)?;
    let columns = table.columns();
    let wanted = column.unwrap_or("phone");
    let place = match columns.iter().position(|name| name == wanted) {
        Some(place) => place,
        None if column.is_none() && columns.len() == 1 => 0,
        None => {
            let problem = Problem::NoColumn { column: wanted.to_owned(), columns: columns.to_vec(), meant: None };
            return Err(Error::input(problem.of(path).to_string(), "name the column of the number with --column"));
        }
    };
    // A list of short numbers would lose its first.
    if columns.iter().any(|name| name.chars().filter(|letter| letter.is_numeric()).count() >= 7) {
        return Err(Problem::NoHeader(columns[place].clone()).of(path).into());
    }
    // A person in another column of numbers would be called all the same.
    let other = columns.iter().enumerate().find(|(at, name)| *at != place && is_for_numbers(name));
    if let (None, Some((_, other))) = (column, other) {
        return Err(Error::input(
            format!("{} has numbers in `{}` and, by its name, in `{other}`", path.display(), columns[place]),
            "import it once for each: --column phone, then --column with the other name",
        ));
    }
    if let Some(problem) = table.with_numbers_in(&[place]).look_through()?.swallowed {
        return Err(problem.of(path).into());
    }
    Ok((Table::open(path)?, place))
}

/// Whether a column's name says that it holds phone numbers.
fn is_for_numbers(name: &str) -> bool {
    let name = name.to_lowercase();
    ["phone", "mobile", "landline", "whatsapp"].iter().any(|word| name.contains(word))
}
