//! Contacts: their moves from state to state, and the questions that people ask about them.

use std::collections::BTreeMap;

use ringfence_domain::template::Row as Fields;
use ringfence_domain::{
    AttemptId, AttemptState, BucketId, ContactId, ContactState, DialClass, ImportId, Moment, NumberKey, Outcome,
    PhoneNumber, RunId, StopReason, ZoneSet,
};
use serde::Serialize;

use crate::StoreError;
use crate::counts::{BucketKey, Deltas, buckets_for};
use crate::session::{Row, Session, Sql, args, rows_json, sql};

/// Where a contact goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum To {
    /// Back to waiting as it was, due when it was.
    WaitingAgain,
    /// Waiting, due at this moment, for this reason.
    Waiting(Moment, DialClass),
    /// Its call lives after all.
    Active,
    Done,
    Stopped(StopReason),
    Review,
}

/// One move, and the call that led to it, if one ended.
#[derive(Debug, Clone)]
pub(crate) struct Move {
    pub(crate) contact: ContactId,
    pub(crate) to: To,
    pub(crate) ended: Option<EndedCall>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct EndedCall {
    pub(crate) attempt: AttemptId,
    pub(crate) outcome: Outcome,
    pub(crate) reached: bool,
}

/// What a move needs to know of a contact before it.
#[derive(Debug, Clone)]
pub(crate) struct Standing {
    pub(crate) run: RunId,
    pub(crate) state: ContactState,
    pub(crate) due_at: Moment,
    pub(crate) calls: u32,
    pub(crate) tally: BTreeMap<Outcome, u32>,
    pub(crate) bucket: BucketId,
    pub(crate) zones: ZoneSet,
    pub(crate) class: DialClass,
}

#[derive(Serialize)]
struct IdRow {
    contact_id: ContactId,
}

/// Reads and locks contacts.
pub(crate) async fn standings(
    session: &mut Session,
    contacts: impl Iterator<Item = ContactId>,
) -> Result<BTreeMap<ContactId, Standing>, StoreError> {
    const READ: Sql = sql!(
        sqlite "SELECT c.id, c.run_id, c.state, c.due_at, c.calls, c.tally, c.bucket_id, b.zones, b.class \
                FROM contacts c JOIN buckets b ON b.id = c.bucket_id \
                WHERE c.id IN (SELECT value->>'contact_id' FROM json_each($1))",
        postgres "SELECT c.id, c.run_id, c.state, c.due_at, c.calls, c.tally::text AS tally, c.bucket_id, b.zones, b.class \
                  FROM contacts c JOIN buckets b ON b.id = c.bucket_id \
                  WHERE c.id = ANY (ARRAY(SELECT u.contact_id FROM jsonb_to_recordset($1::jsonb) AS u(contact_id bigint))) \
                  ORDER BY c.id FOR UPDATE OF c"
    );
    let ids: Vec<IdRow> = contacts.map(|contact_id| IdRow { contact_id }).collect();
    let rows = session.rows(&READ, args![rows_json(&ids)]).await?;
    rows.iter()
        .map(|row| {
            let standing = Standing {
                run: RunId(row.get("run_id")?),
                state: row.word("contacts", "state")?,
                due_at: row.moment("due_at")?,
                calls: row.get::<i64>("calls")? as u32,
                tally: row.json("contacts", "tally")?,
                bucket: BucketId(row.get("bucket_id")?),
                zones: row.word("buckets", "zones")?,
                class: row.word("buckets", "class")?,
            };
            Ok((ContactId(row.get("id")?), standing))
        })
        .collect()
}

#[derive(Serialize)]
struct MoveRow {
    contact_id: ContactId,
    state: &'static str,
    due_at: i64,
    bucket_id: BucketId,
    calls: u32,
    tally: String,
    stop_reason: Option<&'static str>,
    last_outcome: Option<&'static str>,
    last_attempt: Option<AttemptId>,
    reached: i64,
    finished_at: Option<i64>,
}

/// Moves contacts that have no live attempt any more, or again. `known` are their standings, read in this transaction.
pub(crate) async fn advance(
    session: &mut Session,
    now: Moment,
    known: &BTreeMap<ContactId, Standing>,
    moves: &[Move],
    deltas: &mut Deltas,
) -> Result<(), StoreError> {
    const WRITE: Sql = sql!(
        sqlite "UPDATE contacts AS c SET state = u.state, due_at = u.due_at, bucket_id = u.bucket_id, calls = u.calls, \
                tally = u.tally, stop_reason = u.stop_reason, last_outcome = coalesce(u.last_outcome, c.last_outcome), \
                last_attempt = coalesce(u.last_attempt, c.last_attempt), reached = c.reached OR u.reached, \
                finished_at = u.finished_at \
                FROM (SELECT value->>'contact_id' AS contact_id, value->>'state' AS state, value->>'due_at' AS due_at, \
                value->>'bucket_id' AS bucket_id, value->>'calls' AS calls, value->>'tally' AS tally, \
                value->>'stop_reason' AS stop_reason, value->>'last_outcome' AS last_outcome, \
                value->>'last_attempt' AS last_attempt, value->>'reached' AS reached, \
                value->>'finished_at' AS finished_at FROM json_each($1)) AS u WHERE c.id = u.contact_id",
        postgres "UPDATE contacts AS c SET state = u.state, due_at = u.due_at, bucket_id = u.bucket_id, calls = u.calls, \
                  tally = u.tally::jsonb, stop_reason = u.stop_reason, \
                  last_outcome = coalesce(u.last_outcome, c.last_outcome), \
                  last_attempt = coalesce(u.last_attempt, c.last_attempt), reached = c.reached OR u.reached = 1, \
                  finished_at = u.finished_at \
                  FROM jsonb_to_recordset($1::jsonb) AS u(contact_id bigint, state text, due_at bigint, bucket_id bigint, \
                  calls bigint, tally text, stop_reason text, last_outcome text, last_attempt bigint, reached bigint, \
                  finished_at bigint) WHERE c.id = u.contact_id"
    );
    let target = |standing: &Standing, to: To| match to {
        To::Waiting(_, class) if class != standing.class => {
            Some(BucketKey { run: standing.run, zones: standing.zones.clone(), class })
        }
        _ => None,
    };
    let moves: Vec<(&Move, &Standing)> =
        moves.iter().filter_map(|step| Some((step, known.get(&step.contact)?))).collect();
    let buckets = buckets_for(session, moves.iter().filter_map(|(step, standing)| target(standing, step.to))).await?;
    let mut rows = Vec::with_capacity(moves.len());
    for (step, standing) in moves {
        let (state, due_at, stop_reason) = match step.to {
            To::WaitingAgain => (ContactState::Waiting, standing.due_at, None),
            To::Waiting(due_at, _) => (ContactState::Waiting, due_at, None),
            To::Active => (ContactState::Active, standing.due_at, None),
            To::Done => (ContactState::Done, standing.due_at, None),
            To::Stopped(reason) => (ContactState::Stopped, standing.due_at, Some(reason)),
            To::Review => (ContactState::Review, standing.due_at, None),
        };
        let bucket = target(standing, step.to).and_then(|key| buckets.get(&key).copied()).unwrap_or(standing.bucket);
        if standing.state == ContactState::Waiting {
            deltas.left(standing.bucket);
        }
        if state == ContactState::Waiting {
            deltas.joined(bucket, due_at);
        }
        deltas.contact(standing.run, Some(standing.state), state);
        if let Some(reason) = stop_reason {
            deltas.count(standing.run, format!("stopped:{reason}"), 1);
        }
        let mut tally = standing.tally.clone();
        let mut calls = standing.calls;
        if let Some(ended) = step.ended {
            *tally.entry(ended.outcome).or_default() += 1;
            calls += u32::from(ended.outcome.is_counted());
            if ended.reached {
                deltas.count(standing.run, "reached", 1);
            }
        }
        let finished = matches!(state, ContactState::Done | ContactState::Stopped);
        rows.push(MoveRow {
            contact_id: step.contact,
            state: state.as_str(),
            due_at: due_at.millis(),
            bucket_id: bucket,
            calls,
            tally: serde_json::to_string(&tally).expect("counts by word are always JSON"),
            stop_reason: stop_reason.map(StopReason::as_str),
            last_outcome: step.ended.map(|ended| ended.outcome.as_str()),
            last_attempt: step.ended.map(|ended| ended.attempt),
            reached: i64::from(step.ended.is_some_and(|ended| ended.reached)),
            finished_at: finished.then_some(now.millis()),
        });
    }
    if !rows.is_empty() {
        rows.sort_unstable_by_key(|row| row.contact_id);
        session.run(&WRITE, args![rows_json(&rows)]).await?;
    }
    Ok(())
}

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
