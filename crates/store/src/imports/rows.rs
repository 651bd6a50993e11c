//! Imports: their rows.

use std::collections::HashMap;

use ringfence_domain::{ImportId, ImportState, Moment, RunId};
use serde::Serialize;

use crate::StoreError;
use crate::session::{Arg, Row, Session, Sql, args, sql};

/// What became of an import's rows. `rows` is the sum of the five after it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct ImportCounts {
    /// Rows read.
    pub rows: i64,
    /// Rows that became contacts.
    pub accepted: i64,
    /// Known rows with new data.
    pub updated: i64,
    /// Known rows as they were.
    pub unchanged: i64,
    /// Rows whose number stood earlier in the file, or is another known person's.
    pub duplicate: i64,
    /// Rows that cannot be called.
    pub rejected: i64,
}

/// How an import stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportRow {
    /// Its id.
    pub id: ImportId,
    /// The run that gets its contacts.
    pub run: RunId,
    /// Where the file came from.
    pub source: String,
    /// How it stands.
    pub state: ImportState,
    /// The safety rail that holds or held it.
    pub held_for: Option<String>,
    /// Whether a person accepted that.
    pub accepted_by_person: bool,
    /// What became of its rows.
    pub counts: ImportCounts,
    /// Contacts stopped because the file no longer has them.
    pub missing: i64,
    /// Its header.
    pub columns: Vec<String>,
    /// When it began.
    pub started_at: Moment,
    /// When all of it was in.
    pub completed_at: Option<Moment>,
}

macro_rules! import_columns {
    ($after:literal) => {
        concat!(
            "SELECT id, run_id, source, state, held_for, accepted_at, rows, accepted, updated, unchanged, ",
            "duplicate, rejected, missing, columns, started_at, completed_at FROM imports ",
            $after
        )
    };
}
pub(super) use import_columns;

/// An import, locked against everyone else who would change it.
pub(crate) async fn lock(session: &mut Session, id: ImportId) -> Result<Option<ImportRow>, StoreError> {
    const LOCK: Sql = sql!(
        sqlite import_columns!("WHERE id = $1"),
        postgres import_columns!("WHERE id = $1 FOR UPDATE")
    );
    session.row(&LOCK, args![id]).await?.as_ref().map(import).transpose()
}

/// The imports whose content has one of these digests, of whichever run.
pub(crate) async fn of_digests(session: &mut Session, digests: Vec<String>) -> Result<Vec<ImportRow>, StoreError> {
    const FIND: Sql = sql!(import_columns!("WHERE digest") ids "ORDER BY id");
    session.rows(&FIND, args![Arg::texts(digests.iter().map(String::as_str))]).await?.iter().map(import).collect()
}

/// The same, if it still loads or is held. Two processes may take in one file, and a person may
/// undo it meanwhile: a later writer changes nothing any more.
pub(crate) async fn lock_loading(session: &mut Session, id: ImportId) -> Result<ImportRow, StoreError> {
    match lock(session, id).await? {
        Some(row) if matches!(row.state, ImportState::Loading | ImportState::Held) => Ok(row),
        _ => Err(StoreError::ImportOver { import: id }),
    }
}

/// Whether a newer file of the run is in or held: what an older one has of people who were known is
/// out of date then.
pub(crate) async fn has_newer(session: &mut Session, row: &ImportRow) -> Result<bool, StoreError> {
    const NEWER: Sql = sql!(
        "SELECT count(*) AS n FROM imports WHERE run_id = $1 AND id > $2 AND state IN ('held', 'canary', 'complete')"
    );
    Ok(session.one(&NEWER, args![row.run, row.id]).await?.get::<i64>("n")? > 0)
}

/// Undone imports of a lane's campaigns whose contacts wait all the same.
pub(crate) async fn undone_with_waiting(
    session: &mut Session,
    lane: ringfence_domain::LaneId,
) -> Result<Vec<(RunId, ImportId)>, StoreError> {
    const LIST: Sql = sql!(
        "SELECT DISTINCT i.id, i.run_id FROM buckets b JOIN imports i ON i.id = b.import_id \
         WHERE b.lane_id = $1 AND b.waiting > 0 AND i.state = 'undone' ORDER BY i.id"
    );
    let rows = session.rows(&LIST, args![lane]).await?;
    rows.iter().map(|row| Ok((RunId(row.get("run_id")?), ImportId(row.get("id")?)))).collect()
}

/// One import.
pub(crate) async fn by_id(session: &mut Session, id: ImportId) -> Result<Option<ImportRow>, StoreError> {
    const READ: Sql = sql!(both import_columns!("WHERE id = $1"));
    session.row(&READ, args![id]).await?.as_ref().map(import).transpose()
}

/// The newest import of each of these runs.
pub(crate) async fn last_of(session: &mut Session, runs: &[RunId]) -> Result<HashMap<RunId, ImportRow>, StoreError> {
    const LAST: Sql = sql!(
        import_columns!("WHERE id IN (SELECT max(id) FROM imports WHERE run_id") ids "GROUP BY run_id)"
    );
    let rows = session.rows(&LAST, args![Arg::ids(runs.iter().map(|id| id.0))]).await?;
    rows.iter().map(|row| import(row).map(|import| (import.run, import))).collect()
}

/// The imports of a run, oldest first.
pub(crate) async fn of_run(session: &mut Session, run: RunId) -> Result<Vec<ImportRow>, StoreError> {
    const LIST: Sql = sql!(both import_columns!("WHERE run_id = $1 ORDER BY id"));
    session.rows(&LIST, args![run]).await?.iter().map(import).collect()
}

pub(crate) fn import(row: &Row) -> Result<ImportRow, StoreError> {
    let at = |column| row.moment_or_none(column);
    Ok(ImportRow {
        id: ImportId(row.get("id")?),
        run: RunId(row.get("run_id")?),
        source: row.get("source")?,
        state: row.word("imports", "state")?,
        held_for: row.get("held_for")?,
        accepted_by_person: at("accepted_at")?.is_some(),
        counts: ImportCounts {
            rows: row.get("rows")?,
            accepted: row.get("accepted")?,
            updated: row.get("updated")?,
            unchanged: row.get("unchanged")?,
            duplicate: row.get("duplicate")?,
            rejected: row.get("rejected")?,
        },
        missing: row.get("missing")?,
        columns: row.json("imports", "columns")?,
        started_at: row.moment("started_at")?,
        completed_at: at("completed_at")?,
    })
}
