//! What this process measures of its database, and what a lane's owner tells of the rows.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use prometheus_client::metrics::histogram::Histogram;
use ringfence_domain::{DialClass, ImportState, Moment};

use crate::StoreError;
use crate::counters::Counter;
use crate::session::{Session, Sql, args, sql};

/// How long transactions of this process take, from their turn to their end. In seconds.
pub static TRANSACTIONS: LazyLock<Histogram> =
    LazyLock::new(|| Histogram::new([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0]));

/// The rows of one lane in numbers.
#[derive(Debug, Clone, Default)]
pub struct LaneMeasures {
    /// Its counts over all runs, by what they count.
    pub counts: BTreeMap<Counter, i64>,
    /// Contacts that wait, by why they are due: how many, since when the first is, and when the
    /// first may be called.
    pub queues: BTreeMap<DialClass, (i64, Moment, Moment)>,
    /// Imports by state.
    pub imports: BTreeMap<ImportState, i64>,
    /// Campaigns that dial nobody though people wait.
    pub stalled: i64,
}

/// The rows of every lane in numbers, by the lane's name.
pub(crate) async fn lanes(session: &mut Session) -> Result<BTreeMap<String, LaneMeasures>, StoreError> {
    // What is counted by names that agents and vendors choose is left out: it has no bound.
    const COUNTS: Sql = sql!(
        "SELECT l.name AS lane, n.name, CAST(sum(n.n) AS BIGINT) AS n FROM run_counts n JOIN runs r ON r.id = n.run_id \
         JOIN campaigns c ON c.id = r.campaign_id JOIN lanes l ON l.id = c.lane_id \
         WHERE n.name LIKE 'contact:%' OR n.name LIKE 'attempt:%' OR n.name LIKE 'outcome:%' OR n.name LIKE 'stopped:%' \
         OR n.name IN ('reached', 'talk_seconds') GROUP BY l.name, n.name"
    );
    const QUEUES: Sql = sql!(
        "SELECT l.name AS lane, b.class, CAST(sum(b.waiting) AS BIGINT) AS n, min(b.next_due_at) AS due_at, \
         min(b.eligible_at) AS eligible_at FROM buckets b JOIN lanes l ON l.id = b.lane_id \
         WHERE b.waiting > 0 AND NOT b.staged GROUP BY l.name, b.class"
    );
    const IMPORTS: Sql = sql!(
        "SELECT l.name AS lane, i.state, count(*) AS n FROM imports i JOIN runs r ON r.id = i.run_id \
         JOIN campaigns c ON c.id = r.campaign_id JOIN lanes l ON l.id = c.lane_id GROUP BY l.name, i.state"
    );
    const STALLED: Sql = sql!(
        "SELECT l.name AS lane, count(*) AS n FROM campaigns c JOIN runs r ON r.id = c.run_id JOIN lanes l ON l.id = c.lane_id \
         WHERE r.told_stalled AND c.state = 'running' GROUP BY l.name"
    );
    let mut lanes: BTreeMap<String, LaneMeasures> = BTreeMap::new();
    for row in session.rows(&STALLED, args![]).await? {
        lanes.entry(row.get("lane")?).or_default().stalled = row.get("n")?;
    }
    for row in session.rows(&COUNTS, args![]).await? {
        let Ok(counter) = row.get::<String>("name")?.parse() else { continue };
        lanes.entry(row.get("lane")?).or_default().counts.insert(counter, row.get("n")?);
    }
    for row in session.rows(&QUEUES, args![]).await? {
        let queue = (row.get("n")?, row.moment("due_at")?, row.moment("eligible_at")?);
        lanes.entry(row.get("lane")?).or_default().queues.insert(row.word("buckets", "class")?, queue);
    }
    for row in session.rows(&IMPORTS, args![]).await? {
        lanes.entry(row.get("lane")?).or_default().imports.insert(row.word("imports", "state")?, row.get("n")?);
    }
    Ok(lanes)
}
