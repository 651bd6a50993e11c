//! The days of a rule: years, months, dates.

use std::ops::RangeInclusive;

use super::{HoursError, MONTHS, Text};
use crate::window::timetable::Dates;

/// Of the months; a leap year's February.
const LENGTHS: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

pub(super) fn is_year(word: &str) -> bool {
    word.len() >= 4 && word.bytes().take(4).all(|byte| byte.is_ascii_digit())
}

/// Tells whether a word is a month's name, or the day after one: `Dec`, `24`, `24-Jan`, `26`.
pub(super) fn is_of_dates(word: &str) -> bool {
    let month = |part: &str| MONTHS.iter().any(|month| part.starts_with(month));
    let day = |part: &str| !part.is_empty() && part.len() <= 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    !word.contains(':') && word.split(['-', ',']).filter(|part| !part.is_empty()).all(|part| month(part) || day(part))
}

pub(super) fn years(text: Text<'_>, word: &str) -> Result<Vec<RangeInclusive<i32>>, HoursError> {
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

pub(super) fn read_dates(text: Text<'_>, part: &str) -> Result<Vec<Dates>, HoursError> {
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
