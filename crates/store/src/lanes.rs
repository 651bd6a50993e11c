//! Lanes: who owns them, and what holds or slows them.

use ringfence_domain::lane::{LaneSettings, Spent};
use ringfence_domain::{LaneId, LaneState, Moment, Span};

use crate::session::{Arg, Row, Session, Sql, args, sql};
use crate::{StoreError, fence};

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
    /// How long the owner may go on without renewing.
    pub lease_until: Moment,
    /// How long its calls usually take; none while too few are known.
    pub usual_call: Option<Span>,
    /// Until then its limits may have been used by an owner that did not say how much; the epoch's start when all is known.
    pub unsaid_until: Moment,
}

/// A process that wants to own lanes.
#[derive(Debug, Clone)]
pub struct Owner {
    /// Its name.
    pub name: String,
    /// How long it owns a lane without renewing.
    pub lease: Span,
}

/// What came of asking for a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakeOver {
    /// It is ours, under this epoch.
    Ours {
        /// The epoch.
        epoch: i64,
        /// The last moment at which someone else may have used it.
        used_until: Moment,
        /// What the last owner had used of these limits, if it gave the lane back in good order.
        spent: Option<Spent>,
    },
    /// Another process has it.
    Theirs {
        /// Which.
        owner: String,
        /// Until when, if it does not renew.
        lease_until: Moment,
    },
    /// Its owner may be alive and goes by other settings than ours: two limits for one account would be none.
    OtherSettings {
        /// Which process.
        owner: String,
    },
}

macro_rules! lane_columns {
    ($after:literal) => {
        concat!(
            "SELECT id, settings, state, reason, backoff_until, backoff_reason, consecutive_failures, epoch, owner, ",
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
    session.run(&INSERT, args![settings.name.as_str(), settings.kind.as_str(), Arg::json(settings), now]).await?;
    lane(&session.one(&READ, args![settings.name.as_str()]).await?)
}

/// Takes a lane that nobody owns, whose owner's lease ran out, or whose owner is known to be dead.
pub(crate) async fn take(
    session: &mut Session,
    id: LaneId,
    settings: &LaneSettings,
    owner: &Owner,
    dead: Option<&str>,
    now: Moment,
) -> Result<TakeOver, StoreError> {
    const TAKE: Sql = sql!(
        "UPDATE lanes SET owner = $2, backoff_until = CASE WHEN lease_until > $5 THEN backoff_until - (lease_until - $3) \
         ELSE backoff_until END, lease_until = $3, epoch = epoch + 1, settings = $4, limit_usage = NULL, \
         unsaid_until = $6 WHERE id = $1"
    );
    const SPENT: Sql = sql!("SELECT limit_usage FROM lanes WHERE id = $1");
    const LOCK_BUCKETS: Sql = sql!(
        sqlite "SELECT 1 WHERE $1 IS NOT NULL",
        postgres "SELECT id FROM buckets WHERE lane_id = $1 ORDER BY id FOR UPDATE"
    );
    const AWAKE: Sql = sql!("UPDATE buckets SET eligible_at = next_due_at WHERE lane_id = $1");
    let lane = lock(session, id, Lock::Update).await?;
    if let Some(current) = &lane.owner
        && current != &owner.name
        && lane.lease_until > now
        && dead != Some(current.as_str())
    {
        return Ok(if lane.settings == *settings {
            TakeOver::Theirs { owner: current.clone(), lease_until: lane.lease_until }
        } else {
            TakeOver::OtherSettings { owner: current.clone() }
        });
    }
    let spent: Option<Spent> =
        session.one(&SPENT, args![id]).await?.json_or_none("lanes", "limit_usage").unwrap_or_default();
    // What cannot be read is as if it had not been said.
    let until = now + owner.lease;
    let spent = spent.filter(|spent| lane.owner.is_none() && spent.limits == settings.limits);
    let used_until = lane.lease_until.min(now);
    let unsaid_until = if spent.is_some() { Moment::default() } else { used_until };
    let arguments = args![id, owner.name.as_str(), until, Arg::json(settings), until + SET_BACK, unsaid_until];
    session.run(&TAKE, arguments).await?;
    if lane.settings.vendor_hours() != settings.vendor_hours() {
        // Its hours may open earlier than those that buckets sleep by.
        session.rows(&LOCK_BUCKETS, args![id]).await?;
        session.run(&AWAKE, args![id]).await?;
    }
    Ok(TakeOver::Ours { epoch: lane.epoch + 1, used_until, spent })
}

/// Extends the lease. False when the lane is no longer ours. Where the lease already lasts longer, the clock was set back, and
/// the end of the lane's rest, over or not, is set back with it.
pub(crate) async fn renew(session: &mut Session, id: LaneId, epoch: i64, until: Moment) -> Result<bool, StoreError> {
    const RENEW: Sql = sql!(
        "UPDATE lanes SET backoff_until = CASE WHEN lease_until > $4 \
         THEN backoff_until - (lease_until - $3) ELSE backoff_until END, lease_until = $3 \
         WHERE id = $1 AND epoch = $2 AND owner IS NOT NULL"
    );
    Ok(session.run(&RENEW, args![id, epoch, until, until + SET_BACK]).await? == 1)
}

/// A clock that is corrected by less is not taken for one that was set back.
const SET_BACK: Span = Span::from_secs(5);

/// Gives the lane back, if it is still ours, with what was used of its limits.
pub(crate) async fn release(
    session: &mut Session,
    id: LaneId,
    epoch: i64,
    spent: Option<&Spent>,
    now: Moment,
) -> Result<(), StoreError> {
    const RELEASE: Sql =
        sql!("UPDATE lanes SET owner = NULL, lease_until = $3, limit_usage = $4 WHERE id = $1 AND epoch = $2");
    let spent = spent.map_or(Arg::Json(None), Arg::json);
    session.run(&RELEASE, args![id, epoch, now, spent]).await?;
    Ok(())
}

/// Pauses or resumes. After it returns no claim on the lane commits that had not seen it.
pub(crate) async fn hold(
    session: &mut Session,
    id: LaneId,
    reason: Option<&str>,
    now: Moment,
) -> Result<(), StoreError> {
    const PAUSE: Sql =
        sql!("UPDATE lanes SET state = 'paused', reason = $2, changed_at = $3 WHERE id = $1 AND state = 'open'");
    const RESUME: Sql = sql!(
        "UPDATE lanes SET state = 'open', reason = NULL, changed_at = $2, backoff_until = 0, backoff_reason = NULL, \
         consecutive_failures = 0, refused_for_now = NULL WHERE id = $1"
    );
    match reason {
        Some(reason) => session.run(&PAUSE, args![id, reason, now]).await?,
        None => session.run(&RESUME, args![id, now]).await?,
    };
    Ok(())
}

/// Pauses on a person's word.
pub(crate) async fn pause(session: &mut Session, id: LaneId, reason: &str, now: Moment) -> Result<(), StoreError> {
    fence::close(session).await?;
    hold(session, id, Some(reason), now).await
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
        postgres lane_columns!("WHERE id = $1 FOR SHARE")
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

/// Calls that the lane made on a day of its own calendar.
pub(crate) async fn calls_on(session: &mut Session, id: LaneId, day: &str) -> Result<u32, StoreError> {
    const READ: Sql = sql!("SELECT calls FROM lane_days WHERE lane_id = $1 AND day = $2");
    let row = session.row(&READ, args![id, day]).await?;
    row.map_or(Ok(0), |row| Ok(row.get::<i64>("calls")? as u32))
}

/// Adds to, or takes from, the calls of a day.
pub(crate) async fn count_calls(session: &mut Session, id: LaneId, day: &str, delta: i64) -> Result<(), StoreError> {
    const ADD: Sql = sql!(
        "INSERT INTO lane_days (lane_id, day, calls) VALUES ($1, $2, $3) \
         ON CONFLICT (lane_id, day) DO UPDATE SET calls = lane_days.calls + excluded.calls"
    );
    const TAKE: Sql =
        sql!("UPDATE lane_days SET calls = calls + $3 WHERE lane_id = $1 AND day = $2 AND calls + $3 >= 0");
    session.run(if delta < 0 { &TAKE } else { &ADD }, args![id, day, delta]).await?;
    Ok(())
}

/// The day of the lane's calendar that `now` is on.
pub(crate) fn day_of(settings: &LaneSettings, now: Moment) -> String {
    now.date(settings.timezone).to_string()
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
        lease_until: row.moment("lease_until")?,
        usual_call: row.get::<Option<i64>>("usual_call_ms")?.map(Span::from_millis),
        unsaid_until: row.moment("unsaid_until")?,
    })
}
