//! The questions that people ask about contacts and their attempts.

use std::collections::BTreeMap;

use ringfence_domain::template::Row as Fields;
use ringfence_domain::{
    AttemptId, AttemptState, CallDetails, ContactId, ContactState, DialClass, ImportId, Moment, NumberKey, Outcome,
    PhoneNumber, RunId, StopReason, ZoneSet,
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
    /// What the operator's own system calls the person.
    pub external_id: Option<String>,
    /// Its import is not released: nobody of it is dialled.
    pub staged: bool,
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
    /// What it is called towards the vendor.
    pub reference: String,
    /// The number that it is for, where that was kept.
    pub number: Option<PhoneNumber>,
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
    /// The callee declined it, or said no in it.
    pub refusal: bool,
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
    /// When the link to the transcript expires.
    pub transcript_expires_at: Option<Moment>,
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

macro_rules! contact_columns {
    ($after:literal) => {
        concat!(
            "SELECT c.id, c.run_id, c.number, c.number_key, c.import_id, c.row_number, c.state, c.stop_reason, c.due_at, ",
            "b.class, b.zones, b.staged, c.calls, c.last_outcome, c.last_attempt, c.reached, c.external_id, c.fields ",
            "FROM contacts c JOIN buckets b ON b.id = c.bucket_id ", $after
        )
    };
}

macro_rules! attempt_columns {
    ($after:literal) => {
        concat!(
            "SELECT id, reference, contact_id, run_id, number, state, opened_at, sending_at, ended_at, call_id, outcome, refusal, cause, vendor_status, ",
            "talk_seconds, cost_micros, currency, outputs, recording_url, recording_expires_at, ",
            "transcript_url, transcript_expires_at FROM attempts ", $after
        )
    };
}

/// The next contacts of a run after `after`, by id.
pub(crate) async fn page(
    session: &mut Session,
    run: RunId,
    filter: ContactFilter,
    after: ContactId,
    limit: u32,
) -> Result<Vec<ContactRow>, StoreError> {
    const PAGE: Sql = sql!(
        sqlite contact_columns!("WHERE c.run_id = $1 AND c.id > $2 AND ($4 = '' OR c.state = $4) AND ($5 = '' OR c.last_outcome = $5) \
            AND ($6 = 0 OR ($6 = 1 AND c.reached) OR ($6 = 2 AND NOT c.reached)) ORDER BY c.id LIMIT $3"),
        postgres contact_columns!("WHERE c.run_id = $1 AND c.id > $2 AND ($4 = '' OR c.state = $4) AND ($5 = '' OR c.last_outcome = $5) \
            AND ($6 = 0 OR ($6 = 1 AND c.reached) OR ($6 = 2 AND NOT c.reached)) ORDER BY c.id LIMIT $3")
    );
    let state = filter.state.map_or("", ContactState::as_str);
    let outcome = filter.outcome.map_or("", Outcome::as_str);
    let reached: i64 = match filter.reached {
        None => 0,
        Some(true) => 1,
        Some(false) => 2,
    };
    let rows = session.rows(&PAGE, args![run, after, i64::from(limit), state, outcome, reached]).await?;
    with_last_attempts(session, rows).await
}

/// The contact of a run with this number.
pub(crate) async fn by_number(
    session: &mut Session,
    run: RunId,
    number: NumberKey,
) -> Result<Option<ContactRow>, StoreError> {
    const FIND: Sql = sql!(
        sqlite contact_columns!("WHERE c.run_id = $1 AND c.id IN (SELECT id FROM contacts WHERE run_id = $1 AND number_key = $2 \
            UNION ALL SELECT contact_id FROM contact_numbers WHERE run_id = $1 AND number_key = $2)"),
        postgres contact_columns!("WHERE c.run_id = $1 AND c.id IN (SELECT id FROM contacts WHERE run_id = $1 AND number_key = $2 \
            UNION ALL SELECT contact_id FROM contact_numbers WHERE run_id = $1 AND number_key = $2)")
    );
    let rows = session.rows(&FIND, args![run, number]).await?;
    Ok(with_last_attempts(session, rows).await?.into_iter().next())
}

/// The next attempts of a run after `after`, by id.
pub(crate) async fn attempts(
    session: &mut Session,
    run: RunId,
    after: AttemptId,
    limit: u32,
) -> Result<Vec<AttemptRow>, StoreError> {
    const PAGE: Sql = sql!(both attempt_columns!("WHERE run_id = $1 AND id > $2 ORDER BY id LIMIT $3"));
    session.rows(&PAGE, args![run, after, i64::from(limit)]).await?.iter().map(attempt_row).collect()
}

/// Stores where a call's recording and transcript are now.
pub(crate) async fn relink(session: &mut Session, attempt: AttemptId, details: &CallDetails) -> Result<(), StoreError> {
    const RELINK: Sql = sql!(
        "UPDATE attempts SET recording_url = coalesce($2, recording_url), recording_expires_at = $3, \
         transcript_url = coalesce($4, transcript_url), transcript_expires_at = $5 WHERE id = $1"
    );
    let (recording, recording_until) = details.recording.clone().unzip();
    let (transcript, transcript_until) = details.transcript.clone().unzip();
    let arguments = args![attempt, recording, recording_until.flatten(), transcript, transcript_until.flatten()];
    session.run(&RELINK, arguments).await?;
    Ok(())
}

/// All attempts at a number, over all campaigns, oldest first.
pub(crate) async fn attempts_at(session: &mut Session, number: NumberKey) -> Result<Vec<AttemptRow>, StoreError> {
    const FIND: Sql = sql!(both attempt_columns!("WHERE number_key = $1 ORDER BY opened_at, id"));
    session.rows(&FIND, args![number]).await?.iter().map(attempt_row).collect()
}

/// Contacts with this number who are not dialled before a call of an earlier run of their campaign is settled.
pub(crate) async fn waiting_for_review(session: &mut Session, number: NumberKey) -> Result<Vec<ContactId>, StoreError> {
    const FIND: Sql = sql!(
        "SELECT c.id FROM contacts k JOIN runs old ON old.id = k.run_id \
         JOIN runs own ON own.campaign_id = old.campaign_id AND own.id <> old.id \
         JOIN contacts c ON c.run_id = own.id AND c.number_key = k.number_key WHERE k.number_key = $1 AND k.state = 'review'"
    );
    session.rows(&FIND, args![number]).await?.iter().map(|row| row.get("id").map(ContactId)).collect()
}

async fn with_last_attempts(session: &mut Session, rows: Vec<Row>) -> Result<Vec<ContactRow>, StoreError> {
    #[derive(Serialize)]
    struct Key {
        attempt_id: i64,
    }
    const READ: Sql = sql!(
        sqlite attempt_columns!("WHERE id IN (SELECT value->>'attempt_id' FROM json_each($1))"),
        postgres attempt_columns!("WHERE id = ANY (ARRAY(SELECT u.attempt_id FROM jsonb_to_recordset($1::jsonb) AS u(attempt_id bigint)))")
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
                number: self::number("contacts", id.0, &number)?,
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

/// A stored number.
pub(crate) fn number(table: &'static str, id: i64, text: &str) -> Result<PhoneNumber, StoreError> {
    PhoneNumber::from_e164(text).ok_or(StoreError::Corrupt {
        table,
        column: "number",
        id,
        source: "it is not E.164".into(),
    })
}

fn attempt_row(row: &Row) -> Result<AttemptRow, StoreError> {
    let outcome: Option<String> = row.get("outcome")?;
    let id: i64 = row.get("id")?;
    let number: Option<String> = row.get("number")?;
    Ok(AttemptRow {
        id: AttemptId(id),
        contact: ContactId(row.get("contact_id")?),
        reference: row.get("reference")?,
        run: RunId(row.get("run_id")?),
        number: number.map(|text| self::number("attempts", id, &text)).transpose()?,
        state: row.word("attempts", "state")?,
        opened_at: row.moment("opened_at")?,
        sending_at: row.moment_or_none("sending_at")?,
        ended_at: row.moment_or_none("ended_at")?,
        call_id: row.get("call_id")?,
        outcome: outcome.map(|_| row.word("attempts", "outcome")).transpose()?,
        refusal: row.get("refusal")?,
        cause: row.get("cause")?,
        vendor_status: row.get("vendor_status")?,
        talk_seconds: row.get("talk_seconds")?,
        cost_micros: row.get("cost_micros")?,
        currency: row.get("currency")?,
        outputs: row.json_or_none("attempts", "outputs")?.unwrap_or_default(),
        recording_url: row.get("recording_url")?,
        recording_expires_at: row.moment_or_none("recording_expires_at")?,
        transcript_url: row.get("transcript_url")?,
        transcript_expires_at: row.moment_or_none("transcript_expires_at")?,
    })
}

/// What these attempts are called, as far as there are any.
pub(crate) async fn references(
    session: &mut Session,
    attempts: &[AttemptId],
) -> Result<BTreeMap<AttemptId, String>, StoreError> {
    #[derive(serde::Serialize)]
    struct KeyRow {
        attempt_id: AttemptId,
    }
    const READ: Sql = sql!(
        "SELECT a.id, a.reference FROM" rows (attempt_id bigint) "CROSS JOIN attempts a WHERE a.id = u.attempt_id"
    );
    let keys: Vec<KeyRow> = attempts.iter().map(|attempt_id| KeyRow { attempt_id: *attempt_id }).collect();
    let rows = session.rows(&READ, args![rows_json(&keys)]).await?;
    rows.iter().map(|row| Ok((AttemptId(row.get("id")?), row.get("reference")?))).collect()
}
