//! Planning: contacts of eligible buckets get an open attempt each.

use std::collections::HashSet;

use ringfence_domain::{
    AttemptState, BucketId, ContactId, ContactState, DialClass, LaneId, LaneState, Moment, NumberKey, RunId, Span,
};
use serde::Serialize;

use crate::StoreError;
use crate::buckets::lock_buckets;
use crate::counters::Deltas;
use crate::lanes::rows::{Lock, lock};
use crate::session::{self, Session, Sql, args, sql};

/// A bucket whose window is closed.
#[derive(Debug, Clone)]
pub struct Closed {
    /// The bucket.
    pub bucket: BucketId,
    /// Until when.
    pub until: Moment,
    /// The revision of the rules that say so.
    pub revision: i64,
}

/// Take up to `count` due contacts of a bucket.
#[derive(Debug, Clone)]
pub struct Pick {
    /// The bucket.
    pub bucket: BucketId,
    /// How many at most.
    pub count: u32,
    /// They must be dialled from this moment
    pub dial_after: Moment,
    /// and before this one.
    pub dial_before: Moment,
    /// The revision of the rules that this was planned by.
    pub revision: i64,
}

/// What a tick decided for one lane.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The lane.
    pub lane: LaneId,
    /// The ownership under which it was planned.
    pub epoch: i64,
    /// When.
    pub now: Moment,
    /// What to open.
    pub picks: Vec<Pick>,
    /// Buckets whose window is closed.
    pub closed: Vec<Closed>,
}

/// What came of a plan.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Opened {
    /// Attempts opened.
    pub opened: u32,
    /// Contacts put off because their number has a live attempt elsewhere.
    pub number_busy: u32,
    /// The lane is no longer ours, or paused; nothing was done.
    pub not_ours: bool,
}

/// A contact whose number is being called for another campaign is looked at again after this long.
const NUMBER_BUSY_WAIT: Span = Span::from_secs(30);

macro_rules! due_contacts {
    ($after:literal) => {
        concat!(
            "SELECT c.id, c.run_id, c.number_key, c.number, (SELECT b.class FROM buckets b WHERE b.id = $1) AS class, ",
            "EXISTS (SELECT 1 FROM contacts k JOIN runs old ON old.id = k.run_id JOIN runs own ON own.id = c.run_id ",
            "WHERE k.number_key = c.number_key AND k.state = 'review' AND k.run_id <> c.run_id ",
            "AND old.campaign_id = own.campaign_id) AS in_review ",
            "FROM contacts c WHERE c.bucket_id = $1 AND c.state = 'waiting' AND c.due_at <= $2 ",
            // Before these are only those who have left: Postgres passes them one by one while somebody else reads for long.
            "AND (c.due_at, c.id) >= ((SELECT b.next_due_at FROM buckets b WHERE b.id = $1), ",
            "(SELECT b.next_contact FROM buckets b WHERE b.id = $1)) ORDER BY c.due_at, c.id ",
            $after
        )
    };
}

/// Those who are due in a bucket, the longest due first.
pub(crate) const DUE: Sql = sql!(
    sqlite due_contacts!("LIMIT $3"),
    postgres due_contacts!("LIMIT $3 FOR UPDATE OF c SKIP LOCKED")
);

/// Sets the heads of buckets to the first who waits in each; nobody waits before the head that it has.
pub(crate) const HEAD: Sql = sql!(
    "UPDATE buckets AS b SET (next_due_at, next_contact, eligible_at) = \
     (SELECT coalesce(min(h.due_at), 9223372036854775807), coalesce(min(h.id), 0), \
      coalesce(min(h.due_at), 9223372036854775807) \
      FROM (SELECT k.due_at, k.id FROM contacts k WHERE k.bucket_id = b.id AND k.state = 'waiting' \
            AND (k.due_at, k.id) >= (b.next_due_at, b.next_contact) ORDER BY k.due_at, k.id LIMIT 1) AS h) FROM"
    rows (bucket_id bigint)
    "WHERE b.id = u.bucket_id"
);

#[derive(Serialize)]
struct AttemptRow {
    contact_id: ContactId,
    run_id: RunId,
    number_key: NumberKey,
    number: String,
    class: &'static str,
    reference: String,
    dial_after: i64,
    dial_before: i64,
    revision: i64,
}

#[derive(Serialize)]
struct IdRow {
    contact_id: ContactId,
}

#[derive(Serialize)]
struct BucketRow {
    bucket_id: BucketId,
}

#[derive(Serialize)]
struct ClosedRow {
    bucket_id: BucketId,
    until: i64,
    revision: i64,
}

/// Carries out a plan in one transaction.
pub(crate) async fn open(session: &mut Session, plan: &Plan) -> Result<Opened, StoreError> {
    let lane = lock(session, plan.lane, Lock::Share).await?;
    if lane.epoch != plan.epoch || lane.state != LaneState::Open {
        return Ok(Opened { not_ours: true, ..Opened::default() });
    }
    let mut found = Vec::new();
    for pick in &plan.picks {
        found.extend(due(session, pick, plan.now).await?);
    }
    let mut deltas = Deltas::opening_on(plan.lane);
    let result = if found.is_empty() { Opened::default() } else { insert(session, plan, &found, &mut deltas).await? };
    // Buckets come after attempts, as everywhere: an insert may have to wait for the holder of the
    // number.
    let buckets = plan.picks.iter().map(|pick| pick.bucket).chain(plan.closed.iter().map(|closed| closed.bucket));
    lock_buckets(session, buckets).await?;
    close(session, &plan.closed).await?;
    set_next(session, &plan.picks).await?;
    deltas.write(session).await?;
    Ok(result)
}

/// Opens an attempt for each contact that was found, unless its number has a live one elsewhere.
async fn insert(session: &mut Session, plan: &Plan, found: &[Due], deltas: &mut Deltas) -> Result<Opened, StoreError> {
    const INSERT: Sql = sql!(
        "INSERT INTO attempts (lane_id, epoch, opened_at, state, live, contact_id, run_id, number_key, number, class, \
         reference, dial_after, dial_before, revision, change_number) SELECT $2, $3, $4, 'open', TRUE, \
         u.contact_id, u.run_id, u.number_key, u.number, u.class, u.reference, u.dial_after, u.dial_before, \
         u.revision, (SELECT n FROM change_number) FROM"
        rows (contact_id bigint, run_id bigint, number_key bigint, number text, class text, reference text,
              dial_after bigint, dial_before bigint, revision bigint)
        "WHERE true ORDER BY u.number_key ON CONFLICT DO NOTHING RETURNING contact_id"
    );
    const ACTIVE: Sql = sql!(
        "UPDATE contacts AS c SET change_number = (SELECT n FROM change_number), \
         state = 'active' FROM" rows (contact_id bigint) "WHERE c.id = u.contact_id"
    );
    const BUSY: Sql = sql!(
        "UPDATE contacts AS c SET change_number = (SELECT n FROM change_number), \
         due_at = $2 FROM" rows (contact_id bigint) "WHERE c.id = u.contact_id"
    );
    let attempts: Vec<&AttemptRow> = found.iter().filter(|due| !due.in_review).map(|due| &due.attempt).collect();
    let rows = session.rows(&INSERT, args![session::rows(&attempts), plan.lane, plan.epoch, plan.now]).await?;
    let opened =
        rows.iter().map(|row| row.get("contact_id").map(ContactId)).collect::<Result<HashSet<_>, StoreError>>()?;
    let (active, busy): (Vec<_>, Vec<_>) = found.iter().partition(|due| opened.contains(&due.attempt.contact_id));
    for due in &active {
        deltas.left(due.bucket);
        deltas.contact(due.attempt.run_id, Some(ContactState::Waiting), ContactState::Active);
        deltas.attempt(due.attempt.run_id, None, AttemptState::Open);
    }
    let ids = |rows: &[&Due]| {
        session::rows(&rows.iter().map(|due| IdRow { contact_id: due.attempt.contact_id }).collect::<Vec<_>>())
    };
    session.run(&ACTIVE, args![ids(&active)]).await?;
    if !busy.is_empty() {
        session.run(&BUSY, args![ids(&busy), plan.now + NUMBER_BUSY_WAIT]).await?;
    }
    Ok(Opened { opened: active.len() as u32, number_busy: busy.len() as u32, not_ours: false })
}

/// Keeps buckets whose window is closed from being looked at.
async fn close(session: &mut Session, closed: &[Closed]) -> Result<(), StoreError> {
    // Rules that were applied since may be open: what the old ones said is dropped.
    const CLOSED: Sql = sql!(
        "UPDATE buckets AS b SET eligible_at = CASE WHEN b.next_due_at > u.until THEN b.next_due_at ELSE u.until END FROM"
        rows (bucket_id bigint, until bigint, revision bigint)
        "WHERE b.id = u.bucket_id AND EXISTS (SELECT 1 FROM campaigns c WHERE c.id = b.campaign_id AND c.revision = u.revision)"
    );
    let row = |closed: &Closed| ClosedRow {
        bucket_id: closed.bucket,
        until: closed.until.millis(),
        revision: closed.revision,
    };
    if !closed.is_empty() {
        session.run(&CLOSED, args![session::rows(&closed.iter().map(row).collect::<Vec<_>>())]).await?;
    }
    Ok(())
}

/// What is left in a bucket decides when it is looked at next; its window is open, so nothing else
/// does.
async fn set_next(session: &mut Session, picks: &[Pick]) -> Result<(), StoreError> {
    let rows: Vec<BucketRow> = picks.iter().map(|pick| BucketRow { bucket_id: pick.bucket }).collect();
    if !rows.is_empty() {
        session.run(&HEAD, args![session::rows(&rows)]).await?;
    }
    Ok(())
}

/// A contact that is due, and the attempt that it would get.
struct Due {
    bucket: BucketId,
    attempt: AttemptRow,
    /// A call to this number in an earlier run of the campaign is of unknown fate.
    in_review: bool,
}

/// The due contacts of a bucket, longest due first.
async fn due(session: &mut Session, pick: &Pick, now: Moment) -> Result<Vec<Due>, StoreError> {
    let rows = session.rows(&DUE, args![pick.bucket, now, i64::from(pick.count)]).await?;
    rows.iter()
        .map(|row| {
            let class: DialClass = row.word("buckets", "class")?;
            let attempt = AttemptRow {
                contact_id: ContactId(row.get("id")?),
                run_id: RunId(row.get("run_id")?),
                number_key: NumberKey(row.get("number_key")?),
                number: row.get("number")?,
                class: class.as_str(),
                reference: uuid::Uuid::new_v4().simple().to_string(),
                dial_after: pick.dial_after.millis(),
                dial_before: pick.dial_before.millis(),
                revision: pick.revision,
            };
            Ok(Due { bucket: pick.bucket, attempt, in_review: row.get("in_review")? })
        })
        .collect()
}
