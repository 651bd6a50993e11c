//! Several timetables, each in its zone, laid over one another on the time line.

use std::sync::Arc;

use super::closures::Closures;
use super::interval::{Interval, intersect};
use super::timetable::{REACH, Timetable};
use crate::{Moment, Span, Zone};

/// Hours on the wall clocks of one zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hours {
    /// The hours.
    pub table: Timetable,
    /// Whose clocks they are read on.
    pub zone: Zone,
    /// Days that are closed on these clocks.
    pub closures: Arc<Closures>,
}

impl Hours {
    /// Makes hours without closed days.
    pub fn new(table: Timetable, zone: Zone) -> Self {
        Self { table, zone, closures: Arc::default() }
    }

    /// Takes these days out.
    #[must_use]
    pub fn less(self, closures: Arc<Closures>) -> Self {
        Self { closures, ..self }
    }

    fn never_close(&self) -> bool {
        self.table.never_closes() && self.closures.is_empty()
    }
}

/// The state of a window at a moment, and when it next changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Openness {
    /// Whether it is open.
    pub open: bool,
    /// When it next opens or closes; none when it will not within [`Calendar::HORIZON`].
    pub next_change: Option<Moment>,
}

/// The intersection of several hours, less the guard before each closing. Holds the part of the
/// time line that it was last asked about, so that the usual question is a look-up.
#[derive(Debug, Clone)]
pub struct Calendar {
    hours: Vec<Hours>,
    guard: Span,
    bounds: Interval,
    /// Nothing is known about where the contact is.
    nowhere: bool,
    known: Option<Known>,
    /// The part of time within which the window does not change any more.
    settled: Option<(Interval, bool)>,
}

/// The whole time line.
const ALWAYS: Interval = Interval { start: Moment::from_millis(i64::MIN), end: Moment::NEVER };

#[derive(Debug, Clone)]
struct Known {
    from: Moment,
    to: Moment,
    open: Vec<Interval>,
}

impl Calendar {
    /// How far ahead the calendar looks for an opening or a closing: the days of leap years come
    /// after eight years at most.
    pub const HORIZON: Span = Span::from_days(9 * 366);
    const CHUNK: Span = Span::from_days(10);

    /// Makes a window that is open when all of `hours` are. Without any it is always open; on
    /// clocks that cannot be read it never is.
    pub fn new(hours: Vec<Hours>, guard: Span) -> Self {
        let nowhere = hours.iter().any(|hours| !hours.zone.is_readable());
        Self { hours, guard, bounds: ALWAYS, nowhere, known: None, settled: None }
    }

    /// Closes the window before `from`, and from `until` on, whatever the hours say.
    #[must_use]
    pub fn between(self, from: Option<Moment>, until: Option<Moment>) -> Self {
        let bounds = Interval { start: from.unwrap_or(ALWAYS.start), end: until.unwrap_or(ALWAYS.end) };
        Self { bounds, ..self }
    }

    /// Closes the window for ever: nothing is known of where the contact is.
    #[must_use]
    pub fn nowhere(self) -> Self {
        Self { nowhere: true, ..self }
    }

    /// Tells whether it is open at `at`, and until or from when.
    pub fn at(&mut self, at: Moment) -> Openness {
        if self.nowhere {
            return Openness { open: false, next_change: None };
        }
        if self.hours.iter().all(Hours::never_close) {
            return self.within_bounds(at);
        }
        if let Some(verdict) = self.known.as_ref().and_then(|known| known.verdict(at)) {
            return verdict;
        }
        if let Some((_, open)) = self.settled.filter(|(when, _)| (when.start..when.end).contains(&at)) {
            return Openness { open, next_change: None };
        }
        let mut ahead = Self::CHUNK;
        loop {
            let known = self.known.insert(Self::build(&self.hours, self.guard, &self.bounds, at, at + ahead));
            match known.verdict(at) {
                Some(verdict) => return verdict,
                None if ahead >= Self::HORIZON => {
                    let open = known.is_open(at);
                    // Nothing changes for years: it need not be looked for every time.
                    self.settled = Some((Interval { start: at, end: at + Self::CHUNK }, open));
                    return Openness { open, next_change: None };
                }
                None => ahead = ahead.scaled(6, 1).min(Self::HORIZON),
            }
        }
    }

    /// Returns the first moment from `at` on at which it is open.
    pub fn next_opening(&mut self, at: Moment) -> Option<Moment> {
        match self.at(at) {
            Openness { open: true, .. } => Some(at),
            Openness { next_change, .. } => next_change,
        }
    }

    /// Returns the answer when the hours never close.
    fn within_bounds(&self, at: Moment) -> Openness {
        let Interval { start, end } = self.bounds;
        let end = if end == ALWAYS.end { end } else { end - self.guard };
        let next = [start, end].into_iter().find(|change| *change > at && *change != ALWAYS.end);
        Openness { open: (start..end).contains(&at), next_change: next }
    }

    fn build(hours: &[Hours], guard: Span, bounds: &Interval, from: Moment, to: Moment) -> Known {
        // An interval may have begun before the stretch that is asked for, and its end decides the
        // guard.
        let (early, late) = (from - REACH, to + REACH);
        let mut open = intersect(&[Interval { start: early, end: late }], std::slice::from_ref(bounds));
        for hours in hours {
            open = intersect(&open, &hours.table.intervals(hours.zone, early, late, &hours.closures));
        }
        for interval in &mut open {
            if interval.end < late {
                interval.end = interval.end - guard;
            }
        }
        open.retain(|interval| interval.start < interval.end);
        Known { from, to, open }
    }
}

impl Known {
    /// Returns the first interval that is not over at `at`.
    fn ahead(&self, at: Moment) -> Option<&Interval> {
        self.open.get(self.open.partition_point(|interval| interval.end <= at))
    }

    fn is_open(&self, at: Moment) -> bool {
        self.ahead(at).is_some_and(|interval| interval.start <= at)
    }

    /// Returns the answer at `at`, when the change after it is within the known stretch.
    fn verdict(&self, at: Moment) -> Option<Openness> {
        if at < self.from {
            return None;
        }
        let interval = self.ahead(at)?;
        let open = interval.start <= at;
        let change = if open { interval.end } else { interval.start };
        (change < self.to).then_some(Openness { open, next_change: Some(change) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ZoneSet;
    use proptest::prelude::*;

    fn moment(text: &str) -> Moment {
        text.parse().expect("a moment")
    }

    fn calendar(hours: &str, zone: &str, guard: Span) -> Calendar {
        Calendar::new(vec![Hours::new(hours.parse().expect("hours"), zone.parse().expect("a zone"))], guard)
    }

    #[test]
    fn the_guard_closes_early_and_opens_on_time() {
        let mut ist = calendar("09:00-21:00", "Asia/Kolkata", Span::from_secs(60));
        let before_closing = ist.at(moment("2026-11-20T15:28:59Z"));
        assert_eq!(before_closing, Openness { open: true, next_change: Some(moment("2026-11-20T15:29:00Z")) });
        let in_guard = ist.at(moment("2026-11-20T15:29:00Z"));
        assert_eq!(in_guard, Openness { open: false, next_change: Some(moment("2026-11-21T03:30:00Z")) });
        assert!(ist.at(moment("2026-11-21T03:30:00Z")).open);
    }

    #[test]
    fn always_open_has_no_guard_and_no_change() {
        let mut always = calendar("24/7", "Asia/Kolkata", Span::from_secs(60));
        assert_eq!(always.at(moment("2026-11-20T18:29:59Z")), Openness { open: true, next_change: None });
    }

    #[test]
    fn a_repeated_hour_is_open_twice_and_a_skipped_one_never() {
        let mut fold = calendar("01:30-02:00", "America/New_York", Span::ZERO);
        assert!(fold.at(moment("2026-11-01T05:45:00Z")).open, "01:45 EDT");
        assert!(!fold.at(moment("2026-11-01T06:15:00Z")).open, "01:15 EST");
        assert!(fold.at(moment("2026-11-01T06:45:00Z")).open, "01:45 EST");
        let mut gap = calendar("02:15-02:45", "America/New_York", Span::ZERO);
        let next = gap.at(moment("2026-03-07T12:00:00Z")).next_change;
        assert_eq!(next, Some(moment("2026-03-09T06:15:00Z")), "the 8th has no 02:15");
    }

    #[test]
    fn a_first_and_a_last_day_bound_the_hours() {
        let (from, until) = (moment("2026-11-21T18:30:00Z"), moment("2026-11-22T18:30:00Z"));
        let mut ist = calendar("09:00-21:00", "Asia/Kolkata", Span::from_secs(60)).between(Some(from), Some(until));
        assert_eq!(ist.at(moment("2026-11-20T06:00:00Z")).next_change, Some(moment("2026-11-22T03:30:00Z")));
        assert_eq!(ist.at(moment("2026-11-22T15:29:00Z")), Openness { open: false, next_change: None });
        let mut always = calendar("24/7", "UTC", Span::ZERO).between(Some(from), Some(until));
        assert_eq!(always.at(from - Span::from_secs(1)), Openness { open: false, next_change: Some(from) });
        assert_eq!(always.at(from), Openness { open: true, next_change: Some(until) });
        assert_eq!(always.at(until), Openness { open: false, next_change: None });
        let guard = Span::from_secs(60);
        let mut guarded = calendar("24/7", "UTC", guard).between(Some(from), Some(until));
        assert_eq!(guarded.at(from), Openness { open: true, next_change: Some(until - guard) });
        assert_eq!(guarded.at(until - guard), Openness { open: false, next_change: None });
    }

    #[test]
    fn several_zones_leave_only_what_is_open_in_all() {
        let zones: ZoneSet = "Australia/Perth|Australia/Sydney".parse().expect("zones");
        let hours = |zone: &Zone| Hours::new("09:00-21:00".parse().expect("hours"), *zone);
        let mut both = Calendar::new(zones.zones().iter().map(hours).collect(), Span::ZERO);
        // Sydney closes at 10:00 UTC in summer and Perth opens at 01:00 UTC.
        assert_eq!(both.next_opening(moment("2026-11-20T12:00:00Z")), Some(moment("2026-11-21T01:00:00Z")));
        assert_eq!(both.at(moment("2026-11-21T01:00:00Z")).next_change, Some(moment("2026-11-21T10:00:00Z")));
    }

    #[test]
    fn an_unknown_place_is_never_open() {
        let mut nowhere = Calendar::new(Vec::new(), Span::ZERO).nowhere();
        assert_eq!(nowhere.at(moment("2026-11-20T12:00:00Z")), Openness { open: false, next_change: None });
    }

    #[test]
    fn a_leap_day_is_found_eight_years_ahead() {
        let mut leap = calendar("Feb 29 09:00-21:00", "UTC", Span::ZERO);
        assert_eq!(leap.next_opening(moment("2096-03-01T00:00:00Z")), Some(moment("2104-02-29T09:00:00Z")));
        assert_eq!(leap.at(moment("2104-02-29T09:00:00Z")).next_change, Some(moment("2104-02-29T21:00:00Z")));
    }

    #[test]
    fn days_are_taken_out_and_a_window_of_the_guards_length_never_opens() {
        let closed_on = |day| Arc::new(Closures { days: [day].into(), holidays: Vec::new() });
        let always = || Hours::new(Timetable::always(), Zone::utc());
        let mut future = Calendar::new(vec![always().less(closed_on(jiff::civil::date(2026, 11, 23)))], Span::ZERO);
        let midnight = moment("2026-11-23T00:00:00Z");
        assert_eq!(future.at(moment("2026-11-20T12:00:00Z")), Openness { open: true, next_change: Some(midnight) });
        assert_eq!(future.next_opening(midnight), Some(moment("2026-11-24T00:00:00Z")));
        let mut past = Calendar::new(vec![always().less(closed_on(jiff::civil::date(2020, 1, 1)))], Span::ZERO);
        for hour in ["2026-11-20T12:00:00Z", "2026-11-20T13:00:00Z"] {
            assert_eq!(past.at(moment(hour)), Openness { open: true, next_change: None });
        }
        let mut short = calendar("09:00-09:01", "UTC", Span::from_secs(60));
        assert_eq!(short.at(moment("2026-11-20T08:00:00Z")), Openness { open: false, next_change: None });
    }

    #[test]
    fn hours_that_never_meet_never_open() {
        let hours = |text: &str| Hours::new(text.parse().expect("hours"), Zone::utc());
        let mut never = Calendar::new(vec![hours("Mo 09:00-10:00"), hours("Tu 09:00-10:00")], Span::ZERO);
        assert_eq!(never.at(moment("2026-11-20T12:00:00Z")), Openness { open: false, next_change: None });
    }

    proptest! {
        /// What a calendar knows already, and what it must look for, makes no difference.
        #[test]
        fn the_same_is_said_whatever_was_asked_before(
            start in 1_790_000_000_i64..1_800_000_000,
            steps in prop::collection::vec(-200_000_i64..600_000, 1..8),
            hours in prop::sample::select(vec!["09:00-21:00", "Mo-Fr 22:00-26:00", "24/7", "Mo 09:00-10:00; Dec 24 off"]),
            guard in prop::sample::select(vec![0_i64, 60, 1_800]),
        ) {
            let fresh = || calendar(hours, "America/New_York", Span::from_secs(guard));
            let (mut asked, mut at) = (fresh(), start);
            for step in steps {
                at += step;
                prop_assert_eq!(asked.at(Moment::from_secs(at)), fresh().at(Moment::from_secs(at)), "{} at {}", hours, at);
            }
        }

        /// Against the plain reading of a wall clock, second by second around random moments.
        #[test]
        fn agrees_with_the_wall_clock(
            seconds in 1_000_000_000_i64..2_100_000_000,
            zone in prop::sample::select(Zone::all().collect::<Vec<_>>()),
            start in 0_u32..1440, length in 1_u32..1440,
        ) {
            let end = start + length;
            let text = format!("{:02}:{:02}-{:02}:{:02}", start / 60, start % 60, end / 60, end % 60);
            let mut window = Calendar::new(vec![Hours::new(text.parse().expect("hours"), zone)], Span::ZERO);
            let at = Moment::from_secs(seconds);
            let expected = |at: Moment| {
                let local = at.clock(zone);
                let minute = u32::try_from(i32::from(local.hour()) * 60 + i32::from(local.minute())).expect("a minute of the day");
                (start..end).contains(&minute) || (start..end).contains(&(minute + 1440))
            };
            let verdict = window.at(at);
            prop_assert_eq!(verdict.open, expected(at));
            if let Some(change) = verdict.next_change {
                prop_assert_eq!(expected(change), !verdict.open, "{} at {}", text, change);
                prop_assert_eq!(expected(change - Span::from_secs(1)), verdict.open);
            }
        }
    }
}
