//! The quarantine: a database that may have forgotten calls dials nobody until an operator says so.
//! Law 13.

use ringfence_domain::event::EventKind;
use ringfence_domain::quarantine::Suspicion;
use ringfence_domain::{Moment, Span};

use crate::StoreError;
use crate::changes::begin_era;
use crate::events::{Subject, tell};
use crate::session::{Row, Session, Sql, args, claim_fence, sql};

/// One quarantine, open or lifted.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct QuarantineRow {
    /// Its id.
    pub id: i64,
    /// When it began.
    pub noticed_at: Moment,
    /// What was noticed.
    pub cause: String,
    /// Calls from this moment on may be missing in the database; none when nobody knows.
    pub since: Option<Moment>,
    /// When it was lifted, by whom and why; none while it holds.
    #[serde(flatten)]
    pub lifted: Option<QuarantineEnd>,
}

impl QuarantineRow {
    /// Tells whether the file is a mixture of two: it may be damaged in any way.
    pub fn is_mixture(&self) -> bool {
        self.cause == Suspicion::Mixed.to_string()
    }
}

/// How a quarantine ended.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct QuarantineEnd {
    /// When.
    pub lifted_at: Moment,
    /// User and machine.
    pub lifted_by: String,
    /// Why.
    pub reason: String,
}

/// What a vendor was asked in a quarantine, and what came of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct LaneInquiry {
    /// The lane.
    pub lane: String,
    /// When it was asked last.
    pub asked_at: Moment,
    /// Calls that the vendor lists since then; none when it has no list.
    pub listed: Option<i64>,
    /// Of these, the ones that the database has.
    pub known: i64,
    /// Calls that were entered as calls of our contacts, over all questions.
    pub adopted: i64,
    /// Calls that can be entered once an earlier call of their number is settled.
    pub waiting: i64,
    /// Calls that fit no contact.
    pub strange: i64,
    /// Why the question was not answered, or not fully.
    pub trouble: Option<String>,
}

/// A quarantine that begins.
#[derive(Debug, Clone)]
pub(crate) struct NewQuarantine {
    /// What was noticed.
    pub(crate) cause: String,
    /// When another database began to dial for this configuration, if one did.
    pub(crate) since: Option<Moment>,
    /// The installation that dialled before, when it was another one.
    pub(crate) replaces: Option<String>,
}

/// A lost call may have been sent by a clock that is off by this much.
pub(crate) const MARGIN: Span = Span::from_minutes(5);

macro_rules! columns {
    ($after:literal) => {
        concat!("SELECT id, noticed_at, cause, since, lifted_at, lifted_by, reason FROM quarantines ", $after)
    };
}

/// Begins a quarantine, unless one holds. After it returns no claim commits that had not seen it.
pub(crate) async fn begin(session: &mut Session, new: &NewQuarantine, now: Moment) -> Result<(), StoreError> {
    const LAST: Sql = sql!("SELECT max(last_dial_at) AS at FROM runs");
    const BEGIN: Sql = sql!(
        "INSERT INTO quarantines (noticed_at, cause, since, replaces) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING"
    );
    claim_fence::close(session).await?;
    let last = session.one(&LAST, args![]).await?.moment_or_none("at")?;
    let since = [last, new.since].into_iter().flatten().min().map(|at| at - MARGIN);
    if session.run(&BEGIN, args![now, new.cause.as_str(), since, new.replaces.clone()]).await? > 0 {
        begin_era(session, now).await?;
        tell(EventKind::QuarantineNoticed, Subject::All, Some(&new.cause), now);
    }
    Ok(())
}

/// The quarantine that holds, if any.
pub(crate) async fn current(session: &mut Session) -> Result<Option<QuarantineRow>, StoreError> {
    const READ: Sql = sql!(both columns!("WHERE lifted_at IS NULL"));
    session.row(&READ, args![]).await?.as_ref().map(quarantine).transpose()
}

/// The last quarantine that was lifted; 0 while there is none.
pub(crate) async fn last_lifted(session: &mut Session) -> Result<i64, StoreError> {
    const READ: Sql = sql!("SELECT coalesce(max(id), 0) AS id FROM quarantines WHERE lifted_at IS NOT NULL");
    session.one(&READ, args![]).await?.get("id")
}

/// All quarantines, oldest first.
pub(crate) async fn history(session: &mut Session) -> Result<Vec<QuarantineRow>, StoreError> {
    const READ: Sql = sql!(both columns!("ORDER BY id"));
    session.rows(&READ, args![]).await?.iter().map(quarantine).collect()
}

/// Lifts the quarantine; false when none holds. `past`: positions up to this one were seen by a
/// witness, and the database goes on behind them.
pub(crate) async fn lift(
    session: &mut Session,
    by: &str,
    reason: &str,
    past: i64,
    now: Moment,
) -> Result<bool, StoreError> {
    const LIFT: Sql =
        sql!("UPDATE quarantines SET lifted_at = $1, lifted_by = $2, reason = $3 WHERE lifted_at IS NULL");
    const BEHIND: Sql = sql!("UPDATE witness SET commits = $1 WHERE commits < $1");
    claim_fence::close(session).await?;
    session.run(&BEHIND, args![past]).await?;
    let lifted = session.run(&LIFT, args![now, by, reason]).await? == 1;
    if lifted {
        tell(EventKind::QuarantineLifted, Subject::All, Some(reason), now);
    }
    Ok(lifted)
}

/// Installations that an operator said this one follows.
pub(crate) async fn follows(session: &mut Session) -> Result<Vec<String>, StoreError> {
    const READ: Sql =
        sql!("SELECT replaces FROM quarantines WHERE replaces IS NOT NULL AND lifted_at IS NOT NULL ORDER BY id");
    session.rows(&READ, args![]).await?.iter().map(|row| row.get("replaces")).collect()
}

/// Keeps what a vendor was asked, and what came of it.
pub(crate) async fn keep_inquiry(session: &mut Session, id: i64, inquiry: &LaneInquiry) -> Result<(), StoreError> {
    const KEEP: Sql = sql!(
        "INSERT INTO quarantine_lanes (quarantine_id, lane, asked_at, listed, known, adopted, waiting, strange, trouble) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (quarantine_id, lane) DO UPDATE SET \
         asked_at = excluded.asked_at, listed = excluded.listed, known = excluded.known, \
         adopted = quarantine_lanes.adopted + excluded.adopted, waiting = excluded.waiting, strange = excluded.strange, \
         trouble = excluded.trouble"
    );
    let LaneInquiry { lane, asked_at, listed, known, adopted, waiting, strange, trouble } = inquiry.clone();
    session.run(&KEEP, args![id, lane, asked_at, listed, known, adopted, waiting, strange, trouble]).await?;
    Ok(())
}

/// What the vendors were asked in a quarantine, by lane.
pub(crate) async fn inquiries(session: &mut Session, id: i64) -> Result<Vec<LaneInquiry>, StoreError> {
    const READ: Sql = sql!(
        "SELECT lane, asked_at, listed, known, adopted, waiting, strange, trouble FROM quarantine_lanes \
         WHERE quarantine_id = $1 ORDER BY lane"
    );
    let rows = session.rows(&READ, args![id]).await?;
    rows.iter()
        .map(|row| {
            Ok(LaneInquiry {
                lane: row.get("lane")?,
                asked_at: row.moment("asked_at")?,
                listed: row.get("listed")?,
                known: row.get("known")?,
                adopted: row.get("adopted")?,
                waiting: row.get("waiting")?,
                strange: row.get("strange")?,
                trouble: row.get("trouble")?,
            })
        })
        .collect()
}

fn quarantine(row: &Row) -> Result<QuarantineRow, StoreError> {
    let lifted = match row.moment_or_none("lifted_at")? {
        Some(lifted_at) => Some(QuarantineEnd {
            lifted_at,
            lifted_by: row.get::<Option<String>>("lifted_by")?.unwrap_or_default(),
            reason: row.get::<Option<String>>("reason")?.unwrap_or_default(),
        }),
        None => None,
    };
    Ok(QuarantineRow {
        id: row.get("id")?,
        noticed_at: row.moment("noticed_at")?,
        cause: row.get("cause")?,
        since: row.moment_or_none("since")?,
        lifted,
    })
}
