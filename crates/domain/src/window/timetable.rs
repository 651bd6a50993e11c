//! When a window is open by the calendar: rules of years, dates, weekdays and hours, on the wall
//! clocks of no zone yet.

use std::fmt;
use std::ops::{Range, RangeInclusive};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::closures::Closures;
use super::interval::{Interval, merge};
use crate::{Moment, Span, Zone, date};

/// Seconds of a day without a change of clocks.
pub(super) const DAY: i64 = 86_400;

/// Seconds of the local day, `start..end`; `end` may lie past midnight.
pub(super) type Hours = Range<i64>;

/// A written timetable: `Mo-Sa 09:00-21:00; Su off; Dec 25 off`. The last rule that names a day
/// says its hours. Hours past midnight belong to the day that they begin on; a day that is `off`
/// is closed to them too. The syntax leaves that open: this is the narrower reading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Timetable {
    pub(super) rules: Vec<Rule>,
    pub(super) text: String,
}

/// The hours of the days that it names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Rule {
    /// Any, when empty.
    pub(super) years: Vec<RangeInclusive<i32>>,
    /// Any, when empty.
    pub(super) dates: Vec<Dates>,
    /// Monday first.
    pub(super) weekdays: [bool; 7],
    /// None: closed.
    pub(super) hours: Vec<Hours>,
}

/// Days of every year, both ends included; `(month, day)`. They go over the end of the year when
/// the last is before the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dates {
    pub(super) first: (u32, u32),
    pub(super) last: (u32, u32),
}

impl Dates {
    fn name(&self, date: (u32, u32)) -> bool {
        if self.first <= self.last {
            self.first <= date && date <= self.last
        } else {
            date >= self.first || date <= self.last
        }
    }
}

impl Rule {
    /// Makes a rule of every day.
    pub(super) fn daily(hours: Vec<Hours>) -> Self {
        Self { years: Vec::new(), dates: Vec::new(), weekdays: [true; 7], hours }
    }

    fn names(&self, day: Date) -> bool {
        self.weekdays[day.weekday().to_monday_zero_offset() as usize] && self.names_date(day)
    }

    fn names_date(&self, day: Date) -> bool {
        let in_year = |year: i32| self.years.is_empty() || self.years.iter().any(|years| years.contains(&year));
        let year = i32::from(day.year());
        if self.dates.is_empty() {
            return in_year(year);
        }
        let date = (u32::from(day.month().unsigned_abs()), u32::from(day.day().unsigned_abs()));
        self.dates.iter().any(|dates| {
            // What goes over the end of the year began in the year before.
            let began = if dates.first > dates.last && date <= dates.last { year - 1 } else { year };
            dates.name(date) && in_year(began)
        })
    }

    /// Tells whether this later rule takes back an earlier one, and most probably was not meant to:
    /// it leaves nothing of it, or opens days again of an exception that stands first. A narrower
    /// exception after a wider rule is what rules are for.
    pub(super) fn undoes(&self, earlier: &Self) -> bool {
        let overlap = self.overlaps(earlier);
        let exception = earlier.hours.is_empty() || !earlier.dates.is_empty() || !earlier.years.is_empty();
        let narrower = self.days() < earlier.days();
        overlap && (self.covers(earlier) || (!self.hours.is_empty() && (exception || !self.is_dated()) && !narrower))
    }

    fn is_dated(&self) -> bool {
        !self.dates.is_empty() || !self.years.is_empty()
    }

    fn covers(&self, other: &Self) -> bool {
        let weekdays = self.weekdays.iter().zip(other.weekdays).all(|(own, other)| *own || !other);
        let years = self.years.is_empty() || self.years == other.years;
        let (own, others) = (self.dates_of_a_year(), other.dates_of_a_year());
        weekdays && years && own.iter().zip(&others).all(|(own, other)| *own || !other)
    }

    fn overlaps(&self, other: &Self) -> bool {
        let weekdays = self.weekdays.iter().zip(other.weekdays).any(|(own, other)| *own && other);
        let shared = |years: &RangeInclusive<i32>| {
            other.years.iter().any(|others| years.start() <= others.end() && others.start() <= years.end())
        };
        let years = self.years.is_empty() || other.years.is_empty() || self.years.iter().any(shared);
        let (own, others) = (self.dates_of_a_year(), other.dates_of_a_year());
        weekdays && years && own.iter().zip(&others).any(|(own, other)| *own && *other)
    }

    /// Returns how much of a year it names, roughly: a rule of some years is less than one of all.
    fn days(&self) -> usize {
        let dates = self.dates_of_a_year().iter().filter(|named| **named).count();
        let weekdays = self.weekdays.iter().filter(|named| **named).count();
        let years =
            if self.years.is_empty() { 300 } else { self.years.iter().map(|years| years.clone().count()).sum() };
        dates * weekdays * years
    }

    /// Returns for each month and day whether it is named.
    fn dates_of_a_year(&self) -> Vec<bool> {
        let named = |date: (u32, u32)| self.dates.iter().any(|dates| dates.name(date));
        let dates = (1..=12).flat_map(|month| (1..=31).map(move |day| (month, day)));
        dates.map(|date| self.dates.is_empty() || named(date)).collect()
    }

    fn is_all_day(&self) -> bool {
        self.hours.iter().any(|hours| hours.start == 0 && hours.end >= DAY)
    }
}

impl Timetable {
    /// Makes a timetable of every hour of every day.
    pub fn always() -> Self {
        Self { rules: vec![Rule::daily(std::iter::once(0..DAY).collect())], text: "24/7".to_owned() }
    }

    /// Tells whether it never closes, so that no guard is needed either. A rule that closes some
    /// dates counts, whenever they are.
    pub fn never_closes(&self) -> bool {
        let every_day = |rule: &Rule| rule.years.is_empty() && rule.dates.is_empty();
        let covered = (0..7).all(|day| self.rules.iter().any(|rule| every_day(rule) && rule.weekdays[day]));
        covered && self.rules.iter().all(Rule::is_all_day)
    }

    /// Returns the hours of a day; none when nothing is said of it.
    fn hours_of(&self, day: Date) -> Option<&[Hours]> {
        self.rules.iter().rev().find(|rule| rule.names(day)).map(|rule| rule.hours.as_slice())
    }

    /// Tells whether a day is closed as a whole, also to hours that began the evening before.
    fn is_off(&self, day: Date, closures: &Closures) -> bool {
        closures.close(day) || self.hours_of(day).is_some_and(<[Hours]>::is_empty)
    }

    /// Returns the open intervals within `from..to` on the wall clocks of `zone`, less the days
    /// that are closed, exact through every change of offset: time is cut into stretches of one
    /// offset, and in each the local hours are shifted by it. An hour that the clocks skip does not
    /// exist, and one that they repeat is open both times.
    pub fn intervals(&self, zone: Zone, from: Moment, to: Moment, closures: &Closures) -> Vec<Interval> {
        let mut open = Vec::new();
        let mut start = from;
        while start < to {
            let offset = zone.offset_at(start);
            let end = zone.next_change(start, to);
            self.project(start.secs() + offset..end.secs() + offset, offset, closures, &mut open);
            start = end;
        }
        merge(open)
    }

    fn project(&self, local: Range<i64>, offset: i64, closures: &Closures, open: &mut Vec<Interval>) {
        let date = |seconds: i64| date::shown(seconds).map(jiff::civil::DateTime::date);
        let (Some(first), Some(last)) = (date(local.start), date(local.end)) else { return };
        // Hours may reach into the next day.
        let mut day = first.yesterday().unwrap_or(first);
        let mut midnight = date::as_utc(day.at(0, 0, 0, 0));
        while day <= last {
            let Ok(next) = day.tomorrow() else { return };
            let hours = if closures.close(day) { None } else { self.hours_of(day) };
            for hours in hours.unwrap_or_default() {
                let end = if hours.end > DAY && self.is_off(next, closures) { DAY } else { hours.end };
                let (start, end) = ((midnight + hours.start).max(local.start), (midnight + end).min(local.end));
                if start < end {
                    let at = |local: i64| Moment::from_secs(local - offset);
                    open.push(Interval { start: at(start), end: at(end) });
                }
            }
            (day, midnight) = (next, midnight + DAY);
        }
    }
}

impl fmt::Display for Timetable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl From<Timetable> for String {
    fn from(table: Timetable) -> Self {
        table.text
    }
}

/// The furthest that an interval can begin before a part of time and still reach into it.
pub(super) const REACH: Span = Span::from_days(2);

#[cfg(test)]
mod tests {
    use super::*;

    fn is_open(text: &str, at: &str, closures: &Closures) -> bool {
        let table: Timetable = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        let at: Moment = format!("{at}:00Z").parse().expect("a moment");
        let around = (at - Span::from_hours(30), at + Span::from_hours(30));
        let open = table.intervals(Zone::utc(), around.0, around.1, closures);
        open.iter().any(|interval| (interval.start..interval.end).contains(&at))
    }

    /// 2026-11-23 is a Monday.
    const OPEN: [(&str, &[&str], &[&str]); 10] = [
        (
            "2026 Dec 24 10:00-12:00",
            &["2026-12-24T10:00"],
            &["2025-12-24T10:00", "2027-12-24T10:00", "2026-12-25T10:00"],
        ),
        (
            "Mo-Fr 09:00-17:00",
            &["2026-11-23T09:00", "2026-11-27T16:59"],
            &["2026-11-23T08:59", "2026-11-23T17:00", "2026-11-28T12:00"],
        ),
        (
            "Fr-Mo 09:00-10:00,11:00-12:00",
            &["2026-11-27T09:00", "2026-11-29T11:59", "2026-11-23T11:00"],
            &["2026-11-23T10:00", "2026-11-24T09:30", "2026-11-26T09:30"],
        ),
        (
            "Dec 24-Jan 02 10:00-12:00",
            &["2026-12-24T10:00", "2026-12-31T11:00", "2027-01-02T11:59"],
            &["2026-12-23T11:00", "2027-01-03T11:00", "2026-07-01T11:00"],
        ),
        (
            "2026 Dec 24-Jan 02 10:00-12:00",
            &["2026-12-24T11:00", "2027-01-02T11:00"],
            &["2026-01-02T11:00", "2027-12-24T11:00", "2028-01-02T11:00"],
        ),
        (
            "Jun-Aug 09:00-10:00; 2027 10:00-11:00",
            &["2026-06-01T09:00", "2026-08-31T09:59", "2027-06-01T10:30", "2027-01-01T10:00"],
            &["2026-05-31T09:30", "2026-09-01T09:30", "2027-06-01T09:30"],
        ),
        (
            "22:00-26:00; Tu off",
            &["2026-11-23T23:59", "2026-11-25T22:00", "2026-11-26T01:59", "2026-11-23T01:00"],
            &["2026-11-24T00:30", "2026-11-24T23:00", "2026-11-25T01:00", "2026-11-26T02:00"],
        ),
        ("Mo 00:00-24:00", &["2026-11-23T00:00", "2026-11-23T23:59"], &["2026-11-22T23:59", "2026-11-24T00:00"]),
        (
            "09:00-21:00; Dec 24-26,31 off; Dec 31 10:00-12:00",
            &["2026-12-27T09:00", "2026-12-31T11:00"],
            &["2026-12-24T12:00", "2026-12-26T12:00", "2026-12-31T12:00"],
        ),
        ("24/7", &["2026-11-23T00:00"], &[]),
    ];

    #[test]
    fn each_rule_opens_the_days_and_hours_that_it_names() {
        for (text, open, closed) in OPEN {
            for at in open {
                assert!(is_open(text, at, &Closures::default()), "{text} at {at}");
            }
            for at in closed {
                assert!(!is_open(text, at, &Closures::default()), "{text} at {at}");
            }
        }
    }

    #[test]
    fn a_closed_day_ends_what_began_the_evening_before() {
        let closures = Closures { days: [jiff::civil::date(2026, 11, 24)].into(), holidays: Vec::new() };
        for (at, open) in [
            ("2026-11-23T23:00", true),
            ("2026-11-24T00:00", false),
            ("2026-11-24T23:00", false),
            ("2026-11-25T01:00", false),
            ("2026-11-25T22:30", true),
            ("2026-11-26T01:30", true),
        ] {
            assert_eq!(is_open("22:00-26:00", at, &closures), open, "{at}");
        }
    }

    #[test]
    fn only_what_is_open_every_minute_of_every_year_never_closes() {
        for (text, never) in [
            ("24/7", true),
            ("00:00-24:00", true),
            ("00:00-23:59", false),
            ("00:01-24:00", false),
            ("Mo-Fr 00:00-24:00; Sa-Su 00:00-24:00", true),
            ("Mo-Sa 00:00-24:00", false),
            ("2026-2027 00:00-24:00", false),
            ("Jan-Dec 00:00-24:00", false),
            ("24/7; Dec 25 off", false),
            ("Mo-Fr 00:00-24:00; Sa-Su 09:00-12:00", false),
        ] {
            assert_eq!(text.parse::<Timetable>().expect(text).never_closes(), never, "{text}");
        }
    }

    #[test]
    fn a_later_rule_takes_back_an_earlier_one_that_it_covers_or_opens_again() {
        for (earlier, later, undone) in [
            ("Mo-Fr 09:00-12:00", "Mo-Fr 14:00-18:00", true),
            ("Mo 09:00-12:00", "Mo off", true),
            ("Mo 09:00-12:00", "Mo-Fr off", true),
            ("Mo-Fr 09:00-12:00", "Mo off", false),
            ("Mo-Fr 09:00-12:00", "Dec off", false),
            ("Mo 09:00-12:00", "2026 off", false),
            ("2026 Dec 09:00-12:00", "2026 Mo off", false),
            ("2026 09:00-12:00", "Mo-Su off", true),
            ("Dec 24 10:00-12:00", "Dec 24 off", true),
            ("2026 Dec 24 10:00-12:00", "2026 Dec 24 off", true),
            ("2026 Dec 24 10:00-12:00", "2027 Dec 24 off", false),
            // As many days, or more, and it is opened again.
            ("Mo-Tu 09:00-10:00", "Tu-We 11:00-12:00", true),
            ("Mo-Fr 09:00-17:00", "Fr-Sa 10:00-14:00", false),
            ("Mo 09:00-10:00", "Tu 09:00-11:00", false),
            // Exceptions that stand first.
            ("Dec 24 10:00-12:00", "Dec Mo-Fr 09:00-12:00", true),
            ("Dec Mo 10:00-12:00", "Dec 01-20 Mo-Fr 09:00-12:00", true),
            ("Nov 24 10:00-12:00", "Dec Mo-Fr 09:00-12:00", false),
            ("2026 10:00-12:00", "Jan-Nov 09:00-12:00", true),
            ("Su off", "Mar-Oct Sa-Su 10:00-12:00", true),
            ("Jun-Dec Mo 10:00-12:00", "Dec Mo-Fr 09:00-12:00", false),
            ("Jun-Aug 10:00-12:00", "2026 Jun-Dec 09:00-12:00", false),
            // Dates narrow a plain rule, however many they are.
            ("Mo-Fr 09:00-17:00", "Feb-Dec 10:00-14:00", false),
            ("Mo-Fr 09:00-17:00", "1900-2200 10:00-14:00", false),
            // Years that meet, and years that do not.
            ("2026-2027 Dec 24 10:00-12:00", "2028-2029 Dec 09:00-12:00", false),
            ("2028-2029 Dec 24 10:00-12:00", "2026-2027 Dec 09:00-12:00", false),
            ("2026-2027 Dec 24 10:00-12:00", "2027-2028 Dec 09:00-12:00", true),
            ("2027-2028 Dec 24 10:00-12:00", "2026-2027 Dec 09:00-12:00", true),
        ] {
            let rule =
                |text: &str| Timetable::read(text).unwrap_or_else(|error| panic!("{text}: {error}")).rules.remove(0);
            assert_eq!(rule(later).undoes(&rule(earlier)), undone, "{earlier}; {later}");
        }
    }
}
