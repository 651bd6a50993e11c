//! The zones of area codes and of countries, against sources that are not ours.
//!
//! Two zones are one when their clocks agree for two years: sources name a city here and a state
//! there.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_domain::{Moment, Span, Zone, ZoneSet};

const AREA_CODES: &str = include_str!("../../../../crates/domain/data/area_codes.txt");
const MAP: &str = include_str!("../../../../crates/domain/data/number_zones.txt");
const ZIP_CODES: &str = include_str!("../../../fixtures/area_codes/zip_codes.txt");
const PROVINCES: &str = include_str!("../../../fixtures/area_codes/provinces.txt");
const COUNTRIES: &str = include_str!("../../../fixtures/number_zones/countries.txt");

/// Where libphonenumber's map of +1 is wrong, and what shows it.
const WRONG_IN_THE_MAP: [(&str, &str, &str); 3] = [
    ("689", "America/Chicago", "Orlando: libphonenumber itself says Florida, and so do all ZIP codes"),
    ("879", "America/Puerto_Rico", "Labrador, which changes its clocks, as the same map says of 709"),
    ("907", "Pacific/Honolulu", "Adak, which changes its clocks: no part of Alaska has Hawaii's"),
];

fn rows(table: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| (line.split_once('|').expect(line).0, line.rsplit_once('|').expect(line).1))
}

fn zone(name: &str) -> Zone {
    name.parse().unwrap_or_else(|_| panic!("{name}"))
}

/// What its clocks show, every ten days.
fn clocks(zone: Zone) -> Vec<i64> {
    let start: Moment = "2026-12-01T12:00:00Z".parse().expect("a moment");
    (0..73).map(|step| zone.offset_at(start + Span::from_days(10 * step))).collect()
}

fn missing(ours: &ZoneSet, wanted: impl Iterator<Item = Zone>) -> Vec<Zone> {
    let known: BTreeSet<Vec<i64>> = ours.zones().iter().map(|zone| clocks(*zone)).collect();
    wanted.filter(|zone| !known.contains(&clocks(*zone))).collect()
}

fn of_area_code(code: &str) -> ZoneSet {
    ZoneSet::of_prefix(&format!("1{code}2345678"))
}

#[test]
fn area_codes_have_the_zones_of_their_zip_codes() {
    let mut checked = 0;
    for (code, counted) in rows(ZIP_CODES) {
        let zones = counted.split(',').map(|entry| zone(entry.split_once(' ').expect(entry).0));
        assert_eq!(missing(&of_area_code(code), zones), [], "area code {code}");
        checked += 1;
    }
    assert!(checked > 340);
}

#[test]
fn area_codes_have_the_zones_of_the_other_map_and_none_is_missing() {
    for (prefix, names) in rows(MAP).filter(|(prefix, _)| prefix.len() > 3 && prefix.starts_with('1')) {
        let code = &prefix[1..4];
        let wrong = |zone: &Zone| WRONG_IN_THE_MAP.iter().any(|known| known.0 == code && zone.name() == known.1);
        let zones = names.split('&').map(zone).filter(|zone| !wrong(zone));
        let ours = of_area_code(code);
        assert!(!ours.is_empty(), "area code {code} has no line");
        assert_eq!(missing(&ours, zones), [], "area code {code}, prefix {prefix}");
    }
}

#[test]
fn the_codes_of_a_province_cover_its_zones_and_no_others() {
    let places: BTreeMap<&str, &str> = rows(PROVINCES).collect();
    let mut found: BTreeMap<&str, ZoneSet> = BTreeMap::new();
    for line in AREA_CODES.lines().filter(|line| line.contains("|CA-")) {
        let parts: Vec<&str> = line.split('|').collect();
        let [code, place, _] = parts.as_slice() else { panic!("{line}") };
        let all: ZoneSet = places[place].split(',').map(zone).collect();
        let ours = of_area_code(code);
        // The Magdalen Islands (418) keep the clocks of Halifax, and Flin Flon's suburbs (306) and
        // Rankin Inlet (867) those of Manitoba.
        let known = |zone: &Zone| {
            !matches!(
                (*place, zone.name()),
                ("CA-QC", "America/Halifax") | ("CA-SK" | "CA-NT/NU/YT", "America/Winnipeg")
            )
        };
        assert_eq!(missing(&all, ours.zones().iter().copied().filter(known)), [], "{line}");
        let together = found.remove(place).into_iter().flat_map(|set| set.zones().to_vec());
        found.insert(place, together.chain(ours.zones().iter().copied()).collect());
    }
    assert_eq!(found.len(), places.len());
    for (place, ours) in found {
        assert_eq!(missing(&ours, places[place].split(',').map(zone)), [], "{place}");
    }
}

#[test]
fn countries_have_all_their_zones_and_those_of_no_other_country() {
    for (code, names) in rows(COUNTRIES) {
        let calling_code: i32 = code.parse().expect(code);
        let ours: ZoneSet = ZoneSet::of_country(calling_code).iter().flat_map(|set| set.zones().to_vec()).collect();
        let theirs: ZoneSet = names.split(',').map(zone).collect();
        assert_eq!(missing(&ours, theirs.zones().iter().copied()), [], "+{code}");
        // Parts of Mexico's and of Russia's prefixes are shared with a neighbour in
        // libphonenumber's map.
        let neighbours = ["America/New_York", "Europe/Bucharest"];
        let own = ours.zones().iter().copied().filter(|zone| !neighbours.contains(&zone.name()));
        assert_eq!(missing(&theirs, own), [], "+{code} has a zone of another country");
    }
}

#[test]
fn numbers_of_split_places_have_every_candidate() {
    for (number, candidates) in [
        ("16892345678", "America/New_York"),
        ("12194482345", "America/Chicago|America/New_York"),
        ("19302345678", "America/Chicago|America/New_York"),
        ("18124482345", "America/Chicago|America/New_York"),
        ("12704482345", "America/Chicago|America/New_York"),
        ("13642345678", "America/Chicago|America/New_York"),
        ("14482345678", "America/Chicago|America/New_York"),
        ("13462345678", "America/Chicago"),
        ("13472345678", "America/New_York"),
        ("14584482345", "America/Boise|America/Los_Angeles"),
        ("12082015555", "America/Boise|America/Los_Angeles"),
        ("79031234567", "Asia/Vladivostok|Europe/Kaliningrad"),
        ("74111234567", "Asia/Srednekolymsk|Asia/Yakutsk"),
        ("74012345678", "Europe/Kaliningrad"),
        ("5581991234567", "America/Noronha|America/Recife"),
        ("5592991234567", "America/Manaus"),
        ("5568991234567", "America/Rio_Branco"),
        ("5591991234567", "America/Belem"),
        ("526142345678", "America/Chihuahua"),
        ("61412345678", "Australia/Darwin|Australia/Perth|Australia/Sydney"),
        ("61730001234", "Australia/Brisbane|Australia/Sydney"),
        ("61889123456", "Australia/Darwin"),
        ("6281112345678", "Asia/Jakarta|Asia/Jayapura|Asia/Makassar"),
        ("34612345678", "Atlantic/Canary|Europe/Madrid"),
        ("56912345678", "America/Punta_Arenas|Pacific/Easter"),
        ("593991234567", "Pacific/Galapagos"),
        ("213551234567", "Africa/Algiers"),
        ("50588123456", "America/Managua"),
    ] {
        let ours = ZoneSet::of_prefix(number);
        let wanted: ZoneSet = candidates.parse().expect(candidates);
        for zone in wanted.zones() {
            assert!(ours.zones().contains(zone), "+{number} may be in {zone}: {ours}");
        }
    }
    assert_eq!(ZoneSet::of_prefix("16892345678").to_string(), "America/New_York");
    let spread = |code: &str| {
        let at: Moment = "2026-12-01T12:00:00Z".parse().expect("a moment");
        let hours: BTreeSet<i64> = of_area_code(code).zones().iter().map(|zone| zone.offset_at(at) / 3600).collect();
        hours.into_iter().collect::<Vec<_>>()
    };
    assert_eq!((spread("867").first(), spread("867").last()), (Some(&-7), Some(&-5)), "from Yukon to Baffin Island");
    assert_eq!(spread("250"), [-7, -6], "Kootenay is an hour ahead");
}
