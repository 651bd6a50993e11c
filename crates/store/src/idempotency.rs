//! Requests that came with an Idempotency-Key. The key is entered before the work begins, marked in
//! the transaction of the first change, and gets the answer at the end.

use ringfence_domain::{Moment, TokenId};

use crate::StoreError;
use crate::session::{Row, Session, Sql, args, sql};

/// A request and its key.
#[derive(Debug, Clone)]
pub struct RequestKey {
    /// Who asks: keys of different tokens have nothing to do with each other.
    pub token: TokenId,
    /// The key.
    pub key: String,
    /// SHA-256 of method, address and body, in hex.
    pub digest: String,
    /// The process that is to do the work.
    pub worker: String,
}

/// An answer that is kept for who asks again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The HTTP status.
    pub status: u16,
    /// The header of that name.
    pub content_type: Option<String>,
    /// The header of that name.
    pub etag: Option<String>,
    /// The header of that name.
    pub location: Option<String>,
    /// The body.
    pub body: String,
}

/// What a request with a key is to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// Its work, under this id.
    Work(i64),
    /// Nothing: it was done, and this was the answer.
    Done(Replay),
    /// Nothing: the same work is under way.
    Running {
        /// Until then at the latest.
        until: Moment,
        /// The process that works at it.
        worker: String,
    },
    /// Nothing: the key belongs to another request.
    OtherRequest,
    /// Nothing: the work changed something, and its answer was lost with its process.
    AnswerLost,
}

/// Enters a key. `dead`: a process that is known not to work at anything any more.
pub(crate) async fn begin(
    session: &mut Session,
    request: &RequestKey,
    dead: Option<&str>,
    lease_until: Moment,
    now: Moment,
) -> Result<Begun, StoreError> {
    const BEGIN: Sql = sql!(
        "INSERT INTO idempotency_keys (token_id, key, digest, begun_at, lease_until, worker) VALUES ($1, $2, $3, $4, $5, $6) \
         ON CONFLICT DO NOTHING RETURNING id"
    );
    const KNOWN: Sql = sql!(
        sqlite "SELECT id, digest, lease_until, worker, has_effect, status, content_type, etag, location, body \
         FROM idempotency_keys WHERE token_id = $1 AND key = $2",
        postgres "SELECT id, digest, lease_until, worker, has_effect, status, content_type, etag, location, body \
         FROM idempotency_keys WHERE token_id = $1 AND key = $2 FOR UPDATE"
    );
    const AGAIN: Sql = sql!("UPDATE idempotency_keys SET begun_at = $2, lease_until = $3, worker = $4 WHERE id = $1");
    let RequestKey { token, key, digest, worker } = request;
    let arguments = args![*token, key.as_str(), digest.as_str(), now, lease_until, worker.as_str()];
    if let Some(row) = session.row(&BEGIN, arguments).await? {
        return Ok(Begun::Work(row.get("id")?));
    }
    let row = session.one(&KNOWN, args![*token, key.as_str()]).await?;
    if row.get::<String>("digest")? != *digest {
        return Ok(Begun::OtherRequest);
    }
    if let Some(replay) = answer(&row)? {
        return Ok(Begun::Done(replay));
    }
    let until = row.moment("lease_until")?;
    let at_it: String = row.get("worker")?;
    if now < until && dead != Some(at_it.as_str()) {
        return Ok(Begun::Running { until, worker: at_it });
    }
    if row.get("has_effect")? {
        return Ok(Begun::AnswerLost);
    }
    let id: i64 = row.get("id")?;
    session.run(&AGAIN, args![id, now, lease_until, worker.as_str()]).await?;
    Ok(Begun::Work(id))
}

fn answer(row: &Row) -> Result<Option<Replay>, StoreError> {
    let Some(status) = row.get::<Option<i64>>("status")? else { return Ok(None) };
    Ok(Some(Replay {
        status: status as u16,
        content_type: row.get("content_type")?,
        etag: row.get("etag")?,
        location: row.get("location")?,
        body: row.get::<Option<String>>("body")?.unwrap_or_default(),
    }))
}

pub(crate) async fn finish(session: &mut Session, id: i64, answer: &Replay) -> Result<(), StoreError> {
    const FINISH: Sql = sql!(
        "UPDATE idempotency_keys SET status = $2, content_type = $3, etag = $4, location = $5, body = $6 WHERE id = $1"
    );
    let Replay { status, content_type, etag, location, body } = answer.clone();
    session.run(&FINISH, args![id, i64::from(status), content_type, etag, location, body]).await?;
    Ok(())
}

pub(crate) async fn discard(session: &mut Session, id: i64) -> Result<(), StoreError> {
    const DISCARD: Sql = sql!(
        sqlite "DELETE FROM idempotency_keys WHERE id = $1 AND status IS NULL AND has_effect = 0",
        postgres "DELETE FROM idempotency_keys WHERE id = $1 AND status IS NULL AND NOT has_effect"
    );
    session.run(&DISCARD, args![id]).await?;
    Ok(())
}

pub(crate) async fn forget(session: &mut Session, before: Moment, limit: i64) -> Result<(bool, usize), StoreError> {
    const FORGET: Sql = sql!(
        "DELETE FROM idempotency_keys WHERE id IN \
         (SELECT id FROM idempotency_keys WHERE begun_at < $1 ORDER BY begun_at LIMIT $2)"
    );
    let gone = session.run(&FORGET, args![before, limit]).await? as usize;
    Ok((gone as i64 == limit, gone))
}
