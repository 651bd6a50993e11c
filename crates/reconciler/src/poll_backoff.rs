//! The moments at which calls are asked about: when they are likely over, then as often as a free
//! slot is worth it, and ever more rarely once they are longer than calls usually are.

use std::collections::{BTreeSet, HashMap};

use ringfence_domain::{AttemptId, Moment, Rate, Span};

/// However short calls are, nobody is asked more often about one.
const SHORTEST: Span = Span::from_millis(250);
/// The longest time between two questions about a call.
const LONGEST: Span = Span::from_secs(60);
/// The time between the first searches for a call.
const FIRST_SEARCHES: Span = Span::from_secs(1);
/// The length that a call is taken to have before any has ended.
const FIRST_GUESS: Span = Span::from_secs(1);
/// The longest that calls are taken to be.
const LONGEST_CALL: Span = Span::from_minutes(5);
/// A call that may be over any moment is asked about each time that this part of its usual length has passed. A slot is idle from the end of
/// its call to the next question, half of that time on average.
const TIMES: i64 = 100;
/// Questions about calls take this part of the requests that the vendor allows: one of three.
const SHARE: i64 = 3;

/// The times at which calls are asked about. It lives in memory only: a new owner asks about
/// everything once.
#[derive(Debug)]
pub(crate) struct PollBackoff {
    asks: HashMap<AttemptId, Ask>,
    /// Calls that were not asked about yet, by their begin: the first question depends on how long
    /// calls are by then.
    unasked: BTreeSet<(Moment, AttemptId)>,
    /// The others, by their next question.
    asked: BTreeSet<(Moment, AttemptId)>,
    shortest: Span,
    typical: Span,
    /// A call has ended, so `typical` is no guess.
    known: bool,
}

#[derive(Debug, Clone, Copy)]
struct Ask {
    since: Moment,
    /// None before the first question.
    next: Option<Moment>,
    wait: Span,
}

impl PollBackoff {
    /// Makes an empty schedule. `requests`: what the vendor allows.
    pub(crate) fn new(requests: Rate) -> Self {
        let spacing = Span::from_millis(requests.spacing().as_millis() as i64);
        Self {
            asks: HashMap::new(),
            unasked: BTreeSet::new(),
            asked: BTreeSet::new(),
            shortest: spacing.scaled(SHARE, 1).max(SHORTEST).min(LONGEST),
            typical: FIRST_GUESS,
            known: false,
        }
    }

    /// Adds a call that began at `since`, unless it is known.
    pub(crate) fn begin(&mut self, attempt: AttemptId, since: Moment) {
        self.asks.entry(attempt).or_insert_with(|| {
            self.unasked.insert((since, attempt));
            Ask { since, next: None, wait: Span::ZERO }
        });
    }

    /// Adds a call of which nobody knows whether it is out, unless it is known. It is looked for from
    /// `since` on.
    pub(crate) fn begin_lost(&mut self, attempt: AttemptId, since: Moment) {
        self.asks.entry(attempt).or_insert_with(|| {
            self.asked.insert((since, attempt));
            Ask { since, next: Some(since), wait: Span::ZERO }
        });
    }

    /// Returns the calls to be asked about now, the longest due first, and no more than `most`.
    pub(crate) fn due(&self, now: Moment, most: usize) -> Vec<AttemptId> {
        let unasked = self.unasked.iter().map(|(since, attempt)| (self.first(*since), *attempt));
        let mut due: Vec<_> = unasked.take_while(|(at, _)| *at <= now).take(most).collect();
        due.extend(self.asked.iter().take_while(|(at, _)| *at <= now).take(most));
        due.sort_unstable();
        due.truncate(most);
        due.into_iter().map(|(_, attempt)| attempt).collect()
    }

    /// Returns when a call is to be asked about next.
    pub(crate) fn next(&self) -> Option<Moment> {
        let unasked = self.unasked.first().map(|(since, _)| self.first(*since));
        unasked.into_iter().chain(self.asked.first().map(|(at, _)| *at)).min()
    }

    /// Makes the call due to be asked about now.
    pub(crate) fn ask_now(&mut self, attempt: AttemptId, now: Moment) {
        let since = self.asks.get(&attempt).map_or(now, |ask| ask.since);
        self.forget(attempt);
        self.asks.insert(attempt, Ask { since, next: Some(now), wait: Span::ZERO });
        self.asked.insert((now, attempt));
    }

    /// Notes that a call was asked about and is not over. Returns when it is asked about next.
    pub(crate) fn still_pending(&mut self, attempt: AttemptId, now: Moment) -> Moment {
        let Ask { since, wait, .. } =
            self.asks.get(&attempt).copied().unwrap_or(Ask { since: now, next: None, wait: Span::ZERO });
        self.forget(attempt);
        let age = now.since(since);
        if !self.known {
            self.typical = self.typical.max(age.scaled(2, 1)).min(LONGEST_CALL);
        }
        let near = self.near();
        let wait = if age < self.typical.scaled(2, 1) { near } else { wait.scaled(3, 2).max(near).min(LONGEST) };
        let next = self.together(now + wait);
        self.asks.insert(attempt, Ask { since, next: Some(next), wait });
        self.asked.insert((next, attempt));
        next
    }

    /// Notes that nobody knows yet whether a call is out: it is looked for ever more rarely. Returns when it
    /// is looked for next.
    pub(crate) fn still_lost(&mut self, attempt: AttemptId, now: Moment) -> Moment {
        let Ask { since, wait, .. } =
            self.asks.get(&attempt).copied().unwrap_or(Ask { since: now, next: None, wait: Span::ZERO });
        self.forget(attempt);
        let wait = wait.scaled(3, 2).max(FIRST_SEARCHES).max(self.shortest).min(LONGEST);
        let next = now + wait;
        self.asks.insert(attempt, Ask { since, next: Some(next), wait });
        self.asked.insert((next, attempt));
        next
    }

    /// Notes that a call is known to be over, `lasted` after it was sent. It may have been over long
    /// before, if the question came late.
    pub(crate) fn over(&mut self, attempt: AttemptId, lasted: Span) {
        let lasted = match self.asks.get(&attempt) {
            // Nobody asked while it was out: how long it was, nobody knows.
            Some(Ask { next: None, .. }) if lasted > self.typical => return self.forget(attempt),
            // It was reported before anybody here had heard of it.
            Some(Ask { next: Some(next), since, .. }) if next == since => return self.forget(attempt),
            Some(Ask { next: Some(next), since, .. }) => lasted.min(next.since(*since)),
            _ => lasted,
        };
        self.forget(attempt);
        let before = if self.known { self.typical } else { lasted };
        self.typical = Span::from_millis((before.millis() * 7 + lasted.millis()) / 8).min(LONGEST_CALL);
        self.known = true;
    }

    /// Forgets a call that is no longer out.
    pub(crate) fn forget(&mut self, attempt: AttemptId) {
        match self.asks.remove(&attempt) {
            Some(Ask { next: Some(next), .. }) => drop(self.asked.remove(&(next, attempt))),
            Some(Ask { since, next: None, .. }) => drop(self.unasked.remove(&(since, attempt))),
            None => {}
        }
    }

    /// Forgets calls that are no longer out.
    pub(crate) fn retain(&mut self, out: impl Fn(&AttemptId) -> bool) {
        let gone: Vec<AttemptId> = self.asks.keys().filter(|attempt| !out(attempt)).copied().collect();
        for attempt in gone {
            self.forget(attempt);
        }
    }

    /// When a call that began at `since` is asked about first.
    fn first(&self, since: Moment) -> Moment {
        self.together(since + self.typical.scaled(1, 2).max(self.shortest))
    }

    /// The time between two questions about a call that may be over any moment.
    fn near(&self) -> Span {
        self.typical.scaled(1, TIMES).max(self.shortest)
    }

    /// The next moment, from this one on, at which calls are asked about: the same for all of them, so
    /// that one question does for many.
    fn together(&self, at: Moment) -> Moment {
        let near = self.near().millis();
        Moment::from_millis((at.millis() + near - 1).div_euclid(near) * near)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUICK: fn() -> PollBackoff = || PollBackoff::new(Rate::per_second(100));

    /// Asks until a call of this length is over. Returns for how long nobody knew that it was.
    fn late(backoff: &mut PollBackoff, id: i64, length: Span) -> Span {
        let begun = Moment::from_secs(id * 10_000);
        backoff.begin(AttemptId(id), begun);
        loop {
            let now = backoff.next().expect("it is out");
            assert_eq!(backoff.due(now, 10), [AttemptId(id)]);
            assert!(backoff.due(now - Span::from_millis(1), 10).is_empty());
            if now.since(begun) >= length {
                backoff.over(AttemptId(id), length);
                assert!(backoff.next().is_none());
                return now.since(begun + length);
            }
            backoff.still_pending(AttemptId(id), now);
        }
    }

    #[test]
    fn the_end_of_a_usual_call_is_known_within_a_hundredth_of_its_length() {
        for length in [20, 60, 90, 240] {
            let mut backoff = QUICK();
            for id in 1..100 {
                let idle = late(&mut backoff, id, Span::from_secs(length));
                let most = Span::from_secs(length).scaled(1, 80).max(SHORTEST);
                assert!(id < 20 || idle <= most, "{idle:?} of {length} s");
            }
        }
    }

    #[test]
    fn a_lost_call_says_nothing_of_the_length_of_others() {
        let mut backoff = QUICK();
        let start = Moment::from_secs(1_000);
        backoff.begin_lost(AttemptId(1), start);
        let mut now = start;
        while now.since(start) < Span::from_minutes(10) {
            assert_eq!(backoff.next(), Some(now));
            now = backoff.still_lost(AttemptId(1), now);
        }
        backoff.begin(AttemptId(2), now);
        assert!(backoff.next().is_some_and(|at| at.since(now) <= Span::from_secs(1)));
    }

    #[test]
    fn questions_that_came_late_say_nothing_of_the_length_of_calls() {
        let mut backoff = QUICK();
        let start = Moment::from_secs(1_000);
        for id in 1..20 {
            late(&mut backoff, id, Span::from_secs(20));
        }
        // The process was away while these ended.
        for id in 20..40 {
            backoff.begin(AttemptId(id), start);
            backoff.over(AttemptId(id), Span::from_hours(1));
        }
        // These were asked about in time once, and then the vendor had no time.
        for id in 40..60 {
            backoff.begin(AttemptId(id), start);
            backoff.still_pending(AttemptId(id), start + Span::from_secs(10));
            backoff.over(AttemptId(id), Span::from_minutes(2));
        }
        assert!(late(&mut backoff, 60, Span::from_secs(20)) <= Span::from_secs(1));
        backoff.begin(AttemptId(61), start);
        let first = backoff.next().expect("it is out").since(start);
        assert!((4..=11).contains(&(first.millis() / 1_000)), "{first:?}");
    }

    #[test]
    fn short_calls_are_asked_about_soon() {
        let mut backoff = QUICK();
        for id in 1..20 {
            assert!(late(&mut backoff, id, Span::ZERO) <= Span::from_millis(500));
        }
        assert!(late(&mut backoff, 20, Span::ZERO) <= SHORTEST);
    }

    #[test]
    fn a_call_that_does_not_end_is_asked_about_ever_more_rarely() {
        let mut backoff = QUICK();
        let start = Moment::from_secs(1_000);
        for id in 2..40 {
            backoff.over(AttemptId(id), Span::from_secs(90));
        }
        backoff.begin(AttemptId(1), start);
        let mut gaps = Vec::new();
        let mut now = backoff.next().expect("it is out");
        while now.since(start) < Span::from_hours(1) {
            backoff.still_pending(AttemptId(1), now);
            let next = backoff.next().expect("it is out");
            gaps.push(next.since(now));
            now = next;
        }
        assert!(gaps[0] < Span::from_secs(2) && gaps[gaps.len() - 1] >= LONGEST, "{gaps:?}");
        assert!(gaps.iter().all(|gap| *gap <= Span::from_secs(62)), "{gaps:?}");
    }

    #[test]
    fn questions_leave_most_requests_to_calls() {
        let mut backoff = PollBackoff::new(Rate::per_minute(60));
        let start = Moment::from_secs(1_000);
        backoff.begin(AttemptId(1), start);
        let mut asked = 0;
        while backoff.next().expect("it is out").since(start) < Span::from_minutes(1) {
            let now = backoff.next().expect("it is out");
            backoff.still_pending(AttemptId(1), now);
            asked += 1;
        }
        assert!((10..=20).contains(&asked), "{asked}");
    }

    #[test]
    fn calls_of_different_moments_are_asked_about_together() {
        let mut backoff = QUICK();
        let start = Moment::from_secs(1_000);
        for id in 1..50 {
            backoff.over(AttemptId(-id), Span::from_secs(60));
            backoff.begin(AttemptId(id), start + Span::from_millis(id * 17));
        }
        let mut asked = 0;
        while let Some(now) = backoff.next().filter(|at| *at < start + Span::from_secs(62)) {
            asked += 1;
            for attempt in backoff.due(now, 1_000) {
                backoff.still_pending(attempt, now);
            }
        }
        assert!((50..=55).contains(&asked), "{asked} questions for 49 calls that are open for half a minute");
    }

    #[test]
    fn a_reported_call_comes_at_once_and_one_that_is_gone_never() {
        let mut backoff = QUICK();
        let start = Moment::from_secs(1_000);
        for id in [1, 2, 3] {
            backoff.begin(AttemptId(id), start);
        }
        backoff.ask_now(AttemptId(3), start);
        assert_eq!(backoff.due(start, 10), [AttemptId(3)]);
        backoff.retain(|attempt| *attempt == AttemptId(1));
        assert_eq!(backoff.due(start + Span::from_minutes(1), 10), [AttemptId(1)]);
        assert_eq!(backoff.due(start + Span::from_minutes(1), 0), []);
    }
}
