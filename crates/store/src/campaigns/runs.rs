//! Runs: one pass of a campaign over its contacts each.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ringfence_domain::event::EventKind;
use ringfence_domain::safety::OutcomeWindow;
use ringfence_domain::{Campaign, CampaignId, Moment, RunId, StopReason};

use super::recent_failures::recent;
use super::rows::Locked;
use crate::events::{Subject, tell};
use crate::session::{Arg, Row, Session, Sql, args, claim_fence, sql};
use crate::{StoreError, campaigns};

/// One pass of a campaign over its contacts.
#[derive(Debug, Clone)]
pub struct RunRow {
    /// Its id.
    pub id: RunId,
    /// Its campaign.
    pub campaign: CampaignId,
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
    /// When its last contact was finished, once that was told.
    pub finished_at: Option<Moment>,
    /// The `run` command that follows it, if one lives.
    pub leader: Option<String>,
    /// Why its contacts do not wait any more.
    pub closed_for: Option<StopReason>,
    /// Since when its people are erased.
    pub erased_at: Option<Moment>,
    /// How its last calls ended.
    pub recent: OutcomeWindow,
}

macro_rules! run_columns {
    ($after:literal) => {
        concat!(
            "SELECT id, campaign_id, number, key, ready, started_at, last_dial_at, finished_at, leader, closed_for, erased_at, outcome_window FROM runs ",
            $after
        )
    };
}

/// One run.
pub(crate) async fn by_id(session: &mut Session, id: RunId) -> Result<RunRow, StoreError> {
    const READ: Sql = sql!(both run_columns!("WHERE id = $1"));
    run(&session.one(&READ, args![id]).await?)
}

/// Runs, by id.
pub(crate) async fn by_ids(session: &mut Session, ids: &[RunId]) -> Result<HashMap<RunId, RunRow>, StoreError> {
    const READ: Sql = sql!(run_columns!("WHERE id") ids "");
    let rows = session.rows(&READ, args![Arg::ids(ids.iter().map(|id| id.0))]).await?;
    rows.iter().map(|row| run(row).map(|run| (run.id, run))).collect()
}

/// All runs of a campaign, the first one first.
pub(crate) async fn of_campaign(session: &mut Session, campaign: CampaignId) -> Result<Vec<RunRow>, StoreError> {
    const READ: Sql = sql!(both run_columns!("WHERE campaign_id = $1 ORDER BY number"));
    session.rows(&READ, args![campaign]).await?.iter().map(run).collect()
}

/// The names of the campaigns of these runs, and the numbers of the runs.
pub(crate) async fn names(session: &mut Session, ids: &[RunId]) -> Result<BTreeMap<RunId, (String, i64)>, StoreError> {
    const READ: Sql =
        sql!("SELECT r.id, c.name, r.number FROM runs r JOIN campaigns c ON c.id = r.campaign_id WHERE r.id" ids "");
    let rows = session.rows(&READ, args![Arg::ids(ids.iter().map(|id| id.0))]).await?;
    rows.iter().map(|row| Ok((RunId(row.get("id")?), (row.get("name")?, row.get("number")?)))).collect()
}

/// The counts of a run, by their names.
pub(crate) async fn counts(session: &mut Session, id: RunId) -> Result<BTreeMap<String, i64>, StoreError> {
    const READ: Sql = sql!("SELECT name, CAST(sum(n) AS BIGINT) AS n FROM run_counts WHERE run_id = $1 GROUP BY name");
    session.rows(&READ, args![id]).await?.iter().map(|row| Ok((row.get("name")?, row.get("n")?))).collect()
}

/// The run of a campaign that was begun with this key.
pub(crate) async fn by_key(session: &mut Session, id: CampaignId, key: &str) -> Result<Option<RunRow>, StoreError> {
    const READ: Sql = sql!(both run_columns!("WHERE campaign_id = $1 AND key = $2"));
    session.row(&READ, args![id, key]).await?.as_ref().map(run).transpose()
}

/// The first run of a new campaign.
pub(crate) async fn first(session: &mut Session, campaign: CampaignId, now: Moment) -> Result<RunId, StoreError> {
    insert(session, campaign, 1, None, now).await
}

/// A fresh run over everyone: the old one's contacts wait no more. A key that began a run before
/// begins none again.
pub(crate) async fn begin(
    session: &mut Session,
    campaign: CampaignId,
    key: &str,
    now: Moment,
) -> Result<(RunRow, bool), StoreError> {
    const LOCK: Sql = sql!(
        sqlite "SELECT run_id FROM campaigns WHERE id = $1",
        postgres "SELECT run_id FROM campaigns WHERE id = $1 FOR UPDATE"
    );
    const LAST: Sql = sql!("SELECT max(number) AS number FROM runs WHERE campaign_id = $1");
    claim_fence::close(session).await?;
    let current = RunId(session.one(&LOCK, args![campaign]).await?.get("run_id")?);
    if let Some(known) = by_key(session, campaign, key).await? {
        return Ok((known, false));
    }
    close(session, current, StopReason::Superseded).await?;
    let number: i64 = session.one(&LAST, args![campaign]).await?.get("number")?;
    let id = insert(session, campaign, number + 1, Some(key), now).await?;
    tell(EventKind::RunBegan, Subject::Run(id), Some(&format!("run {}, {key}", number + 1)), now);
    Ok((by_id(session, id).await?, true))
}

/// Makes a run the campaign's current one. Attempts that were planned before are planned again.
async fn insert(
    session: &mut Session,
    campaign: CampaignId,
    number: i64,
    key: Option<&str>,
    now: Moment,
) -> Result<RunId, StoreError> {
    const INSERT: Sql =
        sql!("INSERT INTO runs (campaign_id, number, key, started_at) VALUES ($1, $2, $3, $4) RETURNING id");
    const CURRENT: Sql = sql!("UPDATE campaigns SET run_id = $2, revision = revision + 1 WHERE id = $1");
    let row = session.one(&INSERT, args![campaign, number, key.map(str::to_owned), now]).await?;
    let id = RunId(row.get("id")?);
    session.run(&CURRENT, args![campaign, id]).await?;
    Ok(id)
}

/// From now on no contact of the run goes back to waiting. Those that wait are stopped page by
/// page.
pub(crate) async fn close(session: &mut Session, id: RunId, reason: StopReason) -> Result<(), StoreError> {
    const CLOSE: Sql = sql!("UPDATE runs SET closed_for = $2 WHERE id = $1 AND closed_for IS NULL");
    session.run(&CLOSE, args![id, reason.as_str()]).await?;
    Ok(())
}

/// Closes a campaign's run because its last day is over. Rules that were applied since may know
/// more days.
pub(crate) async fn end(
    session: &mut Session,
    campaign: CampaignId,
    revision: i64,
    now: Moment,
) -> Result<(), StoreError> {
    let known = campaigns::rows::by_id(session, campaign, Locked::Yes).await?;
    if known.revision == revision {
        close(session, known.run, StopReason::CampaignEnded).await?;
        tell(EventKind::RunClosed, Subject::Run(known.run), Some("its last day is over"), now);
    }
    Ok(())
}

/// A run that was closed because its campaign's last day was over goes on when there are more days.
pub(crate) async fn reopen(session: &mut Session, id: RunId) -> Result<(), StoreError> {
    const REOPEN: Sql =
        sql!("UPDATE runs SET closed_for = NULL WHERE id = $1 AND closed_for = 'campaign_ended' AND erased_at IS NULL");
    session.run(&REOPEN, args![id]).await?;
    Ok(())
}

/// Closed runs of a lane in which somebody waits all the same.
pub(crate) async fn closed_with_waiting(
    session: &mut Session,
    lane: ringfence_domain::LaneId,
) -> Result<Vec<(RunId, StopReason)>, StoreError> {
    const LIST: Sql = sql!(
        "SELECT DISTINCT r.id, r.closed_for FROM buckets b JOIN runs r ON r.id = b.run_id \
         WHERE b.lane_id = $1 AND b.waiting > 0 AND r.closed_for IS NOT NULL ORDER BY r.id"
    );
    let rows = session.rows(&LIST, args![lane]).await?;
    rows.iter().map(|row| Ok((RunId(row.get("id")?), row.word("runs", "closed_for")?))).collect()
}

/// The present rules of the campaigns that these runs belong to, as far as they can be read.
pub(crate) async fn rules(
    session: &mut Session,
    runs: impl Iterator<Item = RunId>,
) -> Result<BTreeMap<RunId, Campaign>, StoreError> {
    const READ: Sql = sql!("SELECT c.id, c.rules FROM campaigns c JOIN runs r ON r.campaign_id = c.id WHERE r.id = $1");
    let mut rules = BTreeMap::new();
    for run in runs.collect::<BTreeSet<_>>() {
        match session.one(&READ, args![run]).await?.json("campaigns", "rules") {
            Err(StoreError::Corrupt { .. }) => {}
            known => drop(rules.insert(run, known?)),
        }
    }
    Ok(rules)
}

fn run(row: &Row) -> Result<RunRow, StoreError> {
    let closed: Option<String> = row.get("closed_for")?;
    Ok(RunRow {
        id: RunId(row.get("id")?),
        campaign: CampaignId(row.get("campaign_id")?),
        number: row.get("number")?,
        key: row.get("key")?,
        ready: row.get("ready")?,
        started_at: row.moment("started_at")?,
        last_dial_at: row.moment_or_none("last_dial_at")?,
        finished_at: row.moment_or_none("finished_at")?,
        leader: row.get("leader")?,
        closed_for: closed.map(|_| row.word("runs", "closed_for")).transpose()?,
        erased_at: row.moment_or_none("erased_at")?,
        recent: recent(row)?,
    })
}

// A contact changes when it is finished: the last one is among the last to have changed.
pub(crate) const LAST_FINISHED: Sql = sql!(
    "SELECT max(newest.finished_at) AS at FROM (SELECT finished_at FROM contacts WHERE run_id = $1 \
     ORDER BY change_number DESC, id DESC LIMIT 1000) AS newest"
);

/// When the last of the contacts was finished that changed last.
pub(crate) async fn last_finished(session: &mut Session, run: RunId) -> Result<Option<Moment>, StoreError> {
    session.one(&LAST_FINISHED, args![run]).await?.moment_or_none("at")
}

/// Notes that a run is finished, or stands still, or that it is so no more. Only the first note
/// tells it.
pub(crate) async fn note(
    session: &mut Session,
    run: RunId,
    (kind, holds): (EventKind, bool),
    cause: Option<&str>,
    now: Moment,
) -> Result<(), StoreError> {
    const UNTOLD: Sql = sql!("SELECT 1 AS n FROM runs WHERE id = $1 AND finished_at IS NULL");
    const FINISHED: Sql = sql!("UPDATE runs SET finished_at = $2 WHERE id = $1 AND finished_at IS NULL");
    const GOES_ON: Sql = sql!("UPDATE runs SET finished_at = NULL WHERE id = $1 AND finished_at IS NOT NULL");
    const STALLED: Sql = sql!("UPDATE runs SET told_stalled = $2 WHERE id = $1 AND told_stalled <> $2");
    let noted = match kind {
        EventKind::CampaignFinished if holds && session.row(&UNTOLD, args![run]).await?.is_none() => 0,
        EventKind::CampaignFinished if holds => {
            let at = last_finished(session, run).await?.unwrap_or(now);
            session.run(&FINISHED, args![run, at]).await?
        }
        EventKind::CampaignFinished => session.run(&GOES_ON, args![run]).await?,
        _ => session.run(&STALLED, args![run, holds]).await?,
    };
    if noted > 0 && holds {
        tell(kind, Subject::Run(run), cause, now);
    }
    Ok(())
}
