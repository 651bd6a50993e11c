//! Lanes: their rows, and who may change them at the same time.

use ringfence_domain::lane::{LaneSettings, LimitLevels};
use ringfence_domain::{LaneId, LaneState, Moment, Span};

use crate::StoreError;
use crate::events::Teller;
use crate::session::{Arg, Row, Session, Sql, args, sql};

/// A lane as it stands.
#[derive(Debug, Clone)]
pub struct LaneRow {
    /// Its id.
    pub id: LaneId,
    /// What all processes go by.
    pub settings: LaneSettings,
    /// Whether it may dial.
    pub state: LaneState,
    /// Why it is paused.
    pub reason: Option<String>,
    /// Nothing is planned before this moment.
    pub backoff_until: Moment,
    /// Why it is slowed.
    pub backoff_reason: Option<String>,
    /// Requests in a row that failed without being refused.
    pub consecutive_failures: u32,
    /// Grows whenever the lane changes hands.
    pub epoch: i64,
    /// The process that dials it.
    pub owner: Option<String>,
    /// The process that dialled it last, until `lease_until`.
    pub last_owner: Option<String>,
    /// How much of its limits is used, as its owner last said.
    pub levels: LimitLevels,
    /// How long the owner may go on without renewing.
    pub lease_until: Moment,
    /// How long its calls usually take; none while too few are known.
    pub usual_call: Option<Span>,
    /// Until then its limits may have been used by an owner that did not say how much; the epoch's
    /// start when all is known.
    pub unsaid_until: Moment,
}

macro_rules! lane_columns {
    ($after:literal) => {
        concat!(
            "SELECT id, settings, state, reason, backoff_until, backoff_reason, consecutive_failures, epoch, owner, last_owner, limit_levels, ",
            "lease_until, usual_call_ms, unsaid_until FROM lanes ",
            $after
        )
    };
}

/// Makes the lane known. Settings of a lane that exists change only when it changes hands.
pub(crate) async fn register(
    session: &mut Session,
    settings: &LaneSettings,
    now: Moment,
) -> Result<LaneRow, StoreError> {
    const INSERT: Sql = sql!(
        "INSERT INTO lanes (name, kind, settings, state, changed_at) VALUES ($1, $2, $3, 'open', $4) ON CONFLICT DO NOTHING"
    );
    const READ: Sql = sql!(both lane_columns!("WHERE name = $1"));
    Teller::is_no_effect();
    session.run(&INSERT, args![settings.name.as_str(), settings.kind.as_str(), Arg::json(settings), now]).await?;
    lane(&session.one(&READ, args![settings.name.as_str()]).await?)
}

/// All lanes by name.
pub(crate) async fn list(session: &mut Session) -> Result<Vec<LaneRow>, StoreError> {
    const LIST: Sql = sql!(both lane_columns!("ORDER BY name"));
    session.rows(&LIST, args![]).await?.iter().map(lane).collect()
}

/// How a row is locked until the transaction ends. SQLite has one writer anyway.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Lock {
    /// Not at all.
    Read,
    /// Others may read it in their claims too.
    Share,
    /// Nobody else may.
    Update,
}

pub(crate) async fn lock(session: &mut Session, id: LaneId, how: Lock) -> Result<LaneRow, StoreError> {
    const READ: Sql = sql!(both lane_columns!("WHERE id = $1"));
    const SHARE: Sql = sql!(
        sqlite lane_columns!("WHERE id = $1"),
        // A renewal of the lease need not wait for claims, and claims follow on each other without a
        // gap; who changes anything else of a lane locks it for update.
        postgres lane_columns!("WHERE id = $1 FOR KEY SHARE")
    );
    const UPDATE: Sql = sql!(
        sqlite lane_columns!("WHERE id = $1"),
        postgres lane_columns!("WHERE id = $1 FOR UPDATE")
    );
    let sql = match how {
        Lock::Read => &READ,
        Lock::Share => &SHARE,
        Lock::Update => &UPDATE,
    };
    lane(&session.one(sql, args![id]).await?)
}

fn lane(row: &Row) -> Result<LaneRow, StoreError> {
    Ok(LaneRow {
        id: LaneId(row.get("id")?),
        settings: row.json("lanes", "settings")?,
        state: row.word("lanes", "state")?,
        reason: row.get("reason")?,
        backoff_until: row.moment("backoff_until")?,
        backoff_reason: row.get("backoff_reason")?,
        consecutive_failures: row.get::<i64>("consecutive_failures")? as u32,
        epoch: row.get("epoch")?,
        owner: row.get("owner")?,
        last_owner: row.get("last_owner")?,
        // What cannot be read is not known.
        levels: row.json_or_none("lanes", "limit_levels").ok().flatten().unwrap_or_default(),
        lease_until: row.moment("lease_until")?,
        usual_call: row.get::<Option<i64>>("usual_call_ms")?.map(Span::from_millis),
        unsaid_until: row.moment("unsaid_until")?,
    })
}
