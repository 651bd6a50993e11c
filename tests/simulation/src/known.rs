//! What must hold of each call, by the vendor's tape and by what the operator did: an account of its
//! own, which knows nothing of the engine's rules.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_domain::{Moment, Outcome, Span};
use ringfence_sandbox::TapeEntry;

use crate::world::{AT_ONCE, PER_SECOND};

/// From the claim of a call until the vendor has it: its latency, and as long again.
const UNDER_WAY: Span = Span::from_millis(600);

/// Who is called again, and how long after such a call.
pub(crate) const RETRIES: [(Outcome, Span); 2] =
    [(Outcome::Busy, Span::from_secs(20)), (Outcome::NoAnswer, Span::from_secs(40))];

/// So long nobody is called by a clock that was set.
const IN_DOUBT: Span = Span::from_minutes(1);

/// What the operator did, by the true time.
pub(crate) struct Known {
    pub(crate) people: usize,
    pub(crate) paused: Times,
    pub(crate) lane_paused: Times,
    pub(crate) stopped: Times,
    pub(crate) closed: Times,
    in_doubt: Times,
    pub(crate) forbidden: BTreeMap<String, Moment>,
    /// Since when how many.
    pub(crate) max_attempts: Vec<(Moment, u32)>,
    /// Who was called, by the word of a person.
    pub(crate) said_to_be_called: BTreeSet<String>,
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
            lane_paused: Times::default(),
            stopped: Times::default(),
            closed: Times::default(),
            in_doubt: Times::default(),
            forbidden: BTreeMap::new(),
            max_attempts: vec![(now, max_attempts)],
            said_to_be_called: BTreeSet::new(),
            seen: 0,
        }
    }

    /// Somebody set the machine's clock.
    pub(crate) fn clock_is_set(&mut self, now: Moment) {
        self.in_doubt.all.push((now, Some(now + IN_DOUBT)));
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
        to_them().try_for_each(|other| may_follow(other, at))?;
        let forbidden = [
            (&self.paused, "the campaign was paused"),
            (&self.lane_paused, "the lane was paused"),
            (&self.stopped, "everything was stopped"),
            (&self.closed, "the window was closed"),
            (&self.in_doubt, "the clock was in doubt"),
        ];
        if let Some((_, what)) = forbidden.iter().find(|(times, _)| times.forbid(at)) {
            return Err((*what).to_owned());
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

/// Whether the same person may be called at `at`, after this call.
fn may_follow(earlier: &TapeEntry, at: Moment) -> Result<(), String> {
    if earlier.outcome == Some(Outcome::Answered) {
        return Err(format!("they had answered the call of {}", earlier.at));
    }
    let delay = RETRIES.iter().find(|(outcome, _)| earlier.outcome == Some(*outcome));
    let (Some((outcome, delay)), Some(end)) = (delay, earlier.ends_at) else { return Ok(()) };
    // A clock that is set ahead takes nothing from it: it is in doubt for longer than that.
    if end + *delay > at {
        return Err(format!("the call of {} ended {outcome} at {end}, and {delay} had not passed", earlier.at));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ringfence_sandbox::Event;

    use super::*;

    type Happens<'a> = &'a dyn Fn(&mut Known);

    /// A call to the `nth` person, `at` seconds after noon, of ten seconds.
    fn call(nth: usize, at: i64, outcome: Outcome) -> TapeEntry {
        let at = ringfence_tests::sample::noon() + Span::from_secs(at);
        TapeEntry {
            at,
            vendor: "tests".to_owned(),
            event: Event::Placed,
            callee: format!("98100000{nth:02}"),
            caller: String::new(),
            agent: String::new(),
            inputs: serde_json::Map::new(),
            metadata: serde_json::Map::new(),
            call_id: None,
            outcome: Some(outcome),
            ends_at: Some(at + Span::from_secs(10)),
            rings_at: Some(at),
        }
    }

    fn noon(seconds: i64) -> Moment {
        ringfence_tests::sample::noon() + Span::from_secs(seconds)
    }

    /// What is said of the last of these calls.
    fn said(known: &mut Known, calls: &[TapeEntry]) -> String {
        known.look_at(calls).expect_err("a broken promise")
    }

    #[test]
    fn every_promise_can_be_broken() {
        let known = || Known::new(noon(0), 3);
        let busy = |nth, at| call(nth, at, Outcome::Busy);
        assert_eq!(known().look_at(&[busy(1, 1), busy(1, 31), busy(1, 61), busy(2, 62)]), Ok(()));
        assert!(said(&mut known(), &[busy(1, 1), busy(1, 5)]).contains("was still out"));
        assert!(said(&mut known(), &[busy(1, 1), busy(1, 30)]).contains("had not passed"));
        let answered = call(1, 1, Outcome::Answered);
        assert!(said(&mut known(), &[answered, busy(1, 100)]).contains("had answered"));
        let four = [busy(1, 1), busy(1, 50), busy(1, 100), busy(1, 150)];
        assert!(said(&mut known(), &four).contains("call 4 of 3"));
        let within_a_second = [1, 2, 3, 4, 5, 6].map(|nth| busy(nth, 1));
        assert!(said(&mut known(), &within_a_second).contains("within a second"));
        let at_once: Vec<TapeEntry> = (1..=9).map(|nth| busy(nth, nth as i64)).collect();
        assert!(said(&mut known(), &at_once).contains("other calls were out"));
    }

    #[test]
    fn nobody_is_called_while_something_forbids_it() {
        let list = |known: &mut Known| {
            known.forbidden.insert("9810000001".to_owned(), noon(10));
        };
        let forbid: [(&str, Happens<'_>); 6] = [
            ("campaign was paused", &|known| known.paused.begin(noon(10))),
            ("lane was paused", &|known| known.lane_paused.begin(noon(10))),
            ("everything was stopped", &|known| known.stopped.begin(noon(10))),
            ("window was closed", &|known| known.closed.begin(noon(10))),
            ("clock was in doubt", &|known| known.clock_is_set(noon(10))),
            ("do-not-call list", &list),
        ];
        for (what, happens) in forbid {
            let calls = [call(1, 10, Outcome::Busy), call(1, 50, Outcome::Busy)];
            let mut known = Known::new(noon(0), 3);
            happens(&mut known);
            assert_eq!(known.look_at(&calls[..1]), Ok(()), "{what}: it was under way");
            assert!(said(&mut known, &calls).contains(what), "{what}");
        }
    }
}
