//! When a callee asked to be called back, in the words in which an agent wrote it down: `Tomorrow 11am`.
//!
//! The grammar is small and strict. What it does not know for certain it does not guess: "at 5" is five in the morning or in the evening,
//! and 04/05 is April or May. Then the campaign's default delay is used, and shown.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, Weekday};
use serde::{Deserialize, Serialize};

use crate::condition::Condition;
use crate::{Moment, Span, Zone, ZoneSet};

/// The `[callback]` of a campaign.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// The output that holds the time.
    pub from: String,
    /// What the outputs must say for it to count; without, whatever is understood as a time counts.
    pub when: Option<Condition>,
    /// The delay when the time is missing or not understood.
    pub otherwise: Span,
}

/// A callback that somebody asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// In which words.
    pub words: String,
    /// The earliest moment of the call.
    pub at: Moment,
    /// Whether the words were understood.
    pub understood: bool,
}

impl Callback {
    /// What the outputs of a call that was over at `ended` ask for, by someone who may be in `zones`. In several zones the latest reading
    /// counts: nobody is called before they asked to be.
    pub fn asked(
        &self,
        outputs: &std::collections::BTreeMap<String, serde_json::Value>,
        ended: Moment,
        zones: &ZoneSet,
    ) -> Option<Asked> {
        let words = outputs.get(&self.from).map(crate::condition::text).unwrap_or_default().trim().to_owned();
        if self.when.as_ref().is_some_and(|when| !when.holds(outputs)) {
            return None;
        }
        let readings: Option<Vec<Moment>> = zones.zones().iter().map(|zone| read(&words, ended, *zone)).collect();
        let at = readings.and_then(|readings| readings.into_iter().max());
        // Agents fill what nobody asked for with "none" and "N/A": only a condition makes words that are not understood a wish.
        if self.when.is_none() && at.is_none() {
            return None;
        }
        Some(Asked { words, at: at.unwrap_or(ended + self.otherwise), understood: at.is_some() })
    }
}

/// Nobody is called back later than this; such a time is taken to be misheard.
const LATEST: Span = Span::from_days(60);

/// The moment that words mean when they are said at `now` on the clocks of `zone`. None when they mean none for certain, one that is
/// past, or one that is further off than 60 days.
pub fn read(words: &str, now: Moment, zone: Zone) -> Option<Moment> {
    let words = words.trim();
    let exact = chrono::DateTime::parse_from_rfc3339(words).ok().map(Moment::from_offset);
    let at = match exact {
        Some(at) => at,
        None => read_words(&tokens(words)?, now, zone)?,
    };
    (at > now && at <= now + LATEST).then_some(at)
}

/// Lower-case words, numbers and signs; none when there is a sign that the grammar does not have.
fn tokens(text: &str) -> Option<Vec<String>> {
    let mut tokens: Vec<String> = Vec::new();
    let mut last = ' ';
    for c in text.to_lowercase().chars() {
        let joins =
            (c.is_ascii_digit() && last.is_ascii_digit()) || (c.is_ascii_alphabetic() && last.is_ascii_alphabetic());
        match c {
            ' ' | ',' | '\u{a0}' => {}
            'a'..='z' | '0'..='9' if joins => tokens.last_mut()?.push(c),
            'a'..='z' | '0'..='9' | ':' | '.' | '-' => tokens.push(c.to_string()),
            _ => return None,
        }
        last = c;
    }
    // A full stop at the end of a sentence; the points of `a.m.`.
    while tokens.last().is_some_and(|token| token == ".") {
        tokens.pop();
    }
    // `25th of November` is `25 November`.
    let ordinal = |place: usize, tokens: &[String]| {
        let after_number = place > 0 && tokens[place - 1].bytes().all(|b| b.is_ascii_digit());
        matches!(tokens[place].as_str(), "st" | "nd" | "rd" | "th") && after_number
    };
    let kept = (0..tokens.len()).filter(|place| !ordinal(*place, &tokens) && tokens[*place] != "of");
    Some(kept.map(|place| tokens[place].clone()).collect())
}

/// A time of day, or a day: each may stand once, in either order.
#[derive(Default)]
struct Read {
    day: Option<NaiveDate>,
    time: Option<NaiveTime>,
}

fn read_words(tokens: &[String], now: Moment, zone: Zone) -> Option<Moment> {
    let words: Vec<&str> = tokens.iter().map(String::as_str).collect();
    if let Some(delay) = delay(&words) {
        return Some(now + delay);
    }
    let here = now.local(zone).naive_local();
    let mut read = Read::default();
    let mut rest = words.as_slice();
    while !rest.is_empty() {
        rest = match rest {
            ["at" | "on" | "around" | "about" | "the" | "in" | "t", more @ ..] if !more.is_empty() => more,
            _ => {
                if let Some((day, more)) = day(rest, here.date()).filter(|_| read.day.is_none()) {
                    read.day = Some(day);
                    more
                } else {
                    let (time, more) = time(rest).filter(|_| read.time.is_none())?;
                    read.time = Some(time);
                    more
                }
            }
        };
    }
    match (read.day, read.time) {
        // Nobody who names a day means its night.
        (Some(day), None) => Some(zone.first_at_or_after(day.and_hms_opt(9, 0, 0)?)),
        (Some(day), Some(time)) => Some(zone.first_at_or_after(day.and_time(time))),
        (None, Some(time)) => {
            let today = zone.first_at_or_after(here.date().and_time(time));
            let next = || Some(zone.first_at_or_after(NaiveDateTime::new(here.date().succ_opt()?, time)));
            if today > now { Some(today) } else { next() }
        }
        (None, None) => None,
    }
}

/// `in 30 minutes`, `after 2 hours`, `an hour later`.
fn delay(words: &[&str]) -> Option<Span> {
    let (["in" | "after", words @ ..] | [words @ .., "later"] | [words @ .., "from", "now"]) = words else {
        return None;
    };
    if words == ["half", "an", "hour"] {
        return Some(Span::from_minutes(30));
    }
    let [count, unit] = words else { return None };
    let count: i64 = match *count {
        "a" | "an" | "one" => 1,
        "two" => 2,
        "three" => 3,
        digits => digits.parse().ok().filter(|count| *count > 0 && *count <= 1000)?,
    };
    match *unit {
        "minute" | "minutes" | "min" | "mins" => Some(Span::from_minutes(count)),
        "hour" | "hours" | "hr" | "hrs" => Some(Span::from_hours(count)),
        "day" | "days" => Some(Span::from_days(count)),
        "week" | "weeks" => Some(Span::from_days(7 * count)),
        _ => None,
    }
}

/// A day at the beginning of the words, and what follows it.
fn day<'w, 't>(words: &'w [&'t str], today: NaiveDate) -> Option<(NaiveDate, &'w [&'t str])> {
    let ahead = |days: u64| today.checked_add_days(Days::new(days));
    match words {
        ["today", rest @ ..] => Some((today, rest)),
        ["day", "after", "tomorrow", rest @ ..] => Some((ahead(2)?, rest)),
        ["tomorrow" | "tmrw" | "tomorow", rest @ ..] => Some((ahead(1)?, rest)),
        [year, "-", month, "-", day, rest @ ..] if year.len() == 4 => {
            let date = NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
            Some((date, rest))
        }
        ["next", name, rest @ ..] | [name, rest @ ..] if weekday(name).is_some() => {
            let wanted = weekday(name)?;
            let days = (wanted.num_days_from_monday() + 7 - today.weekday().num_days_from_monday()) % 7;
            // "Monday" on a Monday is not today.
            let days = if days == 0 { 7 } else { days };
            // "Next Friday" on a Monday is this week's to some and the week after's to others.
            let in_this_week = days + today.weekday().num_days_from_monday() < 7;
            if words[0] == "next" && in_this_week {
                return None;
            }
            Some((ahead(u64::from(days))?, rest))
        }
        [number, name, rest @ ..] | [name, number, rest @ ..] if month(name).is_some() => {
            dated(number, month(name)?, rest, today)
        }
        _ => None,
    }
}

/// The next such date from today on, or that of the year that follows.
fn dated<'w, 't>(
    number: &str,
    month: u32,
    rest: &'w [&'t str],
    today: NaiveDate,
) -> Option<(NaiveDate, &'w [&'t str])> {
    let number: u32 = number.parse().ok()?;
    if let [year, rest @ ..] = rest
        && year.len() == 4
        && let Ok(year) = year.parse()
    {
        return Some((NaiveDate::from_ymd_opt(year, month, number)?, rest));
    }
    let this_year = NaiveDate::from_ymd_opt(today.year(), month, number);
    let date =
        this_year.filter(|date| *date >= today).or_else(|| NaiveDate::from_ymd_opt(today.year() + 1, month, number))?;
    Some((date, rest))
}

fn weekday(name: &str) -> Option<Weekday> {
    (name.len() >= 3).then(|| name.parse().ok()).flatten()
}

fn month(name: &str) -> Option<u32> {
    (name.len() >= 3).then(|| name.parse::<chrono::Month>().ok()).flatten().map(|month| month.number_from_month())
}

/// A time of day at the beginning of the words, and what follows it. Hours without minutes need `am` or `pm`, and so does `5:30`, which
/// is either; `17:30`, `05:30`, and `10:30`, which at night would be outside every window, do not. `10.12` alone is a date as well.
fn time<'w, 't>(words: &'w [&'t str]) -> Option<(NaiveTime, &'w [&'t str])> {
    let half = |words: &'w [&'t str]| match words {
        ["am", rest @ ..] => Some((0, rest)),
        ["pm", rest @ ..] => Some((12, rest)),
        [half @ ("a" | "p"), ".", "m", ".", rest @ ..] | [half @ ("a" | "p"), ".", "m", rest @ ..] => {
            Some((if *half == "a" { 0 } else { 12 }, rest))
        }
        _ => None,
    };
    let number = |text: &str| text.parse::<u32>().ok();
    match words {
        ["noon" | "midday", rest @ ..] => Some((NaiveTime::from_hms_opt(12, 0, 0)?, rest)),
        ["morning", rest @ ..] => Some((NaiveTime::from_hms_opt(10, 0, 0)?, rest)),
        ["afternoon", rest @ ..] => Some((NaiveTime::from_hms_opt(14, 0, 0)?, rest)),
        ["evening", rest @ ..] => Some((NaiveTime::from_hms_opt(18, 0, 0)?, rest)),
        [written, sign @ (":" | "."), minute, rest @ ..] if minute.len() == 2 => {
            let (hour, minute) = (number(written)?, number(minute)?);
            let Some((half, rest)) = half(rest) else {
                let certain = hour == 0 || hour >= 10 || written.starts_with('0');
                if *sign == "." || !certain {
                    return None;
                }
                // Seconds, as machines write them.
                let rest = if let [":", seconds, more @ ..] = rest { number(seconds).map(|_| more)? } else { rest };
                return Some((NaiveTime::from_hms_opt(hour, minute, 0)?, rest));
            };
            let hour = (1..=12).contains(&hour).then_some(hour % 12 + half)?;
            Some((NaiveTime::from_hms_opt(hour, minute, 0)?, rest))
        }
        [hour, rest @ ..] => {
            let (half, rest) = half(rest)?;
            let hour = number(hour).filter(|hour| (1..=12).contains(hour))?;
            Some((NaiveTime::from_hms_opt(hour % 12 + half, 0, 0)?, rest))
        }
        [] => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Friday, 15:00 in Kolkata.
    fn said(words: &str) -> Option<String> {
        let now: Moment = "2026-11-20T09:30:00Z".parse().expect("a moment");
        let zone: Zone = "Asia/Kolkata".parse().expect("a zone");
        read(words, now, zone).map(|at| at.local(zone).format("%a %d %b %H:%M").to_string())
    }

    #[test]
    fn what_people_say_is_understood() {
        for (words, means) in [
            ("Tomorrow 11am", "Sat 21 Nov 11:00"),
            ("tomorrow at 11 AM", "Sat 21 Nov 11:00"),
            ("11:30 am tomorrow", "Sat 21 Nov 11:30"),
            ("Tomorrow, 11.30 a.m.", "Sat 21 Nov 11:30"),
            ("tomorrow at 12 pm", "Sat 21 Nov 12:00"),
            ("tomorrow 12:15 am", "Sat 21 Nov 00:15"),
            ("today 18:45", "Fri 20 Nov 18:45"),
            ("6 pm", "Fri 20 Nov 18:00"),
            ("9am", "Sat 21 Nov 09:00"),
            ("day after tomorrow at noon", "Sun 22 Nov 12:00"),
            ("tomorrow", "Sat 21 Nov 09:00"),
            ("on monday", "Mon 23 Nov 09:00"),
            ("tomorrow morning", "Sat 21 Nov 10:00"),
            ("in the evening", "Fri 20 Nov 18:00"),
            ("Monday 10 am", "Mon 23 Nov 10:00"),
            ("next friday at 4pm", "Fri 27 Nov 16:00"),
            ("next monday 11am", "Mon 23 Nov 11:00"),
            ("tomorrow 05:30", "Sat 21 Nov 05:30"),
            ("tomorrow 10:30", "Sat 21 Nov 10:30"),
            ("25th November 5pm", "Wed 25 Nov 17:00"),
            ("Nov 25, 2026 at 17:00", "Wed 25 Nov 17:00"),
            ("5 pm on the 25th of nov", "Wed 25 Nov 17:00"),
            ("2 Jan 11am", "Sat 02 Jan 11:00"),
            ("2026-11-22", "Sun 22 Nov 09:00"),
            ("2026-11-22T11:00", "Sun 22 Nov 11:00"),
            ("2026-11-22 11:00:00", "Sun 22 Nov 11:00"),
            ("2026-11-22T11:00:00Z", "Sun 22 Nov 16:30"),
            ("2026-11-22T11:00:00+05:30", "Sun 22 Nov 11:00"),
            ("in 30 minutes", "Fri 20 Nov 15:30"),
            ("after 2 hours", "Fri 20 Nov 17:00"),
            ("half an hour later", "Fri 20 Nov 15:30"),
            ("in an hour", "Fri 20 Nov 16:00"),
            ("two days later", "Sun 22 Nov 15:00"),
        ] {
            assert_eq!(said(words).as_deref(), Some(means), "{words}");
        }
    }

    #[test]
    fn what_is_not_certain_is_not_guessed() {
        for words in [
            "",
            "later",
            "soon",
            "tomorrow at 5",
            "tomorrow 5:30",
            "on 10.12",
            "next saturday 11am",
            "by 5pm",
            "before 5pm",
            "at 11",
            "04/05 11am",
            "5/6/2026",
            "today 9am",
            "yesterday 11am",
            "2026-11-01 11:00",
            "13 pm",
            "25:00",
            "Feb 30 11am",
            "tomorrow 11am 12pm",
            "tomorrow monday 11am",
            "11am or 12pm",
            "not tomorrow",
            "in 0 minutes",
            "in 100 days",
            "कल 11am",
            "tomorrow 11am?",
        ] {
            assert_eq!(said(words), None, "{words}");
        }
    }

    #[test]
    fn in_several_zones_nobody_is_called_before_they_asked_to_be() {
        let rule = |when| Callback { from: "time".to_owned(), when, otherwise: Span::from_hours(2) };
        let wants = Condition([("wants".to_owned(), vec!["yes".to_owned()])].into());
        let now: Moment = "2026-11-20T09:30:00Z".parse().expect("a moment");
        let zones: ZoneSet = "Australia/Perth|Australia/Sydney".parse().expect("zones");
        let read = |when: Option<&Condition>, words: &str| {
            let outputs = [("time".to_owned(), words.into()), ("wants".to_owned(), "yes".into())].into();
            rule(when.cloned()).asked(&outputs, now, &zones).map(|asked| (asked.at.to_string(), asked.understood))
        };
        let asked = |words: &str| read(None, words);
        assert_eq!(asked("tomorrow 11am"), Some(("2026-11-21T03:00:00Z".to_owned(), true)), "11:00 in Perth");
        assert_eq!(read(Some(&wants), "some day"), Some(("2026-11-20T11:30:00Z".to_owned(), false)));
        assert_eq!(read(Some(&wants), ""), Some(("2026-11-20T11:30:00Z".to_owned(), false)));
        assert_eq!(asked(" "), None);
        assert_eq!(asked("N/A"), None, "nobody asked");
    }
}
