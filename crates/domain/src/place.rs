//! The zone of a place, as people write it in files. The database also has names that are clocks
//! of no place.
//!
//! `EST` is five hours behind UTC all year in the database. New York, whose clocks people mean by
//! it, is four hours behind in summer: a reader who takes the letters as they are calls an hour
//! late. `UTC`, `Etc/GMT+5` and `Factory` are nobody's clocks either.

use std::str::FromStr;

use crate::zone::UnknownZone;
use crate::{Zone, ZoneSet};

/// Why a name is not the zone of a place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPlace {
    /// The database does not have it.
    #[error(transparent)]
    Unknown(#[from] UnknownZone),
    /// It is a clock without a place.
    #[error("`{name}` is not the time zone of a place{}", why(name))]
    Clock {
        /// What was given.
        name: String,
    },
    /// No name is there at all.
    #[error("it names no time zone")]
    Nothing,
}

impl NoPlace {
    /// Returns how to mend it.
    pub fn hint(&self) -> String {
        format!("write the zone of a city: {}", self.meant().unwrap_or("Asia/Kolkata, America/New_York"))
    }

    /// Returns the cities whose clocks people mean by these letters.
    pub fn meant(&self) -> Option<&'static str> {
        match self {
            Self::Unknown(UnknownZone { name }) | Self::Clock { name } => meant(name),
            Self::Nothing => None,
        }
    }
}

/// A zone that is read by [`zone`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place(pub Zone);

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(name: &str) -> Result<Self, NoPlace> {
        zone(name).map(Self)
    }
}

/// Returns the zone of a place by its name of the database: `Asia/Kolkata`.
pub fn zone(name: &str) -> Result<Zone, NoPlace> {
    let name = name.trim();
    if is_clock(name) {
        return Err(NoPlace::Clock { name: name.to_owned() });
    }
    Ok(name.parse::<Zone>()?)
}

/// Returns the zones of places where a person may be: one, or several with `|` between them.
pub fn zones(names: &str) -> Result<ZoneSet, NoPlace> {
    let zones = names.split('|').filter(|name| !name.trim().is_empty()).map(zone).collect::<Result<ZoneSet, _>>()?;
    if zones.is_empty() { Err(NoPlace::Nothing) } else { Ok(zones) }
}

/// Names that stand for a distance from UTC, or for the rules of several countries at once.
fn is_clock(name: &str) -> bool {
    let of_no_place = [
        "Factory",
        "localtime",
        "posixrules",
        "UTC",
        "UCT",
        "GMT",
        "GMT0",
        "GMT+0",
        "GMT-0",
        "Greenwich",
        "Universal",
        "Zulu",
        "Z",
        "EST",
        "MST",
        "HST",
        "EST5EDT",
        "CST6CDT",
        "MST7MDT",
        "PST8PDT",
        "WET",
        "CET",
        "MET",
        "EET",
    ];
    let folder = name.split_once('/').map(|(folder, _)| folder);
    let nowhere = |folder: &str| ["Etc", "SystemV", "posix", "right"].iter().any(|no| no.eq_ignore_ascii_case(folder));
    of_no_place.iter().any(|clock| clock.eq_ignore_ascii_case(name)) || folder.is_some_and(nowhere)
}

fn why(name: &str) -> &'static str {
    match name.to_ascii_uppercase().as_str() {
        "EST" | "MST" | "HST" => ": it has no summer time, which places with these letters have",
        _ => "",
    }
}

/// Returns what people mean by letters, an offset, a country or a city.
fn meant(name: &str) -> Option<&'static str> {
    letters(name).or_else(|| of_city(name))
}

/// Returns the zone of the database whose city has this name: `New York`, `sydney`.
fn of_city(name: &str) -> Option<&'static str> {
    let city = name.rsplit('/').next()?.trim().replace(' ', "_");
    let mut named = Zone::all().map(Zone::name).filter(|zone| {
        !is_clock(zone) && zone.rsplit_once('/').is_some_and(|(_, own)| own.eq_ignore_ascii_case(&city))
    });
    named.next()
}

fn letters(name: &str) -> Option<&'static str> {
    let upper = name.to_ascii_uppercase().replace(['_', '/'], " ");
    let upper = upper.strip_prefix("ASIA ").unwrap_or(&upper).trim().to_owned();
    let offset = upper.strip_prefix("GMT").or_else(|| upper.strip_prefix("UTC")).unwrap_or(&upper).trim();
    if matches!(offset, "+5:30" | "+05:30" | "+0530" | "+530" | "+5.5") {
        return Some("Asia/Kolkata, whose clocks these are");
    }
    Some(match upper.as_str() {
        "INDIA" | "BHARAT" | "BOMBAY" | "MUMBAI" | "DELHI" | "NEW DELHI" | "MADRAS" | "CHENNAI" | "BANGALORE"
        | "BENGALURU" | "HYDERABAD" | "PUNE" | "AHMEDABAD" | "KOLKATTA" => "Asia/Kolkata",
        "UK" | "UNITED KINGDOM" | "ENGLAND" | "GREAT BRITAIN" => "Europe/London",
        "CHINA" | "BEIJING" => "Asia/Shanghai",
        "GERMANY" => "Europe/Berlin",
        "FRANCE" => "Europe/Paris",
        "USA" | "US" | "UNITED STATES" => "America/New_York, America/Chicago, America/Denver or America/Los_Angeles",
        "AUSTRALIA" => "Australia/Sydney, Australia/Perth or Australia/Adelaide",
        "EST" | "EDT" | "ET" | "EST5EDT" | "EASTERN" => "America/New_York",
        "CST" | "CDT" | "CT" | "CST6CDT" | "CENTRAL" => "America/Chicago",
        "MST" | "MDT" | "MT" | "MST7MDT" | "MOUNTAIN" => "America/Denver, or America/Phoenix",
        "PST" | "PDT" | "PT" | "PST8PDT" | "PACIFIC" => "America/Los_Angeles",
        "AKST" | "AKDT" => "America/Anchorage",
        "HST" | "HDT" => "Pacific/Honolulu",
        "AST" | "ADT" => "America/Halifax, or America/Puerto_Rico",
        "IST" => "Asia/Kolkata, Asia/Jerusalem or Europe/Dublin",
        "GMT" | "BST" | "WET" => "Europe/London, or Europe/Lisbon",
        "CET" | "CEST" | "MET" => "Europe/Paris, Europe/Berlin",
        "EET" | "EEST" => "Europe/Athens",
        "AEST" | "AEDT" => "Australia/Sydney, or Australia/Brisbane",
        "ACST" | "ACDT" => "Australia/Adelaide, or Australia/Darwin",
        "AWST" => "Australia/Perth",
        "SGT" => "Asia/Singapore",
        "GST" | "UAE" | "ABU DHABI" => "Asia/Dubai",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_of_no_place_are_refused_with_the_city_that_was_meant() {
        for (name, city) in [
            ("GMT+5:30", "Asia/Kolkata"),
            ("UTC +05:30", "Asia/Kolkata"),
            ("India", "Asia/Kolkata"),
            ("Asia/Bombay", "Asia/Kolkata"),
            ("New Delhi", "Asia/Kolkata"),
            ("New York", "America/New_York"),
            ("sydney", "Australia/Sydney"),
            ("America/Kolkata", "Asia/Kolkata"),
            ("UK", "Europe/London"),
            ("EST", "America/New_York"),
            (" est ", "America/New_York"),
            ("EST5EDT", "America/New_York"),
            ("CST6CDT", "America/Chicago"),
            ("MST", "America/Phoenix"),
            ("HST", "Pacific/Honolulu"),
            ("PST", "America/Los_Angeles"),
            ("IST", "Asia/Kolkata"),
            ("CET", "Europe/Paris"),
            ("GMT", "Europe/London"),
            ("UTC", "Asia/Kolkata"),
            ("Etc/GMT+5", "Asia/Kolkata"),
            ("Etc/UTC", "Asia/Kolkata"),
            ("Factory", "Asia/Kolkata"),
            ("posixrules", "Asia/Kolkata"),
            ("localtime", "Asia/Kolkata"),
            ("+05:30", "Asia/Kolkata"),
        ] {
            let error = zone(name).expect_err(name);
            assert!(error.hint().contains(city), "{name}: {}", error.hint());
            assert!(zones(&format!("America/New_York|{name}")).is_err(), "{name}");
        }
        assert!(zone("EST").expect_err("a clock").to_string().contains("no summer time"));
    }

    #[test]
    fn places_are_read() {
        for name in ["Asia/Kolkata", "America/Indiana/Knox", "Japan", "Singapore", "US/Eastern", " Europe/London "] {
            assert!(zone(name).is_ok(), "{name}");
        }
        assert_eq!(zones("America/Chicago|America/New_York").map(|zones| zones.zones().len()), Ok(2));
        assert_eq!(zones(" | "), Err(NoPlace::Nothing));
    }

    #[test]
    fn no_other_name_of_the_database_is_without_a_place() {
        let without: Vec<&str> =
            Zone::all().map(Zone::name).filter(|name| !name.contains('/') && zone(name).is_ok()).collect();
        let countries = [
            "Cuba",
            "Egypt",
            "Eire",
            "GB",
            "GB-Eire",
            "Hongkong",
            "Iceland",
            "Iran",
            "Israel",
            "Jamaica",
            "Japan",
            "Kwajalein",
            "Libya",
            "NZ",
            "NZ-CHAT",
            "Navajo",
            "PRC",
            "Poland",
            "Portugal",
            "ROC",
            "ROK",
            "Singapore",
            "Turkey",
            "W-SU",
        ];
        assert_eq!(without, countries);
    }
}
