//! Public holidays: data that is shipped, or that operators bring, with its source and the years
//! that it knows.
//!
//! A file begins with lines `key: value`: `source`, `years: 2024-2035`, and `regions: MH KL` if it
//! has any. Then one line a holiday: the date, `*` for the whole country or the regions that keep
//! it, and its name. Lines that begin with `#` are remarks.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::date;

/// The files that are shipped, by country.
const SHIPPED: &[(&str, &str)] = &[
    ("AU", include_str!("../../data/holidays/AU.txt")),
    ("FR", include_str!("../../data/holidays/FR.txt")),
    ("GB", include_str!("../../data/holidays/GB.txt")),
    ("IN", include_str!("../../data/holidays/IN.txt")),
    ("US", include_str!("../../data/holidays/US.txt")),
];

/// The public holidays of a country, or of one of its regions together with the country's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holidays {
    /// `IN`, or `IN-MH` for a region.
    pub name: String,
    /// Where the data comes from.
    pub source: String,
    /// The first year that is known.
    pub first: i32,
    /// The last year that is known. Later days are closed: nobody can say which of them are
    /// holidays.
    pub last: i32,
    /// Names by date.
    pub days: BTreeMap<Date, String>,
}

/// Why there are no such holidays.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HolidaysError {
    /// No data has this name.
    #[error("no holidays are known by the name `{name}`")]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// The country has no such region.
    #[error("`{country}` has no region `{region}`")]
    NoRegion {
        /// The country.
        country: String,
        /// What was asked for.
        region: String,
        /// What it has.
        regions: Vec<String>,
    },
    /// The data cannot be read.
    #[error("line {line}: {message}")]
    Unreadable {
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
}

impl HolidaysError {
    /// Returns how to mend it.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown { .. } => {
                let shipped: Vec<&str> = SHIPPED.iter().map(|(country, _)| *country).collect();
                format!(
                    "shipped: {}, and regions as IN-MH; others are files named under [holidays] in ringfence.toml",
                    shipped.join(", ")
                )
            }
            Self::NoRegion { country, regions, .. } if regions.is_empty() => format!("write {country}"),
            Self::NoRegion { regions, .. } => format!("its regions: {}", regions.join(", ")),
            Self::Unreadable { .. } => {
                "lines are `source: …`, `years: 2026-2027`, then `2026-12-25 * Christmas Day`".to_owned()
            }
        }
    }
}

impl Holidays {
    /// Returns the holidays of this name, `IN` or `IN-MH`, from the texts of `own` files by their
    /// names, else from those that are shipped.
    pub fn named(name: &str, own: &BTreeMap<String, String>) -> Result<Self, HolidaysError> {
        let text = |wanted: &str| {
            let shipped = || SHIPPED.iter().find(|(country, _)| *country == wanted).map(|(_, text)| *text);
            own.get(wanted).map(String::as_str).or_else(shipped)
        };
        if let Some(text) = text(name) {
            return Self::parse(name, text, None);
        }
        match name.split_once('-') {
            Some((country, region)) if text(country).is_some() => {
                Self::parse(country, text(country).unwrap_or_default(), Some(region))
            }
            _ => Err(HolidaysError::Unknown { name: name.to_owned() }),
        }
    }

    /// Reads a file. With a region, its own holidays are added to those of the whole country.
    pub fn parse(country: &str, text: &str, region: Option<&str>) -> Result<Self, HolidaysError> {
        let (mut source, mut years, mut regions) = (None, None, BTreeSet::new());
        let mut days = BTreeMap::new();
        for (place, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            let line = line.trim();
            let wrong = |message: String| HolidaysError::Unreadable { line: place + 1, message };
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let words: Vec<&str> = line.splitn(3, char::is_whitespace).collect();
            match words.as_slice() {
                ["source:", ..] => source = Some(line["source:".len()..].trim().to_owned()),
                ["years:", range] => {
                    years = Some(read_years(range).ok_or_else(|| wrong(format!("`{range}` is no range of years")))?);
                }
                ["regions:", ..] => regions = line["regions:".len()..].split_whitespace().map(str::to_owned).collect(),
                [date, kept_by, name] => {
                    let day = date::parse(date).ok_or_else(|| wrong(format!("`{date}` is not a date")))?;
                    let (first, last) = years.ok_or_else(|| wrong("the years come before the days".to_owned()))?;
                    if !(first..=last).contains(&i32::from(day.year())) {
                        return Err(wrong(format!("{day} is not within {first}-{last}")));
                    }
                    let kept: Vec<&str> = kept_by.split(',').collect();
                    if let Some(other) = kept.iter().find(|kept| **kept != "*" && !regions.contains(**kept)) {
                        let regions =
                            if regions.is_empty() { "it has no `regions:`" } else { "it is not among `regions:`" };
                        return Err(wrong(format!("`{other}` stands where `*` or a region belongs, and {regions}")));
                    }
                    if kept.contains(&"*") || region.is_some_and(|region| kept.contains(&region)) {
                        days.entry(day).or_insert_with(|| name.trim().to_owned());
                    }
                }
                _ => return Err(wrong("it is neither a setting nor a holiday".to_owned())),
            }
        }
        let missing = |what: &str| HolidaysError::Unreadable { line: 1, message: format!("`{what}:` is missing") };
        let (first, last) = years.ok_or_else(|| missing("years"))?;
        if let Some(region) = region.filter(|region| !regions.contains(*region)) {
            let (country, region) = (country.to_owned(), region.to_owned());
            return Err(HolidaysError::NoRegion { country, region, regions: regions.into_iter().collect() });
        }
        let name = region.map_or(country.to_owned(), |region| format!("{country}-{region}"));
        Ok(Self { name, source: source.ok_or_else(|| missing("source"))?, first, last, days })
    }

    /// Tells whether it is known of a day whether it is one of them.
    pub fn is_known(&self, day: Date) -> bool {
        (self.first..=self.last).contains(&i32::from(day.year()))
    }

    /// Tells whether nobody is called on a day.
    pub fn close(&self, day: Date) -> bool {
        !self.is_known(day) || self.days.contains_key(&day)
    }
}

fn read_years(range: &str) -> Option<(i32, i32)> {
    let (first, last) = range.trim().split_once('-').unwrap_or((range.trim(), range.trim()));
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn date(text: &str) -> Date {
        date::parse(text).expect("a date")
    }

    fn shipped(name: &str) -> Holidays {
        Holidays::named(name, &BTreeMap::new()).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    #[test]
    fn every_shipped_file_is_read_with_all_its_regions() {
        for (country, text) in SHIPPED {
            let whole = shipped(country);
            assert!(whole.last >= 2030 && whole.source.contains("http"), "{country}");
            let regions = text.lines().find_map(|line| line.strip_prefix("regions:")).expect("regions");
            for region in regions.split_whitespace() {
                let of_region = shipped(&format!("{country}-{region}"));
                assert!(whole.days.keys().all(|day| of_region.days.contains_key(day)), "{country}-{region}");
            }
        }
    }

    #[test]
    fn what_every_region_keeps_is_the_countrys() {
        for (country, text) in SHIPPED {
            let whole = shipped(country);
            let regions = text.lines().find_map(|line| line.strip_prefix("regions:")).expect("regions");
            let of_regions: Vec<Holidays> =
                regions.split_whitespace().map(|region| shipped(&format!("{country}-{region}"))).collect();
            for day in of_regions[0].days.keys() {
                let everywhere = of_regions.iter().all(|region| region.days.contains_key(day));
                assert!(!everywhere || whole.days.contains_key(day), "{country} {day}");
            }
        }
    }

    #[test]
    fn some_days_that_everyone_knows() {
        for (name, day) in [
            ("IN", "2026-01-26"),
            ("IN", "2026-11-08"),
            ("IN-MH", "2026-05-01"),
            ("US", "2026-11-26"),
            ("US", "2026-07-03"),
            ("GB", "2026-12-28"),
            ("GB-SCT", "2026-11-30"),
            ("FR", "2026-05-14"),
            ("FR-57", "2026-12-26"),
            ("AU", "2026-04-25"),
            ("AU", "2026-12-28"),
            ("AU-VIC", "2026-11-03"),
        ] {
            assert!(shipped(name).close(date(day)), "{name} {day}");
        }
        assert!(!shipped("GB").close(date("2026-11-30")), "St Andrew's Day is Scotland's");
        assert!(!shipped("IN").close(date("2026-11-20")));
    }

    #[test]
    fn years_that_are_not_known_are_closed() {
        let india = shipped("IN");
        let later = date::valid(india.last + 1, 6, 15).expect("a date");
        assert!(!india.is_known(later) && india.close(later));
    }

    #[test]
    fn slips_in_a_file_are_told_at_their_line() {
        let head = "source: us\nyears: 2026-2027\nregions: A B\n";
        for (text, line, says) in [
            ("2026-12-25 * Christmas", 1, "years come before"),
            (&format!("{head}2026-13-25 * Christmas"), 4, "not a date"),
            (&format!("{head}2028-12-25 * Christmas"), 4, "not within"),
            (&format!("{head}2026-12-25 C Christmas"), 4, "not among `regions:`"),
            ("source: us\nyears: 2026\n2026-11-23 Founders day", 3, "`*` or a region belongs"),
            (&format!("{head}2026-12-25"), 4, "neither"),
            ("source: us\nyears: 2027-2026", 2, "no range"),
            ("source: us", 1, "`years:` is missing"),
        ] {
            let Err(HolidaysError::Unreadable { line: at, message }) = Holidays::parse("X", text, None) else {
                panic!("{text} was read")
            };
            assert!(at == line && message.contains(says), "{text}: {at} {message}");
        }
        let no_region = Holidays::named("GB-CORNWALL", &BTreeMap::new()).expect_err("no region");
        assert!(no_region.hint().contains("SCT"));
        let unknown = Holidays::named("ZZ", &BTreeMap::new()).expect_err("unknown");
        assert!(unknown.hint().contains("IN, US"), "{}", unknown.hint());
        let no_country = Holidays::named("ZZ-A", &BTreeMap::new()).expect_err("unknown");
        assert_eq!(no_country, HolidaysError::Unknown { name: "ZZ-A".to_owned() });
        let no_regions = Holidays::parse("X", "source: us\nyears: 2026", Some("A")).expect_err("no region");
        assert_eq!(no_regions.hint(), "write X");
    }
}
