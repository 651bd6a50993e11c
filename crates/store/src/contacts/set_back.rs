//! A clock that was set back: what was reckoned by it would wait until it is as late again.
//!
//! A contact that was never called is due at once. One that waits for another try after a call that
//! ended in what is the future now is due after the same delay from now. A callback is due when the
//! person said, and a limit when the calls before allow it: both stay.

use ringfence_domain::{BucketId, ContactId, LaneId, Moment, Span};
use serde::Serialize;

use crate::counters::Deltas;
use crate::database::turns::Urgency;
use crate::session::{self, Session, Sql, args, sql};
use crate::{Database, StoreError};

/// Planning puts off who was never called by less than this.
const USUAL: Span = Span::from_minutes(1);

/// A waiting contact that is to be due earlier.
pub(crate) struct Late {
    pub(crate) contact: ContactId,
    pub(crate) due_at: Moment,
}

/// Sets right what waits on a lane by a clock that was later than `now`, and has all its windows
/// judged anew. May be repeated. Returns how many contacts are due earlier.
pub(crate) async fn set_right(database: &Database, lane: LaneId, now: Moment) -> Result<u32, StoreError> {
    const WORK: &str = "set_right";
    database.write(WORK, Urgency::Normal, move |session| Box::pin(awaken(session, lane))).await?;
    let mut moved = 0;
    loop {
        let rows = database.portion(WORK);
        let late = database.read(move |session| Box::pin(late(session, lane, now, rows as i64))).await?;
        if late.is_empty() {
            return Ok(moved);
        }
        moved += late.len() as u32;
        put_due(database, WORK, late).await?;
    }
}

/// A window that was judged by a wrong clock is judged anew.
async fn awaken(session: &mut Session, lane: LaneId) -> Result<(), StoreError> {
    const LOCK: Sql = sql!(
        sqlite "SELECT 1 WHERE $1 IS NOT NULL",
        postgres "SELECT id FROM buckets WHERE lane_id = $1 ORDER BY id FOR UPDATE"
    );
    const AWAKE: Sql =
        sql!("UPDATE buckets SET eligible_at = next_due_at WHERE lane_id = $1 AND eligible_at > next_due_at");
    session.rows(&LOCK, args![lane]).await?;
    session.run(&AWAKE, args![lane]).await?;
    Ok(())
}

/// The next contacts that are due by the later clock, and when they are to be. A delay that is
/// longer than the clock was set back ends late by less than itself, and is left: so nobody is
/// moved twice.
async fn late(session: &mut Session, lane: LaneId, now: Moment, limit: i64) -> Result<Vec<Late>, StoreError> {
    const LATE: Sql = sql!(
        "SELECT c.id, CASE WHEN b.class = 'first' THEN $2 ELSE $2 + c.due_at - a.ended_at END AS due_at \
         FROM buckets b CROSS JOIN contacts c LEFT JOIN attempts a ON a.id = c.last_attempt \
         WHERE b.lane_id = $1 AND b.class IN ('first', 'retry') AND b.waiting > 0 \
         AND c.bucket_id = b.id AND c.state = 'waiting' AND c.due_at > $3 \
         AND (b.class = 'first' OR (a.ended_at > $3 AND c.due_at > a.ended_at \
         AND c.due_at - a.ended_at <= a.ended_at - $2)) LIMIT $4"
    );
    let rows = session.rows(&LATE, args![lane, now, now + USUAL, limit]).await?;
    rows.iter().map(|row| Ok(Late { contact: ContactId(row.get("id")?), due_at: row.moment("due_at")? })).collect()
}

/// Makes a portion of contacts due earlier. `work`: what it is measured as.
pub(crate) async fn put_due(database: &Database, work: &'static str, late: Vec<Late>) -> Result<(), StoreError> {
    let did = late.len();
    database
        .write_some(work, Urgency::Bulk, move |session, _| {
            Box::pin(async move { put(session, late).await.map(|()| ((), did)) })
        })
        .await
}

async fn put(session: &mut Session, mut late: Vec<Late>) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct DueRow {
        contact_id: ContactId,
        due: i64,
    }
    const PUT: Sql = sql!(
        "UPDATE contacts AS c SET change_number = (SELECT n FROM change_number), \
         due_at = u.due FROM" rows (contact_id bigint, due bigint)
        "WHERE c.id = u.contact_id AND c.state = 'waiting' AND c.due_at > u.due RETURNING id, bucket_id, due_at"
    );
    late.sort_unstable_by_key(|one| one.contact);
    let ids: Vec<ContactId> = late.iter().map(|one| one.contact).collect();
    crate::contacts::snapshot::lock_contacts(session, &ids).await?;
    let rows: Vec<DueRow> =
        late.iter().map(|one| DueRow { contact_id: one.contact, due: one.due_at.millis() }).collect();
    let mut deltas = Deltas::default();
    // Since they were looked for, they may have come to another bucket.
    for row in session.rows(&PUT, args![session::rows(&rows)]).await? {
        deltas.moved_to(BucketId(row.get("bucket_id")?), (row.moment("due_at")?, ContactId(row.get("id")?)));
    }
    deltas.write(session).await
}

#[cfg(test)]
mod tests {
    use sqlx::{Connection, Row, SqliteConnection};

    use super::*;
    use crate::Location;

    /// As it is when somebody comes to another bucket between the look and the write.
    #[tokio::test]
    async fn whoever_is_due_earlier_is_found_in_the_bucket_where_they_wait_by_now() {
        let folder = std::env::temp_dir().join(format!("set-back-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("ringfence.db");
        let database = Database::open(&Location::Sqlite(path.clone()), true).await.expect("a database");
        let mut link = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.expect("a connection");
        sqlx::raw_sql(
            "PRAGMA foreign_keys = OFF; \
             INSERT INTO buckets (id, lane_id, campaign_id, run_id, zones, class, import_id, priority, waiting, next_due_at, \
             next_contact, eligible_at) VALUES (2, 1, 1, 1, 'Asia/Kolkata', 'retry', 0, 0, 1, 5000, 7, 5000); \
             INSERT INTO contacts (id, run_id, bucket_id, import_id, row_number, line, number, number_key, state, due_at, \
             change_number, fields) VALUES (7, 1, 2, 1, 1, 2, '+919876500000', 1, 'waiting', 5000, 1, '{}')",
        )
        .execute(&mut link)
        .await
        .expect("entered");
        let late = vec![Late { contact: ContactId(7), due_at: Moment::from_millis(1_000) }];
        put_due(&database, "set_right", late).await.expect("put");
        let head =
            sqlx::query("SELECT next_due_at, next_contact FROM buckets").fetch_one(&mut link).await.expect("a head");
        assert_eq!((head.get::<i64, _>(0), head.get::<i64, _>(1)), (1_000, 7));
        database.close().await;
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
