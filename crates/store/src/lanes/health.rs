//! The effects of answers on the rows of lanes.

use std::collections::BTreeSet;

use ringfence_domain::event::EventKind;
use ringfence_domain::{LaneEffect, LaneId, Moment, Span};

use crate::StoreError;
use crate::events::{Subject, tell};
use crate::session::{Arg, Session, Sql, args, sql};

/// Rest after so many failures in a row: 1 s, 2 s, 4 s … one minute.
fn rest(consecutive_failures: u32) -> Span {
    Span::from_secs((1_i64 << consecutive_failures.saturating_sub(1).min(6)).min(60))
}

/// Locks the lanes that the results may change: lanes come before attempts. What a lane that works
/// says changes nothing there unless it was in trouble.
pub(crate) async fn lock_affected<'e>(
    session: &mut Session,
    learned: impl Iterator<Item = (LaneId, &'e LaneEffect)>,
) -> Result<(), StoreError> {
    const LOCK: Sql = sql!(
        sqlite "SELECT 1 WHERE $1 IS NOT NULL AND $2 IS NOT NULL",
        postgres "SELECT l.id FROM lanes l WHERE l.id = ANY ($1) OR (l.id = ANY ($2) \
                  AND (l.consecutive_failures > 0 OR l.refused_for_now IS NOT NULL)) ORDER BY l.id FOR UPDATE"
    );
    let learned: Vec<_> = learned.filter(|(_, effect)| **effect != LaneEffect::Nothing).collect();
    if learned.is_empty() {
        return Ok(());
    }
    let lanes = |is_fine| {
        let lanes: BTreeSet<LaneId> = learned
            .iter()
            .filter(|(_, effect)| (**effect == LaneEffect::Fine) == is_fine)
            .map(|(lane, _)| *lane)
            .collect();
        Arg::ids(lanes.into_iter().map(|lane| lane.0))
    };
    session.rows(&LOCK, args![lanes(false), lanes(true)]).await.map(drop)
}

/// Applies what was learned about a lane: a pause whatever else was learned, the longest rest that
/// was asked for, and a trouble only when nothing worked at the same time.
pub(crate) async fn affect(
    session: &mut Session,
    now: Moment,
    lane: LaneId,
    effects: &[&LaneEffect],
) -> Result<(), StoreError> {
    const FINE: Sql = sql!(
        "UPDATE lanes SET consecutive_failures = 0, refused_for_now = NULL, backoff_reason = NULL \
         WHERE id = $1 AND consecutive_failures > 0"
    );
    const TAKEN: Sql = sql!("UPDATE lanes SET refused_for_now = NULL WHERE id = $1 AND refused_for_now IS NOT NULL");
    const SLOW: Sql = sql!(
        "UPDATE lanes SET backoff_until = CASE WHEN backoff_until > $2 THEN backoff_until ELSE $2 END, backoff_reason = $3, \
         consecutive_failures = $4 WHERE id = $1"
    );
    const RESTS: Sql = sql!("SELECT consecutive_failures, backoff_until FROM lanes WHERE id = $1");
    let mut slowest: Option<(Moment, &str)> = None;
    let (mut fine, mut trouble) = (false, None);
    for effect in effects {
        match effect {
            LaneEffect::Nothing => {}
            LaneEffect::Fine => fine = true,
            LaneEffect::Trouble(reason) => trouble = Some(reason.as_str()),
            LaneEffect::Slow(until, reason) => {
                if slowest.is_none_or(|(latest, _)| latest < *until) {
                    slowest = Some((*until, reason));
                }
            }
            LaneEffect::Pause(reason) => crate::lanes::hold::hold(session, lane, Some(reason), now).await?,
        }
    }
    let slow = match (slowest, trouble) {
        (Some((until, reason)), _) => Some((Some(until), reason)),
        (None, Some(reason)) if !fine => Some((None, reason)),
        _ => None,
    };
    let Some((until, reason)) = slow else {
        if fine && session.run(&FINE, args![lane]).await? > 0 {
            tell(EventKind::LaneOpen, Subject::Lane(lane), None, now);
        } else if fine {
            session.run(&TAKEN, args![lane]).await?;
        }
        return Ok(());
    };
    let row = session.one(&RESTS, args![lane]).await?;
    let before: i64 = row.get("consecutive_failures")?;
    let failures = if until.is_some() { 0 } else { before + 1 };
    let until = until.unwrap_or(now + rest(failures as u32));
    session.run(&SLOW, args![lane, until, reason, failures]).await?;
    // A lane that is in trouble rests again and again: only the first time is news.
    if before == 0 && row.moment("backoff_until")? <= now {
        tell(EventKind::LaneSlowed, Subject::Lane(lane), Some(reason), now);
    }
    Ok(())
}
