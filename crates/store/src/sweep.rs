//! What dead or late owners left behind.

use std::collections::BTreeSet;

use ringfence_domain::{AttemptId, AttemptState, ContactId, LaneId, Moment, RunId, Span};
use serde::Serialize;

use crate::StoreError;
use crate::contacts::{Move, To, advance, standings};
use crate::counts::Deltas;
use crate::lanes::{Lock, lock};
use crate::session::{Session, Sql, args, rows_json, sql};

/// What to look for on a lane.
#[derive(Debug, Clone, Copy)]
pub struct SweepOrder {
    /// The lane.
    pub lane: LaneId,
    /// The ownership under which it is swept.
    pub epoch: i64,
    /// When.
    pub now: Moment,
    /// A request that began longer ago than this is not under way any more, even in a living process.
    pub sending_for: Span,
    /// Open attempts whose moment ends by then lapse: the present, or never when everything open is given back.
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

/// An open attempt that is over for so long, on a lane that nobody owned for so long, is left to nobody.
const ABANDONED_AFTER: Span = Span::from_minutes(1);

/// No attempt is opened for a later moment than this from now; one that is was opened before the clock was set back.
const AHEAD: Span = Span::from_minutes(1);

#[derive(Serialize)]
struct KeyRow {
    attempt_id: AttemptId,
}

/// Lapses and doubts what nobody works on any more. What a vendor said of the `kept` is on its way into the database.
pub(crate) async fn sweep(
    session: &mut Session,
    order: &SweepOrder,
    kept: &BTreeSet<AttemptId>,
) -> Result<Swept, StoreError> {
    const STALE: Sql = sql!(
        sqlite "SELECT id, contact_id, run_id, state FROM attempts WHERE lane_id = $1 AND live AND ( \
                (state = 'open' AND (epoch <> $2 OR dial_before <= $3 OR dial_before > $5)) \
                OR (state = 'sending' AND (epoch <> $2 OR sending_at <= $4)))",
        postgres "SELECT id, contact_id, run_id, state FROM attempts WHERE lane_id = $1 AND live AND ( \
                  (state = 'open' AND (epoch <> $2 OR dial_before <= $3 OR dial_before > $5)) \
                  OR (state = 'sending' AND (epoch <> $2 OR sending_at <= $4))) ORDER BY id FOR UPDATE"
    );
    const LAPSED: Sql = sql!(
        "UPDATE attempts AS a SET state = 'lapsed', live = FALSE FROM" rows (attempt_id bigint)
        "WHERE a.id = u.attempt_id AND a.state = 'open'"
    );
    const UNKNOWN: Sql = sql!(
        sqlite "UPDATE attempts AS a SET state = 'unknown', cause = 'the process that was sending it stopped', overdue_at = $2 \
                FROM (SELECT value->>'attempt_id' AS attempt_id FROM json_each($1)) AS u \
                WHERE a.id = u.attempt_id AND a.state = 'sending'",
        postgres "UPDATE attempts AS a SET state = 'unknown', cause = 'the process that was sending it stopped', overdue_at = $2 \
                  FROM jsonb_to_recordset($1::jsonb) AS u(attempt_id bigint) WHERE a.id = u.attempt_id AND a.state = 'sending'"
    );
    // Nobody will ever claim these, and they lock their numbers for every other lane.
    const ABANDONED: Sql = sql!(
        sqlite "SELECT a.id, a.contact_id, a.run_id, a.state FROM attempts a JOIN lanes l ON l.id = a.lane_id \
                WHERE a.lane_id <> $1 AND a.live AND a.state = 'open' AND a.dial_before <= $2 AND l.lease_until <= $2",
        postgres "SELECT a.id, a.contact_id, a.run_id, a.state FROM attempts a JOIN lanes l ON l.id = a.lane_id \
                  WHERE a.lane_id <> $1 AND a.live AND a.state = 'open' AND a.dial_before <= $2 AND l.lease_until <= $2 \
                  ORDER BY a.id FOR UPDATE OF a SKIP LOCKED"
    );
    let lane = lock(session, order.lane, Lock::Share).await?;
    if lane.epoch != order.epoch {
        return Ok(Swept::default());
    }
    let sending_since = order.now - order.sending_for;
    let mut stale = session
        .rows(&STALE, args![order.lane, order.epoch, order.lapse_before, sending_since, order.now + AHEAD])
        .await?;
    stale.extend(session.rows(&ABANDONED, args![order.lane, order.now - ABANDONED_AFTER]).await?);
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
        session.run(&LAPSED, args![rows_json(&lapsed)]).await?;
        let standings = standings(session, moves.iter().map(|step| step.contact)).await?;
        advance(session, order.now, &standings, &moves, &mut deltas).await?;
    }
    if !unknown.is_empty() {
        session.run(&UNKNOWN, args![rows_json(&unknown), order.overdue_at]).await?;
    }
    deltas.write(session).await?;
    Ok(Swept { lapsed: lapsed.len() as u32, unknown: unknown.len() as u32 })
}
