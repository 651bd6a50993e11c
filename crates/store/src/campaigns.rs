//! Campaigns and their runs.

use ringfence_domain::{Campaign, CampaignId, CampaignState, LaneId, Moment, RunId};

use crate::StoreError;
use crate::session::{Row, Session, Sql, args, sql};

/// A campaign as applied.
#[derive(Debug, Clone)]
pub struct CampaignRow {
    /// Its id.
    pub id: CampaignId,
    /// The lane that it dials through.
    pub lane: LaneId,
    /// What it is doing.
    pub state: CampaignState,
    /// Why it is paused.
    pub reason: Option<String>,
    /// Grows with every change of its rules or state.
    pub revision: i64,
    /// Its rules.
    pub rules: Campaign,
    /// Its current run.
    pub run: RunId,
}

/// One pass of a campaign over its contacts.
#[derive(Debug, Clone)]
pub struct RunRow {
    /// Its id.
    pub id: RunId,
    /// Counted from 1 within the campaign.
    pub number: i64,
    /// The key that it was begun with.
    pub key: Option<String>,
    /// Whether a contact file is completely in.
    pub ready: bool,
    /// When it began.
    pub started_at: Moment,
    /// When its last call was sent.
    pub last_dial_at: Option<Moment>,
    /// The `run` command that follows it, if one lives.
    pub follower: Option<String>,
}

/// What applying a campaign changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It is new.
    Created,
    /// Its rules changed.
    Changed,
    /// It is as it was.
    Unchanged,
}

macro_rules! campaign_columns {
    ($json:literal, $after:literal) => {
        concat!(
            "SELECT id, lane_id, state, reason, revision, rules",
            $json,
            " AS rules, run_id FROM campaigns ",
            $after
        )
    };
}

/// Stores the rules under the campaign's name. The current run goes on under them from the next claim.
pub(crate) async fn apply(
    session: &mut Session,
    rules: &Campaign,
    lane: LaneId,
    now: Moment,
) -> Result<(Applied, CampaignRow), StoreError> {
    const INSERT: Sql = sql!(
        sqlite "INSERT INTO campaigns (name, lane_id, state, priority, revision, rules, created_at, changed_at) \
                VALUES ($1, $2, 'running', $3, 1, $4, $5, $5) RETURNING id",
        postgres "INSERT INTO campaigns (name, lane_id, state, priority, revision, rules, created_at, changed_at) \
                  VALUES ($1, $2, 'running', $3, 1, $4::jsonb, $5, $5) RETURNING id"
    );
    const RUN: Sql = sql!("INSERT INTO runs (campaign_id, number, started_at) VALUES ($1, 1, $2) RETURNING id");
    const CURRENT: Sql = sql!("UPDATE campaigns SET run_id = $2 WHERE id = $1");
    const CHANGE: Sql = sql!(
        sqlite "UPDATE campaigns SET lane_id = $2, priority = $3, rules = $4, changed_at = $5, revision = revision + 1 WHERE id = $1",
        postgres "UPDATE campaigns SET lane_id = $2, priority = $3, rules = $4::jsonb, changed_at = $5, revision = revision + 1 WHERE id = $1"
    );
    // Windows may open earlier than under the old rules: every bucket is looked at again.
    const BUCKETS: Sql =
        sql!("UPDATE buckets SET lane_id = $2, priority = $3, eligible_at = head_due WHERE campaign_id = $1");
    const LOCK_BUCKETS: Sql = sql!(
        sqlite "SELECT 1 WHERE $1 IS NOT NULL",
        postgres "SELECT id FROM buckets WHERE campaign_id = $1 ORDER BY id FOR UPDATE"
    );
    let json = serde_json::to_string(rules).expect("rules are always JSON");
    let priority = i64::from(rules.priority);
    let change = match find(session, &rules.name, Locked::Yes).await? {
        None => {
            let id: i64 =
                session.one(&INSERT, args![rules.name.as_str(), lane, priority, json, now]).await?.get("id")?;
            let run: i64 = session.one(&RUN, args![id, now]).await?.get("id")?;
            session.run(&CURRENT, args![id, run]).await?;
            Applied::Created
        }
        Some(known) if known.rules == *rules && known.lane == lane => Applied::Unchanged,
        Some(known) if known.lane != lane && has_live(session, &known).await? => {
            return Err(StoreError::LaneBusy { campaign: known.rules.name, lane: known.rules.provider });
        }
        Some(known) => {
            session.rows(&LOCK_BUCKETS, args![known.id]).await?;
            session.run(&CHANGE, args![known.id, lane, priority, json, now]).await?;
            session.run(&BUCKETS, args![known.id, lane, priority]).await?;
            Applied::Changed
        }
    };
    let row = find(session, &rules.name, Locked::No).await?.ok_or(StoreError::Refused(sqlx::Error::RowNotFound))?;
    Ok((change, row))
}

/// Whether calls of the campaign are still out on its lane.
async fn has_live(session: &mut Session, campaign: &CampaignRow) -> Result<bool, StoreError> {
    const LIVE: Sql = sql!("SELECT count(*) AS n FROM attempts WHERE lane_id = $1 AND live AND run_id = $2");
    Ok(session.one(&LIVE, args![campaign.lane, campaign.run]).await?.get::<i64>("n")? > 0)
}

/// Whether a row is locked against change until the transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Locked {
    Yes,
    No,
}

/// The campaign of this name.
pub(crate) async fn find(session: &mut Session, name: &str, locked: Locked) -> Result<Option<CampaignRow>, StoreError> {
    const READ: Sql = sql!(
        sqlite campaign_columns!("", "WHERE name = $1"),
        postgres campaign_columns!("::text", "WHERE name = $1")
    );
    const LOCK: Sql = sql!(
        sqlite campaign_columns!("", "WHERE name = $1"),
        postgres campaign_columns!("::text", "WHERE name = $1 FOR UPDATE")
    );
    let sql = if locked == Locked::Yes { &LOCK } else { &READ };
    session.row(sql, args![name]).await?.as_ref().map(campaign).transpose()
}

/// The campaign of this id.
pub(crate) async fn by_id(session: &mut Session, id: CampaignId) -> Result<CampaignRow, StoreError> {
    const READ: Sql = sql!(
        sqlite campaign_columns!("", "WHERE id = $1"),
        postgres campaign_columns!("::text", "WHERE id = $1")
    );
    campaign(&session.one(&READ, args![id]).await?)
}

/// All campaigns by name.
pub(crate) async fn list(session: &mut Session) -> Result<Vec<CampaignRow>, StoreError> {
    const LIST: Sql = sql!(
        sqlite campaign_columns!("", "ORDER BY name"),
        postgres campaign_columns!("::text", "ORDER BY name")
    );
    session.rows(&LIST, args![]).await?.iter().map(campaign).collect()
}

/// Pauses with a reason, or resumes. After it returns no claim of the campaign commits that had not seen it.
pub(crate) async fn hold(
    session: &mut Session,
    id: CampaignId,
    reason: Option<&str>,
    now: Moment,
) -> Result<(), StoreError> {
    const PAUSE: Sql = sql!(
        "UPDATE campaigns SET state = 'paused', reason = $2, changed_at = $3, revision = revision + 1 \
         WHERE id = $1 AND state = 'running'"
    );
    const RESUME: Sql = sql!(
        "UPDATE campaigns SET state = 'running', reason = NULL, changed_at = $2, revision = revision + 1 \
         WHERE id = $1 AND state = 'paused'"
    );
    match reason {
        Some(reason) => session.run(&PAUSE, args![id, reason, now]).await?,
        None => session.run(&RESUME, args![id, now]).await?,
    };
    Ok(())
}

/// One run.
pub(crate) async fn run(session: &mut Session, id: RunId) -> Result<RunRow, StoreError> {
    const READ: Sql = sql!("SELECT id, number, key, ready, started_at, last_dial_at, follower FROM runs WHERE id = $1");
    let row = session.one(&READ, args![id]).await?;
    Ok(RunRow {
        id,
        number: row.get("number")?,
        key: row.get("key")?,
        ready: row.get("ready")?,
        started_at: row.moment("started_at")?,
        last_dial_at: row.moment_or_none("last_dial_at")?,
        follower: row.get("follower")?,
    })
}

/// Makes this process the one that lives for the run. None, or the process that already does.
pub(crate) async fn follow(
    session: &mut Session,
    id: RunId,
    follower: &str,
    dead: Option<&str>,
    now: Moment,
    until: Moment,
) -> Result<Option<String>, StoreError> {
    const READ: Sql = sql!(
        sqlite "SELECT follower, follower_until FROM runs WHERE id = $1",
        postgres "SELECT follower, follower_until FROM runs WHERE id = $1 FOR UPDATE"
    );
    const WRITE: Sql = sql!("UPDATE runs SET follower = $2, follower_until = $3 WHERE id = $1");
    let row = session.one(&READ, args![id]).await?;
    let current: Option<String> = row.get("follower")?;
    if let Some(current) = current
        && current != follower
        && row.moment("follower_until")? > now
        && dead != Some(current.as_str())
    {
        return Ok(Some(current));
    }
    session.run(&WRITE, args![id, follower, until]).await?;
    Ok(None)
}

/// Stops living for the run.
pub(crate) async fn unfollow(session: &mut Session, id: RunId, follower: &str) -> Result<(), StoreError> {
    const WRITE: Sql = sql!("UPDATE runs SET follower = NULL, follower_until = 0 WHERE id = $1 AND follower = $2");
    session.run(&WRITE, args![id, follower]).await?;
    Ok(())
}

pub(crate) fn campaign(row: &Row) -> Result<CampaignRow, StoreError> {
    Ok(CampaignRow {
        id: CampaignId(row.get("id")?),
        lane: LaneId(row.get("lane_id")?),
        state: row.word("campaigns", "state")?,
        reason: row.get("reason")?,
        revision: row.get("revision")?,
        rules: row.json("campaigns", "rules")?,
        run: RunId(row.get("run_id")?),
    })
}
