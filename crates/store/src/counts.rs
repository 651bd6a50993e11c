//! Counts and buckets, changed in the transactions that change what they count.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ringfence_domain::{AttemptState, BucketId, ContactState, DialClass, ImportId, Moment, RunId, ZoneSet};
use serde::Serialize;

use crate::StoreError;
use crate::session::{Session, Sql, args, rows_json, sql};

/// What one transaction changes in counts and buckets, written once at its end in the order of ids.
#[derive(Debug, Default)]
pub(crate) struct Deltas {
    counts: BTreeMap<(RunId, String), i64>,
    buckets: BTreeMap<BucketId, BucketDelta>,
}

#[derive(Debug, Default)]
struct BucketDelta {
    waiting: i64,
    due: Option<Moment>,
}

#[derive(Serialize)]
struct CountRow<'a> {
    run_id: RunId,
    name: &'a str,
    delta: i64,
}

#[derive(Serialize)]
struct BucketRow {
    bucket_id: BucketId,
    delta: i64,
    due: i64,
}

const COUNT: Sql = sql!(
    "INSERT INTO run_counts (run_id, name, n) SELECT u.run_id, u.name, u.delta FROM"
    rows (run_id bigint, name text, delta bigint)
    "WHERE true ORDER BY 1, 2 ON CONFLICT (run_id, name) DO UPDATE SET n = run_counts.n + excluded.n"
);

const BUCKETS: Sql = sql!(
    "UPDATE buckets AS b SET waiting = b.waiting + u.delta, \
     next_due_at = CASE WHEN u.due < b.next_due_at THEN u.due ELSE b.next_due_at END, \
     eligible_at = CASE WHEN u.due < b.eligible_at THEN u.due ELSE b.eligible_at END FROM"
    rows (bucket_id bigint, delta bigint, due bigint)
    "WHERE b.id = u.bucket_id"
);

impl Deltas {
    pub(crate) fn count(&mut self, run: RunId, name: impl Into<String>, delta: i64) {
        *self.counts.entry((run, name.into())).or_default() += delta;
    }

    pub(crate) fn contact(&mut self, run: RunId, from: Option<ContactState>, to: ContactState) {
        if from == Some(to) {
            return;
        }
        if let Some(from) = from {
            self.count(run, format!("contact:{from}"), -1);
        }
        self.count(run, format!("contact:{to}"), 1);
    }

    pub(crate) fn attempt(&mut self, run: RunId, from: Option<AttemptState>, to: AttemptState) {
        if let Some(from) = from {
            self.count(run, format!("attempt:{from}"), -1);
        }
        self.count(run, format!("attempt:{to}"), 1);
    }

    /// A contact joined a bucket and is due at `due`.
    pub(crate) fn joined(&mut self, bucket: BucketId, due: Moment) {
        self.due(bucket, due);
        self.buckets.entry(bucket).or_default().waiting += 1;
    }

    /// Somebody in a bucket is due at `due` by now.
    pub(crate) fn due(&mut self, bucket: BucketId, due: Moment) {
        let delta = self.buckets.entry(bucket).or_default();
        delta.due = Some(delta.due.map_or(due, |earlier| earlier.min(due)));
    }

    /// A waiting contact left a bucket.
    pub(crate) fn left(&mut self, bucket: BucketId) {
        self.buckets.entry(bucket).or_default().waiting -= 1;
    }

    pub(crate) async fn write(self, session: &mut Session) -> Result<(), StoreError> {
        let buckets: Vec<BucketRow> = self
            .buckets
            .into_iter()
            .map(|(bucket_id, delta)| BucketRow {
                bucket_id,
                delta: delta.waiting,
                due: delta.due.unwrap_or(Moment::NEVER).millis(),
            })
            .filter(|row| row.delta != 0 || row.due != Moment::NEVER.millis())
            .collect();
        if !buckets.is_empty() {
            lock_buckets(session, buckets.iter().map(|row| row.bucket_id)).await?;
            session.run(&BUCKETS, args![rows_json(&buckets)]).await?;
        }
        let counts: Vec<CountRow<'_>> = self
            .counts
            .iter()
            .filter(|(_, delta)| **delta != 0)
            .map(|((run_id, name), delta)| CountRow { run_id: *run_id, name, delta: *delta })
            .collect();
        if !counts.is_empty() {
            session.run(&COUNT, args![rows_json(&counts)]).await?;
        }
        Ok(())
    }
}

/// Locks buckets in the order of their ids, so that two transactions never wait for each other.
pub(crate) async fn lock_buckets(
    session: &mut Session,
    buckets: impl Iterator<Item = BucketId>,
) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct Key {
        bucket_id: BucketId,
    }
    const LOCK: Sql = sql!(
        sqlite "SELECT 1",
        postgres "SELECT b.id FROM buckets b \
                  WHERE b.id IN (SELECT u.bucket_id FROM jsonb_to_recordset($1::jsonb) AS u(bucket_id bigint)) \
                  ORDER BY b.id FOR UPDATE"
    );
    if matches!(session, Session::PostgresWrite(_)) {
        let keys: Vec<Key> = buckets.map(|bucket_id| Key { bucket_id }).collect();
        session.rows(&LOCK, args![rows_json(&keys)]).await?;
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
    let json = rows_json(&Vec::from_iter(&wanted));
    let mut rows = session.rows(&FIND, args![json.as_str()]).await?;
    if rows.len() < wanted.len() {
        session.run(&MAKE, args![json.as_str()]).await?;
        rows = session.rows(&FIND, args![json]).await?;
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
