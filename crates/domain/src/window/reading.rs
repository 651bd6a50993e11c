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

use std::ops::{Range, RangeInclusive};
use std::str::FromStr;

use super::slips::{self, Meant};
use super::timetable::{DAY, Dates, Hours, Rule, Timetable};

pub(super) const WEEKDAYS: [&str; 7] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];
pub(super) const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const LENGTHS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

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
            return Ok(Self { text: text.trim().to_owned(), ..Self::always() });
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

fn is_year(word: &str) -> bool {
    word.len() >= 4 && word.bytes().take(4).all(|byte| byte.is_ascii_digit())
}

/// Tells whether a word is a month's name, or the day after one: `Dec`, `24`, `24-Jan`, `26`.
fn is_of_dates(word: &str) -> bool {
    let month = |part: &str| MONTHS.iter().any(|month| part.starts_with(month));
    let day = |part: &str| !part.is_empty() && part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    !word.contains(':') && word.split(['-', ',']).filter(|part| !part.is_empty()).all(|part| month(part) || day(part))
}

fn years(text: Text<'_>, word: &str) -> Result<Vec<RangeInclusive<i32>>, HoursError> {
    word.split(',')
        .map(|part| {
            let year = |name: &str| match name.parse::<i32>() {
                Ok(year) if name.len() == 4 && (1900..=2200).contains(&year) => Ok(year),
                _ => Err(text.fault(name, format!("`{name}` is not a year"), "write 2026, or 2026-2027")),
            };
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (year(first)?, year(last)?);
            if last < first {
                let message = format!("`{part}` ends before it starts");
                return Err(text.fault(part, message, format!("write {last}-{first}")));
            }
            Ok(first..=last)
        })
        .collect()
}

fn read_dates(text: Text<'_>, part: &str) -> Result<Vec<Dates>, HoursError> {
    let mut all = Vec::new();
    let mut month = None;
    for range in part.split(',').map(str::trim) {
        let (first, last) = match range.split_once('-') {
            Some((first, last)) => (first.trim(), Some(last.trim())),
            None => (range, None),
        };
        let (first_month, first_day) = date(text, first, month)?;
        let (last_month, last_day) = match last {
            Some(last) => {
                let end = date(text, last, first_day.map(|_| first_month))?;
                let shorthand = last.bytes().all(|byte| byte.is_ascii_digit());
                if shorthand && end.1 < first_day {
                    let message = format!("`{range}` ends before it starts");
                    return Err(text.fault(range, message, "name the month of its end: Dec 24-Jan 02"));
                }
                end
            }
            None => (first_month, first_day),
        };
        if first_day.is_some() != last_day.is_some() {
            let message = format!("`{range}` goes from a date to a month");
            return Err(text.fault(range, message, "write both ends alike: Dec 24-Jan 02, or Jun-Aug"));
        }
        // `Dec,24` would be all of December.
        let mixed = all.last().is_some_and(|before: &Dates| {
            !range.starts_with(char::is_alphabetic)
                && before.first.1 == 1
                && before.last.1 == LENGTHS[before.last.0 as usize - 1]
        });
        if mixed {
            let message = format!("`{range}` follows a whole month");
            return Err(text.fault(range, message, "write dates as Dec 24,26, months as Jun,Aug"));
        }
        month = Some(last_month);
        let ends = |month: usize| LENGTHS[month - 1];
        all.push(Dates {
            first: (first_month as u32, first_day.unwrap_or(1)),
            last: (last_month as u32, last_day.unwrap_or(ends(last_month))),
        });
    }
    Ok(all)
}

/// Reads `Dec`, `Dec 24`, or `24` of the month before; months count from 1.
fn date(text: Text<'_>, part: &str, before: Option<usize>) -> Result<(usize, Option<u32>), HoursError> {
    let wrong = |part: &str| {
        let hint = format!("write a month as {}, a date as Dec 24", MONTHS.join(", "));
        text.fault(part, format!("`{part}` is not a date"), hint)
    };
    let mut words = part.split_whitespace();
    let first = words.next().ok_or_else(|| wrong(part))?;
    let named = MONTHS.iter().position(|month| *month == first).map(|at| at + 1);
    let (month, day) = match (named, before) {
        (Some(month), _) => (month, words.next()),
        (None, Some(month)) if first.bytes().all(|byte| byte.is_ascii_digit()) => (month, Some(first)),
        _ => return Err(wrong(first)),
    };
    if let Some(more) = words.next() {
        return Err(wrong(more));
    }
    let day = day.map(|day| match day.parse::<u32>() {
        Ok(number) if (1..=LENGTHS[month - 1]).contains(&number) => Ok(number),
        Ok(_) => {
            let message = format!("{} has no day {day}", MONTHS[month - 1]);
            Err(text.fault(day, message, format!("write 1 to {}", LENGTHS[month - 1])))
        }
        Err(_) => Err(wrong(day)),
    });
    Ok((month, day.transpose()?))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_refused_where_they_stand() {
        for (text, at, hint) in [
            ("10:00-09:00", "10:00-09:00", "10:00-33:00"),
            ("Mo-Fr 22:00-02:00", "22:00-02:00", "22:00-26:00"),
            ("Mo-Fx 09:00-21:00", "Fx", "Mo, Tu"),
            ("Mo-Fr 9:00-21:00", "9:00", "did you mean Mo-Fr 09:00-21:00?"),
            ("09:00-21:60", "21:60", "09:00"),
            ("Mo-Fr", "Mo-Fr", "Mo-Fr 09:00"),
            ("09:00", "09:00", "09:00-21:00"),
            ("09:00-12:00,11:00-14:00", "11:00-14:00", "once"),
            ("", "", "24/7"),
            ("Dez 24 off", "Dez", "Dec"),
            ("Dec 32 off", "32", "1 to 31"),
            ("Feb 30 off", "30", "1 to 29"),
            ("Dec 24-Jan off", "Dec 24-Jan", "both ends alike"),
            ("2027-2026 Dec 24 off", "2027-2026", "2026-2027"),
            ("PH off", "PH", "holidays"),
            ("Mo-Fr 09:00-12:00 14:00-18:00", "12:00 14:00-18:00", "Mo-Fr 09:00-12:00,14:00-18:00"),
            ("9-21", "9-21", "did you mean 09:00-21:00?"),
            ("Mo-Sa 09:00-21:00 IST", "IST", "did you mean Mo-Sa 09:00-21:00? The zone belongs in timezone"),
            ("09:00-18:00; 2026-12-25 off", "2026-12-25 off", "did you mean 2026 Dec 25 off?"),
            ("9am - 9 pm", "pm", "did you mean 09:00-21:00?"),
            ("monday to friday 9:30-18", "monday", "did you mean Mo-Fr 09:30-18:00?"),
            ("weekdays 0900-1800", "weekdays", "did you mean Mo-Fr 09:00-18:00?"),
            ("December 25 off", "December 25 off", "did you mean Dec 25 off?"),
            ("9pm-9am", "9pm", "09:00"),
            ("Mo-Fr 09:00-18:00, Sa 10:00-12:00", "Sa", "did you mean Mo-Fr 09:00-18:00; Sa 10:00-12:00?"),
            ("Mo-Fr 09:00-17:00 Sa 10:00-12:00", "Sa", "did you mean Mo-Fr 09:00-17:00; Sa 10:00-12:00?"),
            (";", ";", "24/7"),
            ("Mo-Fr 09:00-12:00; Mo-Fr 14:00-18:00", "Mo-Fr 09:00-12:00", "with a comma"),
            ("Su off; 09:00-21:00", "Su off", "exceptions last"),
            ("mo-fr 09:00-21:00", "mo", "did you mean Mo-Fr 09:00-21:00?"),
            ("Mo-Fr 09:00–21:00", "09:00–21:00", "09:00-21:00"),
            ("24:00-26:00", "24:00", "before 24:00"),
            ("Dec 25 off; Mo-Fr 09:00-18:00", "Dec 25 off", "exceptions last"),
            ("Dec 24-26 off; Mo-Fr 09:00-18:00; Sa 10:00-14:00", "Dec 24-26 off", "exceptions last"),
            ("Sa-Su 10:00-14:00; Mo-Sa 09:00-21:00", "Sa-Su 10:00-14:00", "exceptions last"),
            ("09:00-21:00; Dec 24 off; Dec 10:00-12:00", "Dec 24 off", "exceptions last"),
            ("2026 Dec 24 off; Dec 10:00-12:00", "2026 Dec 24 off", "exceptions last"),
            ("Dec 24-2 off", "Dec 24-2", "month of its end"),
            ("Dec,24 off", "24", "Dec 24,26"),
        ] {
            let error = text.parse::<Timetable>().expect_err(text);
            assert_eq!(&text[error.at.clone()], at, "{text}: {error}");
            assert!(error.hint.contains(hint), "{text}: {}", error.hint);
        }
    }

    #[test]
    fn what_an_earlier_version_stored_is_read_all_the_same() {
        for text in ["Mo-Fr 09:00-12:00; Mo-Fr 14:00-18:00", "Su off; 09:00-21:00"] {
            assert!(text.parse::<Timetable>().is_err(), "{text}");
            let stored: Timetable =
                serde_json::from_value(text.into()).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(stored.to_string(), text);
        }
    }

    #[test]
    fn what_is_read_is_written_alike() {
        for text in [
            "24/7",
            "09:00-21:00",
            "Mo-Sa 09:00-13:00,14:00-21:00; Su off",
            "Fr-Mo 22:00-26:00",
            "Jun-Aug Mo-Fr 10:00-18:00",
            "24/7; Dec 24-26 off; 2027 Jan 01 off",
            "09:00-21:00; Oct-Mar Sa 10:00-14:00; 2026-2027 Dec 24-Jan 02,Aug 15 off",
            "Mo closed",
            "Mo-Fr 09:00-17:00; Fr-Sa 10:00-14:00",
            "Sa-Su off; Mo-Fr 09:00-17:00; Sa 10:00-12:00",
            "Mo-Fr 09:00-17:00; Jun-Aug 10:00-14:00; Dec 24-26,31 off",
            "Su off; Dec Su 10:00-14:00",
        ] {
            let table: Timetable = text.parse().unwrap_or_else(|error| panic!("{text}: {error:?}"));
            assert_eq!(table.to_string(), text);
        }
    }
}
