//! What became of requests that were sent, many at a time.

use std::collections::{BTreeMap, HashSet};

use ringfence_domain::{
    AttemptId, AttemptState, ContactId, ContactState, LaneId, Moment, NumberKey, RunId, StopReason,
};
use serde::Serialize;

use super::throttled;
use crate::StoreError;
use crate::campaigns::recent_failures::Failing;
use crate::campaigns::{recent_failures, runs};
use crate::contacts::next_number::turn;
use crate::contacts::snapshot::standings;
use crate::contacts::transitions::{Move, To, advance};
use crate::counters::{Counter, Deltas};
use crate::lanes::daily_calls::{count_calls, day_of};
use crate::lanes::health::{affect, lock_affected};
use crate::receipts::sent::{Sent, SentResult};
use crate::session::{Arg, Session, Sql, args, rows_json, sql};

/// What was recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Results that changed their attempt.
    pub recorded: u32,
    /// Results that came after their attempt was settled.
    pub late: u32,
    /// Campaigns that must be paused: too many of their last calls failed, or the provider refuses
    /// all of them.
    pub failing: Vec<Failing>,
}

struct Before {
    contact: ContactId,
    run: RunId,
    number: NumberKey,
    state: AttemptState,
    sending_at: Option<Moment>,
}

#[derive(Serialize)]
struct AfterRow<'a> {
    attempt_id: AttemptId,
    state: &'static str,
    live: i64,
    call_id: Option<&'a str>,
    placed_at: Option<i64>,
    overdue_at: Option<i64>,
    cause: Option<&'a str>,
}

/// Records results. A receipt is taken whoever owns the lane by now; what is already settled stays
/// as it is.
pub(crate) async fn record(session: &mut Session, now: Moment, sent: &[Sent]) -> Result<Recorded, StoreError> {
    const WRITE: Sql = sql!(
        "UPDATE attempts AS a SET state = u.state, live = (u.live = 1), call_id = u.call_id, placed_at = u.placed_at, \
         overdue_at = u.overdue_at, cause = u.cause FROM"
        rows (attempt_id bigint, state text, live bigint, call_id text, placed_at bigint, overdue_at bigint, cause text)
        "WHERE a.id = u.attempt_id"
    );
    lock_affected(session, sent.iter().map(|one| (one.lane, &one.effect))).await?;
    let before = before(session, sent).await?;
    let taken = taken_call_ids(session, sent).await?;
    let mut used: HashSet<(LaneId, &str)> = HashSet::new();
    let mut result = Recorded::default();
    let mut deltas = Deltas::default();
    let (mut rows, mut moves, mut uncounted) = (Vec::new(), Vec::new(), Vec::new());
    let mut ends: BTreeMap<RunId, Vec<bool>> = BTreeMap::new();
    let mut refusing: BTreeMap<RunId, &str> = BTreeMap::new();
    let mut changed: BTreeMap<LaneId, Vec<&Sent>> = BTreeMap::new();
    for one in sent {
        let Some(known) = before.get(&one.attempt) else { continue };
        let was_unknown = match known.state {
            AttemptState::Sending => false,
            AttemptState::Unknown => true,
            _ => {
                result.late += 1;
                continue;
            }
        };
        let (mut call, mut placed_at, mut overdue, mut reason) = (None, None, None, None);
        let (state, to) = match &one.result {
            SentResult::Accepted { call_id, .. }
                if taken.contains(&(one.lane, call_id.clone())) || !used.insert((one.lane, call_id)) =>
            {
                if was_unknown {
                    continue;
                }
                reason = Some("the provider gave this call the id of another one");
                (AttemptState::Unknown, None)
            }
            SentResult::Accepted { call_id, overdue_at } => {
                (call, placed_at, overdue) = (Some(call_id.as_str()), Some(now), Some(*overdue_at));
                (AttemptState::Placed, Some(To::Active))
            }
            SentResult::Unknown { cause, overdue_at } => {
                if was_unknown {
                    result.late += 1;
                    continue;
                }
                (overdue, reason) = (Some(*overdue_at), Some(cause.as_str()));
                (AttemptState::Unknown, None)
            }
            SentResult::NotSent { cause } => {
                reason = Some(cause);
                (if was_unknown { AttemptState::NotPlaced } else { AttemptState::NotSent }, Some(To::WaitingAgain))
            }
            SentResult::Refused { cause } | SentResult::CampaignRefused { cause } => {
                reason = Some(cause);
                if matches!(one.result, SentResult::CampaignRefused { .. }) {
                    refusing.insert(known.run, cause);
                }
                (if was_unknown { AttemptState::NotPlaced } else { AttemptState::Refused }, Some(To::WaitingAgain))
            }
            SentResult::Throttled { cause, until } => {
                reason = Some(cause);
                let after = throttled::judge(session, one.lane, known.number, one.attempt, *until, now).await?;
                deltas.count(known.run, Counter::RefusedAlone, i64::from(after.is_named));
                (if was_unknown { AttemptState::NotPlaced } else { AttemptState::Refused }, Some(after.to))
            }
            SentResult::RequestRefused { cause } => {
                reason = Some(cause);
                let state = if was_unknown { AttemptState::NotPlaced } else { AttemptState::Refused };
                // When it is everyone's fault, the rail of failing calls pauses the campaign.
                ends.entry(known.run).or_default().push(true);
                (state, Some(To::Review))
            }
            SentResult::NumberRefused { cause } => {
                reason = Some(cause);
                let state = if was_unknown { AttemptState::NotPlaced } else { AttemptState::Refused };
                ends.entry(known.run).or_default().push(true);
                (state, Some(To::Stopped(StopReason::InvalidNumber)))
            }
        };
        deltas.attempt(known.run, Some(known.state), state);
        changed.entry(one.lane).or_default().push(one);
        if !state.is_live() {
            uncounted.push((one.lane, known.sending_at.unwrap_or(now)));
        }
        moves.extend(to.map(|to| Move { contact: known.contact, to, ended: None }));
        rows.push(AfterRow {
            attempt_id: one.attempt,
            state: state.as_str(),
            live: i64::from(state.is_live()),
            call_id: call,
            placed_at: placed_at.map(Moment::millis),
            overdue_at: overdue.map(Moment::millis),
            cause: reason,
        });
        result.recorded += 1;
    }
    // What is read back from a file may be recorded already, and said what it says of the lane
    // then.
    for (lane, sent) in changed {
        let effects = throttled::weigh(session, lane, &sent, now).await?;
        affect(session, now, lane, &effects.iter().collect::<Vec<_>>()).await?;
    }
    if !rows.is_empty() {
        rows.sort_unstable_by_key(|row| row.attempt_id);
        session.run(&WRITE, args![rows_json(&rows)]).await?;
    }
    // A placed call leaves its contact active, as it was; only those that go elsewhere are touched.
    let known: BTreeMap<_, _> = if moves.iter().any(|step| step.to != To::Active)
        || before.values().any(|known| known.state == AttemptState::Unknown)
    {
        standings(session, moves.iter().map(|step| step.contact)).await?
    } else {
        BTreeMap::new()
    };
    moves.retain(|step| {
        known.get(&step.contact).is_some_and(|now| step.to != To::Active || now.state == ContactState::Review)
    });
    let called = before.values().map(|known| (known.contact, known.number)).collect();
    turn(session, &known, &called, &mut moves, now).await?;
    advance(session, now, &known, &moves, &mut deltas).await?;
    give_back_days(session, &uncounted).await?;
    let rules = runs::rules(session, ends.keys().copied()).await?;
    result.failing = recent_failures::remember(session, &ends, now, |run| rules.get(&run).cloned()).await?;
    for (run, cause) in refusing {
        let reason = format!("the provider refuses every call of this campaign: {cause}");
        result.failing.push(Failing { campaign: runs::by_id(session, run).await?.campaign, reason, now });
    }
    deltas.write(session).await?;
    Ok(result)
}

async fn before(session: &mut Session, sent: &[Sent]) -> Result<BTreeMap<AttemptId, Before>, StoreError> {
    const READ: Sql = sql!(
        "SELECT id, contact_id, run_id, number_key, state, sending_at FROM attempts WHERE id" ids ""
        postgres "ORDER BY id FOR UPDATE"
    );
    let ids = Arg::ids(sent.iter().map(|one| one.attempt.0));
    let rows = session.rows(&READ, args![ids]).await?;
    rows.iter()
        .map(|row| {
            let before = Before {
                contact: ContactId(row.get("contact_id")?),
                run: RunId(row.get("run_id")?),
                number: NumberKey(row.get("number_key")?),
                state: row.word("attempts", "state")?,
                sending_at: row.moment_or_none("sending_at")?,
            };
            Ok((AttemptId(row.get("id")?), before))
        })
        .collect()
}

/// Call ids among the results that other attempts already have.
async fn taken_call_ids(session: &mut Session, sent: &[Sent]) -> Result<HashSet<(LaneId, String)>, StoreError> {
    #[derive(Serialize)]
    struct CallRow<'a> {
        attempt_id: AttemptId,
        lane_id: LaneId,
        call_id: &'a str,
    }
    const TAKEN: Sql = sql!(
        "SELECT a.lane_id, a.call_id FROM"
        rows (attempt_id bigint, lane_id bigint, call_id text)
        "CROSS JOIN attempts a WHERE a.lane_id = u.lane_id AND a.call_id = u.call_id AND a.id <> u.attempt_id \
         AND a.call_id IS NOT NULL"
    );
    let calls: Vec<CallRow<'_>> = sent
        .iter()
        .filter_map(|one| match &one.result {
            SentResult::Accepted { call_id, .. } => {
                Some(CallRow { attempt_id: one.attempt, lane_id: one.lane, call_id })
            }
            _ => None,
        })
        .collect();
    if calls.is_empty() {
        return Ok(HashSet::new());
    }
    let rows = session.rows(&TAKEN, args![rows_json(&calls)]).await?;
    rows.iter().map(|row| Ok((LaneId(row.get("lane_id")?), row.get("call_id")?))).collect()
}

/// Calls that were never placed do not use up their lane's day.
async fn give_back_days(session: &mut Session, uncounted: &[(LaneId, Moment)]) -> Result<(), StoreError> {
    if uncounted.is_empty() {
        return Ok(());
    }
    let lanes = crate::lanes::rows::list(session).await?;
    let mut days: BTreeMap<(LaneId, String), i64> = BTreeMap::new();
    for (id, at) in uncounted {
        if let Some(lane) = lanes.iter().find(|lane| lane.id == *id && lane.settings.limits.per_day.is_some()) {
            *days.entry((*id, day_of(&lane.settings, *at))).or_default() -= 1;
        }
    }
    for ((lane, day), delta) in days {
        count_calls(session, lane, &day, delta).await?;
    }
    Ok(())
}
