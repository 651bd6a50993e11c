//! Erasing the people of runs that are over: contacts, their numbers and calls, and rows that were rejected. What was
//! counted of them stays.
//!
//! A run is marked first, and erased some rows at a time then; who is interrupted goes on later. Attempts are what
//! limits per number are counted from: who erases gives a moment before which no rule remembers a call.

use ringfence_domain::event::EventKind;
use ringfence_domain::{CampaignId, Moment, RunId};

use crate::StoreError;
use crate::events::{Subject, tell};
use crate::imports::owners::disown;
use crate::session::{Arg, Row, Session, Sql, args, sql};

/// A run whose people can be erased, or are half erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasableRun {
    /// Its id.
    pub id: RunId,
    /// Its campaign.
    pub campaign: CampaignId,
    /// Its campaign's name.
    pub name: String,
    /// Counted from 1 within the campaign.
    pub number: i64,
    /// When its last call was sent, or when it began.
    pub last_at: Moment,
    /// People in it.
    pub contacts: i64,
}

// Nobody in it waits, is called, or has a call of unknown fate.
macro_rules! erasable {
    ($after:literal) => {
        concat!(
            "SELECT r.id, r.campaign_id, c.name, r.number, coalesce(r.last_dial_at, r.started_at) AS last_at, \
             (SELECT CAST(coalesce(sum(n), 0) AS BIGINT) FROM run_counts k WHERE k.run_id = r.id \
             AND k.name IN ('contact:done', 'contact:stopped')) AS contacts \
             FROM runs r JOIN campaigns c ON c.id = r.campaign_id WHERE r.closed_for IS NOT NULL AND NOT r.erased \
             AND coalesce(r.last_dial_at, r.started_at) < $1 AND coalesce((SELECT sum(n) FROM run_counts k WHERE k.run_id = r.id \
             AND k.name IN ('contact:waiting', 'contact:active', 'contact:review', 'attempt:open', 'attempt:sending', \
             'attempt:placed', 'attempt:unknown')), 0) = 0 ",
            $after
        )
    };
}

/// Runs that are over, and in which nobody was called since this moment.
pub(crate) async fn erasable(session: &mut Session, before: Moment) -> Result<Vec<ErasableRun>, StoreError> {
    const LIST: Sql = sql!(both erasable!("ORDER BY r.id"));
    session.rows(&LIST, args![before]).await?.iter().map(run).collect()
}

fn run(row: &Row) -> Result<ErasableRun, StoreError> {
    Ok(ErasableRun {
        id: RunId(row.get("id")?),
        campaign: CampaignId(row.get("campaign_id")?),
        name: row.get("name")?,
        number: row.get("number")?,
        last_at: row.moment("last_at")?,
        contacts: row.get("contacts")?,
    })
}

/// Marks a run as erased, if it still can be: from now on nobody comes into it. Returns whether its rows are to be
/// erased.
pub(crate) async fn mark(session: &mut Session, id: RunId, before: Moment, now: Moment) -> Result<bool, StoreError> {
    const LOCK: Sql = sql!(
        sqlite "SELECT erased_at FROM runs WHERE id = $1",
        postgres "SELECT erased_at FROM runs WHERE id = $1 FOR UPDATE"
    );
    const STILL: Sql = sql!(both erasable!("AND r.id = $2"));
    const MARK: Sql = sql!("UPDATE runs SET erased_at = $2 WHERE id = $1");
    let marked = session.one(&LOCK, args![id]).await?.moment_or_none("erased_at")?;
    let Some(still) = session.row(&STILL, args![before, id]).await? else { return Ok(false) };
    if marked.is_none() {
        let ErasableRun { number, contacts, .. } = run(&still)?;
        session.run(&MARK, args![id, now]).await?;
        tell(EventKind::RunErased, Subject::Run(id), Some(&format!("run {number}, people: {contacts}")), now);
    }
    Ok(true)
}

/// Erases some rows of a marked run. Returns whether there may be more, and how many rows there were.
pub(crate) async fn erase_some(session: &mut Session, id: RunId, limit: i64) -> Result<(bool, usize), StoreError> {
    const ATTEMPTS: Sql = sql!("SELECT id FROM attempts WHERE run_id = $1 ORDER BY id LIMIT $2");
    const CALLS: Sql = sql!(
        "DELETE FROM calls WHERE (call_id, lane_id) IN (SELECT a.call_id, a.lane_id FROM attempts a WHERE a.id" ids ")"
    );
    const ATTEMPTS_GO: Sql = sql!("DELETE FROM attempts WHERE id" ids "");
    const CONTACTS: Sql = sql!("SELECT id FROM contacts WHERE run_id = $1 ORDER BY change_number, id LIMIT $2");
    const NUMBERS: Sql = sql!("DELETE FROM contact_numbers WHERE contact_id" ids "");
    const CONTACTS_GO: Sql = sql!("DELETE FROM contacts WHERE id" ids "");
    const REJECTS: Sql = sql!(
        "DELETE FROM rejects WHERE (import_id, row_number) IN (SELECT j.import_id, j.row_number FROM imports i \
         JOIN rejects j ON j.import_id = i.id WHERE i.run_id = $1 LIMIT $2)"
    );
    const MATCHES: Sql = sql!(
        "DELETE FROM import_matches WHERE (import_id, contact_id) IN (SELECT m.import_id, m.contact_id FROM imports i \
         JOIN import_matches m ON m.import_id = i.id WHERE i.run_id = $1 LIMIT $2)"
    );
    const CANARIES: Sql =
        sql!("DELETE FROM canaries WHERE import_id IN (SELECT i.id FROM imports i WHERE i.run_id = $1)");
    const BUCKETS: Sql = sql!("DELETE FROM buckets WHERE run_id = $1");
    const ERASED: Sql = sql!("UPDATE runs SET erased = TRUE WHERE id = $1 AND erased_at IS NOT NULL");
    let attempts = ids(session, &ATTEMPTS, id, limit).await?;
    if !attempts.is_empty() {
        session.run(&CALLS, args![Arg::Ints(attempts.clone())]).await?;
        session.run(&ATTEMPTS_GO, args![Arg::Ints(attempts.clone())]).await?;
        return Ok((true, attempts.len()));
    }
    let contacts = ids(session, &CONTACTS, id, limit).await?;
    if !contacts.is_empty() {
        disown(session, &contacts).await?;
        session.run(&NUMBERS, args![Arg::Ints(contacts.clone())]).await?;
        session.run(&CONTACTS_GO, args![Arg::Ints(contacts.clone())]).await?;
        return Ok((true, contacts.len()));
    }
    for rows in [&REJECTS, &MATCHES] {
        let gone = session.run(rows, args![id, limit]).await? as usize;
        if gone > 0 {
            return Ok((true, gone));
        }
    }
    session.run(&CANARIES, args![id]).await?;
    session.run(&BUCKETS, args![id]).await?;
    session.run(&ERASED, args![id]).await?;
    Ok((false, 0))
}

async fn ids(session: &mut Session, sql: &'static Sql, run: RunId, limit: i64) -> Result<Vec<i64>, StoreError> {
    session.rows(sql, args![run, limit]).await?.iter().map(|row| row.get("id")).collect()
}

/// An error when the people of a run are erased: nobody comes into it any more. It stays so until the transaction
/// ends.
pub(crate) async fn refuse_erased(session: &mut Session, id: RunId) -> Result<(), StoreError> {
    const ASK: Sql = sql!(
        sqlite "SELECT r.erased_at, r.number, c.name FROM runs r JOIN campaigns c ON c.id = r.campaign_id WHERE r.id = $1",
        postgres "SELECT r.erased_at, r.number, c.name FROM runs r JOIN campaigns c ON c.id = r.campaign_id WHERE r.id = $1 \
                  FOR SHARE OF r"
    );
    let row = session.one(&ASK, args![id]).await?;
    match row.moment_or_none("erased_at")? {
        Some(_) => Err(StoreError::Erased { campaign: row.get("name")?, number: row.get("number")? }),
        None => Ok(()),
    }
}
