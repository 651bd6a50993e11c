//! Contacts: their moves from state to state.

use std::collections::BTreeMap;

use ringfence_domain::{
    AttemptId, BucketId, ContactId, ContactState, DialClass, ImportId, Moment, NumberKey, Outcome, RunId, StopReason,
    ZoneSet,
};
use serde::Serialize;

use crate::StoreError;
use crate::counts::{BucketKey, Deltas, buckets_for};
use crate::session::{Session, Sql, args, rows_json, sql};

/// Where a contact goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum To {
    /// Back to waiting as it was, due when it was.
    WaitingAgain,
    /// The same, and due no earlier than this moment.
    PutOff(Moment),
    /// Waiting, due at this moment, for this reason.
    Waiting(Moment, DialClass),
    /// Its call lives after all.
    Active,
    Done,
    Stopped(StopReason),
    Review,
}

impl To {
    /// Nobody goes back to waiting in a run that is closed, or who is to leave.
    fn unless(self, over: Option<StopReason>) -> Self {
        match (self, over) {
            (Self::WaitingAgain | Self::PutOff(_) | Self::Waiting(..), Some(reason)) => Self::Stopped(reason),
            (to, _) => to,
        }
    }
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
    pub(crate) outcome_counts: BTreeMap<Outcome, u32>,
    pub(crate) bucket: BucketId,
    pub(crate) zones: ZoneSet,
    pub(crate) class: DialClass,
    /// The import whose bucket it stands in; 0 once it was dialled.
    pub(crate) import: ImportId,
    pub(crate) number: NumberKey,
    /// The person has several numbers.
    pub(crate) has_multiple_numbers: bool,
    /// Why it was stopped, if it was.
    pub(crate) stop_reason: Option<StopReason>,
    /// Why it does not go back to waiting, though its run goes on.
    pub(crate) pending_stop_reason: Option<StopReason>,
    /// Why nobody in its run waits any more, if so.
    pub(crate) closed_for: Option<StopReason>,
}

/// A contact, as an argument of a statement.
#[derive(Serialize)]
pub(crate) struct IdRow {
    pub(crate) contact_id: ContactId,
}

/// Reads and locks contacts. They are locked first, and read then: a join that waits for a lock would drop those whose bucket
/// changed meanwhile.
pub(crate) async fn standings(
    session: &mut Session,
    contacts: impl Iterator<Item = ContactId>,
) -> Result<BTreeMap<ContactId, Standing>, StoreError> {
    const READ: Sql = sql!(
        sqlite "SELECT c.id, c.run_id, c.state, c.due_at, c.calls, c.outcome_counts, c.bucket_id, c.number_key, c.has_multiple_numbers, c.stop_reason, \
                c.pending_stop_reason, b.zones, b.class, b.import_id, r.closed_for \
                FROM contacts c JOIN buckets b ON b.id = c.bucket_id JOIN runs r ON r.id = c.run_id \
                WHERE c.id IN (SELECT value->>'contact_id' FROM json_each($1))",
        postgres "SELECT c.id, c.run_id, c.state, c.due_at, c.calls, c.outcome_counts, c.bucket_id, c.number_key, c.has_multiple_numbers, \
                  c.stop_reason, c.pending_stop_reason, b.zones, b.class, b.import_id, r.closed_for \
                  FROM contacts c JOIN buckets b ON b.id = c.bucket_id JOIN runs r ON r.id = c.run_id \
                  WHERE c.id = ANY (ARRAY(SELECT u.contact_id FROM jsonb_to_recordset($1::jsonb) AS u(contact_id bigint)))"
    );
    let ids: Vec<IdRow> = contacts.map(|contact_id| IdRow { contact_id }).collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    lock_contacts(session, &ids).await?;
    let rows = session.rows(&READ, args![rows_json(&ids)]).await?;
    rows.iter()
        .map(|row| {
            let closed: Option<String> = row.get("closed_for")?;
            let stopped: Option<String> = row.get("stop_reason")?;
            let leaves: Option<String> = row.get("pending_stop_reason")?;
            let standing = Standing {
                run: RunId(row.get("run_id")?),
                state: row.word("contacts", "state")?,
                due_at: row.moment("due_at")?,
                calls: row.get::<i64>("calls")? as u32,
                outcome_counts: row.json("contacts", "outcome_counts")?,
                bucket: BucketId(row.get("bucket_id")?),
                zones: row.word("buckets", "zones")?,
                class: row.word("buckets", "class")?,
                import: ImportId(row.get("import_id")?),
                number: NumberKey(row.get("number_key")?),
                has_multiple_numbers: row.get("has_multiple_numbers")?,
                stop_reason: stopped.map(|_| row.word("contacts", "stop_reason")).transpose()?,
                pending_stop_reason: leaves.map(|_| row.word("contacts", "pending_stop_reason")).transpose()?,
                closed_for: closed.map(|_| row.word("runs", "closed_for")).transpose()?,
            };
            Ok((ContactId(row.get("id")?), standing))
        })
        .collect()
}

/// Locks contacts in the order of their ids.
pub(crate) async fn lock_contacts(session: &mut Session, ids: &[IdRow]) -> Result<(), StoreError> {
    const LOCK: Sql = sql!(
        sqlite "SELECT 1 WHERE $1 IS NOT NULL",
        postgres "SELECT id FROM contacts \
                  WHERE id = ANY (ARRAY(SELECT u.contact_id FROM jsonb_to_recordset($1::jsonb) AS u(contact_id bigint))) \
                  ORDER BY id FOR UPDATE"
    );
    if matches!(session, Session::PostgresWrite(_)) {
        session.rows(&LOCK, args![rows_json(ids)]).await?;
    }
    Ok(())
}

#[derive(Serialize)]
struct MoveRow {
    contact_id: ContactId,
    state: &'static str,
    due_at: i64,
    bucket_id: BucketId,
    calls: u32,
    outcome_counts: String,
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
                outcome_counts = u.outcome_counts, stop_reason = u.stop_reason, last_outcome = coalesce(u.last_outcome, c.last_outcome), \
                last_attempt = coalesce(u.last_attempt, c.last_attempt), reached = c.reached OR u.reached, \
                finished_at = u.finished_at \
                FROM (SELECT value->>'contact_id' AS contact_id, value->>'state' AS state, value->>'due_at' AS due_at, \
                value->>'bucket_id' AS bucket_id, value->>'calls' AS calls, value->>'outcome_counts' AS outcome_counts, \
                value->>'stop_reason' AS stop_reason, value->>'last_outcome' AS last_outcome, \
                value->>'last_attempt' AS last_attempt, value->>'reached' AS reached, \
                value->>'finished_at' AS finished_at FROM json_each($1)) AS u WHERE c.id = u.contact_id",
        postgres "UPDATE contacts AS c SET state = u.state, due_at = u.due_at, bucket_id = u.bucket_id, calls = u.calls, \
                  outcome_counts = u.outcome_counts::jsonb, stop_reason = u.stop_reason, \
                  last_outcome = coalesce(u.last_outcome, c.last_outcome), \
                  last_attempt = coalesce(u.last_attempt, c.last_attempt), reached = c.reached OR u.reached = 1, \
                  finished_at = u.finished_at \
                  FROM jsonb_to_recordset($1::jsonb) AS u(contact_id bigint, state text, due_at bigint, bucket_id bigint, \
                  calls bigint, outcome_counts text, stop_reason text, last_outcome text, last_attempt bigint, reached bigint, \
                  finished_at bigint) WHERE c.id = u.contact_id"
    );
    let target = |standing: &Standing, to: To| match to {
        To::Waiting(_, class) if class != standing.class => {
            Some(BucketKey { run: standing.run, zones: standing.zones.clone(), class, import: ImportId(0) })
        }
        _ => None,
    };
    let moves: Vec<(Move, &Standing)> = moves
        .iter()
        .filter_map(|step| {
            let standing = known.get(&step.contact)?;
            Some((
                Move { to: step.to.unless(standing.closed_for.or(standing.pending_stop_reason)), ..step.clone() },
                standing,
            ))
        })
        .collect();
    let buckets = buckets_for(session, moves.iter().filter_map(|(step, standing)| target(standing, step.to))).await?;
    let mut rows = Vec::with_capacity(moves.len());
    for (step, standing) in moves {
        let (state, due_at, stop_reason) = match step.to {
            To::WaitingAgain => (ContactState::Waiting, standing.due_at, None),
            To::PutOff(due_at) => (ContactState::Waiting, due_at.max(standing.due_at), None),
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
        let mut outcome_counts = standing.outcome_counts.clone();
        let mut calls = standing.calls;
        if let Some(ended) = step.ended {
            *outcome_counts.entry(ended.outcome).or_default() += 1;
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
            outcome_counts: serde_json::to_string(&outcome_counts).expect("counts by word are always JSON"),
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
