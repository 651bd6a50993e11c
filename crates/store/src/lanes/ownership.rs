//! Who owns a lane: one process at a time, for the length of a lease.

use ringfence_domain::event::EventKind;
use ringfence_domain::lane::{LaneSettings, LimitLevels, LimitUsage};
use ringfence_domain::{LaneId, Moment, Span};

use super::rows::{Lock, lock};
use crate::StoreError;
use crate::events::{Subject, tell};
use crate::session::{Arg, Session, Sql, args, sql};

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
pub enum Acquired {
    /// It is ours, under this epoch.
    Ours {
        /// The epoch.
        epoch: i64,
        /// The last moment at which someone else may have used it.
        used_until: Moment,
        /// What the last owner had used of these limits, if it gave the lane back in good order.
        spent: Option<LimitUsage>,
    },
    /// Another process has it.
    Theirs {
        /// Which.
        owner: String,
        /// Until when, if it does not renew.
        lease_until: Moment,
    },
    /// Its owner may be alive and goes by other settings than ours: two limits for one account
    /// would be none.
    OtherSettings {
        /// Which process.
        owner: String,
    },
}

/// Takes a lane that nobody owns, whose owner's lease ran out, or whose owner is known to be dead.
pub(crate) async fn acquire(
    session: &mut Session,
    id: LaneId,
    settings: &LaneSettings,
    owner: &Owner,
    dead: Option<&str>,
    now: Moment,
) -> Result<Acquired, StoreError> {
    const TAKE: Sql = sql!(
        "UPDATE lanes SET owner = $2, last_owner = $2, backoff_until = CASE WHEN lease_until > $5 THEN backoff_until - (lease_until - $3) \
         ELSE backoff_until END, lease_until = $3, epoch = epoch + 1, settings = $4, limit_usage = NULL, limit_levels = NULL, \
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
            Acquired::Theirs { owner: current.clone(), lease_until: lane.lease_until }
        } else {
            Acquired::OtherSettings { owner: current.clone() }
        });
    }
    let spent: Option<LimitUsage> =
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
    tell(EventKind::LaneTaken, Subject::Lane(id), None, now);
    Ok(Acquired::Ours { epoch: lane.epoch + 1, used_until, spent })
}

/// Extends the lease, and notes how much of the limits is used. False when the lane is no longer
/// ours. Where the lease already lasts longer,
/// the clock was set back, and the end of the lane's rest, over or not, is set back with it.
pub(crate) async fn renew(
    session: &mut Session,
    id: LaneId,
    epoch: i64,
    until: Moment,
    levels: &LimitLevels,
) -> Result<bool, StoreError> {
    const RENEW: Sql = sql!(
        "UPDATE lanes SET backoff_until = CASE WHEN lease_until > $4 \
         THEN backoff_until - (lease_until - $3) ELSE backoff_until END, lease_until = $3, limit_levels = $5 \
         WHERE id = $1 AND epoch = $2 AND owner IS NOT NULL"
    );
    Ok(session.run(&RENEW, args![id, epoch, until, until + SET_BACK, Arg::json(levels)]).await? == 1)
}

/// A clock that is corrected by less is not taken for one that was set back.
const SET_BACK: Span = Span::from_secs(5);

/// Gives the lane back, if it is still ours, with what was used of its limits.
pub(crate) async fn release(
    session: &mut Session,
    id: LaneId,
    epoch: i64,
    spent: Option<&LimitUsage>,
    now: Moment,
) -> Result<(), StoreError> {
    const RELEASE: Sql =
        sql!("UPDATE lanes SET owner = NULL, lease_until = $3, limit_usage = $4 WHERE id = $1 AND epoch = $2");
    let spent = spent.map_or(Arg::Json(None), Arg::json);
    if session.run(&RELEASE, args![id, epoch, now, spent]).await? > 0 {
        tell(EventKind::LaneGivenBack, Subject::Lane(id), None, now);
    }
    Ok(())
}
