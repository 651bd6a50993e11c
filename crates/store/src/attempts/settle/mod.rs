//! What became of calls: outcomes and what follows from them, and the fate of unknown ones.

mod outcome;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use ringfence_domain::event::EventKind;
use ringfence_domain::{
    AttemptId, AttemptState, CallDetails, Campaign, ContactId, ContactState, LaneId, Moment, NumberKey, Outcome,
    PhoneNumber, RunId,
};

use self::rows::AfterRow;
use super::call_requests;
use super::calls::{self, CallRow};
use super::consequences::Consequences;
use super::known::{self, Known};
use super::live::bound_calls;
use crate::StoreError;
use crate::campaigns::recent_failures::Failing;
use crate::campaigns::runs;
use crate::contacts::snapshot::{ContactSnapshot, snapshots};
use crate::contacts::transitions::{EndedCall, Move, To};
use crate::counters::Counter;
use crate::events::tell_call;
use crate::session::Session;

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

/// Settles attempts and decides, in the same transaction, what follows for their contacts. What was
/// settled before stays as it is, so news may come late, twice and in any order.
pub(crate) async fn settle(
    session: &mut Session,
    now: Moment,
    settlements: &[(AttemptId, Settlement)],
) -> Result<Settled, StoreError> {
    let known = known::load(session, settlements.iter().map(|(attempt, _)| *attempt)).await?;
    let rules = runs::rules(session, known.values().map(|known| known.run)).await?;
    let contacts = snapshots(session, known.values().map(|known| known.contact)).await?;
    let mut bound = bound(session, &known, settlements).await?;
    let mut news = News {
        now,
        rules: &rules,
        settled: Settled::default(),
        rows: Vec::new(),
        found: Vec::new(),
        opted_out: Vec::new(),
        follows: Consequences::default(),
    };
    let mut done = BTreeSet::new();
    for (id, settlement) in settlements {
        let (Some(known), true) = (known.get(id), done.insert(*id)) else { continue };
        let Some(contact) = contacts.get(&known.contact) else { continue };
        // Without rules nobody can say what follows an outcome; that nothing was heard of a call
        // needs none.
        if matches!(settlement, Settlement::Ended(..)) && !rules.contains_key(&known.run) {
            continue;
        }
        if !is_legal(known.state, settlement) {
            news.settled.late += 1;
            continue;
        }
        if let Settlement::Found { call_id, .. } = settlement
            && !bound.insert((known.lane, call_id.clone()))
        {
            continue;
        }
        news.apply(*id, settlement, known, contact);
    }
    news.write(session, &known, &contacts).await
}

fn is_legal(state: AttemptState, settlement: &Settlement) -> bool {
    match settlement {
        Settlement::Ended(..) => state == AttemptState::Placed,
        Settlement::GiveUp => matches!(state, AttemptState::Placed | AttemptState::Unknown),
        _ => state == AttemptState::Unknown,
    }
}

/// Calls among those that were found which other attempts already have.
async fn bound(
    session: &mut Session,
    known: &BTreeMap<AttemptId, Known>,
    settlements: &[(AttemptId, Settlement)],
) -> Result<BTreeSet<(LaneId, String)>, StoreError> {
    let mut found: BTreeMap<LaneId, Vec<String>> = BTreeMap::new();
    for (id, settlement) in settlements {
        if let (Settlement::Found { call_id, .. }, Some(known)) = (settlement, known.get(id)) {
            found.entry(known.lane).or_default().push(call_id.clone());
        }
    }
    let mut bound = BTreeSet::new();
    for (lane, call_ids) in found {
        bound.extend(bound_calls(session, lane, &call_ids).await?.into_iter().map(|call_id| (lane, call_id)));
    }
    Ok(bound)
}

/// Later calls to a person are counted together.
const LAST_TRY: u32 = 9;

/// What is to be written of all settlements.
struct News<'r> {
    now: Moment,
    rules: &'r BTreeMap<RunId, Campaign>,
    settled: Settled,
    rows: Vec<AfterRow>,
    /// Calls that were found at the vendor.
    found: Vec<CallRow<'r>>,
    /// Numbers whose owners want no more calls.
    opted_out: Vec<(NumberKey, PhoneNumber, &'r Campaign)>,
    follows: Consequences,
}

impl<'r> News<'r> {
    fn apply(&mut self, id: AttemptId, settlement: &'r Settlement, known: &Known, contact: &ContactSnapshot) {
        self.settled.settled += 1;
        let mut row = AfterRow::of(id);
        let unheard = (Outcome::Unknown, CallDetails::default());
        let (state, to, ended) = match settlement {
            Settlement::Review => {
                self.follows.moves.push(Move { contact: known.contact, to: To::Review, ended: None });
                return;
            }
            Settlement::Found { call_id, overdue_at } => {
                row.found(call_id, *overdue_at, self.now);
                self.found.push(CallRow { attempt_id: id, lane_id: known.lane, call_id });
                (AttemptState::Placed, To::Active, None)
            }
            Settlement::NotPlaced => (AttemptState::NotPlaced, To::WaitingAgain, None),
            Settlement::AssumePlaced => (AttemptState::Ended, To::Done, Some(unheard)),
            Settlement::GiveUp => (AttemptState::Ended, To::Review, Some(unheard)),
            Settlement::Ended(outcome, details) => {
                let to = self.decide(id, known, contact, *outcome, details, &mut row);
                (AttemptState::Ended, to, Some((*outcome, (**details).clone())))
            }
        };
        row.state = state.as_str();
        row.live = i64::from(state.is_live());
        let call = ended.map(|(outcome, details)| self.end(id, known, contact, outcome, details, &mut row));
        self.follows.deltas.attempt(known.run, Some(known.state), state);
        self.follows.moves.push(Move { contact: known.contact, to, ended: call });
        self.rows.push(row);
    }

    /// Counts a call that is over, and notes it in its row.
    fn end(
        &mut self,
        attempt: AttemptId,
        known: &Known,
        contact: &ContactSnapshot,
        outcome: Outcome,
        details: CallDetails,
        row: &mut AfterRow,
    ) -> EndedCall {
        let talked = details.talk_seconds.unwrap_or_default();
        let reached = self.rules.get(&known.run).is_some_and(|campaign| {
            let wanted = campaign.reached.outcome.contains(&outcome) && talked >= campaign.reached.min_seconds;
            wanted && !outcome::was_reached(contact, campaign)
        });
        if outcome.is_counted() && outcome != Outcome::Unknown {
            self.follows.end(known.run, outcome.is_failure());
        }
        outcome::count_call(&mut self.follows.deltas, known.run, outcome, &details);
        if let Some(sent_at) = known.sending_at {
            self.follows.deltas.ended_call(known.run, sent_at, outcome == Outcome::Answered);
        }
        let place = (contact.calls + 1).min(LAST_TRY);
        self.follows.deltas.count(known.run, Counter::Try(place), 1);
        self.follows.deltas.count(known.run, Counter::TryReached(place), i64::from(reached));
        if let Some(caller_id) = known.caller_id.clone().filter(|_| outcome.is_counted()) {
            let was_answered = i64::from(outcome == Outcome::Answered);
            self.follows.deltas.count(known.run, Counter::CallerAnswered(caller_id.clone()), was_answered);
            self.follows.deltas.count(known.run, Counter::Caller(caller_id), 1);
        }
        let call = (known.contact, Some(attempt));
        tell_call(EventKind::CallEnded, known.run, call, Some(outcome.as_str()), self.now);
        row.end(outcome, details, self.now);
        EndedCall { attempt, outcome, reached }
    }

    async fn write(
        mut self,
        session: &mut Session,
        known: &BTreeMap<AttemptId, Known>,
        contacts: &BTreeMap<ContactId, ContactSnapshot>,
    ) -> Result<Settled, StoreError> {
        calls::enter(session, &self.found).await?;
        rows::write(session, self.rows).await?;
        self.follows.moves.retain(|step| {
            let state = contacts.get(&step.contact).map(|contact| contact.state);
            let stays = match step.to {
                To::Active => state == Some(ContactState::Active),
                To::Review => state == Some(ContactState::Review) && step.ended.is_none(),
                _ => false,
            };
            !stays
        });
        call_requests::opt_out(session, self.opted_out, self.now).await?;
        self.settled.failing = self.follows.write(session, known, contacts, self.rules, self.now).await?;
        Ok(self.settled)
    }
}
