//! Slots of a lane: which live attempts hold one, until when, and how long a call of the lane
//! usually takes.
//!
//! A call that is planned or being sent holds its slot. One that is placed, or of unknown fate,
//! holds it for as long as calls of its lane usually take, or for as long as the vendor's last word
//! says that it is out. Its number it holds for longer: as long as the attempt lives.

use std::collections::BTreeMap;

use ringfence_domain::verdict::InHand;
use ringfence_domain::{AttemptId, LaneId, Moment, RunId, Span};
use serde::Serialize;

use super::rows::LaneRow;
use crate::StoreError;
use crate::session::{self, Session, Sql, args, sql};

/// What a call takes while nobody knows how long calls of its lane do. A placed call of which the
/// vendor says nothing holds its slot for at least as long: the word of its end may be late, and
/// nothing is wrong with it yet.
const UNKNOWN: Span = Span::from_minutes(5);

/// Calls that the usual time is taken from.
const SAMPLE: i64 = 1_000;

/// Fewer say nothing.
const SMALLEST_SAMPLE: usize = 20;

/// How many attempts back they are looked for.
const DEPTH: i64 = 20_000;

/// Whatever calls took, an attempt holds its slot for no less
const SHORTEST: Span = Span::from_secs(5);

/// and for no more: then a call is over from the moment that a vendor began to dial.
const LONGEST: Span = Span::from_hours(1);

/// The live attempts of a lane by run.
pub(crate) async fn in_hand(
    session: &mut Session,
    lane: &LaneRow,
    now: Moment,
) -> Result<BTreeMap<RunId, InHand>, StoreError> {
    const LIVE: Sql = sql!(
        "SELECT run_id, count(*) AS n, count(*) FILTER (WHERE state = 'open') AS open, \
         count(*) FILTER (WHERE state = 'sending') AS sending, count(*) FILTER (WHERE holds_until > $4) AS taken, \
         count(*) FILTER (WHERE holds_until > $4 AND unsure) AS unsure, \
         min(holds_until) FILTER (WHERE holds_until > $4 AND unsure) AS first_free FROM \
         (SELECT run_id, state, CASE WHEN state IN ('open', 'sending') THEN 9223372036854775807 \
          ELSE coalesce(slot_until, sending_at + CASE WHEN state = 'placed' THEN $3 ELSE $2 END) END AS holds_until, \
          state = 'unknown' OR (state = 'placed' AND slot_until IS NULL AND sending_at + $2 <= $4) AS unsure \
          FROM attempts WHERE lane_id = $1 AND live) AS held GROUP BY run_id"
    );
    let usual = lane.usual_call.unwrap_or(UNKNOWN);
    let args = args![lane.id, usual.millis(), usual.max(UNKNOWN).millis(), now];
    let mut by_run = BTreeMap::new();
    for row in session.rows(&LIVE, args).await? {
        let count = |column| row.get::<i64>(column).map(|n| n as u32);
        let own = InHand {
            live: count("n")?,
            open: count("open")?,
            sending: count("sending")?,
            taken: count("taken")?,
            unsure: count("unsure")?,
            first_free: row.moment_or_none("first_free")?,
        };
        by_run.insert(RunId(row.get("run_id")?), own);
    }
    Ok(by_run)
}

/// Until when a placed call, claimed at `sending_at`, holds its slot when the vendor says nothing
/// of it.
pub(crate) fn placed_until(lane: &LaneRow, sending_at: Moment) -> Moment {
    sending_at + lane.usual_call.unwrap_or(UNKNOWN).max(UNKNOWN)
}

/// Attempts hold their slots until these moments, by what the vendor said of their calls.
pub(crate) async fn hold(session: &mut Session, until: &[(AttemptId, Moment)]) -> Result<(), StoreError> {
    #[derive(Serialize)]
    struct UntilRow {
        attempt_id: AttemptId,
        slot_until: i64,
    }
    const HOLD: Sql = sql!(
        "UPDATE attempts AS a SET slot_until = u.slot_until FROM"
        rows (attempt_id bigint, slot_until bigint)
        "WHERE a.id = u.attempt_id AND a.live AND a.state IN ('placed', 'unknown')"
    );
    let mut rows: Vec<UntilRow> =
        until.iter().map(|(id, until)| UntilRow { attempt_id: *id, slot_until: until.millis() }).collect();
    rows.sort_unstable_by_key(|row| row.attempt_id);
    session.run(&HOLD, args![session::rows(&rows)]).await?;
    Ok(())
}

/// How long a call of the lane usually takes, from its claim to its outcome: of its last thousand
/// all but one of a hundred took no longer. None while too few are known.
pub(crate) async fn usual_call(session: &mut Session, lane: LaneId) -> Result<Option<Span>, StoreError> {
    const TOOK: Sql = sql!(
        "SELECT ended_at - sending_at AS ms FROM attempts WHERE id > (SELECT coalesce(max(id), 0) FROM attempts) - $2 \
         AND lane_id = $1 AND state = 'ended' AND outcome NOT IN ('unknown', 'not_dialled') ORDER BY id DESC LIMIT $3"
    );
    let rows = session.rows(&TOOK, args![lane, DEPTH, SAMPLE]).await?;
    let mut took = rows.iter().map(|row| row.get::<i64>("ms")).collect::<Result<Vec<_>, _>>()?;
    if took.len() < SMALLEST_SAMPLE {
        return Ok(None);
    }
    took.sort_unstable();
    let usual = Span::from_millis(took[(took.len() * 99).div_ceil(100) - 1]);
    Ok(Some(usual.max(SHORTEST).min(LONGEST)))
}

/// Keeps it with the lane.
pub(crate) async fn keep_usual_call(session: &mut Session, lane: LaneId, usual: Span) -> Result<(), StoreError> {
    const KEEP: Sql = sql!("UPDATE lanes SET usual_call_ms = $2 WHERE id = $1");
    session.run(&KEEP, args![lane, usual.millis()]).await?;
    Ok(())
}
