//! The stop of everything on one database.

use ringfence_domain::Moment;

use crate::session::{Session, Sql, args, sql};
use crate::{StoreError, fence};

/// What stopped everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoppedBy {
    /// A person, with `ringfence stop`.
    Person,
    /// The database may have forgotten calls.
    Quarantine,
}

/// Everything is stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// By what.
    pub by: StoppedBy,
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

/// Whether everything is stopped. A quarantine is told first: lifting it is the longer way.
pub(crate) async fn read(session: &mut Session) -> Result<Option<Stop>, StoreError> {
    const READ: Sql = sql!(
        "SELECT i.stopped_at, i.stop_reason, q.noticed_at, q.cause FROM installation i \
         LEFT JOIN quarantines q ON q.lifted_at IS NULL WHERE i.only_row = 1"
    );
    let row = session.one(&READ, args![]).await?;
    let text = |column| row.get::<Option<String>>(column).map(Option::unwrap_or_default);
    if let Some(at) = row.moment_or_none("noticed_at")? {
        return Ok(Some(Stop { by: StoppedBy::Quarantine, at, reason: text("cause")? }));
    }
    let Some(at) = row.moment_or_none("stopped_at")? else { return Ok(None) };
    Ok(Some(Stop { by: StoppedBy::Person, at, reason: text("stop_reason")? }))
}
