//! Scheduled moments: remembered over restarts, and worked at by one process each.

use ringfence_domain::event::EventKind;
use ringfence_domain::schedule::Schedule;
use ringfence_domain::{CampaignId, Moment, Zone};

use crate::StoreError;
use crate::events::{Subject, tell};
use crate::session::{Row, Session, Sql, args, sql};

/// When a campaign begins by itself.
#[derive(Debug, Clone)]
pub struct ScheduleRow {
    /// The campaign.
    pub campaign: CampaignId,
    /// Whose clocks its cron line is read on.
    pub zone: Zone,
    /// The next moment; none when no more come.
    pub next_at: Option<Moment>,
    /// The process that works at the moment.
    pub worker: Option<String>,
    /// The last moment that was worked at.
    pub last_at: Option<Moment>,
    /// What came of it.
    pub last_result: Option<String>,
    /// It could not be done.
    pub last_failed: bool,
}

macro_rules! schedule_columns {
    ($after:literal) => {
        concat!(
            "SELECT campaign_id AS id, zone, next_at, worker, worker_until, last_at, last_result, last_failed FROM schedules ",
            $after
        )
    };
}

/// Stores when a campaign begins by itself, reckoned from now; or that it does not.
pub(crate) async fn plan(
    session: &mut Session,
    campaign: CampaignId,
    schedule: &Schedule,
    zone: Zone,
    now: Moment,
) -> Result<(), StoreError> {
    const KNOWN: Sql = sql!("SELECT cron, zone, next_at FROM schedules WHERE campaign_id = $1");
    const WRITE: Sql = sql!(
        "INSERT INTO schedules (campaign_id, cron, zone, next_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (campaign_id) DO UPDATE SET cron = excluded.cron, zone = excluded.zone, next_at = excluded.next_at"
    );
    let Some(cron) = &schedule.cron else { return forget(session, campaign).await };
    let (cron, name) = (cron.to_string(), zone.name());
    let known = session.row(&KNOWN, args![campaign]).await?;
    let mut next = schedule.next(now, zone);
    if let Some(known) = known
        && known.get::<String>("cron")? == cron
        && known.get::<String>("zone")? == name
        && let Some(due) = known.moment_or_none("next_at")?
        && due <= now
    {
        // A moment that is due, or being worked at, is not forgotten because something else was
        // changed.
        next = Some(due);
    }
    session.run(&WRITE, args![campaign, cron, name, next]).await?;
    Ok(())
}

/// It does not begin by itself any more.
pub(crate) async fn forget(session: &mut Session, campaign: CampaignId) -> Result<(), StoreError> {
    const FORGET: Sql = sql!("DELETE FROM schedules WHERE campaign_id = $1");
    session.run(&FORGET, args![campaign]).await?;
    Ok(())
}

/// Every schedule, the next moment first.
pub(crate) async fn list(session: &mut Session) -> Result<Vec<ScheduleRow>, StoreError> {
    const LIST: Sql = sql!(both schedule_columns!("ORDER BY next_at IS NULL, next_at, campaign_id"));
    session.rows(&LIST, args![]).await?.iter().map(schedule).collect()
}

/// Makes this process the one that works at the moment `due`. False when the moment is over, or
/// another process that is not `dead` works at it.
pub(crate) async fn acquire(
    session: &mut Session,
    campaign: CampaignId,
    due: Moment,
    worker: &str,
    dead: Option<&str>,
    now: Moment,
    until: Moment,
) -> Result<bool, StoreError> {
    const READ: Sql = sql!(
        sqlite schedule_columns!("WHERE campaign_id = $1"),
        postgres schedule_columns!("WHERE campaign_id = $1 FOR UPDATE")
    );
    const TAKE: Sql = sql!("UPDATE schedules SET worker = $2, worker_until = $3 WHERE campaign_id = $1");
    let Some(row) = session.row(&READ, args![campaign]).await? else { return Ok(false) };
    let known = schedule(&row)?;
    let busy = known.worker.as_deref().is_some_and(|other| {
        other != worker && dead != Some(other) && row.moment("worker_until").is_ok_and(|until| until > now)
    });
    if known.next_at != Some(due) || busy {
        return Ok(false);
    }
    session.run(&TAKE, args![campaign, worker, until]).await?;
    Ok(true)
}

/// The moment `due` is over, and this came of it. A later caller finds the next one.
pub(crate) async fn finish(
    session: &mut Session,
    campaign: CampaignId,
    due: Moment,
    next: Option<Moment>,
    (came_of_it, result): (EventKind, &str),
    now: Moment,
) -> Result<(), StoreError> {
    const FINISH: Sql = sql!(
        "UPDATE schedules SET next_at = $3, last_at = $2, last_result = $4, last_failed = $5, worker = NULL, worker_until = 0 \
         WHERE campaign_id = $1 AND next_at = $2"
    );
    let failed = came_of_it == EventKind::ScheduleFailed;
    if session.run(&FINISH, args![campaign, due, next, result, failed]).await? > 0 {
        tell(came_of_it, Subject::Campaign(campaign), Some(result), now);
    }
    Ok(())
}

fn schedule(row: &Row) -> Result<ScheduleRow, StoreError> {
    let zone: String = row.get("zone")?;
    let campaign: i64 = row.get("id")?;
    Ok(ScheduleRow {
        campaign: CampaignId(campaign),
        zone: zone.parse().map_err(|error: ringfence_domain::zone::UnknownZone| StoreError::Corrupt {
            table: "schedules",
            column: "zone",
            id: campaign,
            source: Box::new(error),
        })?,
        next_at: row.moment_or_none("next_at")?,
        worker: row.get("worker")?,
        last_at: row.moment_or_none("last_at")?,
        last_result: row.get("last_result")?,
        last_failed: row.get("last_failed")?,
    })
}
