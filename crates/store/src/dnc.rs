//! The do-not-call list: read inside every claim.

use ringfence_domain::{CampaignId, Moment, NumberKey, PhoneNumber, RunId};
use serde::Serialize;

use crate::database::turns::Urgency;
use crate::session::{self, Row, Session, Sql, args, claim_fence, sql};
use crate::{Database, DatabaseKind, StoreError};

/// What numbers of one source have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DncList {
    /// The campaign that must not call them; nobody may without.
    pub campaign: Option<CampaignId>,
    /// Who or what says so.
    pub source: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// Since when.
    pub added_at: Moment,
}

/// A number that must not be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DncRow {
    /// The number.
    pub number: PhoneNumber,
    /// What it is looked up by.
    pub number_key: NumberKey,
    /// Where it comes from.
    pub list: DncList,
}

/// A list, as numbers name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DncListId(i64);

/// Stands for "no campaign at all may call" in the rows. A key cannot hold null, and with two
/// tables every question would be asked twice.
const EVERYONE: i64 = 0;

fn column(campaign: Option<CampaignId>) -> i64 {
    campaign.map_or(EVERYONE, |campaign| campaign.0)
}

/// Begins a list.
pub(crate) async fn begin(session: &mut Session, list: &DncList) -> Result<DncListId, StoreError> {
    const BEGIN: Sql =
        sql!("INSERT INTO dnc_lists (campaign_id, source, reason, added_at) VALUES ($1, $2, $3, $4) RETURNING id");
    let arguments = args![column(list.campaign), list.source.clone(), list.reason.clone(), list.added_at];
    Ok(DncListId(session.one(&BEGIN, arguments).await?.get("id")?))
}

/// More numbers than a person adds by hand: a list, for which nothing else waits.
const LIST: usize = 100;

/// A number and its list.
pub type DncEntry = (DncListId, NumberKey, PhoneNumber);

/// Adds numbers to their lists, and returns how many are new. After it returns no claim commits
/// that had not seen them.
pub(crate) async fn add(database: &Database, numbers: Vec<DncEntry>) -> Result<u64, StoreError> {
    const WORK: &str = "add_dnc";
    if numbers.len() <= LIST || database.kind() == DatabaseKind::Postgres {
        return database.write(WORK, Urgency::Stop, move |session| Box::pin(add_some(session, numbers))).await;
    }
    let mut added = 0;
    let mut numbers = numbers.into_iter();
    while !numbers.as_slice().is_empty() {
        let rows = database.portion(WORK);
        let some: Vec<_> = numbers.by_ref().take(rows).collect();
        let did = some.len();
        let write = database.timed(WORK, Urgency::Bulk, move |session| Box::pin(add_some(session, some)));
        let (new, held) = write.await?;
        database.portions().took(WORK, rows, did, held);
        added += new;
    }
    Ok(added)
}

async fn add_some(session: &mut Session, numbers: Vec<DncEntry>) -> Result<u64, StoreError> {
    claim_fence::close(session).await?;
    insert(session, &numbers).await
}

/// Adds numbers to their lists, in the order of the keys, so that two who add never wait for each
/// other. A number that comes twice is on the list that began first.
pub(crate) async fn insert(session: &mut Session, numbers: &[DncEntry]) -> Result<u64, StoreError> {
    #[derive(Serialize)]
    struct NewRow<'a> {
        list_id: i64,
        number_key: NumberKey,
        number: &'a str,
    }
    const ADD: Sql = sql!(
        "INSERT INTO dnc (number_key, campaign_id, list_id, number) \
         SELECT u.number_key, l.campaign_id, l.id, u.number FROM"
        rows (list_id bigint, number_key bigint, number text)
        "JOIN dnc_lists l ON l.id = u.list_id WHERE true ORDER BY u.number_key, u.list_id ON CONFLICT DO NOTHING"
    );
    if numbers.is_empty() {
        return Ok(0);
    }
    let mut rows: Vec<NewRow<'_>> = numbers
        .iter()
        .map(|(list, number_key, number)| NewRow { list_id: list.0, number_key: *number_key, number: number.e164() })
        .collect();
    rows.sort_unstable_by_key(|row| (row.number_key, row.list_id));
    session.run(&ADD, args![session::rows(&rows)]).await
}

/// Takes a number off the list of everyone, or of one campaign. False when it was not on it.
pub(crate) async fn remove(
    session: &mut Session,
    number: NumberKey,
    campaign: Option<CampaignId>,
) -> Result<bool, StoreError> {
    const REMOVE: Sql = sql!("DELETE FROM dnc WHERE number_key = $1 AND campaign_id = $2");
    Ok(session.run(&REMOVE, args![number, column(campaign)]).await? > 0)
}

/// The entries of a number: of everyone first, then of single campaigns.
pub(crate) async fn find(session: &mut Session, number: NumberKey) -> Result<Vec<DncRow>, StoreError> {
    const FIND: Sql = sql!(
        "SELECT d.number_key AS id, d.number, d.campaign_id, l.source, l.reason, l.added_at FROM dnc d \
         JOIN dnc_lists l ON l.id = d.list_id WHERE d.number_key = $1 ORDER BY d.campaign_id"
    );
    session.rows(&FIND, args![number]).await?.iter().map(entry).collect()
}

// SQLite keeps the order of a cross join: the list first. A number may be on both lists.
pub(crate) const BY_LIST: Sql = sql!(
    "SELECT count(DISTINCT c.id) AS n FROM dnc d CROSS JOIN number_owners o CROSS JOIN contacts c WHERE o.run_id = $1 \
     AND o.number_key = d.number_key AND c.id = o.contact_id AND c.number_key = d.number_key AND c.state = 'waiting' \
     AND d.campaign_id IN (0, (SELECT campaign_id FROM runs WHERE id = $1))"
);

/// How many who wait in a run are on the list, of everyone or of its campaign. None when the list and
/// those who wait both are `most` or more: somebody waits for the answer.
pub(crate) async fn waiting(session: &mut Session, run: RunId, most: i64) -> Result<Option<i64>, StoreError> {
    const SIZE: Sql = sql!("SELECT count(*) AS n FROM (SELECT 1 FROM dnc LIMIT $1) AS counted");
    const BY_CONTACT: Sql = sql!(
        "SELECT count(*) AS looked_at, count(*) FILTER (WHERE EXISTS (SELECT 1 FROM dnc d WHERE d.number_key = c.number_key \
         AND d.campaign_id IN (0, (SELECT campaign_id FROM runs WHERE id = $1)))) AS n \
         FROM (SELECT number_key FROM contacts WHERE run_id = $1 AND state = 'waiting' LIMIT $2) AS c"
    );
    let size: i64 = session.one(&SIZE, args![most]).await?.get("n")?;
    if size < most {
        return session.one(&BY_LIST, args![run]).await?.get("n").map(Some);
    }
    let row = session.one(&BY_CONTACT, args![run, most]).await?;
    Ok((row.get::<i64>("looked_at")? < most).then_some(row.get("n")?))
}

/// The next entries of everyone, or of one campaign, after this key, in the order of the keys.
pub(crate) async fn page(
    session: &mut Session,
    campaign: Option<CampaignId>,
    after: i64,
    limit: u32,
) -> Result<Vec<DncRow>, StoreError> {
    const PAGE: Sql = sql!(
        "SELECT d.number_key AS id, d.number, d.campaign_id, l.source, l.reason, l.added_at FROM dnc d \
         JOIN dnc_lists l ON l.id = d.list_id WHERE d.number_key > $1 AND d.campaign_id = $2 ORDER BY d.number_key LIMIT $3"
    );
    session.rows(&PAGE, args![after, column(campaign), i64::from(limit)]).await?.iter().map(entry).collect()
}

fn entry(row: &Row) -> Result<DncRow, StoreError> {
    let campaign: i64 = row.get("campaign_id")?;
    Ok(DncRow {
        number: row.number("dnc")?,
        number_key: NumberKey(row.get("id")?),
        list: DncList {
            campaign: (campaign != EVERYONE).then_some(CampaignId(campaign)),
            source: row.get("source")?,
            reason: row.get("reason")?,
            added_at: row.moment("added_at")?,
        },
    })
}
