//! What became of calls: outcomes and what follows from them, and the fate of unknown ones.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_domain::decision::{Case, Decision, decide};
use ringfence_domain::{
    AttemptId, AttemptState, CallDetails, Campaign, ContactId, ContactState, DialClass, LaneId, Moment, NumberKey,
    Outcome, PhoneNumber, RunId, StopReason,
};
use serde::Serialize;

use super::call_requests;
use super::live::bound_calls;
use crate::StoreError;
use crate::campaigns::recent_failures::Failing;
use crate::campaigns::{recent_failures, runs};
use crate::contacts::next_number::turn;
use crate::contacts::snapshot::standings;
use crate::contacts::transitions::{EndedCall, Move, To, advance};
use crate::counters::{Counter, Deltas};
use crate::session::{Arg, Session, Sql, args, rows_json, sql};

/// What was learned, or decided, about one attempt.
#[derive(Debug, Clone, PartialEq)]
pub enum Settlement {
    /// The call is over.
    Ended(Outcome, Box<CallDetails>),
    /// The call of an unknown attempt was found at the vendor.
    Found {
        /// The vendor's name for it.
        call_id: String,
        /// Without news by then, its number is free again.
        overdue_at: Moment,
    },
    /// An unknown attempt was never placed: its contact may be dialled again.
    NotPlaced,
    /// An unknown attempt is taken to have been placed: its contact is finished.
    AssumePlaced,
    /// Nobody can say for now: the contact waits in review while asking goes on.
    Review,
    /// Nothing was heard for as long as the vendor could have kept the call: its number is free
    /// again, and the contact waits in review.
    GiveUp,
}

/// What was settled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// Settlements that changed something.
    pub settled: u32,
    /// Settlements of attempts that were settled before.
    pub late: u32,
    /// Campaigns that must be paused, because too many of their last calls failed.
    pub failing: Vec<Failing>,
}

struct Before {
    contact: ContactId,
    run: RunId,
    lane: LaneId,
    number_key: NumberKey,
    number: PhoneNumber,
    state: AttemptState,
    class: DialClass,
    sending_at: Moment,
}

#[derive(Serialize, Default)]
struct AfterRow {
    attempt_id: i64,
    state: &'static str,
    live: i64,
    call_id: Option<String>,
    overdue_at: Option<i64>,
    ended_at: Option<i64>,
    outcome: Option<&'static str>,
    vendor_status: Option<String>,
    talk_seconds: Option<u32>,
    cost_micros: Option<i64>,
    currency: Option<String>,
    outputs: Option<String>,
    recording_url: Option<String>,
    recording_expires_at: Option<i64>,
    transcript_url: Option<String>,
    transcript_expires_at: Option<i64>,
    refusal: i64,
}

/// Settles attempts and decides, in the same transaction, what follows for their contacts. What was
/// settled before stays as it is, so news may come late, twice and in any order.
pub(crate) async fn settle(
    session: &mut Session,
    now: Moment,
    settlements: &[(AttemptId, Settlement)],
) -> Result<Settled, StoreError> {
    const WRITE: Sql = sql!(
        sqlite "UPDATE attempts AS a SET state = u.state, live = u.live, call_id = coalesce(u.call_id, a.call_id), \
                placed_at = coalesce(a.placed_at, CASE WHEN u.state = 'placed' THEN $2 END), \
                overdue_at = coalesce(u.overdue_at, a.overdue_at), ended_at = u.ended_at, outcome = u.outcome, \
                vendor_status = u.vendor_status, talk_seconds = u.talk_seconds, cost_micros = u.cost_micros, \
                currency = u.currency, outputs = u.outputs, recording_url = u.recording_url, \
                recording_expires_at = u.recording_expires_at, transcript_url = u.transcript_url, \
                transcript_expires_at = u.transcript_expires_at, refusal = u.refusal \
                FROM (SELECT value->>'attempt_id' AS attempt_id, value->>'state' AS state, value->>'live' AS live, \
                value->>'call_id' AS call_id, value->>'overdue_at' AS overdue_at, value->>'ended_at' AS ended_at, \
                value->>'outcome' AS outcome, value->>'vendor_status' AS vendor_status, \
                value->>'talk_seconds' AS talk_seconds, value->>'cost_micros' AS cost_micros, \
                value->>'currency' AS currency, value->>'outputs' AS outputs, value->>'recording_url' AS recording_url, \
                value->>'recording_expires_at' AS recording_expires_at, value->>'transcript_url' AS transcript_url, \
                value->>'transcript_expires_at' AS transcript_expires_at, \
                value->>'refusal' AS refusal FROM json_each($1)) AS u WHERE a.id = u.attempt_id",
        postgres "UPDATE attempts AS a SET state = u.state, live = (u.live = 1), call_id = coalesce(u.call_id, a.call_id), \
                  placed_at = coalesce(a.placed_at, CASE WHEN u.state = 'placed' THEN $2::bigint END), \
                  overdue_at = coalesce(u.overdue_at, a.overdue_at), ended_at = u.ended_at, outcome = u.outcome, \
                  vendor_status = u.vendor_status, talk_seconds = u.talk_seconds, cost_micros = u.cost_micros, \
                  currency = u.currency, outputs = u.outputs::jsonb, recording_url = u.recording_url, \
                  recording_expires_at = u.recording_expires_at, transcript_url = u.transcript_url, \
                  transcript_expires_at = u.transcript_expires_at, refusal = (u.refusal = 1) \
                  FROM jsonb_to_recordset($1::jsonb) AS u(attempt_id bigint, state text, live bigint, call_id text, \
                  overdue_at bigint, ended_at bigint, outcome text, vendor_status text, talk_seconds bigint, \
                  cost_micros bigint, currency text, outputs text, recording_url text, recording_expires_at bigint, \
                  transcript_url text, transcript_expires_at bigint, refusal bigint) WHERE a.id = u.attempt_id"
    );
    let before = before(session, settlements).await?;
    let rules = runs::rules(session, before.values().map(|known| known.run)).await?;
    let standings = standings(session, before.values().map(|known| known.contact)).await?;
    let mut result = Settled::default();
    let mut deltas = Deltas::default();
    let (mut rows, mut moves) = (Vec::new(), Vec::new());
    let mut done = BTreeSet::new();
    let mut ends: BTreeMap<RunId, Vec<bool>> = BTreeMap::new();
    let mut opted_out: Vec<(NumberKey, PhoneNumber, &Campaign)> = Vec::new();
    for (id, settlement) in settlements {
        let (Some(known), true) = (before.get(id), done.insert(*id)) else { continue };
        let Some(standing) = standings.get(&known.contact) else { continue };
        // Without rules nobody can say what follows an outcome; that nothing was heard of a call
        // needs none.
        let campaign = rules.get(&known.run);
        if campaign.is_none() && matches!(settlement, Settlement::Ended(..)) {
            continue;
        }
        if !is_legal(known.state, settlement) {
            result.late += 1;
            continue;
        }
        result.settled += 1;
        let mut row = AfterRow { attempt_id: id.0, ..AfterRow::default() };
        let mut ended = None;
        let (state, to) = match settlement {
            Settlement::Review => {
                moves.push(Move { contact: known.contact, to: To::Review, ended: None });
                continue;
            }
            Settlement::Found { call_id, overdue_at } => {
                if !bound_calls(session, known.lane, std::slice::from_ref(call_id)).await?.is_empty() {
                    result.settled -= 1;
                    continue;
                }
                row.call_id = Some(call_id.clone());
                row.overdue_at = Some(overdue_at.millis());
                (AttemptState::Placed, To::Active)
            }
            Settlement::NotPlaced => (AttemptState::NotPlaced, To::WaitingAgain),
            Settlement::AssumePlaced => {
                ended = Some((Outcome::Unknown, CallDetails::default()));
                (AttemptState::Ended, To::Done)
            }
            Settlement::GiveUp => {
                ended = Some((Outcome::Unknown, CallDetails::default()));
                (AttemptState::Ended, To::Review)
            }
            Settlement::Ended(outcome, details) => {
                let Some(campaign) = campaign else { continue };
                let outcome_counts = standing.outcome_counts.get(outcome).copied().unwrap_or_default();
                let said = call_requests::read(campaign, details, known.sending_at, &standing.zones);
                said.count(&mut deltas, known.run, campaign, *outcome, details);
                if said.opted_out {
                    opted_out.push((known.number_key, known.number.clone(), campaign));
                }
                row.refusal = i64::from(said.refused || *outcome == Outcome::Rejected);
                let case = Case {
                    outcome: *outcome,
                    calls: standing.calls + u32::from(outcome.is_counted()),
                    same_outcome: outcome_counts + 1,
                    class: known.class,
                    now,
                    seed: id.0.unsigned_abs(),
                    callback: said.callback.as_ref().map(|asked| asked.at),
                    opted_out: said.opted_out,
                };
                ended = Some((*outcome, (**details).clone()));
                let to = match decide(&case, &campaign.retry) {
                    Decision::Done => To::Done,
                    Decision::Redial { due_at, class } => {
                        if let Some(asked) = said.callback.filter(|_| class == DialClass::Callback) {
                            let counter = if asked.understood {
                                Counter::CallbackUnderstood
                            } else {
                                Counter::CallbackNotUnderstood
                            };
                            deltas.count(known.run, counter, 1);
                        }
                        To::Waiting(due_at, class)
                    }
                    // The number is gone; whether the person has another one is seen below, within
                    // the same cap.
                    Decision::Stop(StopReason::InvalidNumber) if case.calls >= campaign.retry.max_attempts => {
                        To::Stopped(if standing.has_multiple_numbers {
                            StopReason::AttemptsUsed
                        } else {
                            StopReason::InvalidNumber
                        })
                    }
                    Decision::Stop(reason) => To::Stopped(reason),
                    Decision::Review => To::Review,
                };
                (AttemptState::Ended, to)
            }
        };
        row.state = state.as_str();
        row.live = i64::from(state.is_live());
        let call = ended.as_ref().map(|(outcome, details)| {
            let talked = details.talk_seconds.unwrap_or_default();
            let reached = campaign.is_some_and(|campaign| {
                let wanted = campaign.reached.outcome.contains(outcome) && talked >= campaign.reached.min_seconds;
                wanted && !was_reached(standing, campaign)
            });
            EndedCall { attempt: *id, outcome: *outcome, reached }
        });
        if let Some((outcome, details)) = ended {
            if outcome.is_counted() && outcome != Outcome::Unknown {
                ends.entry(known.run).or_default().push(outcome.is_failure());
            }
            count_call(&mut deltas, known.run, outcome, &details);
            row.ended_at = Some(now.millis());
            row.outcome = Some(outcome.as_str());
            fill(&mut row, details);
        }
        deltas.attempt(known.run, Some(known.state), state);
        moves.push(Move { contact: known.contact, to, ended: call });
        rows.push(row);
    }
    if !rows.is_empty() {
        rows.sort_unstable_by_key(|row| row.attempt_id);
        session.run(&WRITE, args![rows_json(&rows), now]).await?;
    }
    moves.retain(|step| {
        let state = standings.get(&step.contact).map(|standing| standing.state);
        let stays = match step.to {
            To::Active => state == Some(ContactState::Active),
            To::Review => state == Some(ContactState::Review) && step.ended.is_none(),
            _ => false,
        };
        !stays
    });
    call_requests::opt_out(session, opted_out, now).await?;
    let called = before.values().map(|known| (known.contact, known.number_key)).collect();
    turn(session, &standings, &called, &mut moves, now).await?;
    advance(session, now, &standings, &moves, &mut deltas).await?;
    result.failing = recent_failures::remember(session, &ends, now, |run| rules.get(&run).cloned()).await?;
    deltas.write(session).await?;
    Ok(result)
}

fn is_legal(state: AttemptState, settlement: &Settlement) -> bool {
    match settlement {
        Settlement::Ended(..) => state == AttemptState::Placed,
        Settlement::GiveUp => matches!(state, AttemptState::Placed | AttemptState::Unknown),
        _ => state == AttemptState::Unknown,
    }
}

/// A contact reached once is not counted again when it is called back.
fn was_reached(standing: &crate::contacts::snapshot::ContactSnapshot, campaign: &Campaign) -> bool {
    campaign.reached.min_seconds == 0
        && campaign.reached.outcome.iter().any(|outcome| standing.outcome_counts.contains_key(outcome))
}

fn count_call(deltas: &mut Deltas, run: RunId, outcome: Outcome, details: &CallDetails) {
    deltas.count(run, Counter::Outcome(outcome), 1);
    deltas.count(run, Counter::TalkSeconds, i64::from(details.talk_seconds.unwrap_or_default()));
    if let Some((micros, currency)) = &details.cost {
        deltas.count(run, Counter::Cost(currency.clone()), *micros);
    }
}

fn fill(row: &mut AfterRow, details: CallDetails) {
    row.vendor_status = details.vendor_status;
    row.talk_seconds = details.talk_seconds;
    (row.cost_micros, row.currency) = details.cost.unzip();
    row.outputs = (!details.outputs.is_empty())
        .then(|| serde_json::to_string(&details.outputs).expect("values of JSON are always JSON"));
    if let Some((url, expires)) = details.recording {
        (row.recording_url, row.recording_expires_at) = (Some(url), expires.map(Moment::millis));
    }
    if let Some((url, expires)) = details.transcript {
        (row.transcript_url, row.transcript_expires_at) = (Some(url), expires.map(Moment::millis));
    }
}

async fn before(
    session: &mut Session,
    settlements: &[(AttemptId, Settlement)],
) -> Result<BTreeMap<AttemptId, Before>, StoreError> {
    const READ: Sql = sql!(
        "SELECT a.id, a.contact_id, a.run_id, a.lane_id, a.number_key, a.state, a.class, a.sending_at, \
         coalesce(a.number, c.number) AS number FROM attempts a JOIN contacts c ON c.id = a.contact_id WHERE a.id" ids ""
        postgres "ORDER BY a.id FOR UPDATE OF a"
    );
    let ids = Arg::ids(settlements.iter().map(|(attempt, _)| attempt.0));
    let rows = session.rows(&READ, args![ids]).await?;
    rows.iter()
        .map(|row| {
            let before = Before {
                contact: ContactId(row.get("contact_id")?),
                run: RunId(row.get("run_id")?),
                lane: LaneId(row.get("lane_id")?),
                number_key: NumberKey(row.get("number_key")?),
                number: row.number("attempts")?,
                sending_at: row.moment_or_none("sending_at")?.unwrap_or_default(),
                state: row.word("attempts", "state")?,
                class: row.word("attempts", "class")?,
            };
            Ok((AttemptId(row.get("id")?), before))
        })
        .collect()
}
