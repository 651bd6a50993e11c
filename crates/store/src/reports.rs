//! What vendors report by themselves: kept first, read later, and a reason to ask.

use ringfence_domain::{AttemptId, LaneId, Moment};
use serde::Serialize;

use crate::StoreError;
use crate::session::{self, Arg, Row, Session, Sql, args, sql};

/// A report that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewReport {
    /// The lane whose vendor reports.
    pub lane: LaneId,
    /// The reference of the attempt whose own address it came to.
    pub reference: Option<String>,
    /// The same for the same report.
    pub digest: String,
    /// What was sent, as text.
    pub body: String,
}

/// A report that nobody has read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadReport {
    /// Its id.
    pub id: i64,
    /// What was sent.
    pub body: String,
}

/// A report about a call that is out, or may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// Its id.
    pub id: i64,
    /// The attempt.
    pub attempt: AttemptId,
    /// The call that it speaks of.
    pub call_id: Option<String>,
    /// Whether it came to the attempt's own address.
    pub own: bool,
    /// Whether its call was asked about for it before.
    pub used: bool,
}

/// A report of a call, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportOfCall {
    /// The attempt.
    pub attempt: AttemptId,
    /// When it came.
    pub received_at: Moment,
    /// What was sent.
    pub body: String,
}

pub(crate) const OF_ATTEMPTS: Sql = sql!(
    "SELECT r.id, a.id AS attempt_id, r.received_at, r.body FROM attempts a \
     JOIN reports r ON r.lane_id = a.lane_id AND r.reference = a.reference WHERE a.id"
    ids "UNION SELECT r.id, a.id AS attempt_id, r.received_at, r.body FROM attempts a \
     JOIN reports r ON r.lane_id = a.lane_id AND r.call_id = a.call_id WHERE a.id"
    ids "ORDER BY 1"
);

/// The reports that these attempts' vendors sent of them, as long as they are kept, the oldest first.
pub(crate) async fn of_attempts(
    session: &mut Session,
    attempts: &[AttemptId],
) -> Result<Vec<ReportOfCall>, StoreError> {
    let rows = session.rows(&OF_ATTEMPTS, args![Arg::ids(attempts.iter().map(|id| id.0))]).await?;
    let report = |row: &Row| {
        Ok(ReportOfCall {
            attempt: AttemptId(row.get("attempt_id")?),
            received_at: row.moment("received_at")?,
            body: row.get("body")?,
        })
    };
    rows.iter().map(report).collect()
}

/// Keeps a report; false when the same one is kept already.
pub(crate) async fn insert(session: &mut Session, report: &NewReport, now: Moment) -> Result<bool, StoreError> {
    const KEEP: Sql = sql!(
        "INSERT INTO reports (lane_id, reference, digest, body, received_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (lane_id, digest) DO NOTHING"
    );
    let body = report.body.replace('\0', "");
    let args = args![report.lane, report.reference.clone(), report.digest.clone(), body, now];
    Ok(session.run(&KEEP, args).await? > 0)
}

/// The oldest reports of a lane that nobody has read.
pub(crate) async fn unread(session: &mut Session, lane: LaneId, limit: u32) -> Result<Vec<UnreadReport>, StoreError> {
    const UNREAD: Sql =
        sql!("SELECT id, body FROM reports WHERE lane_id = $1 AND read_at IS NULL ORDER BY id LIMIT $2");
    let rows = session.rows(&UNREAD, args![lane, i64::from(limit)]).await?;
    rows.iter().map(|row| Ok(UnreadReport { id: row.get("id")?, body: row.get("body")? })).collect()
}

/// These were read, and speak of these calls.
pub(crate) async fn mark_read(
    session: &mut Session,
    reports: &[(i64, Option<String>)],
    now: Moment,
) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct ReadRow<'a> {
        report_id: i64,
        call_id: Option<&'a str>,
        read_at: i64,
    }
    const READ: Sql = sql!(
        "UPDATE reports AS r SET call_id = u.call_id, read_at = u.read_at FROM"
        rows (report_id bigint, call_id text, read_at bigint)
        "WHERE r.id = u.report_id"
    );
    let row = |(report_id, call_id): &(i64, Option<String>)| (*report_id, call_id.clone());
    let reports: Vec<_> = reports.iter().map(row).collect();
    let rows: Vec<ReadRow<'_>> = reports
        .iter()
        .map(|(report_id, call_id)| ReadRow {
            report_id: *report_id,
            call_id: call_id.as_deref(),
            read_at: now.millis(),
        })
        .collect();
    session.run(&READ, args![session::rows(&rows)]).await?;
    Ok(())
}

/// Reports about calls of a lane that are placed or of unknown fate: by the call's id, or by the
/// attempt's own address. Those that were used are told for unknown attempts only, which need to
/// know what was reported of them.
pub(crate) async fn reported(session: &mut Session, lane: LaneId) -> Result<Vec<Reported>, StoreError> {
    const ANY: Sql = sql!("SELECT EXISTS (SELECT 1 FROM reports WHERE lane_id = $1) AS found");
    const REPORTED: Sql = sql!(
        "SELECT r.id, a.id AS attempt_id, r.call_id, 0 AS own, 0 AS used FROM attempts a \
         CROSS JOIN reports r WHERE r.lane_id = a.lane_id AND r.call_id = a.call_id AND a.lane_id = $1 AND a.live AND a.state = 'placed' AND r.used_at IS NULL AND r.read_at IS NOT NULL \
         UNION ALL SELECT r.id, a.id AS attempt_id, r.call_id, 1 AS own, \
         CASE WHEN r.used_at IS NULL THEN 0 ELSE 1 END AS used FROM attempts a \
         CROSS JOIN reports r WHERE r.lane_id = a.lane_id AND r.reference = a.reference AND a.lane_id = $1 AND a.live AND r.read_at IS NOT NULL \
         AND ((a.state = 'placed' AND r.used_at IS NULL) OR a.state = 'unknown')"
    );
    // Most lanes have vendors that report nothing, and tens of thousands of calls.
    if !session.one(&ANY, args![lane]).await?.get::<bool>("found")? {
        return Ok(Vec::new());
    }
    let rows = session.rows(&REPORTED, args![lane]).await?;
    rows.iter()
        .map(|row| {
            Ok(Reported {
                id: row.get("id")?,
                attempt: AttemptId(row.get("attempt_id")?),
                call_id: row.get("call_id")?,
                own: row.get::<i32>("own")? == 1,
                used: row.get::<i32>("used")? == 1,
            })
        })
        .collect()
}

/// The calls of these reports are asked about.
pub(crate) async fn used(session: &mut Session, reports: &[i64], now: Moment) -> Result<(), StoreError> {
    const USED: Sql = sql!(
        "UPDATE reports AS r SET used_at = u.used_at FROM" rows (report_id bigint, used_at bigint)
        "WHERE r.id = u.report_id AND r.used_at IS NULL"
    );
    #[derive(Serialize)]
    struct UsedRow {
        report_id: i64,
        used_at: i64,
    }
    let rows: Vec<UsedRow> =
        reports.iter().map(|report_id| UsedRow { report_id: *report_id, used_at: now.millis() }).collect();
    session.run(&USED, args![session::rows(&rows)]).await?;
    Ok(())
}

/// Forgets reports that came in before a moment; how many.
pub(crate) async fn forget(session: &mut Session, before: Moment) -> Result<u64, StoreError> {
    const FORGET: Sql = sql!(
        "DELETE FROM reports WHERE id IN (SELECT id FROM reports WHERE received_at < $1 ORDER BY received_at LIMIT 1000)"
    );
    session.run(&FORGET, args![before]).await
}
