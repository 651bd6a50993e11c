//! Buckets: waiting contacts of one run that are due for the same reason in the same zones.

use std::collections::{BTreeSet, HashMap};

use ringfence_domain::{BucketId, DialClass, ImportId, RunId, ZoneSet};
use serde::Serialize;

use crate::StoreError;
use crate::session::{self, Arg, Session, Sql, args, sql};

/// Locks buckets in the order of their ids, so that two transactions never wait for each other.
pub(crate) async fn lock_buckets(
    session: &mut Session,
    buckets: impl Iterator<Item = BucketId>,
) -> Result<(), StoreError> {
    const LOCK: Sql = sql!(
        sqlite "SELECT 1",
        postgres "SELECT b.id FROM buckets b WHERE b.id = ANY ($1) ORDER BY b.id FOR UPDATE"
    );
    if matches!(session, Session::PostgresWrite(_)) {
        session.rows(&LOCK, args![Arg::ids(buckets.map(|id| id.0))]).await?;
    }
    Ok(())
}

/// What makes a bucket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct BucketKey {
    pub(crate) run: RunId,
    pub(crate) zones: ZoneSet,
    pub(crate) class: DialClass,
    /// The import that contacts who were never dialled came with; else 0.
    pub(crate) import: ImportId,
}

/// The buckets of these keys, made where they are missing.
pub(crate) async fn buckets_for(
    session: &mut Session,
    keys: impl Iterator<Item = BucketKey>,
) -> Result<HashMap<BucketKey, BucketId>, StoreError> {
    #[derive(Serialize, PartialEq, Eq, PartialOrd, Ord)]
    struct KeyRow {
        run_id: i64,
        zones: String,
        class: &'static str,
        import_id: i64,
    }
    const FIND: Sql = sql!(
        "SELECT b.id, b.run_id, b.zones, b.class, b.import_id FROM"
        rows (run_id bigint, zones text, class text, import_id bigint)
        "CROSS JOIN buckets b WHERE b.run_id = u.run_id AND b.zones = u.zones AND b.class = u.class AND b.import_id = u.import_id"
    );
    const MAKE: Sql = sql!(
        "INSERT INTO buckets (lane_id, campaign_id, run_id, zones, class, priority, next_due_at, eligible_at, import_id, staged) \
         SELECT c.lane_id, c.id, r.id, u.zones, u.class, c.priority, 9223372036854775807, 9223372036854775807, u.import_id, \
         EXISTS (SELECT 1 FROM imports i WHERE i.id = u.import_id AND i.state <> 'complete') FROM"
        rows (run_id bigint, zones text, class text, import_id bigint)
        "JOIN runs r ON r.id = u.run_id JOIN campaigns c ON c.id = r.campaign_id \
         WHERE true ORDER BY r.id, u.zones, u.class, u.import_id ON CONFLICT DO NOTHING"
    );
    let wanted: BTreeSet<KeyRow> = keys
        .map(|key| KeyRow {
            run_id: key.run.0,
            zones: key.zones.to_string(),
            class: key.class.as_str(),
            import_id: key.import.0,
        })
        .collect();
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let keys = session::rows(&Vec::from_iter(&wanted));
    let mut rows = session.rows(&FIND, args![keys.clone()]).await?;
    if rows.len() < wanted.len() {
        session.run(&MAKE, args![keys.clone()]).await?;
        rows = session.rows(&FIND, args![keys]).await?;
    }
    rows.iter()
        .map(|row| {
            let key = BucketKey {
                run: RunId(row.get("run_id")?),
                zones: row.word("buckets", "zones")?,
                class: row.word("buckets", "class")?,
                import: ImportId(row.get("import_id")?),
            };
            Ok((key, BucketId(row.get("id")?)))
        })
        .collect()
}

/// Locks the buckets of an import.
pub(crate) async fn lock_buckets_of(session: &mut Session, run: RunId, import: ImportId) -> Result<(), StoreError> {
    const OF: Sql = sql!("SELECT id FROM buckets WHERE run_id = $1 AND import_id = $2");
    let rows = session.rows(&OF, args![run, import]).await?;
    let ids = rows.iter().map(|row| row.get("id").map(BucketId)).collect::<Result<Vec<_>, _>>()?;
    lock_buckets(session, ids.into_iter()).await
}
