//! The stop of everything on one database.

use ringfence_domain::Moment;

use crate::StoreError;
use crate::session::{Session, Sql, args, sql};

/// Everything is stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// Since when.
    pub at: Moment,
    /// Why, for everyone who asks later.
    pub reason: String,
}

/// Stops or starts everything. After it returns no claim commits that had not seen it.
pub(crate) async fn set(session: &mut Session, stop: Option<&str>, now: Moment) -> Result<(), StoreError> {
    const STOP: Sql =
        sql!("UPDATE installation SET stopped_at = coalesce(stopped_at, $2), stop_reason = $1 WHERE only_row = 1");
    const START: Sql = sql!("UPDATE installation SET stopped_at = NULL, stop_reason = NULL WHERE only_row = 1");
    match stop {
        Some(reason) => session.run(&STOP, args![reason, now]).await?,
        None => session.run(&START, args![]).await?,
    };
    Ok(())
}

/// Whether everything is stopped.
pub(crate) async fn read(session: &mut Session) -> Result<Option<Stop>, StoreError> {
    const READ: Sql = sql!("SELECT stopped_at, stop_reason FROM installation WHERE only_row = 1");
    stop(session, &READ).await
}

/// The same, locked against change until the transaction ends; others may read it in their claims too.
pub(crate) async fn share(session: &mut Session) -> Result<Option<Stop>, StoreError> {
    const SHARE: Sql = sql!(
        sqlite "SELECT stopped_at, stop_reason FROM installation WHERE only_row = 1",
        postgres "SELECT stopped_at, stop_reason FROM installation WHERE only_row = 1 FOR SHARE"
    );
    stop(session, &SHARE).await
}

async fn stop(session: &mut Session, sql: &Sql) -> Result<Option<Stop>, StoreError> {
    let row = session.one(sql, args![]).await?;
    let reason: Option<String> = row.get("stop_reason")?;
    Ok(row.moment_or_none("stopped_at")?.map(|at| Stop { at, reason: reason.unwrap_or_default() }))
}
