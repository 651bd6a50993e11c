//! Cron's lines: when a campaign begins by itself. Only this file knows the library that reads
//! them: croner walks through its own dates, and asks our zones what they mean.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use croner::errors::CronError as Trouble;
use croner::time::{CivilDate, CivilDateTime, CivilTime, CronDateTime, Resolution, Weekday};
use serde::{Deserialize, Serialize};

use crate::zone::ClockTimes;
use crate::{Moment, Zone, cron_fields, date};

/// A line in cron's syntax: minute, hour, day of the month, month, day of the week.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Cron(String);

/// A text that is no cron line, or one that never comes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{line}` is not a cron line: {why}")]
pub struct CronError {
    line: String,
    why: String,
}

impl Cron {
    /// Returns the next moment after `at` that the line names on the clocks of `zone`.
    pub fn next(&self, at: Moment, zone: Zone) -> Option<Moment> {
        let cron: croner::Cron = self.0.parse().ok()?;
        let next = cron.find_next_occurrence(&OnClocks { seconds: at.secs(), zone }, false).ok()?;
        Some(Moment::from_secs(next.seconds))
    }
}

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = |why: String| CronError { line: text.to_owned(), why };
        if !text.trim().starts_with('@')
            && let Some(why) = cron_fields::fault(text)
        {
            return Err(fault(why));
        }
        croner::Cron::from_str(text).map_err(|error| fault(error.to_string()))?;
        let cron = Self(text.trim().to_owned());
        // A leap day comes every eight years at the latest, and the library looks further ahead
        // than that.
        cron.next(Moment::from_secs(1_767_225_600), Zone::utc()).ok_or_else(|| fault("it never comes".to_owned()))?;
        Ok(cron)
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Cron {
    type Error = CronError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Cron> for String {
    fn from(cron: Cron) -> Self {
        cron.0
    }
}

/// An instant on the clocks of a zone, for the library: it walks through dates of its own, and
/// asks our zones what they mean.
#[derive(Debug, Clone, Copy)]
struct OnClocks {
    seconds: i64,
    zone: Zone,
}

impl OnClocks {
    fn at(self, at: Moment) -> Self {
        Self { seconds: at.secs(), ..self }
    }

    fn clock(self) -> jiff::civil::DateTime {
        Moment::from_secs(self.seconds).clock(self.zone)
    }
}

impl CronDateTime for OnClocks {
    fn to_civil(&self) -> CivilDateTime {
        let (date, time) = (self.clock().date(), self.clock().time());
        let part = |part: i8| u32::from(part.unsigned_abs());
        // The parts are those of a real date and time.
        CivilDateTime::new(
            CivilDate::from_parts_unchecked(i32::from(date.year()), part(date.month()), part(date.day())),
            CivilTime::from_parts_unchecked(part(time.hour()), part(time.minute()), part(time.second())),
        )
    }

    fn civil_weekday(&self) -> Weekday {
        Weekday::from_days_from_sunday(self.clock().weekday().to_sunday_zero_offset().unsigned_abs().into())
    }

    fn resolve_civil(&self, civil: CivilDateTime) -> Result<Resolution<Self>, Trouble> {
        let day = date::valid(civil.year(), civil.month(), civil.day()).ok_or(Trouble::InvalidDate)?;
        let part = |part: u32| i8::try_from(part).map_err(|_| Trouble::InvalidTime);
        let time = jiff::civil::Time::new(part(civil.hour())?, part(civil.minute())?, part(civil.second())?, 0);
        Ok(match self.zone.reading(day.to_datetime(time.map_err(|_| Trouble::InvalidTime)?)) {
            ClockTimes::Once(at) => Resolution::Single(self.at(at)),
            ClockTimes::Twice(first, second) => Resolution::Ambiguous(self.at(first), self.at(second)),
            ClockTimes::Never { .. } => Resolution::Gap,
        })
    }

    fn checked_add_seconds(&self, seconds: i64) -> Option<Self> {
        Some(Self { seconds: self.seconds.checked_add(seconds)?, ..*self })
    }

    fn cmp_instant(&self, other: &Self) -> Ordering {
        self.seconds.cmp(&other.seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_say_nothing_are_refused() {
        for line in ["", "9", "0 9 * *", "0 25 * * *", "0 9 30 2 *", "0 9 * * MON-FRI 2026", "every day"] {
            assert!(line.parse::<Cron>().is_err(), "{line}");
        }
        for line in ["0 9 * * MON-FRI", "*/15 9-20 * * *", "0 9 29 2 *", "@daily"] {
            assert!(line.parse::<Cron>().is_ok(), "{line}");
        }
    }

    /// Returns the moments of a line from one moment up to another.
    fn moments(line: &str, zone: &str, from: &str, until: &str) -> Vec<String> {
        let (line, zone): (Cron, Zone) = (line.parse().expect("a line"), zone.parse().expect("a zone"));
        let [from, until] = [from, until].map(|text| text.parse::<Moment>().expect("a moment"));
        let next = |at: &Moment| line.next(*at, zone);
        let all = std::iter::successors(next(&from), next).take_while(|at| *at < until);
        all.map(|at| at.rfc3339(zone)).collect()
    }

    #[test]
    fn a_time_that_clocks_skip_comes_when_they_resume() {
        let spring = moments("30 2 * * *", "America/New_York", "2026-03-07T00:00:00Z", "2026-03-10T00:00:00Z");
        assert_eq!(spring, ["2026-03-07T02:30:00-05:00", "2026-03-08T03:00:00-04:00", "2026-03-09T02:30:00-04:00"]);
    }

    #[test]
    fn a_time_that_clocks_repeat_comes_once_and_an_interval_goes_on() {
        let autumn = moments("30 1 * * *", "America/New_York", "2026-10-31T00:00:00Z", "2026-11-03T00:00:00Z");
        assert_eq!(autumn, ["2026-10-31T01:30:00-04:00", "2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"]);
        let every = moments("*/30 * * * *", "America/New_York", "2026-11-01T04:59:00Z", "2026-11-01T07:01:00Z");
        assert_eq!(
            every,
            [
                "2026-11-01T01:00:00-04:00",
                "2026-11-01T01:30:00-04:00",
                "2026-11-01T01:00:00-05:00",
                "2026-11-01T01:30:00-05:00",
                "2026-11-01T02:00:00-05:00"
            ]
        );
    }
}
