//! Weekly hours, written as in OpenStreetMap's `opening_hours`: `Mo-Sa 09:00-21:00; Su off`.
//!
//! Source of the syntax: <https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification>. Later rules replace
//! earlier ones on the days that they name. An interval past midnight must say so (`22:00-26:00`): one that ends
//! before it starts is far more often a slip, and the slip would call people at night.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use chrono::{DateTime, Datelike, Days, NaiveTime, Offset, TimeZone};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::interval::{Interval, merge};
use crate::{Moment, Span};

const DAYS: [&str; 7] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];
const DAY: i64 = 86_400;

/// Seconds of the local day, `start..end`; `end` may lie past midnight.
type Hours = Range<i64>;

/// The hours of each weekday, Monday first, in no zone yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct WeekTable {
    days: [Vec<Hours>; 7],
    text: String,
}

/// A slip in written hours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct HoursError {
    /// Where in the text, in bytes.
    pub at: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub hint: String,
}

impl WeekTable {
    /// Every hour of every day.
    pub fn always() -> Self {
        Self { days: std::array::from_fn(|_| std::iter::once(0..DAY).collect()), text: "24/7".to_owned() }
    }

    /// Whether it never closes, so that no guard is needed either.
    pub fn never_closes(&self) -> bool {
        self.days.iter().all(|hours| hours.iter().any(|range| range.start == 0 && range.end >= DAY))
    }

    /// Whether no hour of any day is open.
    pub fn never_opens(&self) -> bool {
        self.days.iter().all(Vec::is_empty)
    }

    /// The open intervals within `from..to` on the wall clocks of `zone`, exact through every change of offset:
    /// time is cut into stretches of one offset, and in each the local hours are shifted by it. An hour that the
    /// clocks skip does not exist, and one that they repeat is open both times.
    pub fn intervals(&self, zone: Tz, from: Moment, to: Moment) -> Vec<Interval> {
        let (from, to) = (from.secs(), to.secs());
        let mut open = Vec::new();
        let mut start = from;
        while start < to {
            let offset = offset_at(zone, start);
            let end = end_of_offset(zone, start, to);
            self.project(start + offset..end + offset, offset, &mut open);
            start = end;
        }
        merge(open)
    }

    fn project(&self, local: Range<i64>, offset: i64, open: &mut Vec<Interval>) {
        let date = |seconds: i64| DateTime::from_timestamp(seconds, 0).map(|at| at.date_naive());
        let (Some(first), Some(last)) = (date(local.start), date(local.end)) else { return };
        // Hours may reach two days back over midnight.
        let mut day = first.checked_sub_days(Days::new(2)).unwrap_or(first);
        while day <= last {
            let midnight = day.and_time(NaiveTime::MIN).and_utc().timestamp();
            for hours in &self.days[day.weekday().num_days_from_monday() as usize] {
                let start = (midnight + hours.start).max(local.start);
                let end = (midnight + hours.end).min(local.end);
                if start < end {
                    open.push(Interval {
                        start: Moment::from_secs(start - offset),
                        end: Moment::from_secs(end - offset),
                    });
                }
            }
            let Some(next) = day.succ_opt() else { return };
            day = next;
        }
    }
}

fn offset_at(zone: Tz, seconds: i64) -> i64 {
    let at = Moment::from_secs(seconds).utc().naive_utc();
    i64::from(zone.offset_from_utc_datetime(&at).fix().local_minus_utc())
}

/// The first second after `start` at which the offset differs, or `to`.
fn end_of_offset(zone: Tz, start: i64, to: i64) -> i64 {
    let offset = offset_at(zone, start);
    let mut same = start;
    while same < to {
        let probe = (same + 6 * 3600).min(to);
        if offset_at(zone, probe) != offset {
            let (mut low, mut high) = (same, probe);
            while high - low > 1 {
                let middle = low + (high - low) / 2;
                if offset_at(zone, middle) == offset { low = middle } else { high = middle }
            }
            return high;
        }
        same = probe;
    }
    to
}

impl FromStr for WeekTable {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut days: [Vec<Hours>; 7] = Default::default();
        if text.trim() == "24/7" {
            return Ok(Self { text: text.trim().to_owned(), ..Self::always() });
        }
        if text.trim().is_empty() {
            return Err(fault(text, text, "no hours are given", "write 09:00-21:00, or 24/7"));
        }
        for rule in text.split(';').filter(|rule| !rule.trim().is_empty()) {
            let rule = rule.trim();
            let (which, hours) = match rule.split_once(char::is_whitespace) {
                Some((selector, rest)) if selector.starts_with(|c: char| c.is_alphabetic()) => {
                    (parse_days(text, selector)?, rest.trim())
                }
                _ if rule == "off" || rule.starts_with(|c: char| c.is_ascii_digit()) => ([true; 7], rule),
                _ => (parse_days(text, rule)?, ""),
            };
            let hours = match hours {
                "off" | "closed" => Vec::new(),
                "" => return Err(fault(text, rule, "the hours are missing", "write Mo-Fr 09:00-21:00, or Su off")),
                hours => parse_hours(text, hours)?,
            };
            for (day, _) in days.iter_mut().zip(which).filter(|(_, named)| *named) {
                day.clone_from(&hours);
            }
        }
        Ok(Self { days, text: text.trim().to_owned() })
    }
}

/// An error about `part`, which is a slice of `text`.
fn fault(text: &str, part: &str, message: impl Into<String>, hint: impl Into<String>) -> HoursError {
    let start = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
    HoursError { at: start..start + part.len(), message: message.into(), hint: hint.into() }
}

fn parse_days(text: &str, selector: &str) -> Result<[bool; 7], HoursError> {
    let day = |name: &str| {
        DAYS.iter().position(|day| *day == name).ok_or_else(|| {
            fault(
                text,
                name_in(selector, name),
                format!("`{name}` is not a weekday"),
                format!("write {}", DAYS.join(", ")),
            )
        })
    };
    let mut named = [false; 7];
    for part in selector.split(',') {
        let (first, last) = match part.split_once('-') {
            Some((first, last)) => (day(first)?, day(last)?),
            None => (day(part)?, day(part)?),
        };
        let mut at = first;
        named[at] = true;
        while at != last {
            at = (at + 1) % 7;
            named[at] = true;
        }
    }
    Ok(named)
}

/// The occurrence of `name` in `selector`, so that an error can point at it.
fn name_in<'t>(selector: &'t str, name: &str) -> &'t str {
    selector.find(name).map_or(selector, |at| &selector[at..at + name.len()])
}

fn parse_hours(text: &str, hours: &str) -> Result<Vec<Hours>, HoursError> {
    let mut parsed: Vec<Hours> = Vec::new();
    for part in hours.split(',') {
        let part = part.trim();
        let (start, end) = part
            .split_once('-')
            .ok_or_else(|| fault(text, part, format!("`{part}` is not an interval"), "write 09:00-21:00"))?;
        let (from, to) = (parse_time(text, start.trim())?, parse_time(text, end.trim())?);
        if from >= DAY {
            return Err(fault(text, start, format!("`{start}` is not a time of day"), "start before 24:00"));
        }
        if to <= from {
            let past = format!("{:02}:{:02}", to / 3600 + 24, to / 60 % 60);
            return Err(fault(
                text,
                part,
                format!("`{part}` ends before it starts"),
                format!("an interval past midnight is written {}-{past}", start.trim()),
            ));
        }
        if to - from > DAY {
            return Err(fault(text, part, format!("`{part}` is longer than a day"), "write 24/7 for every hour"));
        }
        if let Some(other) = parsed.iter().find(|other| other.start < to && from < other.end) {
            let other = format!(
                "{:02}:{:02}-{:02}:{:02}",
                other.start / 3600,
                other.start / 60 % 60,
                other.end / 3600,
                other.end / 60 % 60
            );
            return Err(fault(text, part, format!("`{part}` overlaps {other}"), "write each hour once"));
        }
        parsed.push(from..to);
    }
    parsed.sort_unstable_by_key(|range| range.start);
    Ok(parsed)
}

fn parse_time(text: &str, time: &str) -> Result<i64, HoursError> {
    let wrong = || fault(text, time, format!("`{time}` is not a time"), "write it as 09:00");
    let (hour, minute) = time.split_once(':').ok_or_else(wrong)?;
    let two_digits = |part: &str| match part.len() {
        2 if part.bytes().all(|b| b.is_ascii_digit()) => part.parse::<i64>().ok(),
        _ => None,
    };
    match (two_digits(hour), two_digits(minute)) {
        (Some(hour), Some(minute)) if hour < 48 && minute < 60 => Ok(hour * 3600 + minute * 60),
        _ => Err(wrong()),
    }
}

impl fmt::Display for WeekTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for WeekTable {
    type Error = HoursError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<WeekTable> for String {
    fn from(table: WeekTable) -> Self {
        table.text
    }
}

/// The longest that hours may run past the midnight of their own day, which callers look back by.
pub(super) const REACH: Span = Span::from_days(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_rules_replace_earlier_ones_on_their_days() {
        let table: WeekTable = "09:00-21:00; Sa 10:00-14:00,16:00-18:00; Su off".parse().expect("hours");
        assert_eq!(table.days[0], vec![9 * 3600..21 * 3600]);
        assert_eq!(table.days[5], vec![10 * 3600..14 * 3600, 16 * 3600..18 * 3600]);
        assert!(table.days[6].is_empty());
    }

    #[test]
    fn days_may_wrap_around_the_week() {
        let table: WeekTable = "Fr-Mo 09:00-10:00".parse().expect("hours");
        let open: Vec<bool> = table.days.iter().map(|day| !day.is_empty()).collect();
        assert_eq!(open, [true, false, false, false, true, true, true]);
    }

    #[test]
    fn slips_are_refused_where_they_stand() {
        for (text, at, hint) in [
            ("10:00-09:00", "10:00-09:00", "10:00-33:00"),
            ("Mo-Fr 22:00-02:00", "22:00-02:00", "22:00-26:00"),
            ("Mo-Fx 09:00-21:00", "Fx", "Mo, Tu"),
            ("Mo-Fr 9:00-21:00", "9:00", "09:00"),
            ("09:00-21:60", "21:60", "09:00"),
            ("Mo-Fr", "Mo-Fr", "Mo-Fr 09:00"),
            ("09:00", "09:00", "09:00-21:00"),
            ("09:00-12:00,11:00-14:00", "11:00-14:00", "once"),
            ("", "", "24/7"),
        ] {
            let error = text.parse::<WeekTable>().expect_err(text);
            assert_eq!(&text[error.at.clone()], at, "{text}: {error}");
            assert!(error.hint.contains(hint), "{text}: {}", error.hint);
        }
    }
}
