//! Contacts: their moves from state to state.

use std::collections::BTreeMap;

use ringfence_domain::event::EventKind;
use ringfence_domain::{
    AttemptId, BucketId, ContactId, ContactState, DialClass, ImportId, Moment, Outcome, StopReason,
};
use serde::Serialize;

use super::snapshot::ContactSnapshot;
use crate::StoreError;
use crate::buckets::{BucketKey, buckets_for};
use crate::counters::{Counter, Deltas};
use crate::events::tell_call;
use crate::session::{self, Session, Sql, args, sql};

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

#[derive(Serialize)]
struct MoveRow {
    contact_id: ContactId,
    state: &'static str,
    due_at: i64,
    bucket_id: BucketId,
    calls: u32,
    outcome_counts: BTreeMap<Outcome, u32>,
    stop_reason: Option<&'static str>,
    last_outcome: Option<&'static str>,
    last_attempt: Option<AttemptId>,
    reached: i64,
    finished_at: Option<i64>,
}

/// Moves contacts that have no live attempt any more, or again. `known` are their snapshots, read
/// in this transaction.
pub(crate) async fn advance(
    session: &mut Session,
    now: Moment,
    known: &BTreeMap<ContactId, ContactSnapshot>,
    moves: &[Move],
    deltas: &mut Deltas,
) -> Result<(), StoreError> {
    let target = |snapshot: &ContactSnapshot, to: To| match to {
        To::Waiting(_, class) if class != snapshot.class => {
            Some(BucketKey { run: snapshot.run, zones: snapshot.zones.clone(), class, import: ImportId(0) })
        }
        _ => None,
    };
    let moves: Vec<(Move, &ContactSnapshot)> = moves
        .iter()
        .filter_map(|step| {
            let snapshot = known.get(&step.contact)?;
            Some((
                Move { to: step.to.unless(snapshot.closed_for.or(snapshot.pending_stop_reason)), ..step.clone() },
                snapshot,
            ))
        })
        .collect();
    let buckets = buckets_for(session, moves.iter().filter_map(|(step, snapshot)| target(snapshot, step.to))).await?;
    let mut rows = Vec::with_capacity(moves.len());
    for (step, snapshot) in moves {
        let bucket = target(snapshot, step.to).and_then(|key| buckets.get(&key).copied()).unwrap_or(snapshot.bucket);
        rows.push(row(&step, snapshot, bucket, now, deltas));
    }
    write(session, rows).await
}

/// What becomes of one contact, counted.
fn row(step: &Move, snapshot: &ContactSnapshot, bucket: BucketId, now: Moment, deltas: &mut Deltas) -> MoveRow {
    let (state, due_at, stop_reason) = match step.to {
        To::WaitingAgain => (ContactState::Waiting, snapshot.due_at, None),
        To::PutOff(due_at) => (ContactState::Waiting, due_at.max(snapshot.due_at), None),
        To::Waiting(due_at, _) => (ContactState::Waiting, due_at, None),
        To::Active => (ContactState::Active, snapshot.due_at, None),
        To::Done => (ContactState::Done, snapshot.due_at, None),
        To::Stopped(reason) => (ContactState::Stopped, snapshot.due_at, Some(reason)),
        To::Review => (ContactState::Review, snapshot.due_at, None),
    };
    if snapshot.state == ContactState::Waiting {
        deltas.left(snapshot.bucket);
    }
    if state == ContactState::Waiting {
        deltas.joined(bucket, (due_at, step.contact));
    }
    deltas.contact(snapshot.run, Some(snapshot.state), state);
    if let Some(reason) = stop_reason {
        deltas.count(snapshot.run, Counter::Stopped(reason), 1);
    }
    let mut outcome_counts = snapshot.outcome_counts.clone();
    let mut calls = snapshot.calls;
    if let Some(ended) = step.ended {
        *outcome_counts.entry(ended.outcome).or_default() += 1;
        calls += u32::from(ended.outcome.is_counted());
        if ended.reached {
            deltas.count(snapshot.run, Counter::Reached, 1);
        }
    }
    let finished = matches!(state, ContactState::Done | ContactState::Stopped);
    // Who only waited is stopped with many others, which has an event of its own.
    let news = match state {
        _ if snapshot.state == ContactState::Waiting || snapshot.state == state => None,
        ContactState::Done | ContactState::Stopped => Some(EventKind::ContactFinished),
        ContactState::Review => Some(EventKind::ReviewOpened),
        ContactState::Waiting | ContactState::Active => None,
    };
    if let Some(kind) = news {
        let cause = stop_reason.map_or(state.as_str(), StopReason::as_str);
        let call = (step.contact, step.ended.map(|ended| ended.attempt));
        tell_call(kind, snapshot.run, call, Some(cause), now);
    }
    MoveRow {
        contact_id: step.contact,
        state: state.as_str(),
        due_at: due_at.millis(),
        bucket_id: bucket,
        calls,
        outcome_counts,
        stop_reason: stop_reason.map(StopReason::as_str),
        last_outcome: step.ended.map(|ended| ended.outcome.as_str()),
        last_attempt: step.ended.map(|ended| ended.attempt),
        reached: i64::from(step.ended.is_some_and(|ended| ended.reached)),
        finished_at: finished.then_some(now.millis()),
    }
}

async fn write(session: &mut Session, mut rows: Vec<MoveRow>) -> Result<(), StoreError> {
    const WRITE: Sql = sql!(
        "UPDATE contacts AS c SET change_number = (SELECT n FROM change_number), \
         state = u.state, due_at = u.due_at, bucket_id = u.bucket_id, calls = u.calls, \
         outcome_counts = u.outcome_counts, stop_reason = u.stop_reason, \
         last_outcome = coalesce(u.last_outcome, c.last_outcome), \
         last_attempt = coalesce(u.last_attempt, c.last_attempt), reached = c.reached OR u.reached = 1, \
         finished_at = u.finished_at FROM"
        rows (contact_id bigint, state text, due_at bigint, bucket_id bigint, calls bigint, outcome_counts jsonb,
              stop_reason text, last_outcome text, last_attempt bigint, reached bigint, finished_at bigint)
        "WHERE c.id = u.contact_id"
    );
    if !rows.is_empty() {
        rows.sort_unstable_by_key(|row| row.contact_id);
        session.run(&WRITE, args![session::rows(&rows)]).await?;
    }
    Ok(())
}
