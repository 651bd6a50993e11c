//! What happened, each written in the transaction that makes it happen: `ringfence events` reads
//! the changes of state back, streams and webhooks pass all of it on, and the log of the process
//! tells the changes once they are committed.

mod read;
mod write;

use std::sync::{Arc, Mutex, PoisonError};

use ringfence_domain::event::EventKind;
use ringfence_domain::verdict::AttemptsMoved;
use ringfence_domain::{AttemptId, CampaignId, ContactId, ImportId, LaneId, Moment, RunId};
use serde::Serialize;
use serde_json::Value;

#[cfg(test)]
pub(crate) use read::{LATEST_BY_PEOPLE, LATEST_CHANGES, LATEST_WITH_CALLS};
pub(crate) use read::{horizon, last, latest, page};
pub(crate) use write::{forget_calls, log};

/// What an event happened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Everything.
    All,
    /// A campaign.
    Campaign(CampaignId),
    /// A run, which is its campaign's.
    Run(RunId),
    /// An import, which is its run's.
    Import(ImportId),
    /// A lane.
    Lane(LaneId),
}

/// Which events are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Events with a higher number.
    pub after: i64,
    /// Events from this moment on.
    pub since: Option<Moment>,
    /// Events of the campaign of this name.
    pub campaign: Option<String>,
    /// Events of the lane of this name, and of its campaigns.
    pub lane: Option<String>,
    /// How much of what happened.
    pub scope: EventScope,
}

/// How much of what happened is asked for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum EventScope {
    /// Changes of state.
    #[default]
    Changes,
    /// Those that a person asked for.
    ByPeople,
    /// What happened in single calls, too.
    WithCalls,
}

/// Who makes changes, and where they asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    who: Arc<str>,
    origin: Option<Arc<str>>,
    request: Option<i64>,
}

impl Actor {
    /// A process, which nobody asks.
    pub fn process(name: impl Into<Arc<str>>) -> Self {
        Self { who: name.into(), origin: None, request: None }
    }

    /// A person, or a program with a token, who asks from somewhere: a command line, an address.
    pub fn person(who: impl Into<Arc<str>>, origin: impl Into<Arc<str>>) -> Self {
        Self { who: who.into(), origin: Some(origin.into()), request: None }
    }

    /// The same for one request that came with an Idempotency-Key: its first effect is noted under
    /// the key, in the same transaction.
    #[must_use]
    pub fn for_request(mut self, request: i64) -> Self {
        self.request = Some(request);
        self
    }

    /// Its name.
    pub fn who(&self) -> &str {
        &self.who
    }
}

/// An event of a transition that has not committed.
#[derive(Debug)]
struct Change {
    kind: EventKind,
    subject: Subject,
    cause: Option<String>,
    at: Moment,
    before: Option<Value>,
    after: Option<Value>,
}

/// What happened in one call, in a transition that has not committed.
#[derive(Debug, Clone, Serialize)]
struct CallNews {
    /// Its place among all that the transition tells of calls.
    place: usize,
    kind: EventKind,
    run_id: RunId,
    contact_id: ContactId,
    attempt_id: Option<AttemptId>,
    cause: Option<String>,
    at: i64,
}

#[derive(Debug, Default)]
struct Told {
    changes: Vec<Change>,
    calls: Vec<CallNews>,
    attempts: Vec<AttemptsMoved>,
    is_no_effect: bool,
}

/// What a transition knows of itself: who makes it, and what happened in it.
#[derive(Debug, Clone)]
pub(crate) struct Teller {
    actor: Actor,
    told: Arc<Mutex<Told>>,
}

tokio::task_local! {
    /// The transition that runs in this task.
    pub(crate) static TELLER: Teller;
}

impl Teller {
    pub(crate) fn new(actor: Actor) -> Self {
        Self { actor, told: Arc::default() }
    }

    /// Notes what changed of attempts, for the counts that this process keeps.
    pub(crate) fn moved(moved: Vec<AttemptsMoved>) {
        Self::note(|told| told.attempts.extend(moved));
    }

    /// What changed of attempts.
    pub(crate) fn attempts(&self) -> Vec<AttemptsMoved> {
        std::mem::take(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner).attempts)
    }

    /// The transition does the same however often it is made, and nobody asks for it: a request that
    /// died after it is worked at again.
    pub(crate) fn is_no_effect() {
        Self::note(|told| told.is_no_effect = true);
    }

    fn note(add: impl FnOnce(&mut Told)) {
        TELLER.with(|teller| add(&mut teller.told.lock().unwrap_or_else(PoisonError::into_inner)));
    }
}

/// Notes what a transition did. It is written at the end of its transaction.
pub(crate) fn tell(kind: EventKind, subject: Subject, cause: Option<&str>, at: Moment) {
    let change = Change { kind, subject, cause: cause.map(str::to_owned), at, before: None, after: None };
    Teller::note(|told| told.changes.push(change));
}

/// The same, with what was changed: as it was, as it is.
pub(crate) fn tell_change(
    kind: EventKind,
    subject: Subject,
    cause: Option<&str>,
    at: Moment,
    (before, after): (Value, Value),
) {
    let cause = cause.map(str::to_owned);
    Teller::note(|told| {
        told.changes.push(Change { kind, subject, cause, at, before: Some(before), after: Some(after) });
    });
}

/// Notes what happened in a call, or what follows from it for its contact.
pub(crate) fn tell_call(
    kind: EventKind,
    run: RunId,
    (contact, attempt): (ContactId, Option<AttemptId>),
    cause: Option<&str>,
    at: Moment,
) {
    let cause = cause.map(str::to_owned);
    Teller::note(|told| {
        let (place, at) = (told.calls.len(), at.millis());
        told.calls.push(CallNews { place, kind, run_id: run, contact_id: contact, attempt_id: attempt, cause, at });
    });
}
