//! What became of requests that were sent, many at a time.

use std::collections::BTreeMap;

use ringfence_domain::lane_effect::rest_until;
use ringfence_domain::{AttemptId, AttemptState, ContactState, LaneId, Moment, Placement, RunId, StopReason};
use serde::Serialize;

use super::calls::{self, CallRow};
use super::consequences::Consequences;
use super::known::{self, Known};
use super::placed;
use super::throttled::{self, Throttled};
use crate::StoreError;
use crate::campaigns::recent_failures::Failing;
use crate::campaigns::runs;
use crate::contacts::snapshot::snapshots;
use crate::contacts::transitions::{Move, To};
use crate::counters::Counter;
use crate::lanes::daily_calls::{count_calls, day_of};
use crate::lanes::health::{affect, lock_affected};
use crate::receipts::sent::Sent;
use crate::session::{self, Session, Sql, args, sql};

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

/// Records results. A receipt is taken even if the lane has another owner by now; what is already
/// settled stays as it is.
pub(crate) async fn record(session: &mut Session, now: Moment, sent: &[Sent]) -> Result<Recorded, StoreError> {
    lock_affected(session, sent.iter().map(|one| (one.lane, &one.effect))).await?;
    let mut placed = placed::record(session, now, sent).await?;
    let mut news = News::default();
    let mut others = Vec::new();
    for one in sent {
        let is_placed = matches!(one.placement, Placement::Accepted { .. });
        // What comes twice is news once.
        match is_placed.then(|| placed.remove(&one.attempt)).flatten() {
            Some(run) => news.placed(one, run),
            None => others.push(one),
        }
    }
    let known = known::load(session, others.iter().map(|one| one.attempt)).await?;
    let own = calls::enter(session, &accepted(&others, &known)).await?;
    for one in others {
        let Some(known) = known.get(&one.attempt) else { continue };
        if !matches!(known.state, AttemptState::Sending | AttemptState::Unknown) {
            news.recorded.late += 1;
            continue;
        }
        let throttled = match &one.placement {
            Placement::Throttled { retry_after, .. } => {
                let until = rest_until(*retry_after, one.answered_at);
                Some(throttled::judge(session, one.lane, known.number_key, one.attempt, until, now).await?)
            }
            _ => None,
        };
        let is_taken = matches!(one.placement, Placement::Accepted { .. }) && !own.contains(&one.attempt);
        news.apply(one, known, is_taken, throttled, now);
    }
    news.write(session, &known, now).await
}

/// The calls that vendors took, of attempts that may have one yet.
fn accepted<'s>(sent: &[&'s Sent], known: &BTreeMap<AttemptId, Known>) -> Vec<CallRow<'s>> {
    let may_be_placed = |one: &&'s Sent| {
        let state = known.get(&one.attempt).map(|known| known.state);
        matches!(state, Some(AttemptState::Sending | AttemptState::Unknown))
    };
    let call = |one: &'s Sent| match &one.placement {
        Placement::Accepted { call_id } => Some(CallRow { attempt_id: one.attempt, lane_id: one.lane, call_id }),
        _ => None,
    };
    sent.iter().copied().filter(may_be_placed).filter_map(call).collect()
}

/// What a result makes of its attempt and its contact.
struct Change<'s> {
    state: AttemptState,
    to: Option<To>,
    call_id: Option<&'s str>,
    overdue_at: Option<Moment>,
    cause: Option<&'s str>,
}

impl<'s> Change<'s> {
    /// Decides what an answer makes of an attempt that is being sent, or whose fate is unknown.
    /// None when it is no news. `is_taken`: another attempt has the call's id.
    fn of(sent: &'s Sent, was_unknown: bool, is_taken: bool, throttled: Option<To>) -> Option<Self> {
        let refused = if was_unknown { AttemptState::NotPlaced } else { AttemptState::Refused };
        let change = |state, to, cause| Self { state, to, call_id: None, overdue_at: None, cause };
        Some(match &sent.placement {
            Placement::Accepted { .. } if is_taken && was_unknown => return None,
            Placement::Accepted { .. } if is_taken => {
                change(AttemptState::Unknown, None, Some("the provider gave this call the id of another one"))
            }
            Placement::Accepted { call_id } => Self {
                call_id: Some(call_id),
                overdue_at: Some(sent.overdue_at),
                ..change(AttemptState::Placed, Some(To::Active), None)
            },
            // A person who was called all the same must not be called again, so an answer that no
            // page documents is as good as none.
            Placement::Unknown { .. } | Placement::Undocumented { .. } if was_unknown => return None,
            Placement::Unknown { cause } | Placement::Undocumented { cause, .. } => {
                Self { overdue_at: Some(sent.overdue_at), ..change(AttemptState::Unknown, None, Some(cause)) }
            }
            Placement::NotSent { cause } => {
                let state = if was_unknown { AttemptState::NotPlaced } else { AttemptState::NotSent };
                change(state, Some(To::WaitingAgain), Some(cause))
            }
            Placement::LaneFault { cause } | Placement::CampaignFault { cause } | Placement::Reworded { cause } => {
                change(refused, Some(To::WaitingAgain), Some(cause))
            }
            Placement::Throttled { cause, .. } => change(refused, throttled, Some(cause)),
            Placement::RequestFault { cause } => change(refused, Some(To::Review), Some(cause)),
            Placement::NumberFault { cause } => {
                change(refused, Some(To::Stopped(StopReason::InvalidNumber)), Some(cause))
            }
        })
    }
}

/// What is to be written of all results.
#[derive(Default)]
struct News<'s> {
    recorded: Recorded,
    rows: Vec<AfterRow<'s>>,
    /// Results that changed their attempts, by lane.
    changed: BTreeMap<LaneId, Vec<&'s Sent>>,
    /// Attempts that were never placed, and when they were counted.
    uncounted: Vec<(LaneId, Moment)>,
    /// Runs of which the provider refuses every call, and what it says.
    refusing: BTreeMap<RunId, &'s str>,
    follows: Consequences,
}

impl<'s> News<'s> {
    /// An attempt that was being sent has its call.
    fn placed(&mut self, one: &'s Sent, run: RunId) {
        self.follows.deltas.attempt(run, Some(AttemptState::Sending), AttemptState::Placed);
        self.changed.entry(one.lane).or_default().push(one);
        self.recorded.recorded += 1;
    }

    fn apply(&mut self, one: &'s Sent, known: &Known, is_taken: bool, throttled: Option<Throttled>, now: Moment) {
        let was_unknown = known.state == AttemptState::Unknown;
        let is_named = throttled.as_ref().is_some_and(|throttled| throttled.is_named);
        let Some(change) = Change::of(one, was_unknown, is_taken, throttled.map(|throttled| throttled.to)) else {
            self.recorded.late += u32::from(!matches!(one.placement, Placement::Accepted { .. }));
            return;
        };
        let deltas = &mut self.follows.deltas;
        deltas.attempt(known.run, Some(known.state), change.state);
        deltas.count(known.run, Counter::RefusedAlone, i64::from(is_named));
        match &one.placement {
            Placement::CampaignFault { cause } => drop(self.refusing.insert(known.run, cause)),
            // When it is everyone's fault, the rail of failing calls pauses the campaign.
            Placement::RequestFault { .. } | Placement::NumberFault { .. } => self.follows.end(known.run, true),
            _ => {}
        }
        self.changed.entry(one.lane).or_default().push(one);
        if !change.state.is_live() {
            self.uncounted.push((one.lane, known.sending_at.unwrap_or(now)));
        }
        self.follows.moves.extend(change.to.map(|to| Move { contact: known.contact, to, ended: None }));
        self.rows.push(AfterRow {
            attempt_id: one.attempt,
            state: change.state.as_str(),
            live: i64::from(change.state.is_live()),
            call_id: change.call_id,
            placed_at: change.call_id.map(|_| now.millis()),
            overdue_at: change.overdue_at.map(Moment::millis),
            cause: change.cause,
        });
        self.recorded.recorded += 1;
    }

    async fn write(
        mut self,
        session: &mut Session,
        known: &BTreeMap<AttemptId, Known>,
        now: Moment,
    ) -> Result<Recorded, StoreError> {
        const WRITE: Sql = sql!(
            "UPDATE attempts AS a SET live_change = (SELECT n FROM change_number), \
             change_number = CASE WHEN u.live = 1 THEN a.change_number ELSE (SELECT n FROM change_number) END, \
             state = u.state, live = (u.live = 1), call_id = u.call_id, placed_at = u.placed_at, \
             overdue_at = u.overdue_at, cause = u.cause FROM"
            rows (attempt_id bigint, state text, live bigint, call_id text, placed_at bigint, overdue_at bigint, cause text)
            "WHERE a.id = u.attempt_id"
        );
        // What is read back from a file may be recorded already, and said what it says of the lane
        // then.
        for (lane, sent) in self.changed {
            let effects = throttled::weigh(session, lane, &sent, now).await?;
            affect(session, now, lane, &effects.iter().collect::<Vec<_>>()).await?;
        }
        if !self.rows.is_empty() {
            self.rows.sort_unstable_by_key(|row| row.attempt_id);
            session.run(&WRITE, args![session::rows(&self.rows)]).await?;
        }
        give_back_days(session, &self.uncounted).await?;
        // A placed call leaves its contact active, as it was; only those that go elsewhere are
        // touched.
        let moves = &mut self.follows.moves;
        let was_unknown = known.values().any(|known| known.state == AttemptState::Unknown);
        let contacts = if was_unknown || moves.iter().any(|step| step.to != To::Active) {
            snapshots(session, moves.iter().map(|step| step.contact)).await?
        } else {
            BTreeMap::new()
        };
        moves.retain(|step| {
            contacts.get(&step.contact).is_some_and(|now| step.to != To::Active || now.state == ContactState::Review)
        });
        let rules = runs::rules(session, self.follows.ends.keys().copied()).await?;
        self.recorded.failing = self.follows.write(session, known, &contacts, &rules, now).await?;
        for (run, cause) in self.refusing {
            let reason = format!("the provider refuses every call of this campaign: {cause}");
            let campaign = runs::by_id(session, run).await?.campaign;
            self.recorded.failing.push(Failing { campaign, reason, now });
        }
        Ok(self.recorded)
    }
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
