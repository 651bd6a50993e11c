//! The questions about placed calls.

use std::collections::BTreeMap;

use ringfence_crash as crash;
use ringfence_domain::{AttemptId, CallStatus, Moment, Outcome, Span};
use ringfence_providers::OutCall;
use ringfence_store::{LiveCall, Settlement, StoreError};

use crate::Reconciler;
use crate::round::Round;
use crate::slots::slot_until;

/// How much longer the vendor is asked about a call of which it says nothing at all.
const SILENCE: Span = Span::from_hours(6);

impl Reconciler {
    /// Asks how placed calls stand. A call that stays silent past its time is given up, for a
    /// person to look at.
    pub(crate) async fn ask(
        &mut self,
        placed: &[&LiveCall],
        now: Moment,
        settlements: &mut Vec<(AttemptId, Settlement)>,
    ) -> Result<(), StoreError> {
        let calls: Vec<OutCall> = placed
            .iter()
            .filter_map(|call| {
                Some(OutCall {
                    agent: self.rules_of(call.campaign)?.agent.clone(),
                    attempt: call.attempt,
                    call_id: call.call_id.clone()?,
                    reference: call.reference.clone(),
                    number: call.number.clone(),
                    sent_at: call.sending_at,
                    called_before: call.called_before,
                })
            })
            .collect();
        let round = Round::new(&self.pacer);
        let news = match self.provider.ask(&calls, &round).await {
            Ok(news) => {
                self.consecutive_failures = 0;
                news.into_iter().collect::<BTreeMap<AttemptId, CallStatus>>()
            }
            // No answer, no news: only calls that were silent for too long go to a person.
            Err(error) => {
                settlements.extend(self.silent(placed.iter().copied(), now));
                return self.trouble(&error, now).await;
            }
        };
        crash::point("ask", "answered");
        let mut out = Vec::new();
        for call in placed {
            match news.get(&call.attempt) {
                Some(CallStatus::Ended(outcome, details)) => {
                    self.backoff.over(call.attempt, now.since(call.sending_at));
                    if *outcome == Outcome::NotDialled {
                        let said = details.vendor_status.as_deref().unwrap_or("it does not say why");
                        tracing::warn!(attempt.id = %call.attempt, "the vendor took attempt {} and did not dial: {said}", call.attempt);
                    }
                    settlements.push((call.attempt, Settlement::Ended(*outcome, details.clone())));
                }
                said => {
                    let tick = self.tick();
                    let wait = self.backoff.still_pending(call.attempt, tick).since(tick);
                    out.extend(said.and_then(|said| slot_until(call, said, now + wait, now)));
                    let backoff = if said.is_some() { Span::ZERO } else { SILENCE };
                    if self.is_overdue(call, backoff, now) {
                        tracing::warn!(attempt.id = %call.attempt, "attempt {} was never heard of again", call.attempt);
                        settlements.push((call.attempt, Settlement::GiveUp));
                    }
                }
            }
        }
        if !out.is_empty() {
            self.store.hold_slots(out).await?;
        }
        match round.refusal() {
            Some(refusal) => self.trouble(&refusal, now).await,
            None => Ok(()),
        }
    }

    /// Gives up calls of which nothing was heard for [`SILENCE`] past their time.
    pub(crate) fn silent<'c>(
        &self,
        calls: impl Iterator<Item = &'c LiveCall>,
        now: Moment,
    ) -> impl Iterator<Item = (AttemptId, Settlement)> {
        let past = calls.filter(move |call| self.is_overdue(call, SILENCE, now));
        past.map(|call| (call.attempt, Settlement::GiveUp))
    }
}
