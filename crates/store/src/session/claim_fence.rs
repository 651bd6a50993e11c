//! The fence between claims and what forbids them.
//!
//! Rows that all claims share and that somebody wants to change would be locked again and again
//! before his turn comes: Postgres lets new sharers pass a waiting writer. An advisory lock is a
//! queue: the one who closes the fence waits for the claims under way and for no later one.

use super::{Session, Sql, args, sql};
use crate::StoreError;

const KEY: &str = "ringfence claims";

/// A claim begins: until its transaction ends, nobody closes the fence.
pub(crate) async fn pass(session: &mut Session) -> Result<(), StoreError> {
    const PASS: Sql = sql!(
        sqlite "SELECT 1 WHERE $1 IS NOT NULL",
        postgres "SELECT pg_advisory_xact_lock_shared(hashtext($1))"
    );
    take(session, &PASS).await
}

/// No claim that had not seen what this transaction changes commits after it.
pub(crate) async fn close(session: &mut Session) -> Result<(), StoreError> {
    const CLOSE: Sql = sql!(
        sqlite "SELECT 1 WHERE $1 IS NOT NULL",
        postgres "SELECT pg_advisory_xact_lock(hashtext($1))"
    );
    take(session, &CLOSE).await
}

/// SQLite has one writer at a time, and so needs no fence.
async fn take(session: &mut Session, sql: &'static Sql) -> Result<(), StoreError> {
    if matches!(session, Session::PostgresWrite(_)) {
        session.rows(sql, args![KEY]).await?;
    }
    Ok(())
}
