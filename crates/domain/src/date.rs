//! Calendar dates: the form that people write, and the seconds that calendars are projected by.

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Timestamp, tz};

const EPOCH: DateTime = jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0);

/// Reads `2026-11-08`; `2026-1-8` is the same as `2026-01-08`. None for anything else.
pub fn parse(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let mut part = |digits: std::ops::RangeInclusive<usize>| {
        let part = parts.next().filter(|part| digits.contains(&part.len()))?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then_some(part)
    };
    let (year, month, day) = (part(4..=4)?, part(1..=2)?, part(1..=2)?);
    let date = Date::new(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?).ok()?;
    parts.next().is_none().then_some(date)
}

/// Returns the date of these numbers, if there is one.
pub fn valid(year: i32, month: u32, day: u32) -> Option<Date> {
    Date::new(year.try_into().ok()?, month.try_into().ok()?, day.try_into().ok()?).ok()
}

/// Adds days to a date. None beyond the years that a calendar has.
pub(crate) fn ahead(date: Date, days: i64) -> Option<Date> {
    date.checked_add(SignedDuration::try_from_hours(days.checked_mul(24)?)?).ok()
}

/// Returns the seconds from 1970 to a wall clock time, as if its clock showed UTC.
pub fn as_utc(local: DateTime) -> i64 {
    local.duration_since(EPOCH).as_secs()
}

/// Reads the date and time in UTC of a moment in seconds since 1970. None outside the years -9999
/// to 9999.
pub(crate) fn shown(seconds: i64) -> Option<DateTime> {
    Some(tz::Offset::UTC.to_datetime(Timestamp::from_second(seconds).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_as_people_write_them_and_nothing_else_is() {
        assert_eq!(parse("2026-11-08"), valid(2026, 11, 8));
        assert_eq!(parse("2026-1-8"), valid(2026, 1, 8));
        for text in [
            "",
            "2026-11",
            "2026-11-08T10:00",
            "2026-11-08-",
            "20261108",
            "2026-02-29",
            "2026-13-01",
            " 2026-11-08",
            "2026-11-08[UTC]",
            "-026-11-08",
            "26-11-08",
            "2026-+1-08",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn seconds_and_dates_agree_both_ways() {
        for (text, seconds) in [("1970-01-01", 0), ("1969-12-31", -86_400), ("2026-11-08", 1_794_096_000)] {
            let date = parse(text).expect("a date");
            assert_eq!(as_utc(date.at(0, 0, 0, 0)), seconds);
            assert_eq!(shown(seconds), Some(date.at(0, 0, 0, 0)));
        }
        assert_eq!(ahead(valid(2026, 12, 31).expect("a date"), 60), valid(2027, 3, 1));
        assert_eq!((ahead(Date::MAX, 1), shown(i64::MAX)), (None, None));
    }
}
