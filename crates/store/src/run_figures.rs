//! The numbers of a run, as kept beside the rows that they count.

use std::collections::{BTreeMap, HashMap};

use ringfence_domain::{ContactState, DialClass, Moment, RunId, Span, ZoneSet};

use crate::campaigns::rows::{CampaignRow, Locked, find};
use crate::campaigns::{rows, runs};
use crate::counters::Counter;
use crate::lanes::tallies::Tallies;
use crate::run_conditions::RunConditions;
use crate::session::{Arg, Session, Sql, args, sql};
use crate::{StoreError, run_conditions};

/// Everything that a summary is made of.
#[derive(Debug, Clone)]
pub struct RunFigures {
    /// The conditions under which it is dialled.
    pub conditions: RunConditions,
    /// Counts by the names of [`Counter`]: `contact:waiting`, `attempt:placed`, `outcome:busy`,
    /// `cost:INR`.
    pub counts: BTreeMap<String, i64>,
    /// Waiting contacts by bucket.
    pub buckets: Vec<BucketFigures>,
    /// Calls sent within the last minute.
    pub last_minute: i64,
    /// When the last contact was finished, once all are.
    pub finished_at: Option<Moment>,
}

/// Waiting contacts of one bucket.
#[derive(Debug, Clone)]
pub struct BucketFigures {
    /// Where they may be.
    pub zones: ZoneSet,
    /// Why they are due.
    pub class: DialClass,
    /// How many wait.
    pub waiting: i64,
    /// How many of them are due later; with more than 10,000 of them and as many who are due, the
    /// latter are at least 10,000.
    pub not_due: i64,
    /// The earliest due moment.
    pub next_due_at: Moment,
    /// The earliest due moment that is to come; none when everyone is due.
    pub later_at: Option<Moment>,
    /// Its import is not released.
    pub staged: bool,
    /// How many wait for a person's word on a call of an earlier run to their number. It is the least
    /// number when more than 1,000 contacts are in review.
    pub behind_reviews: i64,
}

/// How many attempts back the pace of the last minute is looked for.
const PACE_DEPTH: i64 = 2_000;

/// People of one bucket are counted up to here, those who are due and those who are not.
pub(crate) const COUNTED: i64 = 10_000;

/// The number of contacts in review that are looked at, to find who waits for a word on them.
const REVIEWS: i64 = 1_000;

pub(crate) const BUCKETS: Sql = sql!(
    "SELECT b.id, b.run_id, b.zones, b.class, b.waiting, b.next_due_at, b.staged, \
     CASE WHEN b.class = 'first' THEN b.waiting ELSE (SELECT count(*) FROM (SELECT 1 FROM contacts c \
     WHERE c.bucket_id = b.id AND c.state = 'waiting' AND c.due_at <= $2 LIMIT $3) AS due) END AS due, \
     CASE WHEN b.class = 'first' THEN 0 ELSE (SELECT count(*) FROM (SELECT 1 FROM contacts c \
     WHERE c.bucket_id = b.id AND c.state = 'waiting' AND c.due_at > $2 LIMIT $3) AS later) END AS later, \
     (SELECT c.due_at FROM contacts c WHERE c.bucket_id = b.id AND c.state = 'waiting' AND c.due_at > $2 \
     ORDER BY c.due_at, c.id LIMIT 1) AS later_at \
     FROM buckets b WHERE b.waiting > 0 AND b.run_id" ids "ORDER BY b.id"
);

/// How many of a bucket are not due, of those who wait in it, when no more than [`COUNTED`] of either
/// kind were counted. Where there are more of both, those who are due are at least as many.
pub(crate) fn not_due(waiting: i64, due: i64, later: i64) -> i64 {
    match (due < COUNTED, later < COUNTED) {
        (true, _) => waiting - due,
        (false, true) => later,
        (false, false) => waiting - COUNTED,
    }
    .clamp(0, waiting)
}

/// The numbers of a campaign's current run.
pub(crate) async fn numbers(
    session: &mut Session,
    tallies: &Tallies,
    name: &str,
    now: Moment,
) -> Result<Option<RunFigures>, StoreError> {
    let Some(campaign) = find(session, name, Locked::No).await? else { return Ok(None) };
    Ok(of_campaigns(session, tallies, vec![campaign], now).await?.pop())
}

/// The numbers of all campaigns' current runs, by the names of the campaigns.
pub(crate) async fn all_numbers(
    session: &mut Session,
    tallies: &Tallies,
    now: Moment,
) -> Result<Vec<RunFigures>, StoreError> {
    let campaigns = rows::list(session).await?;
    of_campaigns(session, tallies, campaigns, now).await
}

/// As many questions for a thousand campaigns as for one.
async fn of_campaigns(
    session: &mut Session,
    tallies: &Tallies,
    campaigns: Vec<CampaignRow>,
    now: Moment,
) -> Result<Vec<RunFigures>, StoreError> {
    let conditions = run_conditions::conditions(session, tallies, campaigns, now).await?;
    let ids: Vec<RunId> = conditions.iter().map(|conditions| conditions.run.id).collect();
    let mut counts = counts(session, &ids).await?;
    let mut buckets = buckets(session, &ids, now).await?;
    let mut paces = last_minute(session, now).await?;
    let mut all = Vec::new();
    for conditions in conditions {
        let id = conditions.run.id;
        let counts = counts.remove(&id).unwrap_or_default();
        let open: i64 = [ContactState::Waiting, ContactState::Active, ContactState::Review]
            .into_iter()
            .filter_map(|state| counts.get(&Counter::Contact(state).to_string()))
            .sum();
        let finished_at = match (open, conditions.run.finished_at) {
            (0, Some(told)) => Some(told),
            (0, None) if conditions.run.ready => runs::last_finished(session, id).await?,
            _ => None,
        };
        let (buckets, last_minute) = (buckets.remove(&id).unwrap_or_default(), paces.remove(&id).unwrap_or_default());
        all.push(RunFigures { conditions, counts, buckets, last_minute, finished_at });
    }
    Ok(all)
}

async fn counts(session: &mut Session, ids: &[RunId]) -> Result<HashMap<RunId, BTreeMap<String, i64>>, StoreError> {
    const COUNTS: Sql = sql!("SELECT run_id, name, CAST(sum(n) AS BIGINT) AS n FROM run_counts WHERE run_id" ids "GROUP BY run_id, name");
    let mut counts: HashMap<RunId, BTreeMap<String, i64>> = HashMap::new();
    for row in session.rows(&COUNTS, args![Arg::ids(ids.iter().map(|id| id.0))]).await? {
        counts.entry(RunId(row.get("run_id")?)).or_default().insert(row.get("name")?, row.get("n")?);
    }
    Ok(counts)
}

async fn buckets(
    session: &mut Session,
    ids: &[RunId],
    now: Moment,
) -> Result<HashMap<RunId, Vec<BucketFigures>>, StoreError> {
    let behind_reviews = behind_reviews(session).await?;
    let mut buckets: HashMap<RunId, Vec<BucketFigures>> = HashMap::new();
    for row in session.rows(&BUCKETS, args![Arg::ids(ids.iter().map(|id| id.0)), now, COUNTED]).await? {
        buckets.entry(RunId(row.get("run_id")?)).or_default().push(BucketFigures {
            zones: row.word("buckets", "zones")?,
            class: row.word("buckets", "class")?,
            waiting: row.get("waiting")?,
            not_due: not_due(row.get("waiting")?, row.get("due")?, row.get("later")?),
            next_due_at: row.moment("next_due_at")?,
            later_at: row.moment_or_none("later_at")?,
            staged: row.get("staged")?,
            behind_reviews: behind_reviews.get(&row.get("id")?).copied().unwrap_or_default(),
        });
    }
    Ok(buckets)
}

/// Waiting contacts of each bucket to whose number a call of an earlier run is in review: the planner
/// passes them over until somebody has said what became of it. Of many in review some are looked at.
async fn behind_reviews(session: &mut Session) -> Result<HashMap<i64, i64>, StoreError> {
    const BEHIND: Sql = sql!(
        "SELECT bucket_id, count(*) AS n FROM (SELECT (SELECT CASE WHEN c.state = 'waiting' THEN c.bucket_id END \
         FROM number_owners o CROSS JOIN contacts c WHERE o.number_key = k.number_key AND o.run_id = m.run_id \
         AND c.id = o.contact_id AND c.number_key = k.number_key) AS bucket_id \
         FROM (SELECT number_key, run_id FROM contacts WHERE state = 'review' LIMIT $1) AS k \
         CROSS JOIN runs old CROSS JOIN campaigns m \
         WHERE old.id = k.run_id AND m.id = old.campaign_id AND m.run_id <> old.id) AS behind \
         WHERE bucket_id IS NOT NULL GROUP BY bucket_id"
    );
    let rows = session.rows(&BEHIND, args![REVIEWS]).await?;
    rows.iter().map(|row| Ok((row.get("bucket_id")?, row.get("n")?))).collect()
}

/// Calls of each run that were sent within the last minute: counted, or when the newest ones do not
/// reach back so far, reckoned from as far as they do. Attempts that are planned ahead are newer than
/// any.
async fn last_minute(session: &mut Session, now: Moment) -> Result<HashMap<RunId, i64>, StoreError> {
    const PACE: Sql = sql!(
        "SELECT run_id, count(*) AS looked_at, count(*) FILTER (WHERE sending_at > $1) AS n, min(sending_at) AS since \
         FROM (SELECT run_id, sending_at FROM attempts WHERE sending_at IS NOT NULL ORDER BY id DESC LIMIT $2) AS newest \
         GROUP BY run_id"
    );
    let minute = Span::from_minutes(1);
    let (mut looked_at, mut since, mut sent) = (0, now, HashMap::new());
    for row in session.rows(&PACE, args![now - minute, PACE_DEPTH]).await? {
        looked_at += row.get::<i64>("looked_at")?;
        since = since.min(row.moment("since")?);
        sent.insert(RunId(row.get("run_id")?), row.get("n")?);
    }
    if looked_at == PACE_DEPTH && since > now - minute {
        let reach = now.since(since).millis().clamp(1_000, minute.millis());
        for n in sent.values_mut() {
            *n = *n * minute.millis() / reach;
        }
    }
    Ok(sent)
}

/// The names of the outputs that calls of a run have, in their order.
pub(crate) async fn output_names(session: &mut Session, run: RunId) -> Result<Vec<String>, StoreError> {
    const NAMES: Sql =
        sql!("SELECT DISTINCT name FROM run_counts WHERE run_id = $1 AND name LIKE 'output:%' AND n > 0 ORDER BY name");
    let mut names = Vec::new();
    for row in session.rows(&NAMES, args![run]).await? {
        if let Ok(Counter::Output(name)) = row.get::<String>("name")?.parse() {
            names.push(name);
        }
    }
    Ok(names)
}

/// Counts, and the same counted afresh from the rows: names whose two numbers differ. Empty when
/// all is well.
pub(crate) async fn recount(session: &mut Session, id: RunId) -> Result<Vec<(String, i64, i64)>, StoreError> {
    const FRESH: Sql = sql!(
        "SELECT 'contact:' || state AS name, count(*) AS n FROM contacts WHERE run_id = $1 GROUP BY state \
         UNION ALL SELECT 'stopped:' || stop_reason, count(*) FROM contacts WHERE run_id = $1 AND stop_reason IS NOT NULL GROUP BY stop_reason \
         UNION ALL SELECT 'attempt:' || state, count(*) FROM attempts WHERE run_id = $1 GROUP BY state \
         UNION ALL SELECT 'outcome:' || outcome, count(*) FROM attempts WHERE run_id = $1 AND outcome IS NOT NULL GROUP BY outcome \
         UNION ALL SELECT 'reached', count(*) FROM contacts WHERE run_id = $1 AND reached"
    );
    const KEPT: Sql = sql!("SELECT name, CAST(sum(n) AS BIGINT) AS n FROM run_counts WHERE run_id = $1 GROUP BY name");
    const BUCKETS: Sql = sql!(
        "SELECT b.zones || ' ' || b.class AS name, b.import_id, b.waiting AS kept, (SELECT count(*) FROM contacts c \
         WHERE c.bucket_id = b.id AND c.state = 'waiting') AS n, \
         (SELECT count(*) FROM contacts c WHERE c.bucket_id = b.id AND c.state = 'waiting' \
          AND (c.due_at, c.id) < (b.next_due_at, b.next_contact)) AS hidden FROM buckets b WHERE b.run_id = $1"
    );
    // Of an erased run only the counts are left.
    if runs::by_id(session, id).await?.erased_at.is_some() {
        return Ok(Vec::new());
    }
    let mut both: BTreeMap<String, (i64, i64)> = BTreeMap::new();
    for row in session.rows(&KEPT, args![id]).await? {
        let name: String = row.get("name")?;
        let counter: Result<Counter, _> = name.parse();
        if counter.is_err() || counter.is_ok_and(|counter| counter.counts_rows()) {
            both.entry(name).or_default().0 = row.get("n")?;
        }
    }
    for row in session.rows(&FRESH, args![id]).await? {
        both.entry(row.get("name")?).or_default().1 = row.get("n")?;
    }
    for row in session.rows(&BUCKETS, args![id]).await? {
        let name: String = row.get("name")?;
        let waiting = both.entry(format!("bucket {name} of import {}", row.get::<i64>("import_id")?)).or_default();
        *waiting = (row.get("kept")?, row.get("n")?);
        // A head may be early, which costs one look; late it hides contacts.
        let hidden = both.entry(format!("the number of people whom planning would pass ({name})")).or_default();
        hidden.0 += row.get::<i64>("hidden")?;
    }
    Ok(both.into_iter().filter(|(_, (kept, n))| kept != n).map(|(name, (kept, n))| (name, kept, n)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_who_are_not_due_are_counted_as_far_as_that_is_cheap() {
        assert_eq!(not_due(500, 20, 480), 480);
        assert_eq!(not_due(50_000, COUNTED, 7), 7, "very many are due");
        assert_eq!(not_due(50_000, 7, COUNTED), 49_993, "very many are not");
        assert_eq!(not_due(50_000, COUNTED, COUNTED), 40_000, "at least so many are due");
        assert_eq!(not_due(3, 5, 0), 0, "calls go on while it is counted");
    }
}
