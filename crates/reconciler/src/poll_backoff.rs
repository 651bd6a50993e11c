//! The moments at which calls are asked about: a call that is likely over comes first, and a long
//! call is asked about less and less often.

use std::collections::HashMap;

use ringfence_domain::{AttemptId, Moment, Span};

const SHORTEST: Span = Span::from_secs(1);
const LONGEST: Span = Span::from_secs(60);
/// The length that a call is taken to have before any has ended.
const FIRST_GUESS: Span = Span::from_secs(4);

/// The times at which calls are asked about. It lives in memory only: a new owner asks about
/// everything once.
#[derive(Debug)]
pub(crate) struct PollBackoff {
    asks: HashMap<AttemptId, Ask>,
    typical: Span,
}

#[derive(Debug, Clone, Copy)]
struct Ask {
    next: Moment,
    wait: Span,
}

impl Default for PollBackoff {
    fn default() -> Self {
        Self { asks: HashMap::new(), typical: FIRST_GUESS }
    }
}

impl PollBackoff {
    /// Returns when this call, which began at `since`, is asked about next.
    pub(crate) fn due(&mut self, attempt: AttemptId, since: Moment) -> Moment {
        let first = since + self.typical.scaled(1, 2).max(SHORTEST);
        self.asks.entry(attempt).or_insert(Ask { next: first, wait: SHORTEST }).next
    }

    /// Makes the call due to be asked about now.
    pub(crate) fn ask_now(&mut self, attempt: AttemptId, now: Moment) {
        self.asks.entry(attempt).or_insert(Ask { next: now, wait: SHORTEST }).next = now;
    }

    /// Notes that a call was asked about and is not over. Returns when it is asked about next.
    pub(crate) fn still_pending(&mut self, attempt: AttemptId, now: Moment) -> Moment {
        let ask = self.asks.entry(attempt).or_insert(Ask { next: now, wait: SHORTEST });
        ask.next = now + ask.wait;
        ask.wait = ask.wait.scaled(3, 2).min(LONGEST);
        ask.next
    }

    /// Notes that a call is over, `lasted` after it was sent.
    pub(crate) fn over(&mut self, attempt: AttemptId, lasted: Span) {
        self.asks.remove(&attempt);
        self.typical = Span::from_millis((self.typical.millis() * 7 + lasted.millis()) / 8).min(LONGEST.scaled(5, 1));
    }

    /// Forgets calls that are no longer out.
    pub(crate) fn retain(&mut self, out: impl Fn(&AttemptId) -> bool) {
        self.asks.retain(|attempt, _| out(attempt));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_come_late_for_long_calls_and_ever_more_rarely() {
        let mut backoff = PollBackoff::default();
        let start = Moment::from_secs(1_000);
        assert_eq!(backoff.due(AttemptId(1), start), start + Span::from_secs(2));
        let mut now = start + Span::from_secs(2);
        let mut gaps = Vec::new();
        for _ in 0..15 {
            backoff.still_pending(AttemptId(1), now);
            let next = backoff.due(AttemptId(1), start);
            gaps.push(next.since(now));
            now = next;
        }
        assert!(gaps.is_sorted());
        assert_eq!((gaps[0], gaps[14]), (SHORTEST, LONGEST));
        for id in 2..40 {
            backoff.over(AttemptId(id), Span::from_secs(90));
        }
        assert!(backoff.due(AttemptId(50), start).since(start) > Span::from_secs(40));
    }
}
