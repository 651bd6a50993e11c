//! Contacts, as people ask about them.

use ringfence_domain::template::Row as Fields;
use ringfence_domain::{
    ContactId, ContactState, DialClass, ImportId, Moment, NumberKey, Outcome, PhoneNumber, RunId, StopReason, ZoneSet,
};

use super::attempt_rows;
use super::attempt_rows::AttemptRow;
use crate::StoreError;
use crate::session::{Arg, Row, Session, Sql, args, sql};

/// One contact, as people ask about it.
#[derive(Debug, Clone)]
pub struct ContactRow {
    /// Its id.
    pub id: ContactId,
    /// Its run.
    pub run: RunId,
    /// The whole number.
    pub number: PhoneNumber,
    /// What the number is looked up by.
    pub number_key: NumberKey,
    /// The file that it came from.
    pub import: ImportId,
    /// Its row in that file.
    pub row_number: i64,
    /// Where it stands.
    pub state: ContactState,
    /// Why it was stopped.
    pub stop_reason: Option<StopReason>,
    /// The earliest moment of its next call.
    pub due_at: Moment,
    /// Why it is due.
    pub class: DialClass,
    /// Where it may be.
    pub zones: ZoneSet,
    /// Counted calls.
    pub calls: u32,
    /// How the last call ended.
    pub last_outcome: Option<Outcome>,
    /// The last call that ended.
    pub last_attempt: Option<AttemptRow>,
    /// Whether it was reached as the campaign defines it.
    pub reached: bool,
    /// What the operator's own system calls the person.
    pub external_id: Option<String>,
    /// Its import is not released: nobody of it is dialled.
    pub staged: bool,
    /// The row as it stood in the file.
    pub fields: Fields,
}

/// Which contacts are asked for; what is not named is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ContactFilter {
    /// Where they stand.
    pub state: Option<ContactState>,
    /// How their last call ended.
    pub outcome: Option<Outcome>,
    /// Whether they were reached, as the campaign defines it.
    pub reached: Option<bool>,
}

impl ContactFilter {
    /// State, outcome, and whether they were reached, as statements take them: an empty word and 0
    /// let everybody through.
    pub(crate) fn words(self) -> (&'static str, &'static str, i64) {
        let reached = match self.reached {
            None => 0,
            Some(true) => 1,
            Some(false) => 2,
        };
        (self.state.map_or("", ContactState::as_str), self.outcome.map_or("", Outcome::as_str), reached)
    }
}

macro_rules! contact_columns {
    ($after:literal) => {
        concat!(
            "SELECT c.id, c.run_id, c.number, c.number_key, c.import_id, c.row_number, c.state, c.stop_reason, c.due_at, ",
            "b.class, b.zones, b.staged, c.calls, c.last_outcome, c.last_attempt, c.reached, c.external_id, c.fields ",
            "FROM contacts c JOIN buckets b ON b.id = c.bucket_id ", $after
        )
    };
}

/// The ids of a page, out of the index of the run's contacts in one state.
macro_rules! of_state {
    ($state:literal) => {
        concat!(
            "SELECT * FROM (SELECT c.id FROM contacts c WHERE c.run_id = $1 AND c.state = '",
            $state,
            "' AND c.id > $2 \
             AND ($4 = '' OR $4 = '",
            $state,
            "') AND ($6 = 0 OR ($6 = 1 AND c.reached) OR ($6 = 2 AND NOT c.reached)) \
             ORDER BY c.id LIMIT $3) AS ",
            $state
        )
    };
}

pub(crate) const BY_STATE: Sql = sql!(both concat!(
    of_state!("waiting"), " UNION ALL ", of_state!("active"), " UNION ALL ", of_state!("review"), " UNION ALL ",
    of_state!("done"), " UNION ALL ", of_state!("stopped"), " ORDER BY id LIMIT $3"
));
pub(crate) const BY_OUTCOME: Sql = sql!(
    "SELECT c.id FROM contacts c WHERE c.run_id = $1 AND c.last_outcome = $5 AND c.id > $2 AND ($4 = '' OR c.state = $4) \
     AND ($6 = 0 OR ($6 = 1 AND c.reached) OR ($6 = 2 AND NOT c.reached)) ORDER BY c.id LIMIT $3"
);

/// The next contacts of a run after `after`, by id. A page reads as many rows for a run of millions
/// as for one of hundreds: what comes first in each state, and of these what comes first.
pub(crate) async fn page(
    session: &mut Session,
    run: RunId,
    filter: ContactFilter,
    after: ContactId,
    limit: u32,
) -> Result<Vec<ContactRow>, StoreError> {
    let ids = page_ids(session, run, filter, after, limit).await?;
    by_ids(session, &ids).await
}

async fn page_ids(
    session: &mut Session,
    run: RunId,
    filter: ContactFilter,
    after: ContactId,
    limit: u32,
) -> Result<Vec<ContactId>, StoreError> {
    let (state, outcome, reached) = filter.words();
    let statement = if outcome.is_empty() { &BY_STATE } else { &BY_OUTCOME };
    let rows = session.rows(statement, args![run, after, i64::from(limit), state, outcome, reached]).await?;
    rows.iter().map(|row| row.get("id").map(ContactId)).collect()
}

/// What a text may be looked for in, of one contact, without reading all else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactText {
    /// The contact.
    pub id: ContactId,
    /// Its state.
    pub state: ContactState,
    /// Calls that count.
    pub calls: u32,
    /// The number to be dialled next.
    pub number: String,
    /// What the operator's own system calls the person.
    pub external_id: Option<String>,
    /// The row of the file, as JSON.
    pub fields: String,
}

/// The texts of the next contacts of a run after `after`, by id.
pub(crate) async fn texts(
    session: &mut Session,
    run: RunId,
    filter: ContactFilter,
    after: ContactId,
    limit: u32,
) -> Result<Vec<ContactText>, StoreError> {
    const FIND: Sql = sql!(
        "SELECT c.id, c.state, c.calls, c.number, c.external_id, CAST(c.fields AS TEXT) AS fields FROM contacts c WHERE c.id"
        ids "ORDER BY c.id"
    );
    let ids = page_ids(session, run, filter, after, limit).await?;
    let rows = session.rows(&FIND, args![Arg::ids(ids.iter().map(|id| id.0))]).await?;
    let text = |row: &Row| {
        Ok(ContactText {
            id: ContactId(row.get("id")?),
            state: row.word("contacts", "state")?,
            calls: row.get::<i64>("calls")? as u32,
            number: row.get("number")?,
            external_id: row.get("external_id")?,
            fields: row.get("fields")?,
        })
    };
    rows.iter().map(text).collect()
}

/// The contacts of these ids, as far as there are any.
pub(crate) async fn by_ids(session: &mut Session, contacts: &[ContactId]) -> Result<Vec<ContactRow>, StoreError> {
    const FIND: Sql = sql!(contact_columns!("WHERE c.id") ids "ORDER BY c.id");
    let rows = session.rows(&FIND, args![Arg::ids(contacts.iter().map(|id| id.0))]).await?;
    with_last_attempts(session, rows).await
}

/// The contact of this id.
pub(crate) async fn by_id(session: &mut Session, contact: ContactId) -> Result<Option<ContactRow>, StoreError> {
    const FIND: Sql = sql!(both contact_columns!("WHERE c.id = $1"));
    let rows = session.rows(&FIND, args![contact]).await?;
    Ok(with_last_attempts(session, rows).await?.into_iter().next())
}

/// The contact of a run with this number.
pub(crate) async fn by_number(
    session: &mut Session,
    run: RunId,
    number: NumberKey,
) -> Result<Option<ContactRow>, StoreError> {
    const FIND: Sql = sql!(
        both contact_columns!("WHERE c.id IN (SELECT contact_id FROM number_owners WHERE run_id = $1 AND number_key = $2)")
    );
    let rows = session.rows(&FIND, args![run, number]).await?;
    Ok(with_last_attempts(session, rows).await?.into_iter().next())
}

/// The contacts with this number in the current runs of all campaigns.
pub(crate) async fn in_current_runs(session: &mut Session, number: NumberKey) -> Result<Vec<ContactRow>, StoreError> {
    const FIND: Sql = sql!(
        sqlite contact_columns!("WHERE c.id IN (SELECT o.contact_id FROM number_owners o CROSS JOIN campaigns k \
            WHERE o.number_key = $1 AND o.run_id = k.run_id) ORDER BY c.id"),
        postgres contact_columns!("WHERE c.id = ANY (ARRAY(SELECT o.contact_id FROM number_owners o \
            CROSS JOIN campaigns k WHERE o.number_key = $1 AND o.run_id = k.run_id)) ORDER BY c.id")
    );
    let rows = session.rows(&FIND, args![number]).await?;
    with_last_attempts(session, rows).await
}

/// The contacts in the current runs of all campaigns that the operator's own system calls so.
pub(crate) async fn named(session: &mut Session, external_id: &str, limit: i64) -> Result<Vec<ContactRow>, StoreError> {
    let rows = session.rows(&NAMED, args![external_id, limit]).await?;
    with_last_attempts(session, rows).await
}

pub(crate) const NAMED: Sql = sql!(both contact_columns!(
    "JOIN campaigns k ON k.run_id = c.run_id WHERE c.external_id = $1 ORDER BY c.id LIMIT $2"
));

/// Contacts with this number who are not dialled before a call of an earlier run of their campaign
/// is settled.
pub(crate) async fn waiting_for_review(session: &mut Session, number: NumberKey) -> Result<Vec<ContactId>, StoreError> {
    const FIND: Sql = sql!(
        "SELECT c.id FROM contacts k CROSS JOIN runs old CROSS JOIN runs own CROSS JOIN number_owners o CROSS JOIN contacts c \
         WHERE k.number_key = $1 AND k.state = 'review' AND old.id = k.run_id AND own.campaign_id = old.campaign_id \
         AND own.id <> old.id AND o.number_key = k.number_key AND o.run_id = own.id AND c.id = o.contact_id \
         AND c.number_key = k.number_key"
    );
    session.rows(&FIND, args![number]).await?.iter().map(|row| row.get("id").map(ContactId)).collect()
}

async fn with_last_attempts(session: &mut Session, rows: Vec<Row>) -> Result<Vec<ContactRow>, StoreError> {
    let ids = rows
        .iter()
        .filter_map(|row| row.get::<Option<i64>>("last_attempt").transpose())
        .collect::<Result<Vec<_>, StoreError>>()?;
    let mut attempts = attempt_rows::by_ids(session, ids.into_iter()).await?;
    rows.iter()
        .map(|row| {
            let optional = |column| row.get::<Option<String>>(column);
            Ok(ContactRow {
                id: ContactId(row.get("id")?),
                run: RunId(row.get("run_id")?),
                number: row.number("contacts")?,
                number_key: NumberKey(row.get("number_key")?),
                import: ImportId(row.get("import_id")?),
                row_number: row.get("row_number")?,
                state: row.word("contacts", "state")?,
                stop_reason: optional("stop_reason")?.map(|_| row.word("contacts", "stop_reason")).transpose()?,
                due_at: row.moment("due_at")?,
                class: row.word("buckets", "class")?,
                zones: row.word("buckets", "zones")?,
                calls: row.get::<i64>("calls")? as u32,
                last_outcome: optional("last_outcome")?.map(|_| row.word("contacts", "last_outcome")).transpose()?,
                last_attempt: row.get::<Option<i64>>("last_attempt")?.and_then(|id| attempts.remove(&id)),
                reached: row.get("reached")?,
                external_id: row.get("external_id")?,
                staged: row.get("staged")?,
                fields: row.json("contacts", "fields")?,
            })
        })
        .collect()
}
