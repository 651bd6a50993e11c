//! The zones that a number may be in, by its first digits.
//!
//! Three tables: libphonenumber's map of prefixes, corrections of it, and the area codes of +1,
//! which the map does not decide, because it is wrong there too often. A code's whole area counts,
//! and a mobile number's whole country: a number does not say where its owner is.
//!
//! An area code of +1 is one place: a number that was ported or is mobile is anywhere in its area.
//! Its zones are the union of three sources where they differ, and of towns that keep other clocks
//! than their law says (Phenix City). A code that is not in the table has no zone.

use std::collections::HashMap;
use std::sync::LazyLock;

use crate::{PhoneNumber, ZoneSet};

const MAP: &str = include_str!("../data/number_zones.txt");
const OVERRIDES: &str = include_str!("../data/number_zones_overrides.txt");
const AREA_CODES: &str = include_str!("../data/area_codes.txt");

/// The longest prefixes of any table.
struct Prefixes {
    by_prefix: HashMap<&'static str, ZoneSet>,
    longest: usize,
}

static PREFIXES: LazyLock<Prefixes> = LazyLock::new(|| {
    let map: HashMap<&str, ZoneSet> = lines(MAP)
        .filter_map(|line| line.split_once('|'))
        .filter(|(prefix, _)| !prefix.starts_with('1'))
        .map(|(prefix, names)| (prefix, zones(names)))
        .collect();
    let table = |sign: char| lines(OVERRIDES).filter_map(move |line| line.split_once(sign));
    let added: HashMap<&str, ZoneSet> = table('|').map(|(prefix, names)| (prefix, zones(names))).collect();
    let replaced: HashMap<&str, ZoneSet> = table('!').map(|(prefix, names)| (prefix, zones(names))).collect();
    let of = |prefix: &&'static str| {
        let nothing = ZoneSet::default();
        let known = longest_of(&map, prefix).unwrap_or(&nothing);
        let more = longest_of(&added, prefix).unwrap_or(&nothing);
        longest_of(&replaced, prefix).cloned().unwrap_or_else(|| known.either(more))
    };
    let prefixes = map.keys().chain(added.keys()).chain(replaced.keys());
    let mut by_prefix: HashMap<&str, ZoneSet> = prefixes.map(|prefix| (*prefix, of(prefix))).collect();
    by_prefix.extend(area_codes());
    let longest = by_prefix.keys().map(|prefix| prefix.len()).max().unwrap_or_default();
    Prefixes { by_prefix, longest }
});

/// Returns the candidates by the longest known prefix of these digits; empty when there is none.
pub(crate) fn of_prefix(digits: &str) -> ZoneSet {
    let longest = digits.len().min(PREFIXES.longest);
    let known = (1..=longest).rev().find_map(|length| PREFIXES.by_prefix.get(&digits[..length]));
    known.cloned().unwrap_or_default()
}

/// Returns the candidates of every known prefix that begins with these digits.
pub(crate) fn under(digits: &str) -> Vec<ZoneSet> {
    let own = PREFIXES.by_prefix.iter().filter(|(prefix, _)| prefix.starts_with(digits));
    own.map(|(_, zones)| zones.clone()).collect()
}

/// Reads lines `219|US-IN|America/Chicago&America/New_York`. Returns the prefix of each, as in
/// `1219`, and its zones.
fn area_codes() -> impl Iterator<Item = (&'static str, ZoneSet)> {
    static WITH_COUNTRY: LazyLock<Vec<(String, ZoneSet)>> = LazyLock::new(|| {
        let parts = lines(AREA_CODES).filter_map(|line| Some((line.split_once('|')?.0, line.rsplit_once('|')?.1)));
        parts.map(|(code, names)| (format!("1{code}"), zones(names))).collect()
    });
    WITH_COUNTRY.iter().map(|(prefix, zones)| (prefix.as_str(), zones.clone()))
}

/// Tells whether the area code is one of Canada.
pub fn is_canadian(number: &PhoneNumber) -> bool {
    let code = number.e164().strip_prefix("+1").and_then(|digits| digits.get(..3));
    code.is_some_and(|code| {
        lines(AREA_CODES).any(|line| line.strip_prefix(code).is_some_and(|rest| rest.starts_with("|CA-")))
    })
}

fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.starts_with('#'))
}

/// Reads names of zones. A name that this build's database lacks makes the set empty, which closes
/// the hours; leaving the name out would widen them silently.
fn zones(names: &str) -> ZoneSet {
    names.split('&').map(str::parse).collect::<Result<ZoneSet, _>>().unwrap_or_default()
}

fn longest_of<'m>(table: &'m HashMap<&str, ZoneSet>, digits: &str) -> Option<&'m ZoneSet> {
    (1..=digits.len()).rev().find_map(|length| table.get(&digits[..length]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_of_the_tables_is_known() {
        for (prefix, zones) in &PREFIXES.by_prefix {
            assert!(!zones.is_empty(), "prefix {prefix} names a zone that this build does not have");
        }
        assert!(PREFIXES.by_prefix.len() > 1700);
    }

    #[test]
    fn every_correction_is_read() {
        let written = lines(OVERRIDES).filter(|line| !line.is_empty());
        for line in written {
            let (prefix, names) = line.split_once(['|', '!']).expect(line);
            let ours = of_prefix(prefix);
            for zone in zones(names).zones() {
                assert!(ours.zones().contains(zone), "{line}: {ours}");
            }
            assert!(!zones(names).is_empty(), "{line}");
            assert!(line.contains('|') || ours == zones(names), "{line}: {ours}");
        }
    }

    #[test]
    fn area_codes_are_not_told_apart_and_unknown_ones_are_nowhere() {
        assert_eq!(of_prefix("1208201"), of_prefix("1208"));
        assert_eq!(of_prefix("1800").to_string(), "");
        assert_eq!(of_prefix("1").to_string(), "");
    }
}
