//! What an outcome decides.

use ringfence_domain::decision::{CallResult, Decision, decide};
use ringfence_domain::{AttemptId, CallDetails, Campaign, DialClass, Outcome, RunId, StopReason};

use super::News;
use super::rows::AfterRow;
use crate::attempts::call_requests;
use crate::attempts::known::Known;
use crate::contacts::snapshot::ContactSnapshot;
use crate::contacts::transitions::To;
use crate::counters::{Counter, Deltas};

impl News<'_> {
    /// Where the contact goes after a call that ended so.
    pub(super) fn decide(
        &mut self,
        attempt: AttemptId,
        known: &Known,
        contact: &ContactSnapshot,
        outcome: Outcome,
        details: &CallDetails,
        row: &mut AfterRow,
    ) -> To {
        let rules = self.rules;
        let Some(campaign) = rules.get(&known.run) else { return To::Review };
        let sent_at = known.sending_at.unwrap_or_default();
        let requests = call_requests::parse(campaign, details, sent_at, &contact.zones);
        requests.count(&mut self.follows.deltas, known.run, campaign, outcome, details);
        if requests.opted_out {
            // A number that cannot be listed is looked at by a person.
            let Some(number) = known.number.clone() else { return To::Review };
            self.opted_out.push((known.number_key, number, campaign));
        }
        row.refusal = i64::from(requests.refused || outcome == Outcome::Rejected);
        let case = CallResult {
            outcome,
            calls: contact.calls + u32::from(outcome.is_counted()),
            same_outcome: contact.outcome_counts.get(&outcome).copied().unwrap_or_default() + 1,
            class: known.class,
            now: self.now,
            seed: attempt.0.unsigned_abs(),
            callback: requests.callback.as_ref().map(|asked| asked.at),
            opted_out: requests.opted_out,
        };
        match decide(&case, &campaign.retry) {
            Decision::Done => To::Done,
            Decision::Redial { due_at, class } => {
                if let Some(asked) = requests.callback.filter(|_| class == DialClass::Callback) {
                    let counter =
                        if asked.understood { Counter::CallbackUnderstood } else { Counter::CallbackNotUnderstood };
                    self.follows.deltas.count(known.run, counter, 1);
                }
                To::Waiting(due_at, class)
            }
            // The number is gone; whether the person has another one is seen later, within the same
            // cap.
            Decision::Stop(StopReason::InvalidNumber) if case.calls >= campaign.retry.max_attempts => {
                let has_others = contact.has_multiple_numbers;
                To::Stopped(if has_others { StopReason::AttemptsUsed } else { StopReason::InvalidNumber })
            }
            Decision::Stop(reason) => To::Stopped(reason),
            Decision::Review => To::Review,
        }
    }
}

/// A contact reached once is not counted again when it is called back.
pub(super) fn was_reached(contact: &ContactSnapshot, campaign: &Campaign) -> bool {
    campaign.reached.min_seconds == 0
        && campaign.reached.outcome.iter().any(|outcome| contact.outcome_counts.contains_key(outcome))
}

pub(super) fn count_call(deltas: &mut Deltas, run: RunId, outcome: Outcome, details: &CallDetails) {
    deltas.count(run, Counter::Outcome(outcome), 1);
    deltas.count(run, Counter::TalkSeconds, i64::from(details.talk_seconds.unwrap_or_default()));
    if let Some((micros, currency)) = &details.cost {
        deltas.count(run, Counter::Cost(currency.clone()), *micros);
    }
    for name in details.outputs.keys() {
        deltas.count(run, Counter::Output(name.clone()), 1);
    }
}
