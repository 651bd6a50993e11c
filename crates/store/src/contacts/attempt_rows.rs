//! The attempts of contacts, as people ask about them.

use std::collections::BTreeMap;

use ringfence_domain::{AttemptId, AttemptState, ContactId, DialClass, Moment, NumberKey, Outcome, PhoneNumber, RunId};

use super::rows::ContactFilter;
use crate::StoreError;
use crate::session::{Arg, Row, Session, Sql, args, sql};

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
    /// Why the contact was due.
    pub class: DialClass,
    /// The campaign's revision when it was planned.
    pub revision: i64,
    /// When it was planned.
    pub opened_at: Moment,
    /// It was to be sent no earlier,
    pub dial_after: Moment,
    /// and before this moment.
    pub dial_before: Moment,
    /// When it was sent.
    pub sending_at: Option<Moment>,
    /// The caller id that its call showed.
    pub caller_id: Option<String>,
    /// When the vendor's answer, or its list, named the call.
    pub placed_at: Option<Moment>,
    /// When its call was over.
    pub ended_at: Option<Moment>,
    /// Without news by then, its number is free again.
    pub overdue_at: Option<Moment>,
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

macro_rules! attempt_columns {
    ($after:literal) => {
        concat!(
            "SELECT id, reference, contact_id, run_id, number, state, class, revision, opened_at, dial_after, dial_before, caller_id, ",
            "sending_at, placed_at, ended_at, overdue_at, call_id, outcome, refusal, cause, vendor_status, ",
            "talk_seconds, cost_micros, currency, outputs, recording_url, recording_expires_at, ",
            "transcript_url, transcript_expires_at FROM attempts ", $after
        )
    };
}

/// The next attempts of a run after `after`, by id, at contacts that the filter lets through.
pub(crate) async fn attempts(
    session: &mut Session,
    run: RunId,
    filter: ContactFilter,
    after: AttemptId,
    limit: u32,
) -> Result<Vec<AttemptRow>, StoreError> {
    const PAGE: Sql = sql!(both attempt_columns!("WHERE run_id = $1 AND id > $2 ORDER BY id LIMIT $3"));
    const SOME: Sql = sql!(
        both attempt_columns!("AS a WHERE run_id = $1 AND id > $2 AND (SELECT ($4 = '' OR c.state = $4) AND ($5 = '' OR c.last_outcome = $5) \
            AND ($6 = 0 OR ($6 = 1 AND c.reached) OR ($6 = 2 AND NOT c.reached)) FROM contacts c WHERE c.id = a.contact_id) ORDER BY id LIMIT $3")
    );
    let limit = i64::from(limit);
    let rows = if filter == ContactFilter::default() {
        session.rows(&PAGE, args![run, after, limit]).await?
    } else {
        let (state, outcome, reached) = filter.words();
        session.rows(&SOME, args![run, after, limit, state, outcome, reached]).await?
    };
    rows.iter().map(attempt_row).collect()
}

/// The attempt of this id.
pub(crate) async fn by_id(session: &mut Session, attempt: AttemptId) -> Result<Option<AttemptRow>, StoreError> {
    const READ: Sql = sql!(both attempt_columns!("WHERE id = $1"));
    session.row(&READ, args![attempt]).await?.as_ref().map(attempt_row).transpose()
}

/// The attempts with these ids, as far as there are any.
pub(crate) async fn by_ids(
    session: &mut Session,
    ids: impl Iterator<Item = i64>,
) -> Result<BTreeMap<i64, AttemptRow>, StoreError> {
    const READ: Sql = sql!(attempt_columns!("WHERE id") ids "");
    let ids: Vec<i64> = ids.collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = session.rows(&READ, args![Arg::ids(ids)]).await?;
    rows.iter().map(attempt_row).map(|row| row.map(|row| (row.id.0, row))).collect()
}

/// All attempts at a number, over all campaigns, oldest first.
pub(crate) async fn attempts_at(session: &mut Session, number: NumberKey) -> Result<Vec<AttemptRow>, StoreError> {
    const FIND: Sql = sql!(both attempt_columns!("WHERE number_key = $1 ORDER BY opened_at, id"));
    session.rows(&FIND, args![number]).await?.iter().map(attempt_row).collect()
}

/// The attempts at a contact's numbers as they are now, oldest first.
pub(crate) async fn attempts_of(session: &mut Session, contact: ContactId) -> Result<Vec<AttemptRow>, StoreError> {
    session.rows(&OF_CONTACT, args![contact]).await?.iter().map(attempt_row).collect()
}

// Attempts are found by their number: they have no index by contact.
pub(crate) const OF_CONTACT: Sql = sql!(both attempt_columns!(
    "WHERE contact_id = $1 AND number_key IN (SELECT number_key FROM contacts WHERE id = $1 \
     UNION ALL SELECT number_key FROM contact_numbers WHERE contact_id = $1) ORDER BY opened_at, id"
));

fn attempt_row(row: &Row) -> Result<AttemptRow, StoreError> {
    let outcome: Option<String> = row.get("outcome")?;
    Ok(AttemptRow {
        id: AttemptId(row.get("id")?),
        contact: ContactId(row.get("contact_id")?),
        reference: row.get("reference")?,
        run: RunId(row.get("run_id")?),
        number: row.number_or_none("attempts")?,
        state: row.word("attempts", "state")?,
        class: row.word("attempts", "class")?,
        revision: row.get("revision")?,
        opened_at: row.moment("opened_at")?,
        dial_after: row.moment("dial_after")?,
        dial_before: row.moment("dial_before")?,
        caller_id: row.get("caller_id")?,
        placed_at: row.moment_or_none("placed_at")?,
        overdue_at: row.moment_or_none("overdue_at")?,
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
