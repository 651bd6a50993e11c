//! A check for words that the grammar does not read: when they speak of a later day, the callee is
//! not called on the same one.
//!
//! It guesses, and only towards waiting: a word that may mean another day is taken to mean it.

use jiff::civil::{Date, DateTime, Weekday};

use super::names::{month, weekday};
use super::reading::{LATEST, days_until};
use super::time_of_day::Part;
use crate::{Moment, Zone, date};

/// Returns the earliest moment at which a callee may be called whose words speak of a later day:
/// nine in the morning of the first day that they may mean, at the soonest of the next one. None
/// when they speak of no other day.
pub(super) fn earliest(words: &str, now: Moment, zone: Zone) -> Option<Moment> {
    let here = now.clock(zone);
    let day = earliest_day(words, here)?;
    // Nobody who names a day means its night.
    Some(zone.first_at_or_after(day.at(9, 0, 0, 0)).min(now + LATEST))
}

fn earliest_day(text: &str, here: DateTime) -> Option<Date> {
    let today = here.date();
    let tomorrow = today.tomorrow().ok()?;
    let lower = text.to_lowercase();
    // Letters of other scripts: no word of theirs is known here.
    let foreign = lower.chars().any(|c| c.is_alphabetic() && !c.is_ascii());
    let words = split(&lower);
    let mut days: Vec<Date> = (0..words.len()).filter_map(|place| day_at(&words, place, here)).collect();
    days.extend(written_dates(&lower, today));
    days.extend(foreign.then_some(tomorrow));
    days.into_iter().min().map(|day| day.max(tomorrow))
}

/// Splits a text into runs of letters and runs of digits.
fn split(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let is_digit = |c: char| c.is_ascii_digit();
        let mut rest = word;
        while let Some(first) = rest.chars().next() {
            let digits = is_digit(first);
            let end = rest.find(|c| is_digit(c) != digits).unwrap_or(rest.len());
            words.push(&rest[..end]);
            rest = &rest[end..];
        }
    }
    words
}

/// Returns the first day that the word at a place may mean, when it speaks of a later one.
fn day_at(words: &[&str], place: usize, here: DateTime) -> Option<Date> {
    let today = here.date();
    let ahead = |days: i64| date::ahead(today, days);
    let word = words[place];
    let before = |back: usize| place.checked_sub(back).map_or("", |place| words[place]);
    let after = words.get(place + 1).copied().unwrap_or_default();
    let next_week = || ahead(7 - i64::from(today.weekday().to_monday_zero_offset()));
    if is_tomorrow(word) {
        // "Not tomorrow" is the day after it at the soonest, and so is "the day after tomorrow".
        let later = matches!(before(1), "after" | "not");
        return ahead(if later { 2 } else { 1 });
    }
    if let Some(named) = a_weekday(word) {
        return ahead(days_until(named, today));
    }
    if let Some(month) = month(word) {
        let number = |text: &str| text.parse::<u32>().ok();
        // After the number may stand "th", and "of" after that.
        let earlier = (1..=3).find_map(|back| number(before(back)));
        let day = number(after).or(earlier).filter(|day| (1..=31).contains(day));
        return match day {
            Some(day) => next_date(today, month, day),
            // "May" and "march" are other words as well.
            None if matches!(word, "may" | "mar" | "march") => None,
            None => ahead(1),
        };
    }
    match word {
        "today" | "aaj" if matches!(before(1), "not" | "t" | "except" | "nahi") => ahead(1),
        "parso" | "parson" | "parsu" | "parsoon" => ahead(2),
        "week" | "month" | "wk" if before(1) == "next" => {
            if word == "month" {
                first_of_next_month(today)
            } else {
                next_week()
            }
        }
        "week" | "weeks" | "wk" | "wks" => counted(before(1), 7, today).or_else(|| ahead(1)),
        "days" => counted(before(1), 1, today).or_else(|| ahead(1)),
        "weekend" | "weekends" | "weekday" | "weekdays" | "month" | "months" | "year" | "years" | "fortnight"
        | "overnight" | "morrow" | "holiday" | "holidays" | "hafte" | "hafta" | "mahine" | "saal" | "roz" => ahead(1),
        "day" if after == "after" => {
            ahead(if words.get(place + 2).is_some_and(|word| is_tomorrow(word)) { 2 } else { 1 })
        }
        "day" if is_other(before(1)) || counted(before(1), 1, today).is_some() => ahead(1),
        "next" if a_weekday(after).is_none() && !follows_next(after) => ahead(1),
        "st" | "nd" | "rd" | "th" => next_day_of_month(today, before(1).parse().ok()?),
        "after" if !within_the_day(after) && !after.is_empty() && !is_tomorrow(after) => ahead(1),
        _ => {
            // "In the morning", said when it is over.
            let over = Part::named(word).is_some_and(|part| u32::from(here.hour().unsigned_abs()) >= part.end());
            if over { ahead(1) } else { None }
        }
    }
}

fn is_tomorrow(word: &str) -> bool {
    let known = [
        "tmrw", "tmr", "tmw", "tmrow", "tom", "tomo", "moro", "morow", "morrow", "mañana", "manana", "demain",
        "morgen", "domani", "amanha", "amanhã", "yarin", "besok", "bukas", "kesho", "kal", "naale", "nale", "repu",
        "udya", "jutro",
    ];
    // "Tomorrow", as people write it: tomorow, tommorow, tommorrow, tomorro, tomorrows.
    let begins =
        ["tomor", "tommor", "tomm", "tomarrow", "tommar", "tomarow"].iter().any(|start| word.starts_with(start));
    begins || known.contains(&word)
}

fn a_weekday(word: &str) -> Option<Weekday> {
    let starts = [
        ("mond", Weekday::Monday),
        ("tues", Weekday::Tuesday),
        ("wedn", Weekday::Wednesday),
        ("wensd", Weekday::Wednesday),
        ("weds", Weekday::Wednesday),
        ("thur", Weekday::Thursday),
        ("thrus", Weekday::Thursday),
        ("frid", Weekday::Friday),
        ("satu", Weekday::Saturday),
        ("sater", Weekday::Saturday),
        ("sund", Weekday::Sunday),
        ("somw", Weekday::Monday),
        ("somv", Weekday::Monday),
        ("mangal", Weekday::Tuesday),
        ("budh", Weekday::Wednesday),
        ("guruv", Weekday::Thursday),
        ("guruw", Weekday::Thursday),
        ("shukr", Weekday::Friday),
        ("shani", Weekday::Saturday),
        ("raviv", Weekday::Sunday),
        ("raviw", Weekday::Sunday),
        ("itwar", Weekday::Sunday),
        ("itvar", Weekday::Sunday),
    ];
    let begins = || starts.iter().find(|(start, _)| word.starts_with(start)).map(|(_, day)| *day);
    weekday(word).or_else(begins)
}

/// Tells whether a word may follow "next" and is no day, or is one of its own.
fn follows_next(word: &str) -> bool {
    let known =
        ["hour", "hours", "half", "minute", "minutes", "few", "couple", "two", "three", "week", "wk", "month", "day"];
    known.contains(&word) || (!word.is_empty() && word.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Tells whether a word makes "day" another one.
fn is_other(word: &str) -> bool {
    matches!(
        word,
        "another"
            | "other"
            | "some"
            | "next"
            | "working"
            | "business"
            | "following"
            | "different"
            | "any"
            | "later"
            | "few"
            | "week"
    )
}

/// Tells whether a word may follow "after" and happen on the same day.
fn within_the_day(word: &str) -> bool {
    let same_day = [
        "lunch",
        "dinner",
        "breakfast",
        "tea",
        "work",
        "office",
        "school",
        "class",
        "classes",
        "college",
        "meeting",
        "meetings",
        "prayer",
        "prayers",
        "noon",
        "midday",
        "noontime",
        "some",
        "sometime",
        "a",
        "an",
        "half",
        "that",
        "this",
        "hour",
        "hours",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "call",
        "my",
        "the",
        "around",
        "about",
        "at",
    ];
    same_day.contains(&word) || word.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns the day that a number of units leads to: `3 days`, `two weeks`.
fn counted(word: &str, unit: i64, today: Date) -> Option<Date> {
    let count = match word {
        "a" | "an" | "one" | "ek" => 1,
        "two" | "couple" | "do" => 2,
        "three" | "few" => 3,
        "four" => 4,
        "five" => 5,
        "six" => 6,
        "seven" => 7,
        "ten" => 10,
        digits => digits.parse::<i64>().ok().filter(|count| (1..=366).contains(count))?,
    };
    date::ahead(today, count * unit)
}

fn first_of_next_month(today: Date) -> Option<Date> {
    today.last_of_month().tomorrow().ok()
}

/// Returns the next date of this month and day; tomorrow when no year has it, none when it is
/// today.
fn next_date(today: Date, month: u32, day: u32) -> Option<Date> {
    let dates = [0, 1].map(|later| date::valid(i32::from(today.year()) + later, month, day));
    let next = dates.into_iter().flatten().find(|date| *date >= today);
    next.map_or_else(|| today.tomorrow().ok(), |date| (date > today).then_some(date))
}

/// Returns the next day of a month with this number; none when that is today.
fn next_day_of_month(today: Date, day: u32) -> Option<Date> {
    let day = i8::try_from(day).ok().filter(|day| (1..=31).contains(day) && *day != today.day())?;
    (1..=62).filter_map(|days| date::ahead(today, days)).find(|date| date.day() == day)
}

/// Returns the first day that each date in digits may mean, `26/11`, `26-11-2026`, `2026.11.26`,
/// unless that is today for certain.
fn written_dates(text: &str, today: Date) -> Vec<Date> {
    let groups = text.split(|c: char| !c.is_ascii_digit() && !matches!(c, '/' | '-' | '.'));
    groups.filter_map(|group| written_date(group.trim_matches(['/', '-', '.']), today)).collect()
}

fn written_date(group: &str, today: Date) -> Option<Date> {
    let parts: Vec<&str> = group.split(['/', '-', '.']).collect();
    let numbers: Vec<u32> = parts.iter().map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let years = [0, 1].map(|later| i32::from(today.year()) + later);
    let of = |year: i32, one: u32, other: u32| {
        [(one, other), (other, one)].into_iter().filter_map(move |(day, month)| date::valid(year, month, day))
    };
    let readings: Vec<Date> = match numbers.as_slice() {
        // Without a year only with slashes: `10.30` and `10-11` are times of day as well.
        [one, other] if group.contains('/') => years.iter().flat_map(|year| of(*year, *one, *other)).collect(),
        [year, one, other] if parts[0].len() == 4 => of(*year as i32, *one, *other).collect(),
        [one, other, year] => of(if *year < 100 { 2000 + *year as i32 } else { *year as i32 }, *one, *other).collect(),
        _ => return None,
    };
    let next: Vec<Date> = readings.into_iter().filter(|date| *date >= today).collect();
    if next.iter().all(|date| *date == today) && !next.is_empty() {
        return None;
    }
    next.into_iter().filter(|date| *date > today).min().or_else(|| today.tomorrow().ok())
}
