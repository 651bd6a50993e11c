//! What people mean who write hours in another way than OpenStreetMap: `9-21`, `9am - 9pm`,
//! `mon-fri 9:00-18:00`, `09:00-13:00 14:00-18:00`, `2026-12-25 off`.
//!
//! Nothing here is taken for hours: a reader of a slip is told the form that would be read, and
//! only if it can be.

use std::fmt::Write;

use super::reading::{MONTHS, WEEKDAYS};
use crate::english;

/// A slip, written as it was probably meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Meant {
    /// The rule or rules.
    pub(super) rule: String,
    /// What does not belong there, and where it does.
    pub(super) besides: Option<&'static str>,
}

/// One word of a rule, by its meaning.
enum Word {
    /// `2026`, `Dec`, `25`: as they stand in a rule.
    Date(String),
    Days(String),
    Hours(String),
    Off,
    Zone,
    /// It says nothing: `daily`, `from`.
    Filler,
}

/// Writes a rule that cannot be read as it was probably meant, if that can be told.
pub(super) fn meant(rule: &str) -> Option<Meant> {
    let mut rules: Vec<(String, String, String)> = vec![Default::default()];
    let mut besides = None;
    for word in words(rule) {
        let last = rules.last_mut()?;
        match classify(&word)? {
            Word::Date(date) => {
                join(&mut last.0, &date, " ");
                besides = date.contains(' ').then_some("A single day may also stand in calling.closed.").or(besides);
            }
            // Days after hours begin another rule, unless they are the first.
            Word::Days(days) if last.1.is_empty() => last.1 = days,
            Word::Days(days) => rules.push((String::new(), days, String::new())),
            Word::Hours(hours) => join(&mut last.2, &hours, ","),
            Word::Off => "off".clone_into(&mut last.2),
            Word::Zone => besides = Some("The zone belongs in timezone = \"Asia/Kolkata\"."),
            Word::Filler => {}
        }
    }
    let mut written = String::new();
    for (dates, days, hours) in rules {
        let parts: Vec<&str> =
            [&dates, &days, &hours].into_iter().map(String::as_str).filter(|part| !part.is_empty()).collect();
        join(&mut written, &parts.join(" "), "; ");
    }
    (written != rule.trim()).then_some(Meant { rule: written, besides })
}

fn join(text: &mut String, more: &str, between: &str) {
    if !text.is_empty() {
        text.push_str(between);
    }
    text.push_str(more);
}

/// Splits a rule, with what belongs together in one word: `9 am - 9 pm` is one.
fn words(rule: &str) -> Vec<String> {
    let text = rule.to_lowercase().replace(['\u{2013}', '\u{2014}', '\u{2212}'], "-").replace(" to ", "-");
    let mut text = text.replace(" am", "am").replace(" pm", "pm");
    for sign in ["-", ","] {
        while let Some(at) = text.find(&format!(" {sign}")).or_else(|| text.find(&format!("{sign} ")).map(|at| at + 1))
        {
            text.remove(at);
        }
    }
    // A comma before a name of a day ends a rule.
    let mut split = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find(',') {
        let (before, after) = rest.split_at(at);
        split.push_str(before);
        let is_day = after[1..].split([' ', '-', ',']).next().is_some_and(|name| weekday(name).is_some());
        let after_hours = before.ends_with(|c: char| c.is_ascii_digit() || c == 'm');
        split.push(if is_day && after_hours { ' ' } else { ',' });
        rest = &after[1..];
    }
    split.push_str(rest);
    split.split_whitespace().map(str::to_owned).collect()
}

fn classify(word: &str) -> Option<Word> {
    if matches!(word, "off" | "closed" | "none") {
        return Some(Word::Off);
    }
    if matches!(word, "daily" | "everyday" | "every" | "day" | "from" | "hrs" | "hours") {
        return Some(Word::Filler);
    }
    if let Some(date) = iso_date(word) {
        return Some(Word::Date(date));
    }
    match word {
        "weekdays" | "weekday" => return Some(Word::Days("Mo-Fr".to_owned())),
        "weekends" | "weekend" => return Some(Word::Days("Sa-Su".to_owned())),
        _ => {}
    }
    if let Some(days) = each(word, weekday) {
        return Some(Word::Days(days));
    }
    if let Some(hours) = hours(word) {
        return Some(Word::Hours(hours));
    }
    if let Some(month) = each(word, month) {
        return Some(Word::Date(month));
    }
    let is_number = |part: &str| (1..=4).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
    if word.split(['-', ',']).all(is_number) {
        return Some(Word::Date(word.to_owned()));
    }
    // Public and school holidays are named elsewhere.
    if matches!(word, "ph" | "sh") {
        return None;
    }
    let is_zone =
        word.contains('/') || ((2..=5).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_lowercase()));
    is_zone.then_some(Word::Zone)
}

/// Writes every part of `a-b,c`, if each of them has a form.
fn each(word: &str, form: impl Fn(&str) -> Option<&'static str>) -> Option<String> {
    let mut written = String::new();
    for (place, range) in word.split(',').enumerate() {
        let parts: Option<Vec<&str>> = range.split('-').map(&form).collect();
        let parts = parts?;
        let comma = if place > 0 { "," } else { "" };
        write!(written, "{comma}{}", parts.join("-")).ok()?;
    }
    Some(written)
}

/// `mon`, `monday`, `tues`: at least two letters of a day's English name.
fn weekday(name: &str) -> Option<&'static str> {
    let name = name.trim_end_matches('.');
    let at = english::WEEKDAYS.iter().position(|day| name.len() >= 2 && day.starts_with(name))?;
    Some(WEEKDAYS[at])
}

/// `dec`, `december`.
fn month(name: &str) -> Option<&'static str> {
    let name = name.trim_end_matches('.');
    let at = english::MONTHS.iter().position(|month| name.len() >= 3 && month.starts_with(name))?;
    Some(MONTHS[at])
}

/// `2026-12-25`, as a rule has it.
fn iso_date(word: &str) -> Option<String> {
    let date = crate::date::parse(word)?;
    Some(format!("{} {} {:02}", date.year(), MONTHS[usize::try_from(date.month()).ok()? - 1], date.day()))
}

/// `9-21`, `9:00-21:00`, `9am-9pm`, with commas between: as a rule has them. None when an end is
/// not after its beginning: then nobody can tell what was meant.
fn hours(word: &str) -> Option<String> {
    let mut written = String::new();
    for (place, range) in word.split(',').enumerate() {
        let (from, to) = range.split_once('-')?;
        let (from, to) = (minutes(from)?, minutes(to)?);
        if to <= from {
            return None;
        }
        let comma = if place > 0 { "," } else { "" };
        write!(written, "{comma}{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60).ok()?;
    }
    Some(written)
}

/// Minutes after midnight: `9`, `09`, `9:30`, `9.30`, `0930`, `9am`, `12pm`.
fn minutes(time: &str) -> Option<u32> {
    let (time, half) = match (time.strip_suffix("am"), time.strip_suffix("pm")) {
        (Some(time), _) => (time, Some(0)),
        (_, Some(time)) => (time, Some(12)),
        _ => (time, None),
    };
    let (hour, minute) = match time.split_once([':', '.']) {
        Some((hour, minute)) if minute.len() == 2 => (hour, minute),
        Some(_) => return None,
        None if time.len() == 4 && time.is_ascii() => time.split_at(2),
        None => (time, "00"),
    };
    let number =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<u32>().ok()).flatten();
    let (hour, minute) = (number(hour)?, number(minute)?);
    let hour = match half {
        Some(half) if (1..=12).contains(&hour) => hour % 12 + half,
        Some(_) => return None,
        None => hour,
    };
    (hour < 48 && minute < 60).then(|| hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_text_is_read_or_left_alone(rule in any::<String>(), hours in "[0-9apmé時€. :-]{0,12}") {
            meant(&rule);
            meant(&hours);
        }
    }

    #[test]
    fn hours_of_many_digits_are_no_hours() {
        assert_eq!(meant("Mo-Fr 09:00-211111111:00"), None);
    }

    #[test]
    fn marks_alone_are_no_names() {
        for rule in ["9時-21時", "a€-b", "..", "... 09:00-18:00"] {
            assert_eq!(meant(rule), None, "{rule}");
        }
    }
}
