//! What dead or late owners left behind.

use std::collections::BTreeSet;

use ringfence_domain::{AttemptId, AttemptState, ContactId, LaneId, Moment, RunId, Span};
use serde::Serialize;

use crate::contacts::snapshot::snapshots;
use crate::contacts::transitions::{Move, To, advance};
use crate::counters::Deltas;
use crate::database::Step;
use crate::database::turns::Urgency;
use crate::lanes::rows::{Lock, lock};
use crate::session::{self, Row, Session, Sql, args, sql};
use crate::{Database, StoreError};

/// What to look for on a lane.
#[derive(Debug, Clone, Copy)]
pub struct SweepOrder {
    /// The lane.
    pub lane: LaneId,
    /// The ownership under which it is swept.
    pub epoch: i64,
    /// When.
    pub now: Moment,
    /// A request that began longer ago than this is not under way any more, even in a living
    /// process.
    pub sending_for: Span,
    /// Open attempts whose moment ends by then lapse: the present, or never when everything open is
    /// given back.
    pub lapse_before: Moment,
    /// When unknown attempts found here let go of their number.
    pub overdue_at: Moment,
}

/// What was found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Open attempts whose moment passed, or whose owner lost the lane.
    pub lapsed: u32,
    /// Attempts that were being sent when their owner died or hung.
    pub unknown: u32,
}

/// An open attempt that is over for so long, on a lane that nobody owned for so long, is left to
/// nobody.
const ABANDONED_AFTER: Span = Span::from_minutes(1);

/// No attempt is opened for a later moment than this from now; one that is was opened before the
/// clock was set back.
const AHEAD: Span = Span::from_minutes(1);

#[derive(Serialize)]
struct KeyRow {
    attempt_id: AttemptId,
}

/// Lapses and doubts what nobody works on any more, some at a time.
pub(crate) async fn sweep(database: &Database, order: SweepOrder) -> Result<Swept, StoreError> {
    let mut swept = Swept::default();
    for found_by in [stale, abandoned] {
        let mut after = Some(AttemptId(0));
        while let Some(last) = after {
            // What a vendor said of these is on its way into the database.
            let kept = database.receipts().attempts();
            let part = database.write_some("sweep", Urgency::Normal, move |session, rows| {
                Box::pin(async move { some(session, &order, &kept, found_by, last, rows).await })
            });
            let (found, next) = part.await?;
            swept.lapsed += found.lapsed;
            swept.unknown += found.unknown;
            after = next;
        }
    }
    Ok(swept)
}

type Find = for<'s> fn(&'s mut Session, &'s SweepOrder, AttemptId, i64) -> Step<'s, Vec<Row>>;

/// The lane's own attempts after `after` that are over, or whose request is.
fn stale<'s>(session: &'s mut Session, order: &'s SweepOrder, after: AttemptId, rows: i64) -> Step<'s, Vec<Row>> {
    const STALE: Sql = sql!(
        sqlite "SELECT id, contact_id, run_id, state FROM attempts WHERE lane_id = $1 AND live AND id > $6 AND ( \
                (state = 'open' AND (epoch <> $2 OR dial_before <= $3 OR dial_before > $5)) \
                OR (state = 'sending' AND (epoch <> $2 OR sending_at <= $4))) ORDER BY id LIMIT $7",
        postgres "SELECT id, contact_id, run_id, state FROM attempts WHERE lane_id = $1 AND live AND id > $6 AND ( \
                  (state = 'open' AND (epoch <> $2 OR dial_before <= $3 OR dial_before > $5)) \
                  OR (state = 'sending' AND (epoch <> $2 OR sending_at <= $4))) ORDER BY id LIMIT $7 FOR UPDATE"
    );
    let since = order.now - order.sending_for;
    let bounds = args![order.lane, order.epoch, order.lapse_before, since, order.now + AHEAD, after, rows];
    Box::pin(session.rows(&STALE, bounds))
}

/// Open attempts of lanes that nobody owns, after `after`. Nobody will ever claim them, and they
/// lock their numbers for every other lane.
fn abandoned<'s>(session: &'s mut Session, order: &'s SweepOrder, after: AttemptId, rows: i64) -> Step<'s, Vec<Row>> {
    const ABANDONED: Sql = sql!(
        sqlite "SELECT a.id, a.contact_id, a.run_id, a.state FROM attempts a JOIN lanes l ON l.id = a.lane_id \
                WHERE a.lane_id <> $1 AND a.live AND a.state = 'open' AND a.dial_before <= $2 AND l.lease_until <= $2 \
                AND a.id > $3 ORDER BY a.id LIMIT $4",
        postgres "SELECT a.id, a.contact_id, a.run_id, a.state FROM attempts a JOIN lanes l ON l.id = a.lane_id \
                  WHERE a.lane_id <> $1 AND a.live AND a.state = 'open' AND a.dial_before <= $2 AND l.lease_until <= $2 \
                  AND a.id > $3 ORDER BY a.id LIMIT $4 FOR UPDATE OF a SKIP LOCKED"
    );
    Box::pin(session.rows(&ABANDONED, args![order.lane, order.now - ABANDONED_AFTER, after, rows]))
}

/// Lapses and doubts some. Returns the last that was looked at while there may be more, and how
/// many there were.
async fn some(
    session: &mut Session,
    order: &SweepOrder,
    kept: &BTreeSet<AttemptId>,
    find: Find,
    after: AttemptId,
    limit: i64,
) -> Result<((Swept, Option<AttemptId>), usize), StoreError> {
    const LAPSED: Sql = sql!(
        "UPDATE attempts AS a SET state = 'lapsed', live = FALSE, \
         change_number = (SELECT n FROM change_number) FROM" rows (attempt_id bigint)
        "WHERE a.id = u.attempt_id AND a.state = 'open'"
    );
    const UNKNOWN: Sql = sql!(
        "UPDATE attempts AS a SET state = 'unknown', cause = 'the process that was sending it stopped', \
         overdue_at = $2, live_change = (SELECT n FROM change_number) FROM" rows (attempt_id bigint)
        "WHERE a.id = u.attempt_id AND a.state = 'sending'"
    );
    let lane = lock(session, order.lane, Lock::Share).await?;
    if lane.epoch != order.epoch {
        return Ok((Default::default(), 0));
    }
    let stale = find(session, order, after, limit).await?;
    let last = stale.last().map(|row| row.get("id").map(AttemptId)).transpose()?;
    let mut deltas = Deltas::default();
    let (mut lapsed, mut unknown, mut moves) = (Vec::new(), Vec::new(), Vec::new());
    for row in &stale {
        let (id, run) = (AttemptId(row.get("id")?), RunId(row.get("run_id")?));
        let state: AttemptState = row.word("attempts", "state")?;
        if state == AttemptState::Open {
            deltas.attempt(run, Some(state), AttemptState::Lapsed);
            lapsed.push(KeyRow { attempt_id: id });
            moves.push(Move { contact: ContactId(row.get("contact_id")?), to: To::WaitingAgain, ended: None });
        } else if !kept.contains(&id) {
            deltas.attempt(run, Some(state), AttemptState::Unknown);
            unknown.push(KeyRow { attempt_id: id });
        }
    }
    if !lapsed.is_empty() {
        session.run(&LAPSED, args![session::rows(&lapsed)]).await?;
        let snapshots = snapshots(session, moves.iter().map(|step| step.contact)).await?;
        advance(session, order.now, &snapshots, &moves, &mut deltas).await?;
    }
    if !unknown.is_empty() {
        session.run(&UNKNOWN, args![session::rows(&unknown), order.overdue_at]).await?;
    }
    deltas.write(session).await?;
    let swept = Swept { lapsed: lapsed.len() as u32, unknown: unknown.len() as u32 };
    Ok(((swept, last.filter(|_| stale.len() as i64 == limit)), stale.len()))
}
