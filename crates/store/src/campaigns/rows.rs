//! Campaigns: their rows.

use ringfence_domain::{Campaign, CampaignId, CampaignState, LaneId, PausedBy, RunId};

use crate::StoreError;
use crate::session::{Arg, Row, Session, Sql, args, sql};

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

macro_rules! campaign_columns {
    ($after:literal) => {
        concat!("SELECT id, lane_id, state, paused_by, reason, revision, rules, run_id FROM campaigns ", $after)
    };
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

/// The campaigns whose current runs these are, by name; those whose rules cannot be read are left
/// out.
pub(crate) async fn of_runs(
    session: &mut Session,
    runs: impl Iterator<Item = RunId>,
) -> Result<Vec<CampaignRow>, StoreError> {
    const LIST: Sql = sql!(campaign_columns!("WHERE run_id") ids "ORDER BY name");
    let rows = session.rows(&LIST, args![Arg::ids(runs.map(|id| id.0))]).await?;
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
