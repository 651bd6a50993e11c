//! The reader of timetables as OpenStreetMap writes `opening_hours`:
//! `Mo-Sa 09:00-21:00; Su off; Dec 24-26 off`.
//!
//! Source of the syntax: <https://wiki.openstreetmap.org/wiki/Key:opening_hours/specification>.
//! Rules are separated by `;`, and later ones replace earlier ones on the days that they name:
//! years, dates or months, weekdays, in this order, then hours or `off`. A probable slip is
//! refused, with its place and its mend. An interval past midnight must say so (`22:00-26:00`):
//! one that ends before it starts is far more often a slip, and the slip would call people at
//! night.
//!
//! The parser is our own. `opening-hours-syntax` reads more of the syntax than is safe here
//! (`21:00-09:00`, rules that replace one another), and its tree has no places to point at. The
//! tests hold ours against it, and our clocks against `tz-rs`.

mod dates;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::str::FromStr;

use self::dates::{is_of_dates, is_year, read_dates, years};
use super::slips::{self, Meant};
use super::timetable::{DAY, Hours, Rule, Timetable};

pub(super) const WEEKDAYS: [&str; 7] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];
pub(super) const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

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

/// The text, so that a fault in a part of it can be placed.
#[derive(Clone, Copy)]
struct Text<'t>(&'t str);

impl<'t> Text<'t> {
    /// Makes an error about `part`, which is a slice of the text.
    fn fault(self, part: &str, message: impl Into<String>, hint: impl Into<String>) -> HoursError {
        let start = (part.as_ptr() as usize).saturating_sub(self.0.as_ptr() as usize).min(self.0.len());
        HoursError { at: start..(start + part.len()).min(self.0.len()), message: message.into(), hint: hint.into() }
    }

    /// Returns the text from the beginning of one part to the end of another.
    fn between(self, first: &str, last: &str) -> &'t str {
        let place = |part: &str| (part.as_ptr() as usize).saturating_sub(self.0.as_ptr() as usize);
        self.0.get(place(first)..place(last) + last.len()).unwrap_or(self.0)
    }
}

impl FromStr for Timetable {
    type Err = HoursError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let table = Self::read(text).map_err(|error| suggested(text, error))?;
        let texts: Vec<&str> = rules_of(text).collect();
        for (place, rule) in table.rules.iter().enumerate().take(texts.len()) {
            // Both halves of a day written as two rules, or an exception that stands first: the
            // later rule would silently win.
            if let Some(later) = table.rules[place + 1..].iter().position(|later| later.undoes(rule)) {
                let message = format!("`{}` takes back `{}`", texts[place + 1 + later], texts[place]);
                let hint =
                    "write exceptions last, and several intervals of a day with a comma: Mo-Fr 09:00-12:00,14:00-18:00";
                return Err(Text(text).fault(texts[place], message, hint));
            }
        }
        Ok(table)
    }
}

/// An error about a rule that was probably meant otherwise says how it would be read.
fn suggested(text: &str, error: HoursError) -> HoursError {
    let Some(rule) = text.split(';').find(|rule| {
        let start = (rule.as_ptr() as usize).saturating_sub(text.as_ptr() as usize);
        (start..=start + rule.len()).contains(&error.at.start)
    }) else {
        return error;
    };
    let Some(Meant { rule: meant, besides }) = slips::meant(rule) else { return error };
    // What would be refused again is no help.
    let whole = text.replacen(rule, &format!(" {meant}"), 1);
    if whole.trim().parse::<Timetable>().is_err() {
        return error;
    }
    let besides = besides.map(|besides| format!(" {besides}")).unwrap_or_default();
    let hint = format!("did you mean {meant}?{besides}");
    // A number that was read as a date or a year was probably none.
    if error.message.ends_with("is not a date") || error.message.ends_with("is not a year") {
        let message = format!("`{}` is not written as hours are", rule.trim());
        return Text(text).fault(rule.trim(), message, hint);
    }
    HoursError { hint, ..error }
}

fn rules_of(text: &str) -> impl Iterator<Item = &str> {
    text.split(';').map(str::trim).filter(|rule| !rule.is_empty())
}

impl Timetable {
    /// Reads rules one by one, whatever they are to each other.
    pub(super) fn read(text: &str) -> Result<Self, HoursError> {
        let source = Text(text);
        if text.trim() == "24/7" {
            return Ok(Self::always());
        }
        let rules: Vec<Rule> = rules_of(text).map(|rule| read_rule(source, rule)).collect::<Result<_, _>>()?;
        if rules.is_empty() {
            return Err(source.fault(text, "no hours are given", "write 09:00-21:00, or 24/7"));
        }
        Ok(Self { rules, text: text.trim().to_owned() })
    }
}

impl TryFrom<String> for Timetable {
    type Error = HoursError;

    /// Reads stored hours: a timetable that an earlier version took is not refused as a likely
    /// slip.
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::read(&text)
    }
}

fn read_rule(text: Text<'_>, rule: &str) -> Result<Rule, HoursError> {
    let mut read = Rule::daily(Vec::new());
    let words: Vec<&str> = rule.split_whitespace().collect();
    let mut place = 0;
    if let Some(word) = words.first().filter(|word| is_year(word)) {
        read.years = years(text, word)?;
        place = 1;
    }
    let dates = words[place..].iter().take_while(|word| is_of_dates(word)).count();
    if dates > 0 {
        let part = text.between(words[place], words[place + dates - 1]);
        read.dates = read_dates(text, part)?;
        place += dates;
    }
    if let Some(word) = words.get(place).filter(|word| word.starts_with(|c: char| c.is_alphabetic()) && !is_off(word)) {
        read.weekdays = weekdays(text, word)?;
        place += 1;
    }
    match &words[place..] {
        [] => return Err(text.fault(rule, "the hours are missing", "write Mo-Fr 09:00-21:00, or Su off")),
        [word] if is_off(word) => {}
        ["24/7" | "00:00-24:00"] => read.hours = std::iter::once(0..DAY).collect(),
        [first, .., last] => read.hours = read_hours(text, text.between(first, last))?,
        [only] => read.hours = read_hours(text, only)?,
    }
    Ok(read)
}

fn is_off(word: &str) -> bool {
    matches!(word, "off" | "closed")
}

fn weekdays(text: Text<'_>, selector: &str) -> Result<[bool; 7], HoursError> {
    let day = |name: &str| {
        WEEKDAYS.iter().position(|day| *day == name).ok_or_else(|| match name {
            "PH" | "SH" => text.fault(
                name_in(selector, name),
                format!("`{name}` is not read here"),
                "name the country in holidays = \"IN\": its public holidays are closed",
            ),
            _ => text.fault(
                name_in(selector, name),
                format!("`{name}` is not a weekday"),
                format!("write {}; months are {}", WEEKDAYS.join(", "), MONTHS.join(", ")),
            ),
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

/// Returns the occurrence of `name` in `selector`, so that an error can point at it.
fn name_in<'t>(selector: &'t str, name: &str) -> &'t str {
    selector.find(name).map_or(selector, |at| &selector[at..at + name.len()])
}

fn read_hours(text: Text<'_>, hours: &str) -> Result<Vec<Hours>, HoursError> {
    let mut read: Vec<Hours> = Vec::new();
    for part in hours.split(',') {
        let part = part.trim();
        if let Some(word) = part.split_whitespace().find(|word| word.starts_with(char::is_alphabetic)) {
            let hint = "separate rules with a semicolon: Mo-Fr 09:00-17:00; Sa 10:00-12:00";
            return Err(text.fault(word, format!("`{word}` stands among hours"), hint));
        }
        let (start, end) = part
            .split_once('-')
            .ok_or_else(|| text.fault(part, format!("`{part}` is not an interval"), "write 09:00-21:00"))?;
        let (from, to) = (read_time(text, start.trim())?, read_time(text, end.trim())?);
        if from >= DAY {
            return Err(text.fault(start, format!("`{start}` is not a time of day"), "start before 24:00"));
        }
        if to <= from {
            let past = format!("{:02}:{:02}", to / 3600 + 24, to / 60 % 60);
            let hint = format!("an interval past midnight is written {}-{past}", start.trim());
            return Err(text.fault(part, format!("`{part}` ends before it starts"), hint));
        }
        if to - from > DAY {
            let message = format!("`{part}` is longer than a day");
            return Err(text.fault(part, message, "write 24/7 for every hour"));
        }
        if let Some(other) = read.iter().find(|other| other.start < to && from < other.end) {
            let shown = |at: i64| format!("{:02}:{:02}", at / 3600, at / 60 % 60);
            let message = format!("`{part}` overlaps {}-{}", shown(other.start), shown(other.end));
            return Err(text.fault(part, message, "write each hour once"));
        }
        read.push(from..to);
    }
    read.sort_unstable_by_key(|range| range.start);
    Ok(read)
}

fn read_time(text: Text<'_>, time: &str) -> Result<i64, HoursError> {
    let wrong = || text.fault(time, format!("`{time}` is not a time"), "write it as 09:00");
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
