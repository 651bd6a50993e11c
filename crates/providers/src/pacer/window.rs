//! The sliding window of one limit.

use std::collections::VecDeque;
use std::time::Duration;

use ringfence_domain::{Moment, Rate, Span};
use tokio::time::Instant;

use super::permit::Purpose;

/// The wait before the next look at a window that reserved permits fill: when they are spent, nobody
/// knows yet.
pub(super) const FILLED: Duration = Duration::from_millis(5);

/// Permits that were not reserved in time are made up for, as far back as this.
const MADE_UP_FOR: (Duration, Duration) = (Duration::from_millis(2), Duration::from_millis(20));

#[derive(Debug)]
pub(super) struct Window {
    pub(super) rate: Rate,
    /// When requests left; the oldest first.
    spent: VecDeque<Instant>,
    /// Permits that are out and not spent yet.
    reserved: u32,
    /// The part of the window that questions get while calls want more than they leave.
    share: f64,
    /// The moments of the next call and of the next question, as far as even spacing says. Each goes
    /// between those of the other.
    next_call: Instant,
    next_question: Instant,
}

impl Window {
    /// The most requests that are written down for the next owner.
    pub(super) const TELLABLE: usize = 20_000;

    /// Makes a window. When `used` is given, it is full as of then: someone else may have spent all
    /// of it just before.
    pub(super) fn new(rate: Rate, used: Option<Instant>) -> Self {
        let spent = used.map(|at| std::iter::repeat_n(at, rate.count() as usize).collect()).unwrap_or_default();
        let now = Instant::now();
        Self { rate, spent, reserved: 0, share: 0.0, next_call: now, next_question: now }
    }

    /// Gives questions this part of the window.
    pub(super) fn shared(self, share: f64) -> Self {
        Self { share, ..self }
    }

    /// Makes a window that holds these requests, as an earlier owner sent them.
    pub(super) fn with(rate: Rate, sent: &[Moment], now: Moment) -> Self {
        let age = |at: &Moment| Instant::now().checked_sub(now.since(*at).duration()).unwrap_or_else(Instant::now);
        let mut spent: VecDeque<Instant> = sent.iter().map(age).collect();
        spent.make_contiguous().sort_unstable();
        Self { spent, ..Self::new(rate, None) }
    }

    /// Returns the requests that still count. None while a permit is reserved, or when there are
    /// too many to write down.
    pub(super) fn sent(&self, now: Moment) -> Option<Vec<Moment>> {
        let (per, present) = (self.rate.per().duration(), Instant::now());
        let ages = self.spent.iter().map(|at| present.saturating_duration_since(*at)).filter(|age| *age < per);
        let sent: Vec<Moment> = ages.map(|age| now - Span::from_millis(age.as_millis() as i64)).collect();
        (self.reserved == 0 && sent.len() <= Self::TELLABLE).then_some(sent)
    }

    /// Returns how many requests count now.
    pub(super) fn level(&self, now: Instant) -> u32 {
        let per = self.rate.per().duration();
        self.spent.iter().filter(|at| now.saturating_duration_since(**at) < per).count() as u32
    }

    /// Returns the first moment, not before `now`, at which there is room for one more permit. Permits
    /// that are out count until they are spent, and for the whole window then. While they fill it, the
    /// moment is not known, and the error says when to ask again.
    pub(super) fn first_room(&mut self, purpose: Purpose, now: Instant) -> Result<Instant, Instant> {
        let per = self.rate.per().duration();
        while self.spent.front().is_some_and(|at| *at + per <= now) {
            self.spent.pop_front();
        }
        let counting = self.spent.len() + self.reserved as usize + 1;
        let empties = match counting.saturating_sub(self.rate.count() as usize) {
            0 => Some(now),
            leaving => self.spent.get(leaving - 1).map(|at| *at + per),
        };
        empties.map(|at| at.max(*self.next(purpose))).ok_or(now + FILLED)
    }

    /// Takes out a permit for `at`, now or later. What was not asked for in time is made up for.
    pub(super) fn reserve(&mut self, purpose: Purpose, at: Instant, now: Instant) {
        self.reserved += 1;
        let (spacing, behind) = (self.spacing(purpose, at), self.rate.spacing().clamp(MADE_UP_FOR.0, MADE_UP_FOR.1));
        let even = if at > now { at } else { now.checked_sub(behind).unwrap_or(now) };
        let next = self.next(purpose);
        *next = (*next).max(even) + spacing;
    }

    fn next(&mut self, purpose: Purpose) -> &mut Instant {
        match purpose {
            Purpose::Call(_) => &mut self.next_call,
            Purpose::Question => &mut self.next_question,
        }
    }

    /// The time from a request at `at` to the next one of its purpose: while both are wanted, they share
    /// the window.
    fn spacing(&self, purpose: Purpose, at: Instant) -> Duration {
        let spacing = self.rate.spacing();
        let (other, share) = match purpose {
            Purpose::Call(_) => (self.next_question, 1.0 - self.share),
            Purpose::Question => (self.next_call, self.share),
        };
        // The other purpose has had its turn a short while ago.
        if other > at && self.share > 0.0 { spacing.div_f64(share) } else { spacing }
    }

    /// A permit is spent: its request leaves now.
    pub(super) fn spend(&mut self, now: Instant) {
        self.reserved = self.reserved.saturating_sub(1);
        self.spent.push_back(now);
    }

    /// A permit comes back unspent.
    pub(super) fn give_back(&mut self, purpose: Purpose) {
        self.reserved = self.reserved.saturating_sub(1);
        let spacing = self.rate.spacing();
        let next = self.next(purpose);
        *next = next.checked_sub(spacing).unwrap_or(*next);
    }
}
