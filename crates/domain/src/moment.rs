//! Instants, in whole milliseconds so that every database keeps them exactly.
//!
//! Rows hold them as integers, on Postgres too: both databases then compare, sort and round alike,
//! and one decoder serves both. To read a column there: `to_timestamp(sending_at / 1000.0)`.

use jiff::civil::{Date, DateTime};
use jiff::{Timestamp, ZonedDateTime};
use serde::{Deserialize, Serialize};

use crate::{Span, Zone, date};

/// An instant in Unix milliseconds, UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Moment(i64);

/// A text that is no moment of RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not a date and a time with their offset from UTC")]
pub struct NoMoment;

impl Moment {
    /// Later than anything that happens: the due moment of an empty bucket.
    pub const NEVER: Moment = Moment(i64::MAX);

    /// Returns the instant `millis` milliseconds after the Unix epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Returns the instant `seconds` seconds after the Unix epoch.
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds * 1000)
    }

    /// Returns the milliseconds since the Unix epoch.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Returns the whole seconds since the Unix epoch, rounded down.
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Returns the same instant for calendars, whose years end at 9999; a later one becomes the
    /// last of them.
    pub(crate) fn timestamp(self) -> Timestamp {
        let ends = if self.0 < 0 { Timestamp::MIN } else { Timestamp::MAX };
        Timestamp::from_millisecond(self.0).unwrap_or(ends)
    }

    /// Returns the date by the clocks of UTC.
    pub fn utc_date(self) -> Date {
        self.date(Zone::utc())
    }

    /// Returns when the next day of a calendar in `zone` begins.
    #[must_use]
    pub fn next_day(self, zone: Zone) -> Self {
        self.date(zone).tomorrow().map_or(Self::NEVER, |date| zone.midnight(date))
    }

    /// Returns the date by the clocks of `zone`.
    pub fn date(self, zone: Zone) -> Date {
        self.clock(zone).date()
    }

    /// Returns the date and time that the clocks of `zone` show, in whole seconds.
    pub fn clock(self, zone: Zone) -> DateTime {
        let end = if self.0 < 0 { DateTime::MIN } else { DateTime::MAX };
        date::shown(self.secs().saturating_add(zone.offset_at(self))).unwrap_or(end)
    }

    /// Returns the instant on the clocks of `zone`, for people to read.
    pub fn local(self, zone: Zone) -> ZonedDateTime {
        self.timestamp().to_zoned_datetime(zone.rules().clone())
    }

    /// Writes the minute as a person on the clocks of `zone` reads it: `21 Nov 2026 01:30 IST`.
    pub fn shown(self, zone: Zone) -> String {
        self.local(zone).strftime("%d %b %Y %H:%M %Z").to_string()
    }

    /// Writes the second of a day: `01:30:05 IST`.
    pub fn shown_second(self, zone: Zone) -> String {
        self.local(zone).strftime("%H:%M:%S %Z").to_string()
    }

    /// Writes `01:30` for a minute of the day of `now`, and `21 Nov 01:30` for one of another day.
    pub fn shown_near(self, now: Moment, zone: Zone) -> String {
        let local = self.local(zone);
        let form = if local.date() == now.local(zone).date() { "%H:%M" } else { "%d %b %H:%M" };
        local.strftime(form).to_string()
    }

    /// Writes RFC 3339 with the offset of `zone`, and milliseconds only where there are any.
    pub fn rfc3339(self, zone: Zone) -> String {
        let form = if self.0 % 1000 == 0 { "%Y-%m-%dT%H:%M:%S%:z" } else { "%Y-%m-%dT%H:%M:%S%.3f%:z" };
        self.local(zone).strftime(form).to_string()
    }

    /// Returns the time from `earlier` to here; zero when `earlier` is later.
    pub const fn since(self, earlier: Moment) -> Span {
        let millis = self.0.saturating_sub(earlier.0);
        Span::from_millis(if millis < 0 { 0 } else { millis })
    }
}

impl std::ops::Add<Span> for Moment {
    type Output = Moment;

    fn add(self, span: Span) -> Moment {
        Moment(self.0.saturating_add(span.millis()))
    }
}

impl std::ops::Sub<Span> for Moment {
    type Output = Moment;

    fn sub(self, span: Span) -> Moment {
        Moment(self.0.saturating_sub(span.millis()))
    }
}

impl From<Timestamp> for Moment {
    fn from(at: Timestamp) -> Self {
        Self(at.as_millisecond())
    }
}

/// RFC 3339 in UTC, with milliseconds only where there are any.
impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let at = self.timestamp();
        f.pad(&if self.0 % 1000 == 0 { format!("{at:.0}") } else { format!("{at:.3}") })
    }
}

/// RFC 3339, and nothing that its reader takes beside it: a time without seconds or an offset of
/// hours only is a slip more often than not.
impl std::str::FromStr for Moment {
    type Err = NoMoment;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if !is_rfc3339(text) {
            return Err(NoMoment);
        }
        text.parse::<Timestamp>().map(Self::from).map_err(|_| NoMoment)
    }
}

fn is_rfc3339(text: &str) -> bool {
    const FORM: &[u8] = b"0000-00-00T00:00:00";
    const OFFSET: &[u8] = b"+00:00";
    let is = |text: &[u8], form: &[u8]| {
        let fits = |(byte, form): (&u8, &u8)| match form {
            b'0' => byte.is_ascii_digit(),
            b'T' => matches!(byte, b'T' | b't' | b' '),
            b'+' => matches!(byte, b'+' | b'-'),
            _ => byte == form,
        };
        text.len() == form.len() && text.iter().zip(form).all(fits)
    };
    let Some((time, rest)) = text.as_bytes().split_at_checked(FORM.len()) else { return false };
    let digits = rest.strip_prefix(b".").map(|rest| rest.iter().take_while(|byte| byte.is_ascii_digit()).count());
    let offset = &rest[digits.map_or(0, |digits| digits + 1)..];
    is(time, FORM) && digits != Some(0) && (matches!(offset, b"Z" | b"z") || is(offset, OFFSET))
}

impl Serialize for Moment {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_and_shown_as_rfc_3339() {
        for (text, millis) in [
            ("2026-11-20T15:29:00Z", 1_795_188_540_000),
            ("2026-11-20T20:59:00+05:30", 1_795_188_540_000),
            ("2026-11-20 15:29:00z", 1_795_188_540_000),
            ("2026-11-20t15:29:00.250-00:00", 1_795_188_540_250),
            ("1969-12-31T23:59:59.999Z", -1),
        ] {
            assert_eq!(text.parse(), Ok(Moment(millis)), "{text}");
        }
        assert_eq!(Moment(1_795_188_540_000).to_string(), "2026-11-20T15:29:00Z");
        assert_eq!(Moment(1_795_188_540_050).to_string(), "2026-11-20T15:29:00.050Z");
        assert_eq!(Moment(-1).to_string(), "1969-12-31T23:59:59.999Z");
        let kolkata: Zone = "Asia/Kolkata".parse().expect("a zone");
        assert_eq!(Moment(1_795_188_540_000).rfc3339(kolkata), "2026-11-20T20:59:00+05:30");
        assert_eq!(Moment(1_795_188_540_050).rfc3339(Zone::utc()), "2026-11-20T15:29:00.050+00:00");
    }

    #[test]
    fn what_only_looks_like_a_moment_is_refused() {
        for text in [
            "",
            "2026-11-20",
            "2026-11-20T15:29Z",
            "2026-11-20T15:29:00",
            "2026-11-20T15:29:00+05",
            "2026-11-20T15:29:00+0530",
            "2026-11-20T15:29:00Z[UTC]",
            "20261120T152900Z",
            "2026-11-20T15:29:00.Z",
            "2026-02-30T15:29:00Z",
            "2026-11-20T25:29:00Z",
            "2026-11-20T15:29:00é",
        ] {
            assert_eq!(text.parse::<Moment>(), Err(NoMoment), "{text}");
        }
    }

    #[test]
    fn clocks_show_what_people_there_read() {
        let moment = |text: &str| text.parse::<Moment>().expect("a moment");
        let kolkata: Zone = "Asia/Kolkata".parse().expect("a zone");
        let at = moment("2026-11-20T20:00:00.700Z");
        assert_eq!(at.clock(kolkata).to_string(), "2026-11-21T01:30:00");
        assert_eq!(
            (at.date(kolkata).to_string(), at.utc_date().to_string()),
            ("2026-11-21".into(), "2026-11-20".into())
        );
        assert_eq!(at.local(kolkata).strftime("%a %d %b %Y %H:%M %Z").to_string(), "Sat 21 Nov 2026 01:30 IST");
        assert_eq!(Moment::NEVER.clock(kolkata), DateTime::MAX);
    }

    #[test]
    fn the_next_day_begins_at_the_zones_midnight() {
        let now: Moment = "2026-11-20T20:00:00Z".parse().expect("a moment");
        assert_eq!(now.next_day("Asia/Kolkata".parse().expect("a zone")).to_string(), "2026-11-21T18:30:00Z");
        assert_eq!(now.next_day(Zone::utc()).to_string(), "2026-11-21T00:00:00Z");
    }
}
