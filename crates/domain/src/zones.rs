//! The time zones that a person may be in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::zone::UnknownZone;
use crate::{PhoneNumber, Zone, number_zones};

/// The zones that a contact may be in, sorted, written `A|B`. Only hours open in every one of them
/// are used. Empty means that nothing is known, and then nothing is open.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ZoneSet(Vec<Zone>);

/// Whose clocks a campaign's hours are read on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CallingZone {
    /// The same zone for everyone.
    Fixed(Zone),
    /// The contact's own: its column, else by its number.
    Contact,
}

impl ZoneSet {
    /// Makes a set of one zone.
    pub fn one(zone: Zone) -> Self {
        Self(vec![zone])
    }

    /// Returns the zones, sorted.
    pub fn zones(&self) -> &[Zone] {
        &self.0
    }

    /// Returns the zones for people to read: of many the first, and how many more there are.
    pub fn short(&self) -> String {
        match self.0.as_slice() {
            [first, .., last] if self.0.len() > 3 => {
                format!("any of {} zones from {} to {}", self.0.len(), first.name(), last.name())
            }
            _ => self.to_string(),
        }
    }

    /// Tells whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the zones of both, for someone who may be in any of them; empty when either is
    /// unknown.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        if self.is_empty() || other.is_empty() {
            return Self::default();
        }
        self.0.into_iter().chain(other.0.iter().copied()).collect()
    }

    /// Returns the candidates for a number: every zone that somebody with it may be in; empty when
    /// nothing is known, as for `+870`.
    pub fn of_number(number: &PhoneNumber) -> Self {
        number_zones::of_prefix(&number.e164()[1..])
    }

    /// Returns every set of candidates that numbers with this country calling code have.
    pub fn of_country(calling_code: i32) -> Vec<Self> {
        let mut sets = number_zones::under(&calling_code.to_string());
        sets.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        sets.dedup();
        sets
    }

    /// Returns the candidates of all numbers that begin with these digits, as far as they can be
    /// told apart.
    pub fn of_prefix(digits: &str) -> Self {
        number_zones::of_prefix(digits)
    }

    /// Returns the zones of either, for what one source or the other knows.
    #[must_use]
    pub(crate) fn either(&self, other: &Self) -> Self {
        self.0.iter().chain(&other.0).copied().collect()
    }
}

impl FromIterator<Zone> for ZoneSet {
    fn from_iter<I: IntoIterator<Item = Zone>>(zones: I) -> Self {
        let mut zones: Vec<Zone> = zones.into_iter().collect();
        zones.sort_unstable_by_key(|zone| zone.name());
        zones.dedup();
        Self(zones)
    }
}

impl FromStr for ZoneSet {
    type Err = UnknownZone;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.split('|').filter(|name| !name.is_empty()).map(str::parse).collect()
    }
}

impl fmt::Display for ZoneSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, zone) in self.0.iter().enumerate() {
            if place > 0 {
                f.write_str("|")?;
            }
            f.write_str(zone.name())?;
        }
        Ok(())
    }
}

impl TryFrom<String> for ZoneSet {
    type Error = UnknownZone;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ZoneSet> for String {
    fn from(set: ZoneSet) -> Self {
        set.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(number: &str) -> String {
        ZoneSet::of_number(&PhoneNumber::from_e164(number).expect("a number")).to_string()
    }

    #[test]
    fn the_longest_prefix_decides() {
        assert_eq!(of("+919876543210"), "Asia/Kolkata");
        assert_eq!(of("+12125550123"), "America/New_York");
        assert_eq!(of("+19075550123"), "America/Adak|America/Anchorage");
    }

    #[test]
    fn mobiles_of_wide_countries_keep_every_candidate() {
        assert!(of("+61412345678").contains("Australia/Perth"), "Perth is two hours behind Sydney");
        assert!(of("+79161234567").contains("Asia/Kamchatka"));
    }

    #[test]
    fn an_unknown_prefix_has_no_zone() {
        assert_eq!(of("+870773111632"), "");
    }
}
