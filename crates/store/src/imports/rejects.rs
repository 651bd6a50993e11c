//! Rows of a file that are not taken in, and why.

use std::collections::BTreeMap;

use ringfence_domain::{ImportId, NumberKey};
use serde::Serialize;

use crate::StoreError;
use crate::session::{self, Session, Sql, args, sql};

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
    session.run(&WRITE, args![session::rows(&rows), id]).await?;
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
