//! Canaries: a few contacts of an import that are dialled first, while the rest waits for how their
//! calls end.

use ringfence_domain::{
    BucketId, CampaignId, ContactId, ContactState, DialClass, ImportId, LaneId, Moment, RunId, ZoneSet,
};
use serde::Serialize;

use super::rows::lock;
use crate::buckets::{BucketKey, buckets_for};
use crate::campaigns::runs;
use crate::contacts::snapshot::{ContactSnapshot, snapshots};
use crate::counters::Deltas;
use crate::session::{self, Session, Sql, args, sql};
use crate::{StoreError, campaigns, lanes};

/// How the canary of an import is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Canary {
    /// The import that waits for it.
    pub import: ImportId,
    /// Its campaign.
    pub campaign: CampaignId,
    /// Contacts whose first call is not over.
    pub pending: i64,
    /// Contacts that cannot be called for now: a cap puts them off, or they were stopped uncalled.
    /// Others must take their place.
    pub put_off: i64,
    /// Contacts whose last call failed.
    pub failures: i64,
    /// Contacts that were called.
    pub calls: i64,
}

#[derive(Serialize)]
struct IdRow {
    contact_id: ContactId,
}

#[derive(Serialize)]
struct MoveRow {
    contact_id: ContactId,
    bucket_id: BucketId,
}

/// Sends some contacts of an import ahead, from where the window opens first, and returns how many.
pub(crate) async fn send(
    session: &mut Session,
    run: RunId,
    import: ImportId,
    count: u32,
    now: Moment,
) -> Result<u32, StoreError> {
    const NOTE: Sql = sql!(
        "INSERT INTO canaries (import_id, contact_id) SELECT $2, u.contact_id FROM"
        rows (contact_id bigint)
        "WHERE true ON CONFLICT DO NOTHING"
    );
    const MOVE: Sql = sql!(
        "UPDATE contacts AS c SET bucket_id = u.bucket_id FROM"
        rows (contact_id bigint, bucket_id bigint)
        "WHERE c.id = u.contact_id"
    );
    const FIRST: Sql =
        sql!("SELECT id FROM contacts WHERE bucket_id = $1 AND state = 'waiting' ORDER BY due_at, id LIMIT $2");
    let mut ids: Vec<ContactId> = Vec::new();
    for bucket in opening_first(session, run, import, now).await? {
        let missing = i64::from(count) - ids.len() as i64;
        for row in session.rows(&FIRST, args![bucket, missing]).await? {
            ids.push(ContactId(row.get("id")?));
        }
    }
    let snapshots = snapshots(session, ids.into_iter()).await?;
    let waiting = || snapshots.iter().filter(|(_, snapshot)| snapshot.state == ContactState::Waiting);
    let key_of = |snapshot: &ContactSnapshot| BucketKey {
        run,
        zones: snapshot.zones.clone(),
        class: DialClass::First,
        import: ImportId(0),
    };
    let wanted: Vec<BucketKey> = waiting().map(|(_, snapshot)| key_of(snapshot)).collect();
    let buckets = buckets_for(session, wanted.into_iter()).await?;
    let mut deltas = Deltas::default();
    let (mut moves, mut notes) = (Vec::new(), Vec::new());
    for (contact_id, snapshot) in waiting() {
        let bucket_id = buckets[&key_of(snapshot)];
        deltas.left(snapshot.bucket);
        deltas.joined(bucket_id, (snapshot.due_at, *contact_id));
        moves.push(MoveRow { contact_id: *contact_id, bucket_id });
        notes.push(IdRow { contact_id: *contact_id });
    }
    if !moves.is_empty() {
        session.run(&MOVE, args![session::rows(&moves)]).await?;
        session.run(&NOTE, args![session::rows(&notes), import]).await?;
    }
    deltas.write(session).await?;
    Ok(moves.len() as u32)
}

/// The staged buckets of an import, those first whose window opens first. One whose window never
/// opens would keep the others waiting for ever.
async fn opening_first(
    session: &mut Session,
    run: RunId,
    import: ImportId,
    now: Moment,
) -> Result<Vec<BucketId>, StoreError> {
    const STAGED: Sql = sql!(
        "SELECT id, zones FROM buckets WHERE run_id = $1 AND import_id = $2 AND staged AND waiting > 0 ORDER BY id"
    );
    let campaign = runs::by_id(session, run).await?.campaign;
    let campaign = campaigns::rows::by_id(session, campaign, campaigns::rows::Locked::No).await?;
    let lane = lanes::rows::lock(session, campaign.lane, lanes::rows::Lock::Read).await?;
    let vendor = lane.settings.vendor_hours();
    let mut buckets = Vec::new();
    for row in session.rows(&STAGED, args![run, import]).await? {
        let zones: ZoneSet = row.word("buckets", "zones")?;
        let mut calendar = campaign.rules.calendar(&zones, vendor.as_ref());
        if let Some(opening) = calendar.next_opening(now) {
            buckets.push((opening, BucketId(row.get("id")?)));
        }
    }
    buckets.sort_unstable();
    Ok(buckets.into_iter().map(|(_, bucket)| bucket).collect())
}

macro_rules! put_off {
    () => {
        "c.calls = 0 AND ((c.state = 'waiting' AND c.due_at > $2) OR (c.state = 'stopped' AND c.stop_reason <> 'invalid_number'))"
    };
}

/// A call whose fate is unknown is over as far as the canary is concerned: a person may take days
/// to settle it.
macro_rules! canary_counts {
    () => {
        concat!(
            "SELECT i.id AS id, p.id AS campaign_id, ",
            "count(*) FILTER (WHERE c.calls = 0 AND (c.state = 'active' OR (c.state = 'waiting' AND c.due_at <= $2))) AS pending, ",
            "count(*) FILTER (WHERE ", put_off!(), ") AS put_off, ",
            "count(*) FILTER (WHERE c.last_outcome IN ('failed', 'invalid_number') OR c.stop_reason = 'invalid_number') AS failures, ",
            "count(*) FILTER (WHERE c.calls > 0 OR c.state = 'review' OR c.stop_reason = 'invalid_number') AS calls ",
            "FROM imports i JOIN campaigns p ON p.run_id = i.run_id LEFT JOIN canaries k ON k.import_id = i.id ",
            "LEFT JOIN contacts c ON c.id = k.contact_id WHERE p.lane_id = $1 AND i.state = 'canary' ",
            "GROUP BY i.id, p.id ORDER BY i.id"
        )
    };
}

/// Canaries that cannot be called for now are none any more, and as many others take their place.
pub(crate) async fn replace(session: &mut Session, import: ImportId, now: Moment) -> Result<(), StoreError> {
    const DROP: Sql = sql!(
        sqlite concat!("DELETE FROM canaries WHERE import_id = $1 AND contact_id IN (SELECT c.id FROM canaries k \
            JOIN contacts c ON c.id = k.contact_id WHERE k.import_id = $1 AND ", put_off!(), ")"),
        postgres concat!("DELETE FROM canaries WHERE import_id = $1 AND contact_id IN (SELECT c.id FROM canaries k \
            JOIN contacts c ON c.id = k.contact_id WHERE k.import_id = $1 AND ", put_off!(), ")")
    );
    let Some(row) = lock(session, import).await? else { return Ok(()) };
    let dropped = session.run(&DROP, args![import, now]).await?;
    send(session, row.run, import, dropped as u32, now).await?;
    Ok(())
}

/// Canaries of a lane's campaigns and how they are doing.
pub(crate) async fn list(session: &mut Session, lane: LaneId, now: Moment) -> Result<Vec<Canary>, StoreError> {
    const LIST: Sql = sql!(both canary_counts!());
    let rows = session.rows(&LIST, args![lane, now]).await?;
    rows.iter()
        .map(|row| {
            Ok(Canary {
                import: ImportId(row.get("id")?),
                campaign: CampaignId(row.get("campaign_id")?),
                pending: row.get("pending")?,
                put_off: row.get("put_off")?,
                failures: row.get("failures")?,
                calls: row.get("calls")?,
            })
        })
        .collect()
}
