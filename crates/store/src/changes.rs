//! What changed since: rows in the order of the transactions that changed them last.
//!
//! A transaction that began early may commit late. Its rows have its number, so a reader who goes
//! on after the last number would miss them; therefore nothing is given whose number is not below
//! the horizon, below which no transaction is open.

use std::collections::BTreeMap;

use ringfence_domain::{ContactId, RunId};

use crate::StoreError;
use crate::contacts::attempt_rows::{self, AttemptRow};
use crate::contacts::rows::{self, ContactFilter, ContactRow};
use crate::session::{Row, Session, Sql, args, sql};

/// Where a reader of changes is: the last row that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct ChangePlace {
    /// The number of the transaction.
    pub change: i64,
    /// The row.
    pub id: i64,
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
     AND (c.change_number > $2 OR c.id > $3) AND c.change_number < (SELECT n FROM change_horizon) \
     AND ($5 = '' OR c.state = $5) AND ($6 = '' OR c.last_outcome = $6) \
     ORDER BY c.change_number, c.id LIMIT $4"
);

/// The contacts of a run that changed from a place on.
pub(crate) async fn contacts(
    session: &mut Session,
    run: RunId,
    filter: ContactFilter,
    after: ChangePlace,
    limit: i64,
) -> Result<Changed<ContactRow>, StoreError> {
    let (horizon, era) = horizon(session).await?;
    let (state, outcome, _) = filter.words();
    let found = session.rows(&CONTACTS, args![run, after.change, after.id, limit, state, outcome]).await?;
    let places = places(&found)?;
    let ids: Vec<ContactId> = places.iter().map(|place| ContactId(place.id)).collect();
    let mut known: BTreeMap<i64, ContactRow> =
        rows::by_ids(session, &ids).await?.into_iter().map(|row| (row.id.0, row)).collect();
    let rows = places.into_iter().filter_map(|place| Some((place, known.remove(&place.id)?))).collect();
    Ok(Changed { rows, horizon, era })
}

pub(crate) const ATTEMPTS: Sql = sql!(
    "SELECT a.id, a.change_number FROM attempts a WHERE a.run_id = $1 AND a.change_number >= $2 \
     AND (a.change_number > $2 OR a.id > $3) AND a.change_number < (SELECT n FROM change_horizon) \
     AND (($5 = '' AND $6 = '') OR EXISTS (SELECT 1 FROM contacts c WHERE c.id = a.contact_id \
         AND ($5 = '' OR c.state = $5) AND ($6 = '' OR c.last_outcome = $6))) \
     ORDER BY a.change_number, a.id LIMIT $4"
);

/// The attempts of a run that changed from a place on, at contacts that the filter lets through.
pub(crate) async fn attempts(
    session: &mut Session,
    run: RunId,
    filter: ContactFilter,
    after: ChangePlace,
    limit: i64,
) -> Result<Changed<AttemptRow>, StoreError> {
    let (horizon, era) = horizon(session).await?;
    let (state, outcome, _) = filter.words();
    let found = session.rows(&ATTEMPTS, args![run, after.change, after.id, limit, state, outcome]).await?;
    let places = places(&found)?;
    let mut known = attempt_rows::by_ids(session, places.iter().map(|place| place.id)).await?;
    let rows = places.into_iter().filter_map(|place| Some((place, known.remove(&place.id)?))).collect();
    Ok(Changed { rows, horizon, era })
}

fn places(rows: &[Row]) -> Result<Vec<ChangePlace>, StoreError> {
    rows.iter().map(|row| Ok(ChangePlace { change: row.get("change_number")?, id: row.get("id")? })).collect()
}

async fn horizon(session: &mut Session) -> Result<(i64, i64), StoreError> {
    const HORIZON: Sql =
        sql!("SELECT h.n, (SELECT coalesce(max(id), 0) FROM quarantines) AS era FROM change_horizon h");
    let row = session.one(&HORIZON, args![]).await?;
    Ok((row.get("n")?, row.get("era")?))
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
