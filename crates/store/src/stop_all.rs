//! The stop of everything on one database.

use ringfence_domain::Moment;
use ringfence_domain::event::EventKind;
use ringfence_domain::verdict::{Stopped, StoppedBy};
use serde_json::json;

use crate::events::{Subject, tell_change};
use crate::session::{Session, Sql, args, claim_fence, sql};
use crate::{StoreError, zone_data};

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

/// What the file `STOP` says, if it is there, and else what stopped the database: as the claim and
/// everybody who explains it see it.
pub(crate) fn stopped(stop_switch: Option<String>, stop: Option<&Stop>) -> Option<Stopped> {
    let file = stop_switch.map(|reason| Stopped { by: StoppedBy::File, reason });
    file.or_else(|| stop.map(|stop| Stopped { by: stop.by, reason: stop.reason.clone() }))
}

/// Stops or starts everything; who stops what is stopped keeps the first reason. After it returns
/// no claim commits that had not seen it.
pub(crate) async fn set(session: &mut Session, stop: Option<&str>, now: Moment) -> Result<(), StoreError> {
    const STOP: Sql = sql!(
        "UPDATE installation SET stopped_at = coalesce(stopped_at, $2), stop_reason = coalesce(stop_reason, $1) WHERE only_row = 1"
    );
    const START: Sql = sql!("UPDATE installation SET stopped_at = NULL, stop_reason = NULL WHERE only_row = 1");
    const KNOWN: Sql = sql!("SELECT stopped_at, stop_reason FROM installation WHERE only_row = 1");
    claim_fence::close(session).await?;
    let known = session.one(&KNOWN, args![]).await?;
    let told = |stopped: bool, reason: Option<&str>| json!({ "stopped": stopped, "reason": reason });
    let first = known.get::<Option<String>>("stop_reason")?;
    let before = told(known.moment_or_none("stopped_at")?.is_some(), first.as_deref());
    let (statement, arguments, kind) = match stop {
        Some(reason) => (&STOP, args![reason, now], EventKind::Stopped),
        None => (&START, args![], EventKind::Started),
    };
    session.run(statement, arguments).await?;
    let after = told(stop.is_some(), stop.and(first.as_deref().or(stop)));
    tell_change(kind, Subject::All, stop, now, (before, after));
    Ok(())
}

/// What holds everything on one database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stops {
    /// The stop, if everything is stopped for this process.
    pub(crate) stop: Option<Stop>,
    /// The zone data of this process is newer than any that dialled here: its first call is to be
    /// entered.
    pub(crate) newer_zones: bool,
}

/// Whether everything is stopped.
pub(crate) async fn stop(session: &mut Session) -> Result<Option<Stop>, StoreError> {
    Ok(load(session).await?.stop)
}

/// What holds everything. A quarantine is told first, because lifting it is the longest way, and
/// then zone data that is too old.
pub(crate) async fn load(session: &mut Session) -> Result<Stops, StoreError> {
    const READ: Sql = sql!(
        "SELECT i.stopped_at, i.stop_reason, q.noticed_at, q.cause, z.version AS zone_version, z.since AS zone_since \
         FROM installation i LEFT JOIN quarantines q ON q.lifted_at IS NULL LEFT JOIN zone_data z ON z.only_row = 1 \
         WHERE i.only_row = 1"
    );
    let row = session.one(&READ, args![]).await?;
    let text = |column| row.get::<Option<String>>(column).map(Option::unwrap_or_default);
    let (zones, newer_zones) = zone_data::compare(&row)?;
    let by = |by, at, column| Ok::<_, StoreError>(Stop { by, at, reason: text(column)? });
    let stop = match (row.moment_or_none("noticed_at")?, zones, row.moment_or_none("stopped_at")?) {
        (Some(at), ..) => Some(by(StoppedBy::Quarantine, at, "cause")?),
        (None, Some((at, reason)), _) => Some(Stop { by: StoppedBy::ZoneData, at, reason }),
        (None, None, Some(at)) => Some(by(StoppedBy::Person, at, "stop_reason")?),
        (None, None, None) => None,
    };
    Ok(Stops { stop, newer_zones })
}
