//! A request that was refused for now: its contact waits, longer each time, so that one that alone
//! is refused holds up nobody.

use std::collections::BTreeSet;

use ringfence_domain::{AttemptId, AttemptState, LaneEffect, LaneId, Moment, NumberKey, Placement, Span};

use crate::StoreError;
use crate::contacts::transitions::To;
use crate::receipts::sent::Sent;
use crate::session::{Arg, Session, Sql, args, sql};

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

/// So many different numbers refused in a row mean everyone: the lane rests as it was told.
const EVERYONE: usize = 3;

/// For fewer, which may be their own fault, the lane rests no longer than this.
const LANE_PAUSE: Span = Span::from_secs(15);

/// What follows a refusal for now.
pub(crate) struct Throttled {
    /// Where the contact goes.
    pub(crate) to: To,
    /// It alone is refused, and is named with this refusal.
    pub(crate) is_named: bool,
}

/// What these results say of their lane, with a rest that one number alone was told cut short.
pub(crate) async fn weigh(
    session: &mut Session,
    lane: LaneId,
    sent: &[&Sent],
    now: Moment,
) -> Result<Vec<LaneEffect>, StoreError> {
    let is_refused = |one: &&&Sent| matches!(one.placement, Placement::Throttled { .. });
    let refused: Vec<AttemptId> = sent.iter().filter(is_refused).map(|one| one.attempt).collect();
    let is_everyones = if refused.is_empty() {
        true
    } else {
        let begins_anew = sent.iter().any(|one| one.effect == LaneEffect::Fine);
        remember(session, lane, &refused, begins_anew).await? >= EVERYONE
    };
    let weighed = |one: &&Sent| match (&one.placement, &one.effect) {
        (Placement::Throttled { .. }, LaneEffect::Slow(until, cause)) if !is_everyones => {
            LaneEffect::Slow((*until).min(now + LANE_PAUSE), cause.clone())
        }
        (_, effect) => effect.clone(),
    };
    Ok(sent.iter().map(weighed).collect())
}

/// Adds the numbers of these attempts to those that were refused in a row. Returns how many there
/// are, up to [`EVERYONE`]. A call that was taken or judged ends the row (`effects::affect`).
async fn remember(
    session: &mut Session,
    lane: LaneId,
    refused: &[AttemptId],
    begins_anew: bool,
) -> Result<usize, StoreError> {
    const KNOWN: Sql = sql!("SELECT refused_for_now FROM lanes WHERE id = $1");
    const WRITE: Sql = sql!("UPDATE lanes SET refused_for_now = $2 WHERE id = $1");
    const NUMBERS: Sql = sql!("SELECT number_key FROM attempts WHERE id" ids "");
    let known: Option<BTreeSet<i64>> =
        session.one(&KNOWN, args![lane]).await?.json_or_none("lanes", "refused_for_now").unwrap_or_default();
    let known = known.filter(|_| !begins_anew).unwrap_or_default();
    let mut numbers = known.clone();
    for row in session.rows(&NUMBERS, args![Arg::ids(refused.iter().map(|attempt| attempt.0))]).await? {
        if numbers.len() < EVERYONE {
            numbers.insert(row.get("number_key")?);
        }
    }
    if numbers != known || begins_anew {
        let numbers: Vec<i64> = numbers.iter().copied().collect();
        session.run(&WRITE, args![lane, Arg::json(&numbers)]).await?;
    }
    Ok(numbers.len())
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
        "SELECT id, state FROM attempts WHERE number_key = $1 AND id + 0 < $2 AND state NOT IN ('lapsed', 'not_sent') \
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

/// None after the first refusal, which may be everyone's: the lane rests for it.
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
