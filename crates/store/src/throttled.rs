//! A request that was refused for now: its contact waits, longer each time, so that one that alone is refused holds up nobody.

use ringfence_domain::{AttemptId, AttemptState, LaneId, Moment, NumberKey, Span};

use crate::StoreError;
use crate::contacts::To;
use crate::session::{Session, Sql, args, sql};

/// The pause after the second refusal in a row; it doubles from then on,
const PAUSE: Span = Span::from_secs(15);
/// up to this.
const LONGEST_PAUSE: Span = Span::from_minutes(15);
/// After so many refusals in a row, while others were taken, a person must look.
const MOST: usize = 10;
/// With this one the contact is named.
const NAMED: usize = 4;
/// How many attempts after the first of these refusals are looked at for one that was taken.
const DEPTH: i64 = 2_000;

/// What follows a refusal for now.
pub(crate) struct Throttled {
    /// Where the contact goes.
    pub(crate) to: To,
    /// It alone is refused, and is named with this refusal.
    pub(crate) is_named: bool,
}

/// What follows for the contact of `attempt`, when its lane rests until `until`.
pub(crate) async fn judge(
    session: &mut Session,
    lane: LaneId,
    number: NumberKey,
    attempt: AttemptId,
    until: Moment,
    now: Moment,
) -> Result<Throttled, StoreError> {
    const EARLIER: Sql = sql!(
        "SELECT id, state FROM attempts WHERE number_key = $1 AND id < $2 AND state NOT IN ('lapsed', 'not_sent') \
         ORDER BY opened_at DESC, id DESC LIMIT $3"
    );
    const TAKEN: Sql = sql!(
        "SELECT id FROM attempts WHERE id > $1 AND id <= $1 + $2 AND lane_id = $3 AND placed_at IS NOT NULL \
         ORDER BY id LIMIT 1"
    );
    let (mut before, mut first) = (0, None);
    for row in session.rows(&EARLIER, args![number, attempt, MOST as i64]).await? {
        if row.word::<AttemptState>("attempts", "state")? != AttemptState::Refused {
            break;
        }
        before += 1;
        first = Some(row.get::<i64>("id")?);
    }
    let alone = match first {
        Some(first) => session.row(&TAKEN, args![first, DEPTH, lane]).await?.is_some(),
        None => false,
    };
    let refusals = before + 1;
    let to = if alone && refusals >= MOST { To::Review } else { To::PutOff(until.max(now + pause(refusals))) };
    Ok(Throttled { to, is_named: alone && refusals == NAMED })
}

/// None after the first refusal, which may be everyone's: then the lane rests.
fn pause(refusals: usize) -> Span {
    match refusals {
        0 | 1 => Span::ZERO,
        more => PAUSE.scaled(1 << (more - 2).min(8), 1).min(LONGEST_PAUSE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_quarter_of_an_hour() {
        let pauses: Vec<i64> = (1..=12).map(|refusals| pause(refusals).secs()).collect();
        assert_eq!(pauses, [0, 15, 30, 60, 120, 240, 480, 900, 900, 900, 900, 900]);
    }
}
