//! What must hold of the rows: at any moment, and once nobody waits any more.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_domain::{AttemptId, AttemptState, ContactId, ContactState, Moment, Outcome, RunId, StopReason};
use ringfence_sandbox::TapeEntry;
use ringfence_store::{AttemptRow, ContactFilter, ContactRow, Database};

use crate::known::{Known, person};

/// What the rows say of themselves at any moment.
pub(crate) async fn rows_agree(store: &Database, run: RunId, people: usize) -> Result<(), String> {
    let differ = store.recount(run).await.map_err(|error| error.to_string())?;
    if !differ.is_empty() {
        return Err(format!("kept counts differ from the rows: {differ:?}"));
    }
    let numbers = store.numbers("spring".into(), Moment::from_millis(0)).await.map_err(|error| error.to_string())?;
    let counts = numbers.expect("a campaign").counts;
    let total: i64 = counts.iter().filter(|(name, _)| name.starts_with("contact:")).map(|(_, n)| n).sum();
    if total != people as i64 {
        return Err(format!("{people} people were imported, and {total} are there"));
    }
    Ok(())
}

/// Everything that is known once nobody waits any more.
pub(crate) struct AtRest<'a> {
    pub(crate) known: &'a Known,
    /// The vendor's tape.
    pub(crate) calls: &'a [TapeEntry],
    /// How every call ended must have been learned.
    pub(crate) is_calm: bool,
}

impl AtRest<'_> {
    /// Nobody is lost, and every row says what happened. Returns a line for each person.
    pub(crate) async fn holds(&self, store: &Database, run: RunId) -> Result<String, String> {
        let contacts = store.contacts(run, ContactFilter::default(), ContactId(0), 10_000).await;
        let contacts = contacts.map_err(|error| error.to_string())?;
        let attempts = store.attempts(run, ContactFilter::default(), AttemptId(0), 100_000).await;
        let attempts = attempts.map_err(|error| error.to_string())?;
        self.results_are_theirs(&contacts, &attempts)?;
        let mut log = String::new();
        for contact in &contacts {
            let number = person(contact.number.e164());
            let calls: Vec<&TapeEntry> = self.calls.iter().filter(|call| person(&call.callee) == number).collect();
            let theirs = || attempts.iter().filter(|attempt| attempt.contact == contact.id);
            let may_have_rung = theirs().filter(|attempt| {
                matches!(attempt.state, AttemptState::Placed | AttemptState::Unknown | AttemptState::Ended)
            });
            let may_have_rung = may_have_rung.count();
            log.push_str(&format!("{number} {} {} {may_have_rung}\n", contact.state, calls.len()));
            if calls.len() > may_have_rung {
                return Err(format!("{number} was called {} times, and {may_have_rung} are on record", calls.len()));
            }
            let is_unknown = theirs().any(|attempt| attempt.state == AttemptState::Unknown);
            self.has_a_reason(contact, &calls, is_unknown).map_err(|what| format!("{number} {what}"))?;
        }
        let ours: BTreeSet<&str> = contacts.iter().map(|contact| person(contact.number.e164())).collect();
        match self.calls.iter().find(|call| !ours.contains(person(&call.callee))) {
            Some(call) => Err(format!("{} is nobody of ours", call.callee)),
            None => Ok(log),
        }
    }

    /// Every result is that of the call that the vendor knows by this name, and each call is one
    /// attempt's.
    fn results_are_theirs(&self, contacts: &[ContactRow], attempts: &[AttemptRow]) -> Result<(), String> {
        let mut named: BTreeMap<String, (usize, &TapeEntry)> = BTreeMap::new();
        for (nth, call) in self.calls.iter().enumerate() {
            named.extend(call.call_id.clone().map(|name| (name, (nth, call))));
            // UnleashX' list has numbers of its own.
            named.insert((nth + 1).to_string(), (nth, call));
        }
        let mut seen = BTreeSet::new();
        for attempt in attempts {
            let Some(name) = attempt.call_id.as_deref() else { continue };
            let (nth, call) = named.get(name).ok_or_else(|| format!("nobody knows the call {name}"))?;
            let contact = contacts.iter().find(|contact| contact.id == attempt.contact).expect("a contact");
            if person(contact.number.e164()) != person(&call.callee) {
                return Err(format!("{} has the call {name} to {}", contact.number.e164(), call.callee));
            }
            if !seen.insert(*nth) {
                return Err(format!("two attempts have the call {name}"));
            }
            if attempt.state == AttemptState::Ended && attempt.outcome != call.outcome {
                return Err(format!("the call {name} ended {:?}, on record {:?}", call.outcome, attempt.outcome));
            }
        }
        Ok(())
    }

    /// Nobody is finished, stopped or in review without a reason.
    fn has_a_reason(&self, contact: &ContactRow, calls: &[&TapeEntry], is_unknown: bool) -> Result<(), String> {
        let number = person(contact.number.e164());
        let has_answered = calls.iter().any(|call| call.outcome == Some(Outcome::Answered));
        let fewest = self.known.max_attempts.iter().map(|(_, most)| *most).min().unwrap_or_default();
        match (contact.state, contact.stop_reason) {
            (ContactState::Done, _) if has_answered || self.known.said_to_be_called.contains(number) => Ok(()),
            (ContactState::Stopped, Some(StopReason::Dnc)) if self.known.forbidden.contains_key(number) => Ok(()),
            (ContactState::Stopped, Some(StopReason::AttemptsUsed)) if calls.len() >= fewest as usize => Ok(()),
            (ContactState::Review, _) if is_unknown && !self.is_calm => Ok(()),
            (state, reason) => Err(format!("is {state} ({reason:?}) after {} calls, without a reason", calls.len())),
        }
    }
}
