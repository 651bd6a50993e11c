//! Imports: one contact file each, from its first row until all of its contacts may be dialled.
//!
//! loading → held (a safety rail; a person accepts or undoes) → released. Contacts of an import that is not released stand
//! in staged buckets, which nobody plans from; new data of known contacts waits beside them. Releasing is a few small
//! transactions that may be repeated: change what is known, stop who is missing, then let everyone, or the canary, go.

use std::collections::BTreeMap;

use ringfence_domain::{ImportId, ImportState, Moment, NumberKey, RunId};
use serde::Serialize;

use crate::import_release::lock_buckets_of;
use crate::session::{Arg, Row, Session, Sql, args, rows_json, sql};
use crate::{StoreError, fence};

/// A file to be taken in.
#[derive(Debug, Clone)]
pub struct ImportOrder {
    /// The run that gets its contacts.
    pub run: RunId,
    /// Where it came from, for people.
    pub source: String,
    /// What its content and the way it is read hash to.
    pub digest: String,
    /// Its header.
    pub columns: Vec<String>,
    /// When the file was last written, where that is known.
    pub written_at: Option<Moment>,
    /// When.
    pub now: Moment,
}

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

/// What came of beginning an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportStart {
    /// Send the chunks, all of them, from the first.
    Begin(ImportId),
    /// The very same file is what came last: nothing is to be done, or it is held.
    Known(ImportRow),
}

/// A row that is not taken in: it cannot be called, or its number is taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reject {
    /// Its place in the file, counted from 1 without the header.
    pub row_number: i64,
    /// Its line in the file, counted from 1.
    pub line: i64,
    /// The kind of reason, for counting.
    pub code: String,
    /// Why.
    pub reason: String,
    /// Its values as they stood in the file.
    pub record: Vec<String>,
    /// What the operator's own system calls the person, as far as the row says it.
    pub external_id: Option<String>,
    /// What its numbers are looked up by, as far as they can be read.
    pub numbers: Vec<NumberKey>,
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

/// Begins an import, or finds the one that the same file began before. A file that went and was written again is new,
/// though it says the same as before.
pub(crate) async fn begin(session: &mut Session, order: &ImportOrder) -> Result<ImportStart, StoreError> {
    const FIND: Sql = sql!(both import_columns!("WHERE run_id = $1 AND digest = $2"));
    const NEWER: Sql =
        sql!("SELECT count(*) AS n FROM imports WHERE run_id = $1 AND id > $2 AND completed_at IS NOT NULL");
    const RENAME: Sql = sql!("UPDATE imports SET digest = digest || '#' || id WHERE id = $1");
    const INSERT: Sql = sql!(
        "INSERT INTO imports (run_id, source, digest, columns, state, started_at) VALUES ($1, $2, $3, $4, 'loading', $5) \
         ON CONFLICT DO NOTHING"
    );
    let known = session.row(&FIND, args![order.run, order.digest.as_str()]).await?.as_ref().map(import).transpose()?;
    if let Some(known) = known {
        let newer: i64 = session.one(&NEWER, args![order.run, known.id]).await?.get("n")?;
        if known.state == ImportState::Loading {
            return Ok(ImportStart::Begin(known.id));
        }
        // A list that lies there as it was read does not take back what came by other files since.
        let lies_there = order.written_at.zip(known.completed_at).is_some_and(|(written, read)| written <= read);
        if (newer == 0 || lies_there) && known.state != ImportState::Undone {
            return Ok(ImportStart::Known(known));
        }
        session.run(&RENAME, args![known.id]).await?;
    }
    let columns = Arg::json(&order.columns);
    let arguments = args![order.run, order.source.as_str(), order.digest.as_str(), columns, order.now];
    session.run(&INSERT, arguments).await?;
    let row = import(&session.one(&FIND, args![order.run, order.digest.as_str()]).await?)?;
    Ok(ImportStart::Begin(row.id))
}

/// An import, locked against everyone else who would change it.
pub(crate) async fn lock(session: &mut Session, id: ImportId) -> Result<Option<ImportRow>, StoreError> {
    const LOCK: Sql = sql!(
        sqlite import_columns!("WHERE id = $1"),
        postgres import_columns!("WHERE id = $1 FOR UPDATE")
    );
    session.row(&LOCK, args![id]).await?.as_ref().map(import).transpose()
}

/// The same, if it still loads or is held. Two processes may take in one file, and a person may undo it meanwhile:
/// whoever comes when it is over changes nothing any more.
pub(crate) async fn lock_loading(session: &mut Session, id: ImportId) -> Result<ImportRow, StoreError> {
    match lock(session, id).await? {
        Some(row) if matches!(row.state, ImportState::Loading | ImportState::Held) => Ok(row),
        _ => Err(StoreError::ImportOver { import: id }),
    }
}

/// Whether a newer file of the run is in or held: what an older one has of people who were known is out of date then.
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

/// The whole file was read, and a safety rail holds it.
pub(crate) async fn hold(
    session: &mut Session,
    id: ImportId,
    counts: &ImportCounts,
    reason: &str,
) -> Result<(), StoreError> {
    const HOLD: Sql = sql!(
        "UPDATE imports SET state = 'held', rows = $2, accepted = $3, updated = $4, unchanged = $5, duplicate = $6, \
         rejected = $7, held_for = $8 WHERE id = $1"
    );
    lock_loading(session, id).await?;
    let ImportCounts { rows, accepted, updated, unchanged, duplicate, rejected } = *counts;
    session.run(&HOLD, args![id, rows, accepted, updated, unchanged, duplicate, rejected, reason]).await?;
    Ok(())
}

/// One import.
pub(crate) async fn by_id(session: &mut Session, id: ImportId) -> Result<Option<ImportRow>, StoreError> {
    const READ: Sql = sql!(both import_columns!("WHERE id = $1"));
    session.row(&READ, args![id]).await?.as_ref().map(import).transpose()
}

/// The newest import of a run.
pub(crate) async fn last(session: &mut Session, run: RunId) -> Result<Option<ImportRow>, StoreError> {
    const LAST: Sql = sql!(both import_columns!("WHERE run_id = $1 ORDER BY id DESC LIMIT 1"));
    session.row(&LAST, args![run]).await?.as_ref().map(import).transpose()
}

/// The imports of a run, oldest first.
pub(crate) async fn of_run(session: &mut Session, run: RunId) -> Result<Vec<ImportRow>, StoreError> {
    const LIST: Sql = sql!(both import_columns!("WHERE run_id = $1 ORDER BY id"));
    session.rows(&LIST, args![run]).await?.iter().map(import).collect()
}

/// Nothing more of it is dialled. Its contacts are stopped, and what it kept for later is forgotten, some at a time.
pub(crate) async fn undo(session: &mut Session, id: ImportId, now: Moment) -> Result<(), StoreError> {
    const UNDO: Sql = sql!("UPDATE imports SET state = 'undone', undone_at = coalesce(undone_at, $2) WHERE id = $1");
    const STAGE: Sql = sql!("UPDATE buckets SET staged = TRUE WHERE run_id = $2 AND import_id = $1");
    const CANARIES: Sql = sql!("DELETE FROM canaries WHERE import_id = $1");
    fence::close(session).await?;
    let Some(row) = lock(session, id).await? else { return Ok(()) };
    session.run(&UNDO, args![id, now]).await?;
    lock_buckets_of(session, row.run, id).await?;
    session.run(&STAGE, args![id, row.run]).await?;
    session.run(&CANARIES, args![id]).await?;
    Ok(())
}

/// Adds rows that were not taken in. A row is told of once, however often its chunk comes.
pub(crate) async fn write_rejects(session: &mut Session, id: ImportId, rejects: &[Reject]) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct RejectRow<'a> {
        row_number: i64,
        line: i64,
        code: &'a str,
        reason: &'a str,
        record: &'a [String],
    }
    const WRITE: Sql = sql!(
        "INSERT INTO rejects (import_id, row_number, line, code, reason, record) \
         SELECT $2, u.row_number, u.line, u.code, u.reason, u.record FROM"
        rows (row_number bigint, line bigint, code text, reason text, record jsonb)
        "WHERE true ON CONFLICT DO NOTHING"
    );
    if rejects.is_empty() {
        return Ok(());
    }
    let rows: Vec<RejectRow<'_>> = rejects
        .iter()
        .map(|reject| RejectRow {
            row_number: reject.row_number,
            line: reject.line,
            code: &reject.code,
            reason: &reject.reason,
            record: &reject.record,
        })
        .collect();
    session.run(&WRITE, args![rows_json(&rows), id]).await?;
    Ok(())
}

/// The next rows that an import did not take in, in the order of the file.
pub(crate) async fn rejects(
    session: &mut Session,
    id: ImportId,
    after: i64,
    limit: u32,
) -> Result<Vec<Reject>, StoreError> {
    const LIST: Sql = sql!(
        "SELECT row_number AS id, line, code, reason, record FROM rejects WHERE import_id = $1 AND row_number > $2 \
         ORDER BY row_number LIMIT $3"
    );
    let rows = session.rows(&LIST, args![id, after, i64::from(limit)]).await?;
    rows.iter()
        .map(|row| {
            Ok(Reject {
                row_number: row.get("id")?,
                line: row.get("line")?,
                code: row.get("code")?,
                reason: row.get("reason")?,
                record: row.json("rejects", "record")?,
                external_id: None,
                numbers: Vec::new(),
            })
        })
        .collect()
}

/// How many rows were not taken in, by the kind of reason.
pub(crate) async fn reasons(session: &mut Session, id: ImportId) -> Result<BTreeMap<String, i64>, StoreError> {
    const COUNT: Sql = sql!("SELECT code, count(*) AS n FROM rejects WHERE import_id = $1 GROUP BY code");
    session.rows(&COUNT, args![id]).await?.iter().map(|row| Ok((row.get("code")?, row.get("n")?))).collect()
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
