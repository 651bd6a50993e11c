//! The questions that people ask about contacts and their attempts.

use std::collections::BTreeMap;

use ringfence_domain::template::Row as Fields;
use ringfence_domain::{
    AttemptId, AttemptState, ContactId, ContactState, DialClass, ImportId, Moment, NumberKey, Outcome, PhoneNumber,
    RunId, StopReason, ZoneSet,
};
use serde::Serialize;

use crate::StoreError;
use crate::session::{Row, Session, Sql, args, rows_json, sql};

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
    /// The row as it stood in the file.
    pub fields: Fields,
}

/// One attempt, as people ask about it.
#[derive(Debug, Clone)]
pub struct AttemptRow {
    /// Its id.
    pub id: AttemptId,
    /// Its contact.
    pub contact: ContactId,
    /// Its run.
    pub run: RunId,
    /// Where it stands.
    pub state: AttemptState,
    /// When it was planned.
    pub opened_at: Moment,
    /// When it was sent.
    pub sending_at: Option<Moment>,
    /// When its call was over.
    pub ended_at: Option<Moment>,
    /// The vendor's name for the call.
    pub call_id: Option<String>,
    /// How it ended.
    pub outcome: Option<Outcome>,
    /// Why it was not sent, refused, or is unknown.
    pub cause: Option<String>,
    /// The vendor's own word for how it ended.
    pub vendor_status: Option<String>,
    /// Seconds talked.
    pub talk_seconds: Option<i64>,
    /// The charge in millionths of the currency.
    pub cost_micros: Option<i64>,
    /// The currency of the charge.
    pub currency: Option<String>,
    /// What the agent collected.
    pub outputs: BTreeMap<String, serde_json::Value>,
    /// The recording.
    pub recording_url: Option<String>,
    /// When the link to the recording expires.
    pub recording_expires_at: Option<Moment>,
    /// The transcript.
    pub transcript_url: Option<String>,
}

/// Which contacts an export has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFilter {
    /// All of them.
    All,
    /// Those reached.
    Reached,
    /// Those finished or not, but not reached.
    Unreached,
    /// Those whose call is of unknown fate.
    Review,
}

macro_rules! contact_columns {
    ($json:literal, $after:literal) => {
        concat!(
            "SELECT c.id, c.run_id, c.number, c.number_key, c.import_id, c.row_number, c.state, c.stop_reason, c.due_at, ",
            "b.class, b.zones, c.calls, c.last_outcome, c.last_attempt, c.reached, c.fields", $json, " AS fields ",
            "FROM contacts c JOIN buckets b ON b.id = c.bucket_id ", $after
        )
    };
}

macro_rules! attempt_columns {
    ($json:literal, $after:literal) => {
        concat!(
            "SELECT id, contact_id, run_id, state, opened_at, sending_at, ended_at, call_id, outcome, cause, vendor_status, ",
            "talk_seconds, cost_micros, currency, outputs", $json, " AS outputs, recording_url, recording_expires_at, ",
            "transcript_url FROM attempts ", $after
        )
    };
}

/// The next contacts of a run after `after`, by id.
pub(crate) async fn page(
    session: &mut Session,
    run: RunId,
    filter: ExportFilter,
    after: ContactId,
    limit: u32,
) -> Result<Vec<ContactRow>, StoreError> {
    const PAGE: Sql = sql!(
        sqlite contact_columns!("", "WHERE c.run_id = $1 AND c.id > $2 AND ($4 = 'all' OR ($4 = 'review' AND c.state = 'review') \
            OR ($4 = 'reached' AND c.reached) OR ($4 = 'unreached' AND NOT c.reached)) ORDER BY c.id LIMIT $3"),
        postgres contact_columns!("::text", "WHERE c.run_id = $1 AND c.id > $2 AND ($4 = 'all' OR ($4 = 'review' AND c.state = 'review') \
            OR ($4 = 'reached' AND c.reached) OR ($4 = 'unreached' AND NOT c.reached)) ORDER BY c.id LIMIT $3")
    );
    let filter = match filter {
        ExportFilter::All => "all",
        ExportFilter::Reached => "reached",
        ExportFilter::Unreached => "unreached",
        ExportFilter::Review => "review",
    };
    let rows = session.rows(&PAGE, args![run, after, i64::from(limit), filter]).await?;
    with_last_attempts(session, rows).await
}

/// The contact of a run with this number.
pub(crate) async fn by_number(
    session: &mut Session,
    run: RunId,
    number: NumberKey,
) -> Result<Option<ContactRow>, StoreError> {
    const FIND: Sql = sql!(
        sqlite contact_columns!("", "WHERE c.run_id = $1 AND c.number_key = $2"),
        postgres contact_columns!("::text", "WHERE c.run_id = $1 AND c.number_key = $2")
    );
    let rows = session.rows(&FIND, args![run, number]).await?;
    Ok(with_last_attempts(session, rows).await?.into_iter().next())
}

/// All attempts at a number, over all campaigns, oldest first.
pub(crate) async fn attempts_at(session: &mut Session, number: NumberKey) -> Result<Vec<AttemptRow>, StoreError> {
    const FIND: Sql = sql!(
        sqlite attempt_columns!("", "WHERE number_key = $1 ORDER BY opened_at, id"),
        postgres attempt_columns!("::text", "WHERE number_key = $1 ORDER BY opened_at, id")
    );
    session.rows(&FIND, args![number]).await?.iter().map(attempt_row).collect()
}

async fn with_last_attempts(session: &mut Session, rows: Vec<Row>) -> Result<Vec<ContactRow>, StoreError> {
    #[derive(Serialize)]
    struct Key {
        attempt_id: i64,
    }
    const READ: Sql = sql!(
        sqlite attempt_columns!("", "WHERE id IN (SELECT value->>'attempt_id' FROM json_each($1))"),
        postgres attempt_columns!("::text", "WHERE id = ANY (ARRAY(SELECT u.attempt_id FROM jsonb_to_recordset($1::jsonb) AS u(attempt_id bigint)))")
    );
    let keys: Vec<Key> = rows
        .iter()
        .map(|row| Ok(row.get::<Option<i64>>("last_attempt")?.map(|attempt_id| Key { attempt_id })))
        .filter_map(Result::transpose)
        .collect::<Result<_, StoreError>>()?;
    let mut attempts = BTreeMap::new();
    if !keys.is_empty() {
        for row in session.rows(&READ, args![rows_json(&keys)]).await? {
            let attempt = attempt_row(&row)?;
            attempts.insert(attempt.id.0, attempt);
        }
    }
    rows.iter()
        .map(|row| {
            let number: String = row.get("number")?;
            let id = ContactId(row.get("id")?);
            let optional = |column| row.get::<Option<String>>(column);
            Ok(ContactRow {
                id,
                run: RunId(row.get("run_id")?),
                number: PhoneNumber::from_e164(&number).ok_or(StoreError::Corrupt {
                    table: "contacts",
                    column: "number",
                    id: id.0,
                    source: "it is not E.164".into(),
                })?,
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
                fields: row.json("contacts", "fields")?,
            })
        })
        .collect()
}

fn attempt_row(row: &Row) -> Result<AttemptRow, StoreError> {
    let outcome: Option<String> = row.get("outcome")?;
    let outputs: Option<String> = row.get("outputs")?;
    Ok(AttemptRow {
        id: AttemptId(row.get("id")?),
        contact: ContactId(row.get("contact_id")?),
        run: RunId(row.get("run_id")?),
        state: row.word("attempts", "state")?,
        opened_at: row.moment("opened_at")?,
        sending_at: row.moment_or_none("sending_at")?,
        ended_at: row.moment_or_none("ended_at")?,
        call_id: row.get("call_id")?,
        outcome: outcome.map(|_| row.word("attempts", "outcome")).transpose()?,
        cause: row.get("cause")?,
        vendor_status: row.get("vendor_status")?,
        talk_seconds: row.get("talk_seconds")?,
        cost_micros: row.get("cost_micros")?,
        currency: row.get("currency")?,
        outputs: outputs.map(|_| row.json("attempts", "outputs")).transpose()?.unwrap_or_default(),
        recording_url: row.get("recording_url")?,
        recording_expires_at: row.moment_or_none("recording_expires_at")?,
        transcript_url: row.get("transcript_url")?,
    })
}
