//! The grammar: a day, a time of day, or a delay; what is not certain is not read.

use jiff::civil::{Date, Weekday};

use super::names::{month, weekday};
use super::time_of_day::{Clock, Part, time, together};
use super::tokens::tokens;
use crate::{Moment, Span, Zone, date};

/// The furthest callback; a time beyond it is taken to be misheard.
pub(super) const LATEST: Span = Span::from_days(60);

/// Returns the moment of words that are said at `now` on the clocks of `zone`. None when they mean
/// no moment for certain, one that is past, or one that is further off than 60 days.
pub fn parse(words: &str, now: Moment, zone: Zone) -> Option<Moment> {
    let words = words.trim();
    let at = match words.parse::<Moment>() {
        Ok(at) => at,
        Err(_) => read_words(&tokens(words)?, now, zone)?,
    };
    (at > now && at <= now + LATEST).then_some(at)
}

/// A time of day, a part of it, or a day: each may stand once, in any order.
#[derive(Default)]
struct Read {
    day: Option<Date>,
    clock: Option<Clock>,
    part: Option<Part>,
}

fn read_words(tokens: &[String], now: Moment, zone: Zone) -> Option<Moment> {
    let words: Vec<&str> = tokens.iter().map(String::as_str).collect();
    if let Some(delay) = delay(&words) {
        return Some(now + delay);
    }
    let here = now.clock(zone);
    let mut read = Read::default();
    let mut rest = words.as_slice();
    while !rest.is_empty() {
        rest = if let Some(more) = filler(rest).or_else(|| same_clock(rest, now, zone)) {
            more
        } else if let Some(part) = Part::named(rest[0]).filter(|_| read.part.is_none()) {
            read.part = Some(part);
            &rest[1..]
        } else if let Some((day, more)) = day(rest, here.date()).filter(|_| read.day.is_none()) {
            read.day = Some(day);
            more
        } else {
            let (clock, more) = time(rest).filter(|_| read.clock.is_none())?;
            read.clock = Some(clock);
            more
        };
    }
    let has_time = read.clock.is_some() || read.part.is_some();
    let time = if has_time { Some(together(read.clock, read.part)?) } else { None };
    match (read.day, time) {
        // Nobody who names a day means its night.
        (Some(day), None) => Some(zone.first_at_or_after(day.at(9, 0, 0, 0))),
        (Some(day), Some(time)) => Some(zone.first_at_or_after(day.to_datetime(time))),
        (None, Some(time)) => {
            let today = zone.first_at_or_after(here.date().to_datetime(time));
            let next = || Some(zone.first_at_or_after(here.date().tomorrow().ok()?.to_datetime(time)));
            if today > now { Some(today) } else { next() }
        }
        (None, None) => None,
    }
}

/// Skips a word that changes nothing where it stands.
fn filler<'w, 't>(words: &'w [&'t str]) -> Option<&'w [&'t str]> {
    match words {
        // Not "after tomorrow", which is another day.
        ["after", time, ..] if time.bytes().all(|byte| byte.is_ascii_digit()) => Some(&words[1..]),
        ["please" | "again" | "back" | "sharp" | "only", rest @ ..] => Some(rest),
        [
            "at" | "on" | "around" | "about" | "the" | "in" | "t" | "call" | "callback" | "me" | "anytime" | "sometime"
            | "approximately" | "approx" | "exactly",
            rest @ ..,
        ] if !rest.is_empty() => Some(rest),
        _ => None,
    }
}

/// Skips words that name the clocks which the callee has anyway: `IST` in Kolkata, `EST` in New
/// York, `local time`.
fn same_clock<'w, 't>(words: &'w [&'t str], now: Moment, zone: Zone) -> Option<&'w [&'t str]> {
    let (letters, rest) = match words {
        ["local" | "my", "time", rest @ ..] => return Some(rest),
        ["indian" | "india", "standard", "time", rest @ ..] | ["indian" | "india", "time", rest @ ..] => ("ist", rest),
        [letters, rest @ ..] => (*letters, rest),
        [] => return None,
    };
    let shown = |at: Moment| at.local(zone).strftime("%Z").to_string().to_lowercase();
    // Who says EST in July means the clocks of New York all the same; GMT and UTC are clocks of
    // their own.
    let names = [shown(now), shown(now + Span::from_days(182))];
    let american = zone.name().starts_with("America/") || zone.name().starts_with("US/");
    let short = |name: &String| american && name.len() == 3 && format!("{}t", &name[..1]) == letters;
    let known =
        if matches!(letters, "gmt" | "utc") { letters == names[0] } else { names.iter().any(|name| name == letters) };
    (known || names.iter().any(short)).then_some(rest)
}

/// Reads a delay: `in 30 minutes`, `after 2 hours`, `an hour later`.
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

/// Reads a day at the beginning of the words. Returns it with the words that follow it.
fn day<'w, 't>(words: &'w [&'t str], today: Date) -> Option<(Date, &'w [&'t str])> {
    let ahead = |days: i64| date::ahead(today, days);
    // Weeks begin on Monday here; a callee whose weeks begin on Sunday is called a day later than
    // they may have meant.
    let of_week = |day: Weekday| i64::from(day.to_monday_zero_offset());
    let next_week = |day: Weekday| ahead(7 - of_week(today.weekday()) + of_week(day));
    match words {
        ["today" | "aaj", rest @ ..] => Some((today, rest)),
        ["day", "after", "tomorrow", rest @ ..] | ["parso" | "parson", rest @ ..] => Some((ahead(2)?, rest)),
        ["tomorrow" | "tomorow" | "tommorow" | "tommorrow" | "tmrw" | "tmr" | "kal", rest @ ..] => {
            Some((ahead(1)?, rest))
        }
        ["next", "week", name, rest @ ..]
        | ["next", "week", "on", name, rest @ ..]
        | [name, "next", "week", rest @ ..]
            if weekday(name).is_some() =>
        {
            Some((next_week(weekday(name)?)?, rest))
        }
        ["next", "week", rest @ ..] => Some((next_week(Weekday::Monday)?, rest)),
        [year, sign @ ("-" | "/" | "."), month, again, day, rest @ ..] if year.len() == 4 && sign == again => {
            let date = date::valid(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?;
            Some((date, rest))
        }
        [first, sign @ ("-" | "/" | "."), second, again, year, rest @ ..] if sign == again => {
            Some((written(first, second, year)?, rest))
        }
        ["next", name, rest @ ..] | [name, rest @ ..] if weekday(name).is_some() => {
            let wanted = weekday(name)?;
            let days = days_until(wanted, today);
            // "Next Friday" on a Monday is this week's to some and the week after's to others.
            let in_this_week = days + of_week(today.weekday()) < 7;
            if words[0] == "next" && in_this_week {
                return None;
            }
            Some((ahead(days)?, rest))
        }
        [number, name, rest @ ..] | [name, number, rest @ ..] if month(name).is_some() => {
            dated(number, month(name)?, rest, today)
        }
        _ => None,
    }
}

/// Reads `26/11/2026`: day and month in either order, when only one order is a date.
fn written(first: &str, second: &str, year: &str) -> Option<Date> {
    let (first, second): (u32, u32) = (first.parse().ok()?, second.parse().ok()?);
    let year: i32 = match year.len() {
        4 => year.parse().ok()?,
        2 => 2000 + year.parse::<i32>().ok()?,
        _ => return None,
    };
    let dates = [(first, second), (second, first)].map(|(day, month)| date::valid(year, month, day));
    match dates {
        [Some(one), Some(other)] if one != other => None,
        [one, other] => one.or(other),
    }
}

/// Returns the next such date from today on, or that of the year that follows.
fn dated<'w, 't>(number: &str, month: u32, rest: &'w [&'t str], today: Date) -> Option<(Date, &'w [&'t str])> {
    let number: u32 = number.parse().ok()?;
    if let [year, rest @ ..] = rest
        && year.len() == 4
        && let Ok(year) = year.parse()
    {
        return Some((date::valid(year, month, number)?, rest));
    }
    let this_year = date::valid(today.year().into(), month, number);
    let date =
        this_year.filter(|date| *date >= today).or_else(|| date::valid(i32::from(today.year()) + 1, month, number))?;
    Some((date, rest))
}

/// Returns how many days ahead the next day of this name is; "Monday" on a Monday is not today.
pub(super) fn days_until(wanted: Weekday, today: Date) -> i64 {
    match today.weekday().until(wanted) {
        0 => 7,
        days => days.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the test speaks on a Friday at 15:00 in Kolkata.
    fn said(words: &str) -> Option<String> {
        let now: Moment = "2026-11-20T09:30:00Z".parse().expect("a moment");
        let zone: Zone = "Asia/Kolkata".parse().expect("a zone");
        parse(words, now, zone).map(|at| at.local(zone).strftime("%a %d %b %H:%M").to_string())
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
            ("tomorrow 11 am IST", "Sat 21 Nov 11:00"),
            ("tomorrow 11 am (IST)", "Sat 21 Nov 11:00"),
            ("tomorrow at 11am Indian Standard Time", "Sat 21 Nov 11:00"),
            ("Tomorrow morning at 10:30 AM.", "Sat 21 Nov 10:30"),
            ("tomorrow morning 11", "Sat 21 Nov 11:00"),
            ("tomorrow evening at 5:30", "Sat 21 Nov 17:30"),
            ("6 in the evening", "Fri 20 Nov 18:00"),
            ("tomorrow between 10 and 11 am", "Sat 21 Nov 10:00"),
            ("tomorrow between 11 and 1 pm", "Sat 21 Nov 11:00"),
            ("10-11 am tomorrow", "Sat 21 Nov 10:00"),
            ("from 5 pm to 6 pm", "Fri 20 Nov 17:00"),
            ("after 4 pm", "Fri 20 Nov 16:00"),
            ("please call me back tomorrow at 11 am!", "Sat 21 Nov 11:00"),
            ("tomorrow anytime 11 am", "Sat 21 Nov 11:00"),
            ("next week", "Mon 23 Nov 09:00"),
            ("next week tuesday at noon", "Tue 24 Nov 12:00"),
            ("Wednesday next week", "Wed 25 Nov 09:00"),
            ("26/11/2026 11:00", "Thu 26 Nov 11:00"),
            ("11/26/2026 11:00 AM", "Thu 26 Nov 11:00"),
            ("26-11-26 at 5 pm", "Thu 26 Nov 17:00"),
            ("12.12.2026", "Sat 12 Dec 09:00"),
            ("2026/11/26", "Thu 26 Nov 09:00"),
            ("Monday morning", "Mon 23 Nov 10:00"),
            ("kal subah 11 baje", "Sat 21 Nov 11:00"),
            ("parso", "Sun 22 Nov 09:00"),
        ] {
            assert_eq!(said(words).as_deref(), Some(means), "{words}");
        }
    }

    #[test]
    fn letters_of_the_callees_own_clocks_are_understood() {
        let read = |words: &str, zone: &str| {
            let now: Moment = "2026-07-20T15:00:00Z".parse().expect("a moment");
            let zone: Zone = zone.parse().expect("a zone");
            parse(words, now, zone).map(|at| at.local(zone).strftime("%d %H:%M").to_string())
        };
        for (words, zone) in [
            ("tomorrow 11 am EST", "America/New_York"),
            ("tomorrow 11 am EDT", "America/New_York"),
            ("tomorrow 11 am ET", "America/New_York"),
            ("tomorrow 11 am PT", "America/Los_Angeles"),
            ("tomorrow 11 am BST", "Europe/London"),
            ("tomorrow 11 am local time", "Europe/London"),
        ] {
            assert_eq!(read(words, zone).as_deref(), Some("21 11:00"), "{words}");
        }
        for (words, zone) in [
            ("tomorrow 11 am EST", "America/Chicago"),
            ("tomorrow 11 am GMT", "Europe/London"),
            ("tomorrow 11 am IST", "America/New_York"),
            ("tomorrow 11 am UTC", "Asia/Kolkata"),
        ] {
            assert_eq!(read(words, zone), None, "{words} in {zone}");
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
            "tomorrow 11 am EST",
            "tomorrow 11 am GMT",
            "tomorrow morning at 6 pm",
            "tomorrow evening 12 pm",
            "tomorrow night",
            "after tomorrow",
            "between 10 and 11",
            "10/12/2026",
            "26/11 11am",
            "99/99/2026",
        ] {
            assert_eq!(said(words), None, "{words}");
        }
    }
}
