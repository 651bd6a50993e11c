//! Campaigns: their rules and what holds them.

use ringfence_domain::{Campaign, CampaignId, CampaignState, ImportId, LaneId, Moment, PausedBy, RunId, StopReason};

use crate::session::{Arg, Row, Session, Sql, args, sql};
use crate::{StoreError, fence, lanes, runs, schedules};

/// A campaign as applied.
#[derive(Debug, Clone)]
pub struct CampaignRow {
    /// Its id.
    pub id: CampaignId,
    /// The lane that it dials through.
    pub lane: LaneId,
    /// What it is doing.
    pub state: CampaignState,
    /// On whose word it is paused.
    pub paused_by: Option<PausedBy>,
    /// Why it is paused.
    pub reason: Option<String>,
    /// Grows with every change of its rules, its state or its run.
    pub revision: i64,
    /// Its rules.
    pub rules: Campaign,
    /// Its current run.
    pub run: RunId,
}

/// What applying a campaign changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It is new.
    Created,
    /// Its rules changed, or a draft was started.
    Changed,
    /// It is as it was.
    Unchanged,
}

/// Whether an applied campaign may dial at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// A new one may, and one that was a draft.
    Running,
    /// A new one may not; one that runs goes on.
    Draft,
}

/// What came of resuming a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resumed {
    /// It may dial. These imports were held and are now accepted; they must be released.
    Running {
        /// The accepted imports.
        accepted: Vec<ImportId>,
    },
    /// A safety rail holds it, and nobody has accepted that.
    NeedsAccept {
        /// What the rail says.
        reason: String,
    },
}

macro_rules! campaign_columns {
    ($after:literal) => {
        concat!("SELECT id, lane_id, state, paused_by, reason, revision, rules, run_id FROM campaigns ", $after)
    };
}

/// Stores the rules under the campaign's name. The current run goes on under them from the next claim.
pub(crate) async fn apply(
    session: &mut Session,
    rules: &Campaign,
    lane: LaneId,
    begin: Begin,
    now: Moment,
) -> Result<(Applied, CampaignRow), StoreError> {
    const INSERT: Sql = sql!(
        sqlite "INSERT INTO campaigns (name, lane_id, state, paused_by, reason, priority, revision, rules, created_at, changed_at) \
                VALUES ($1, $2, $6, $7, $8, $3, 0, $4, $5, $5) RETURNING id",
        postgres "INSERT INTO campaigns (name, lane_id, state, paused_by, reason, priority, revision, rules, created_at, changed_at) \
                  VALUES ($1, $2, $6, $7, $8, $3, 0, $4, $5, $5) RETURNING id"
    );
    const CHANGE: Sql = sql!(
        "UPDATE campaigns SET lane_id = $2, priority = $3, rules = $4, changed_at = $5, revision = revision + 1 WHERE id = $1"
    );
    // Windows may open earlier than under the old rules: every bucket is looked at again.
    const BUCKETS: Sql =
        sql!("UPDATE buckets SET lane_id = $2, priority = $3, eligible_at = next_due_at WHERE campaign_id = $1");
    // The new rules are asked about everyone whom the old ones put off; that may be many, and happens in portions.
    const ASK_AGAIN: Sql = sql!("UPDATE campaigns SET uncap = revision WHERE id = $1");
    const LOCK_BUCKETS: Sql = sql!(
        sqlite "SELECT 1 WHERE $1 IS NOT NULL",
        postgres "SELECT id FROM buckets WHERE campaign_id = $1 ORDER BY id FOR UPDATE"
    );
    const MEND: Sql = sql!("UPDATE campaigns SET rules = $2, changed_at = $3 WHERE name = $1");
    fence::close(session).await?;
    let json = Arg::json(rules);
    let priority = i64::from(rules.priority);
    let (known, mended) = match find(session, &rules.name, Locked::Yes).await {
        // Rules that cannot be read are mended by those that can.
        Err(StoreError::Corrupt { column: "rules", .. }) => {
            session.run(&MEND, args![rules.name.as_str(), json.clone(), now]).await?;
            (find(session, &rules.name, Locked::Yes).await?, true)
        }
        known => (known?, false),
    };
    let change = match known {
        None => {
            let (state, by, reason) = match begin {
                Begin::Running => (CampaignState::Running, None, None),
                Begin::Draft => (CampaignState::Paused, Some(PausedBy::Draft.to_string()), Some(DRAFT.to_owned())),
            };
            let arguments = args![rules.name.as_str(), lane, priority, json, now, state.as_str(), by, reason];
            let id = CampaignId(session.one(&INSERT, arguments).await?.get("id")?);
            runs::first(session, id, now).await?;
            Applied::Created
        }
        Some(known) if known.state == CampaignState::Cancelled => {
            return Err(StoreError::Cancelled { campaign: known.rules.name });
        }
        Some(known) => {
            let changed = mended || known.rules != *rules || known.lane != lane;
            if rules.schedule.over_at(rules.calling.timezone).is_none_or(|over| over > now) {
                runs::reopen(session, known.run).await?;
            }
            if changed {
                if known.lane != lane && has_live(session, &known).await? {
                    return Err(StoreError::LaneBusy { campaign: known.rules.name, lane: known.rules.provider });
                }
                session.rows(&LOCK_BUCKETS, args![known.id]).await?;
                session.run(&CHANGE, args![known.id, lane, priority, json, now]).await?;
                if mended || known.rules.number_limits() != rules.number_limits() {
                    session.run(&ASK_AGAIN, args![known.id]).await?;
                }
                session.run(&BUCKETS, args![known.id, lane, priority]).await?;
            }
            let starts = begin == Begin::Running && known.paused_by == Some(PausedBy::Draft);
            if starts {
                go_on(session, known.id, now).await?;
            }
            if changed || starts { Applied::Changed } else { Applied::Unchanged }
        }
    };
    let row = find(session, &rules.name, Locked::No).await?.ok_or(StoreError::Refused(sqlx::Error::RowNotFound))?;
    if change != Applied::Unchanged {
        let zone = rules.own_zone(lanes::lock(session, lane, lanes::Lock::Read).await?.settings.timezone);
        schedules::plan(session, row.id, &rules.schedule, zone, now).await?;
    }
    Ok((change, row))
}

const DRAFT: &str = "a draft; nobody has started it";

/// Whether calls of the campaign are still out on its lane.
async fn has_live(session: &mut Session, campaign: &CampaignRow) -> Result<bool, StoreError> {
    const LIVE: Sql = sql!(
        "SELECT count(*) AS n FROM attempts a JOIN runs r ON r.id = a.run_id WHERE a.lane_id = $1 AND a.live AND r.campaign_id = $2"
    );
    Ok(session.one(&LIVE, args![campaign.lane, campaign.id]).await?.get::<i64>("n")? > 0)
}

/// Whether a row is locked against change until the transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Locked {
    Yes,
    No,
}

/// The campaign of this name.
pub(crate) async fn find(session: &mut Session, name: &str, locked: Locked) -> Result<Option<CampaignRow>, StoreError> {
    const READ: Sql = sql!(both campaign_columns!("WHERE name = $1"));
    const LOCK: Sql = sql!(
        sqlite campaign_columns!("WHERE name = $1"),
        postgres campaign_columns!("WHERE name = $1 FOR UPDATE")
    );
    let sql = if locked == Locked::Yes { &LOCK } else { &READ };
    session.row(sql, args![name]).await?.as_ref().map(campaign).transpose()
}

/// The campaign of this id.
pub(crate) async fn by_id(session: &mut Session, id: CampaignId, locked: Locked) -> Result<CampaignRow, StoreError> {
    const READ: Sql = sql!(both campaign_columns!("WHERE id = $1"));
    const LOCK: Sql = sql!(
        sqlite campaign_columns!("WHERE id = $1"),
        postgres campaign_columns!("WHERE id = $1 FOR UPDATE")
    );
    let sql = if locked == Locked::Yes { &LOCK } else { &READ };
    campaign(&session.one(sql, args![id]).await?)
}

/// All campaigns by name.
pub(crate) async fn list(session: &mut Session) -> Result<Vec<CampaignRow>, StoreError> {
    const LIST: Sql = sql!(both campaign_columns!("ORDER BY name"));
    let rows = session.rows(&LIST, args![]).await?;
    rows.iter().map(campaign).filter(|row| !matches!(row, Err(StoreError::Corrupt { .. }))).collect()
}

/// Campaigns whose rules cannot be read, by name, and why.
pub(crate) async fn unreadable(session: &mut Session) -> Result<Vec<(String, StoreError)>, StoreError> {
    const LIST: Sql = sql!(
        sqlite "SELECT id, name, lane_id, state, paused_by, reason, revision, rules, run_id FROM campaigns ORDER BY name",
        postgres "SELECT id, name, lane_id, state, paused_by, reason, revision, rules, run_id FROM campaigns \
                  ORDER BY name"
    );
    let rows = session.rows(&LIST, args![]).await?;
    let named = rows.iter().filter_map(|row| Some((row.get("name"), campaign(row).err()?)));
    named.map(|(name, error)| Ok((name?, error))).collect()
}

/// The campaigns of a lane, also those whose rules cannot be read.
pub(crate) async fn of_lane(session: &mut Session, lane: LaneId) -> Result<Vec<CampaignId>, StoreError> {
    const LIST: Sql = sql!("SELECT id FROM campaigns WHERE lane_id = $1 ORDER BY id");
    session.rows(&LIST, args![lane]).await?.iter().map(|row| row.get("id").map(CampaignId)).collect()
}

/// Pauses. After it returns no claim of the campaign commits that had not seen it. A pause on a stronger word takes the place of a
/// weaker one: a draft that a person pauses is not started by a run, and what a rail says is accepted, not only resumed.
pub(crate) async fn pause(
    session: &mut Session,
    id: CampaignId,
    by: PausedBy,
    reason: &str,
    now: Moment,
) -> Result<(), StoreError> {
    const PAUSE: Sql = sql!(
        "UPDATE campaigns SET state = 'paused', paused_by = $2, reason = $3, changed_at = $4, revision = revision + 1 \
         WHERE id = $1 AND (state = 'running' OR (state = 'paused' AND ((paused_by = 'draft' AND $2 <> 'draft') \
         OR (paused_by = 'person' AND $2 = 'safety'))))"
    );
    fence::close(session).await?;
    if session.run(&PAUSE, args![id, by.as_str(), reason, now]).await? == 0 {
        const STATE: Sql = sql!("SELECT id, name, state FROM campaigns WHERE id = $1");
        let row = session.one(&STATE, args![id]).await?;
        if row.word::<CampaignState>("campaigns", "state")? == CampaignState::Cancelled {
            return Err(StoreError::Cancelled { campaign: row.get("name")? });
        }
    }
    Ok(())
}

/// Lets the campaign dial again. What a safety rail holds goes on only when a person accepts it.
pub(crate) async fn resume(
    session: &mut Session,
    id: CampaignId,
    accept: bool,
    now: Moment,
) -> Result<Resumed, StoreError> {
    // Only the newest file: an older one that is still held was overtaken, and may have been the wrong list.
    const ACCEPT: Sql = sql!(
        "UPDATE imports SET accepted_at = $2 WHERE run_id = $1 AND state IN ('held', 'canary') \
         AND id = (SELECT max(n.id) FROM imports n WHERE n.run_id = $1 AND n.state <> 'undone') RETURNING id"
    );
    const HELD: Sql = sql!(
        "SELECT held_for FROM imports WHERE run_id = $1 AND state = 'held' \
         AND id = (SELECT max(n.id) FROM imports n WHERE n.run_id = $1 AND n.state <> 'undone')"
    );
    let known = by_id(session, id, Locked::Yes).await?;
    if known.state == CampaignState::Cancelled {
        return Err(StoreError::Cancelled { campaign: known.rules.name });
    }
    if !accept && known.paused_by == Some(PausedBy::Safety) {
        return Ok(Resumed::NeedsAccept { reason: known.reason.unwrap_or_default() });
    }
    if !accept && known.state == CampaignState::Running {
        let held = session.row(&HELD, args![known.run]).await?;
        if let Some(held) = held {
            return Ok(Resumed::NeedsAccept { reason: held.get("held_for")? });
        }
    }
    let mut accepted = Vec::new();
    if accept {
        runs::forget_recent(session, known.run).await?;
        for row in session.rows(&ACCEPT, args![known.run, now]).await? {
            accepted.push(ImportId(row.get("id")?));
        }
        accepted.sort_unstable();
    }
    go_on(session, id, now).await?;
    Ok(Resumed::Running { accepted })
}

async fn go_on(session: &mut Session, id: CampaignId, now: Moment) -> Result<(), StoreError> {
    const RESUME: Sql = sql!(
        "UPDATE campaigns SET state = 'running', paused_by = NULL, reason = NULL, changed_at = $2, revision = revision + 1 \
         WHERE id = $1 AND state = 'paused'"
    );
    session.run(&RESUME, args![id, now]).await?;
    Ok(())
}

/// Ends the campaign for good: nobody waits in it any more, and no schedule begins it.
pub(crate) async fn cancel(
    session: &mut Session,
    id: CampaignId,
    reason: &str,
    now: Moment,
) -> Result<RunId, StoreError> {
    const CANCEL: Sql = sql!(
        "UPDATE campaigns SET state = 'cancelled', paused_by = NULL, reason = $2, changed_at = $3, revision = revision + 1 \
         WHERE id = $1 AND state <> 'cancelled'"
    );
    fence::close(session).await?;
    let known = by_id(session, id, Locked::Yes).await?;
    session.run(&CANCEL, args![id, reason, now]).await?;
    runs::close(session, known.run, StopReason::Cancelled).await?;
    schedules::forget(session, id).await?;
    Ok(known.run)
}

pub(crate) fn campaign(row: &Row) -> Result<CampaignRow, StoreError> {
    let by: Option<String> = row.get("paused_by")?;
    Ok(CampaignRow {
        id: CampaignId(row.get("id")?),
        lane: LaneId(row.get("lane_id")?),
        state: row.word("campaigns", "state")?,
        paused_by: by.map(|_| row.word("campaigns", "paused_by")).transpose()?,
        reason: row.get("reason")?,
        revision: row.get("revision")?,
        rules: row.json("campaigns", "rules")?,
        run: RunId(row.get("run_id")?),
    })
}
