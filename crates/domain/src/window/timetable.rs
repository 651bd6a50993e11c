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
