//! The do-not-call list: read inside every claim.

use ringfence_domain::{Moment, NumberKey, PhoneNumber};
use serde::Serialize;

use crate::session::{Session, Sql, args, rows_json, sql};
use crate::{StoreError, fence};

/// A number that must not be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DncRow {
    /// The number.
    pub number: PhoneNumber,
    /// What it is looked up by.
    pub number_key: NumberKey,
    /// Why.
    pub reason: Option<String>,
    /// Who or what says so.
    pub source: Option<String>,
    /// Since when.
    pub added_at: Moment,
}

/// Adds numbers, and returns how many are new. After it returns no claim commits that had not seen them.
pub(crate) async fn add(session: &mut Session, rows: &[DncRow]) -> Result<u64, StoreError> {
    #[derive(Serialize)]
    struct NewRow<'a> {
        number_key: NumberKey,
        number: &'a str,
        reason: Option<&'a str>,
        source: Option<&'a str>,
        added_at: i64,
    }
    const ADD: Sql = sql!(
        "INSERT INTO dnc (number_key, number, reason, source, added_at) \
         SELECT u.number_key, u.number, u.reason, u.source, u.added_at FROM"
        rows (number_key bigint, number text, reason text, source text, added_at bigint)
        "WHERE true ORDER BY u.number_key ON CONFLICT DO NOTHING"
    );
    fence::close(session).await?;
    let rows: Vec<NewRow<'_>> = rows
        .iter()
        .map(|row| NewRow {
            number_key: row.number_key,
            number: row.number.e164(),
            reason: row.reason.as_deref(),
            source: row.source.as_deref(),
            added_at: row.added_at.millis(),
        })
        .collect();
    session.run(&ADD, args![rows_json(&rows)]).await
}

/// Takes a number off the list. False when it was not on it.
pub(crate) async fn remove(session: &mut Session, number: NumberKey) -> Result<bool, StoreError> {
    const REMOVE: Sql = sql!("DELETE FROM dnc WHERE number_key = $1");
    Ok(session.run(&REMOVE, args![number]).await? > 0)
}

/// The entry of a number.
pub(crate) async fn find(session: &mut Session, number: NumberKey) -> Result<Option<DncRow>, StoreError> {
    const FIND: Sql = sql!("SELECT number_key AS id, number, reason, source, added_at FROM dnc WHERE number_key = $1");
    session.row(&FIND, args![number]).await?.as_ref().map(entry).transpose()
}

/// The next entries after this key, in the order of the keys.
pub(crate) async fn page(session: &mut Session, after: i64, limit: u32) -> Result<Vec<DncRow>, StoreError> {
    const PAGE: Sql = sql!(
        "SELECT number_key AS id, number, reason, source, added_at FROM dnc WHERE number_key > $1 ORDER BY number_key LIMIT $2"
    );
    session.rows(&PAGE, args![after, i64::from(limit)]).await?.iter().map(entry).collect()
}

fn entry(row: &crate::session::Row) -> Result<DncRow, StoreError> {
    let (id, number): (i64, String) = (row.get("id")?, row.get("number")?);
    Ok(DncRow {
        number: crate::questions::number("dnc", id, &number)?,
        number_key: NumberKey(id),
        reason: row.get("reason")?,
        source: row.get("source")?,
        added_at: row.moment("added_at")?,
    })
}
