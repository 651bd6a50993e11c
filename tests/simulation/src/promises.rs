//! What must hold after every step, by the vendor's tape and by what the operator did: an account of
//! its own, which knows nothing of the engine's rules.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_domain::{AttemptId, AttemptState, ContactId, ContactState, Moment, RunId, Span};
use ringfence_sandbox::TapeEntry;
use ringfence_store::{ContactFilter, Database};

use crate::world::{AT_ONCE, PER_SECOND};

/// From the claim of a call until the vendor has it: its latency, and as long again.
const UNDER_WAY: Span = Span::from_millis(600);

/// What the operator did, by the true time.
pub(crate) struct Known {
    pub(crate) people: usize,
    pub(crate) paused: Times,
    pub(crate) stopped: Times,
    pub(crate) closed: Times,
    pub(crate) forbidden: BTreeMap<String, Moment>,
    /// Since when how many.
    pub(crate) max_attempts: Vec<(Moment, u32)>,
    /// Calls that were looked at.
    seen: usize,
}

/// Times in which nobody may be called.
#[derive(Default)]
pub(crate) struct Times {
    all: Vec<(Moment, Option<Moment>)>,
}

impl Times {
    pub(crate) fn begin(&mut self, now: Moment) {
        if self.all.last().is_none_or(|(_, end)| end.is_some()) {
            self.all.push((now, None));
        }
    }

    pub(crate) fn end(&mut self, now: Moment) {
        if let Some((_, end @ None)) = self.all.last_mut() {
            *end = Some(now);
        }
    }

    fn forbid(&self, at: Moment) -> bool {
        self.all.iter().any(|(begin, end)| *begin + UNDER_WAY < at && end.is_none_or(|end| at < end))
    }
}

/// A person by the number, however the vendor wants it: its last ten digits.
pub(crate) fn person(number: &str) -> &str {
    &number[number.len().saturating_sub(10)..]
}

impl Known {
    pub(crate) fn new(now: Moment, max_attempts: u32) -> Self {
        Self {
            people: 0,
            paused: Times::default(),
            stopped: Times::default(),
            closed: Times::default(),
            forbidden: BTreeMap::new(),
            max_attempts: vec![(now, max_attempts)],
            seen: 0,
        }
    }

    /// Looks at the calls that came since it looked last.
    pub(crate) fn look_at(&mut self, calls: &[TapeEntry]) -> Result<(), String> {
        for nth in self.seen..calls.len() {
            self.judge(&calls[..nth], &calls[nth]).map_err(|what| {
                let TapeEntry { callee, at, call_id, .. } = &calls[nth];
                format!("{callee} at {at}, call {}: {what}", call_id.as_deref().unwrap_or("without a name"))
            })?;
        }
        self.seen = calls.len();
        Ok(())
    }

    fn judge(&self, earlier: &[TapeEntry], call: &TapeEntry) -> Result<(), String> {
        let at = call.at;
        let to_them = || earlier.iter().filter(|other| person(&other.callee) == person(&call.callee));
        if let Some(other) = to_them().find(|other| other.ends_at.is_some_and(|end| end > at)) {
            return Err(format!("an earlier call to them, of {}, was still out", other.at));
        }
        let most = self.most_at(at);
        if to_them().count() >= most as usize {
            return Err(format!("it is call {} of {most}", to_them().count() + 1));
        }
        for (times, what) in [(&self.paused, "paused"), (&self.stopped, "stopped"), (&self.closed, "closed")] {
            if times.forbid(at) {
                return Err(format!("the campaign was {what}"));
            }
        }
        if self.forbidden.get(person(&call.callee)).is_some_and(|since| *since + UNDER_WAY < at) {
            return Err("they were on the do-not-call list".to_owned());
        }
        let out = earlier.iter().filter(|other| other.ends_at.is_some_and(|end| end > at)).count();
        if out >= AT_ONCE as usize {
            return Err(format!("{out} other calls were out, of {AT_ONCE}"));
        }
        let lately = earlier.iter().filter(|other| other.at + Span::from_secs(1) > at).count();
        if lately >= PER_SECOND as usize {
            return Err(format!("{lately} others were placed within a second, of {PER_SECOND}"));
        }
        Ok(())
    }

    /// How many calls a person may have had by then; for a moment after a change, the larger of both
    /// numbers.
    fn most_at(&self, at: Moment) -> u32 {
        let newest = self.max_attempts.iter().rposition(|(since, _)| *since + UNDER_WAY < at).unwrap_or(0);
        let in_force = self.max_attempts[newest..].iter().filter(|(since, _)| *since <= at);
        in_force.map(|(_, most)| *most).max().unwrap_or_default()
    }
}

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

/// What must hold once nobody waits any more.
pub(crate) async fn nobody_is_lost(store: &Database, run: RunId, calls: &[TapeEntry]) -> Result<String, String> {
    let mut log = String::new();
    let contacts = store.contacts(run, ContactFilter::default(), ContactId(0), 10_000).await;
    let contacts = contacts.map_err(|error| error.to_string())?;
    let attempts = store.attempts(run, ContactFilter::default(), AttemptId(0), 100_000).await;
    let attempts = attempts.map_err(|error| error.to_string())?;
    for contact in &contacts {
        let number = person(contact.number.e164());
        let rang = calls.iter().filter(|call| person(&call.callee) == number).count();
        let on_record = attempts.iter().filter(|attempt| attempt.contact == contact.id);
        let may_have_rung = on_record
            .filter(|attempt| {
                matches!(attempt.state, AttemptState::Placed | AttemptState::Unknown | AttemptState::Ended)
            })
            .count();
        log.push_str(&format!("{number} {} {rang} {may_have_rung}\n", contact.state));
        if rang > may_have_rung {
            return Err(format!("{number} was called {rang} times, and {may_have_rung} calls are on record"));
        }
        if rang == 0 && contact.state == ContactState::Done {
            return Err(format!("{number} is done and was never called"));
        }
    }
    let ours: BTreeSet<&str> = contacts.iter().map(|contact| person(contact.number.e164())).collect();
    match calls.iter().find(|call| !ours.contains(person(&call.callee))) {
        Some(call) => Err(format!("{} is nobody of ours", call.callee)),
        None => Ok(log),
    }
}
