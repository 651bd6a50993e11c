//! The stop of everything on one database.

use ringfence_domain::Moment;

use crate::session::{Session, Sql, args, sql};
use crate::{StoreError, fence};

/// Everything is stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// Since when.
    pub at: Moment,
    /// Why, for everyone who asks later.
    pub reason: String,
}

/// Stops or starts everything; who stops what is stopped keeps the first reason. After it returns no claim commits that
/// had not seen it.
pub(crate) async fn set(session: &mut Session, stop: Option<&str>, now: Moment) -> Result<(), StoreError> {
    const STOP: Sql = sql!(
        "UPDATE installation SET stopped_at = coalesce(stopped_at, $2), stop_reason = coalesce(stop_reason, $1) WHERE only_row = 1"
    );
    const START: Sql = sql!("UPDATE installation SET stopped_at = NULL, stop_reason = NULL WHERE only_row = 1");
    fence::close(session).await?;
    match stop {
        Some(reason) => session.run(&STOP, args![reason, now]).await?,
        None => session.run(&START, args![]).await?,
    };
    Ok(())
}

/// Whether everything is stopped.
pub(crate) async fn read(session: &mut Session) -> Result<Option<Stop>, StoreError> {
    const READ: Sql = sql!("SELECT stopped_at, stop_reason FROM installation WHERE only_row = 1");
    let row = session.one(&READ, args![]).await?;
    let reason: Option<String> = row.get("stop_reason")?;
    Ok(row.moment_or_none("stopped_at")?.map(|at| Stop { at, reason: reason.unwrap_or_default() }))
}
