//! What changed since: rows in the order of the transactions that changed them last.
//!
//! A transaction that began early may commit late. Its rows have its number, so a reader who goes
//! on after the last number would miss them; therefore nothing is given whose number is not below
//! the horizon, below which no transaction is open.

use std::collections::BTreeMap;

use ringfence_domain::{CampaignId, ContactId, Moment, RunId};

use crate::StoreError;
use crate::contacts::attempt_rows::{self, AttemptRow};
use crate::contacts::rows::{self, ContactFilter, ContactRow};
use crate::session::{Row, Session, Sql, args, sql};

/// Where a reader of changes is: the last row that was given, in the order of runs, changes and
/// ids; and the horizon when the reading began, which holds to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangePlace {
    /// Which history the numbers are of.
    pub era: i64,
    /// Nothing from this number on is given.
    pub horizon: i64,
    /// The run.
    pub run: RunId,
    /// The number of the transaction.
    pub change: i64,
    /// The row.
    pub id: i64,
}

/// What is asked for: what changed in a campaign.
#[derive(Debug, Clone, Copy)]
pub struct ChangeQuery {
    /// The campaign.
    pub campaign: CampaignId,
    /// Only this run; else every run of the campaign.
    pub run: Option<RunId>,
    /// No change before this one.
    pub since: i64,
    /// The last row that was given.
    pub after: Option<ChangePlace>,
    /// Rows of the page.
    pub limit: i64,
}

/// Rows that changed.
#[derive(Debug)]
pub struct Changed<T> {
    /// The rows, each with its place.
    pub rows: Vec<(ChangePlace, T)>,
    /// Nothing with a lower number can still appear.
    pub horizon: i64,
    /// Which history the numbers are of: it is another one once the database was put back.
    pub era: i64,
}

pub(crate) const CONTACTS: Sql = sql!(
    "SELECT c.id, c.change_number FROM contacts c WHERE c.run_id = $1 AND c.change_number >= $2 \
     AND (c.change_number > $2 OR c.id > $3) AND c.change_number < $5 \
     AND ($6 = '' OR c.state || '' = $6) AND ($7 = '' OR c.last_outcome || '' = $7) \
     ORDER BY c.change_number, c.id LIMIT $4"
);

// What changes while it lives is not in the index of changes, and few attempts live.
pub(crate) const ATTEMPTS: Sql = sql!(
    "SELECT id, change_number FROM (SELECT id, change_number FROM \
     (SELECT a.id, a.change_number FROM attempts a WHERE a.run_id = $1 AND a.change_number >= $2 \
     AND (a.change_number > $2 OR a.id > $3) AND a.change_number < $5 AND $6 = $7 \
     AND (NOT a.live OR a.live_change IS NULL) ORDER BY a.change_number, a.id LIMIT $4) AS settled \
     UNION ALL SELECT a.id, a.live_change AS change_number FROM lanes l CROSS JOIN attempts a \
     WHERE a.lane_id = l.id AND a.live AND a.run_id + 0 = $1 AND a.live_change >= $2 \
     AND (a.live_change > $2 OR a.id > $3) AND a.live_change < $5) AS changed \
     ORDER BY change_number, id LIMIT $4"
);

const RUNS_OF_CONTACTS: Sql = sql!(
    "SELECT r.id FROM runs r WHERE r.campaign_id = $1 AND r.id >= $2 AND ($3 = 0 OR r.id = $3) AND EXISTS \
     (SELECT 1 FROM contacts c WHERE c.run_id = r.id AND c.change_number >= $4 AND c.change_number < $5) ORDER BY r.id"
);

const RUNS_OF_ATTEMPTS: Sql = sql!(
    "SELECT r.id FROM runs r WHERE r.campaign_id = $1 AND r.id >= $2 AND ($3 = 0 OR r.id = $3) AND EXISTS \
     (SELECT 1 FROM attempts a WHERE a.run_id = r.id AND a.change_number >= $4 AND a.change_number < $5 \
     UNION ALL SELECT 1 FROM lanes l CROSS JOIN attempts a WHERE a.lane_id = l.id AND a.live AND a.run_id + 0 = r.id \
     AND a.live_change >= $4 AND a.live_change < $5) ORDER BY r.id"
);

/// The contacts of a campaign that changed.
pub(crate) async fn contacts(
    session: &mut Session,
    query: ChangeQuery,
    filter: ContactFilter,
) -> Result<Changed<ContactRow>, StoreError> {
    let (state, outcome, _) = filter.words();
    let (places, horizon, era) = places(session, query, (&RUNS_OF_CONTACTS, &CONTACTS), (state, outcome)).await?;
    let ids: Vec<ContactId> = places.iter().map(|place| ContactId(place.id)).collect();
    let mut known: BTreeMap<i64, ContactRow> =
        rows::by_ids(session, &ids).await?.into_iter().map(|row| (row.id.0, row)).collect();
    let rows = places.into_iter().filter_map(|place| Some((place, known.remove(&place.id)?))).collect();
    Ok(Changed { rows, horizon, era })
}

/// The attempts of a campaign that changed.
pub(crate) async fn attempts(session: &mut Session, query: ChangeQuery) -> Result<Changed<AttemptRow>, StoreError> {
    let (places, horizon, era) = places(session, query, (&RUNS_OF_ATTEMPTS, &ATTEMPTS), ("", "")).await?;
    let mut known = attempt_rows::by_ids(session, places.iter().map(|place| place.id)).await?;
    let rows = places.into_iter().filter_map(|place| Some((place, known.remove(&place.id)?))).collect();
    Ok(Changed { rows, horizon, era })
}

/// The places of a page, the horizon, and the era. A row that changes while pages are read has a
/// number beyond the horizon of the first page, and comes the next time.
async fn places(
    session: &mut Session,
    query: ChangeQuery,
    (runs, rows): (&'static Sql, &'static Sql),
    (state, outcome): (&'static str, &'static str),
) -> Result<(Vec<ChangePlace>, i64, i64), StoreError> {
    let ChangeQuery { campaign, run: only, since, after, limit } = query;
    let (now, era) = horizon(session).await?;
    let horizon = after.map_or(now, |after| after.horizon);
    let (from, only) = (after.map_or(RunId(0), |after| after.run), only.unwrap_or(RunId(0)));
    let runs = session.rows(runs, args![campaign, from, only, since, horizon]).await?;
    let mut places: Vec<ChangePlace> = Vec::new();
    for run in runs.iter().map(|row| row.get("id").map(RunId)).collect::<Result<Vec<_>, StoreError>>()? {
        let rest = limit - places.len() as i64;
        if rest <= 0 {
            break;
        }
        let (change, id) = after.filter(|after| after.run == run).map_or((since, 0), |after| (after.change, after.id));
        let found = session.rows(rows, args![run, change, id, rest, horizon, state, outcome]).await?;
        let place = |row: &Row| -> Result<ChangePlace, StoreError> {
            Ok(ChangePlace { era, horizon, run, change: row.get("change_number")?, id: row.get("id")? })
        };
        places.extend(found.iter().map(place).collect::<Result<Vec<_>, _>>()?);
    }
    Ok((places, horizon, era))
}

async fn horizon(session: &mut Session) -> Result<(i64, i64), StoreError> {
    const HORIZON: Sql = sql!("SELECT h.n, i.change_era AS era FROM change_horizon h CROSS JOIN installation i");
    let row = session.one(&HORIZON, args![]).await?;
    Ok((row.get("n")?, row.get("era")?))
}

/// The numbers of the transactions to come are of another history: the database was put back, or
/// stands on another server, which counts its transactions anew.
pub(crate) async fn begin_era(session: &mut Session, now: Moment) -> Result<(), StoreError> {
    // A server's own numbers stay below this one.
    const BEGIN: Sql = sql!(
        "UPDATE installation SET change_base = change_base + 281474976710656, \
         change_era = CASE WHEN change_era < $1 THEN $1 ELSE change_era + 1 END"
    );
    session.run(&BEGIN, args![now]).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    /// Columns that clients do not see.
    const HIDDEN: [&str; 4] = [
        "SET slot_until",
        "SET bucket_id = u.bucket_id FROM",
        "SET pending_stop_reason = NULL FROM",
        "SET pending_stop_reason = $2",
    ];

    fn files(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                files(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(path);
            }
        }
    }

    #[test]
    fn whatever_changes_a_contact_or_an_attempt_numbers_the_change() {
        let mut sources = Vec::new();
        files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut sources);
        let mut seen = 0;
        for path in sources.iter().filter(|path| {
            !path.ends_with("changes.rs") || path.parent().is_some_and(|folder| folder.ends_with("imports"))
        }) {
            let text = fs::read_to_string(path).expect("readable");
            for start in
                ["\"UPDATE contacts", "\"UPDATE attempts", "\"INSERT INTO contacts ", "\"INSERT INTO attempts "]
            {
                for (place, _) in text.match_indices(start) {
                    let statement = text[place + 1..].split('"').next().expect("it ends");
                    let hidden = HIDDEN.iter().any(|hidden| statement.contains(hidden));
                    assert!(hidden || statement.contains("change_number"), "{}: {statement}", path.display());
                    seen += 1;
                }
            }
        }
        assert!(seen > 15, "only {seen} statements were seen");
    }
}
