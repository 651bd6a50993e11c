//! The search for calls whose answer was lost, and what follows when nobody can say.

use std::collections::BTreeMap;

use ringfence_crash as crash;
use ringfence_domain::campaign::UnknownPolicy;
use ringfence_domain::template::Template;
use ringfence_domain::{AttemptId, Moment, Span};
use ringfence_providers::{Findings, LostCall};
use ringfence_store::{LiveCall, Settlement, StoreError};

use crate::Reconciler;
use crate::reconcile::RING_AND_TALK;
use crate::round::Round;

impl Reconciler {
    /// Looks for calls whose answer was lost. A single call of the vendor that fits, and that no
    /// other attempt has, is the one. Several calls, or a call that fits several attempts, prove
    /// nothing unless they carry our reference.
    pub(crate) async fn find(
        &mut self,
        unknown: &[&LiveCall],
        now: Moment,
        settlements: &mut Vec<(AttemptId, Settlement)>,
    ) -> Result<(), StoreError> {
        let lost: Vec<LostCall> = unknown
            .iter()
            .filter_map(|call| {
                let campaign = self.rules_of(call.campaign)?;
                Some(LostCall {
                    attempt: call.attempt,
                    reference: call.reference.clone(),
                    number: call.number.clone(),
                    caller_id: call.caller_id.clone(),
                    agent: campaign.agent.clone(),
                    vendor: fixed(&campaign.vendor),
                    sent_at: call.sending_at,
                    called_before: call.called_before,
                    reported: self.reported.get(&call.attempt).cloned().unwrap_or_default(),
                })
            })
            .collect();
        // A call that the vendor does not list is absent only when it is old enough; a clock that
        // was set makes none older.
        let present = unknown.iter().map(|call| self.present_of(call.attempt, now)).min().unwrap_or(now);
        let round = Round::new(&self.pacer);
        let found = self.provider.find(&lost, present, &round).await;
        let Findings { candidates, absent, not_out, unasked } = match found {
            Ok(findings) => {
                self.consecutive_failures = 0;
                findings
            }
            // A question that was not answered decides nothing, whatever the policy; that nobody
            // can say is for a person to see.
            Err(error) => {
                settlements.extend(unknown.iter().filter_map(|call| Some((call.attempt, self.unanswered(call, now)?))));
                return self.trouble(&error, now).await;
            }
        };
        crash::point("find", "answered");
        self.free_slots(unknown, &not_out, now).await?;
        let call_ids: Vec<String> = candidates.iter().map(|candidate| candidate.call_id.clone()).collect();
        let bound = self.store.bound_calls(self.lease.lane, call_ids).await?;
        let free: Vec<_> = candidates.iter().filter(|candidate| !bound.contains(&candidate.call_id)).collect();
        for call in unknown {
            let own: Vec<_> = free.iter().filter(|candidate| candidate.attempt == call.attempt).collect();
            let certain = own.iter().find(|candidate| candidate.certain);
            let only = match own.as_slice() {
                [one] if free.iter().filter(|other| other.call_id == one.call_id).count() == 1 => Some(one),
                _ => None,
            };
            if let Some(found) = certain.or(only) {
                let overdue_at = self.provider.held_until(call.sending_at) + RING_AND_TALK;
                let call_id = found.call_id.clone();
                settlements.push((call.attempt, Settlement::Found { call_id, overdue_at }));
                continue;
            }
            if own.is_empty() && absent.contains(&call.attempt) {
                tracing::info!(attempt.id = %call.attempt, "the provider never got the request of attempt {}", call.attempt);
                settlements.push((call.attempt, Settlement::NotPlaced));
                continue;
            }
            if own.is_empty() && unasked.contains(&call.attempt) {
                settlements.extend(self.unanswered(call, now).map(|verdict| (call.attempt, verdict)));
                continue;
            }
            self.backoff.still_lost(call.attempt, self.tick());
            if let Some(verdict) = self.verdict(call, now) {
                settlements.push((call.attempt, verdict));
            }
        }
        match round.refusal() {
            Some(refusal) => self.trouble(&refusal, now).await,
            None => Ok(()),
        }
    }

    /// Decides for a call about which the vendor was not asked, or did not answer: at most, a
    /// person is told.
    fn unanswered(&self, call: &LiveCall, now: Moment) -> Option<Settlement> {
        self.verdict(call, now).filter(|verdict| matches!(verdict, Settlement::Review | Settlement::GiveUp))
    }

    /// Decides for a call about which the vendor cannot say anything.
    fn verdict(&self, call: &LiveCall, now: Moment) -> Option<Settlement> {
        let rule = self.rules_of(call.campaign)?.on_unknown;
        if self.is_overdue(call, Span::ZERO, now) {
            return Some(Settlement::GiveUp);
        }
        if self.present_of(call.attempt, now) < call.sending_at + rule.ask_for {
            return None;
        }
        match rule.policy {
            UnknownPolicy::AssumePlaced => Some(Settlement::AssumePlaced),
            UnknownPolicy::Redial => Some(Settlement::NotPlaced),
            UnknownPolicy::Hold if call.in_review => None,
            UnknownPolicy::Hold => {
                tracing::warn!(
                    attempt.id = %call.attempt,
                    "nobody can say whether attempt {} was placed; its contact is in review", call.attempt
                );
                Some(Settlement::Review)
            }
        }
    }
}

/// Settings that are the same for every contact.
fn fixed(vendor: &BTreeMap<String, Template>) -> BTreeMap<String, String> {
    vendor.iter().filter_map(|(name, template)| Some((name.clone(), template.fixed()?))).collect()
}
