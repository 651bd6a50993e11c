//! What a contact file proves of itself. What it does not prove is left out, and said.

use std::collections::BTreeSet;

use ringfence_domain::heard::speaks_of_opting_out;
use ringfence_domain::phone::{Country, PlannedNumber};
use ringfence_domain::{PhoneNumber, number_zones, place};
use ringfence_intake::contacts::Sample;

use crate::error::Error;

/// Countries that numbers without a code are tried in. Germany is not one: nearly every number of
/// ten digits is valid there.
const COUNTRIES: [&str; 7] = ["IN", "US", "GB", "AU", "FR", "AE", "TR"];
/// All numbers, but for slips.
const ALL: f64 = 0.95;
/// Another country in which so many are valid is as likely.
const TOO_MANY: f64 = 0.8;

/// What the columns of a contact file are for.
#[derive(Debug)]
pub(crate) struct Columns {
    pub(crate) phone: String,
    /// Other columns of numbers.
    pub(super) more_phones: Vec<String>,
    /// What the agent may get to know.
    others: Vec<String>,
    /// Columns that may say who must not be called.
    pub(super) refusals: Vec<String>,
    pub(crate) country: Option<Country>,
    /// The country that all numbers are of.
    home: Option<Country>,
    pub(crate) timezone: Option<String>,
    pub(crate) id: Option<String>,
    /// What was guessed and what was not, one sentence each.
    pub(crate) notes: Vec<String>,
}

impl Columns {
    /// Guesses from the first rows of a file, called `of`; a column and a country that somebody named
    /// are not guessed.
    pub(crate) fn guess(
        table: &Sample,
        of: &str,
        (named, given): (Option<&str>, Option<Country>),
    ) -> Result<Self, Error> {
        let phones = phones(table);
        let phone = phone(table, of, named, &phones)?;
        let mut notes = Vec::new();
        let country = given.or_else(|| country(table, &phone, &mut notes));
        let home = home(table, &phone, country);
        let by_name =
            |names: &[&str]| table.columns.iter().find(|column| names.contains(&column.to_lowercase().as_str()));
        let timezone = by_name(&["tz", "timezone", "time_zone", "time zone", "zone"])
            .filter(|column| table.share(column, |value| place::zones(value).is_ok()) >= ALL);
        let id = table.columns.iter().find(|column| {
            let name = column.to_lowercase();
            let named = name == "id" || name.ends_with("_id") || name.ends_with(" id") || name == "uuid";
            named && table.is_unique(column)
        });
        let more_phones: Vec<String> = phones.into_iter().filter(|column| *column != phone).collect();
        let unsayable = |column: &&String| column.contains(['{', '}', '|']);
        let rest = table.columns.iter().filter(|column| {
            **column != phone && Some(*column) != timezone && !column.is_empty() && !more_phones.contains(column)
        });
        let (refusals, others): (Vec<&String>, Vec<&String>) = rest.partition(|column| speaks_of_opting_out(column));
        let (bad, others): (Vec<&String>, Vec<&String>) = others.into_iter().partition(unsayable);
        let mut found = Self {
            others: others.into_iter().cloned().collect(),
            refusals: refusals.into_iter().cloned().collect(),
            country,
            home,
            timezone: timezone.cloned(),
            id: id.cloned(),
            more_phones,
            phone,
            notes,
        };
        for column in bad {
            found
                .notes
                .push(format!("column `{column}` is left out: a variable cannot name a column with {{, }} or |"));
        }
        found.say();
        Ok(found)
    }

    /// Says what was written for whose numbers.
    fn say(&mut self) {
        if let Some(country) = self.country {
            let country = String::from(country);
            self.notes.insert(0, format!("country: {country}, of numbers without a +"));
        }
        let zone = match self.calling_zone() {
            "contact" => "contact: everyone's own clocks, by column or number".to_owned(),
            zone => zone.to_owned(),
        };
        self.notes.insert(self.notes.len().min(1), format!("timezone: {zone}"));
        if let Some(second) = self.more_phones.first() {
            self.notes.push(format!("column `{second}` has numbers, too: if they are the same person's, use phones"));
        }
        for column in &self.refusals {
            self.notes.push(format!(
                "column `{column}` may say who must not be called, and is no variable: take those rows out"
            ));
        }
    }

    /// Whose clocks the hours are read on: a zone only where all numbers are of a country that has
    /// one.
    pub(crate) fn calling_zone(&self) -> &'static str {
        let home = self.home.filter(|home| self.timezone.is_none() && Some(*home) == self.country);
        match home.map(String::from).as_deref() {
            Some("IN") => "Asia/Kolkata",
            Some("GB") => "Europe/London",
            Some("FR") => "Europe/Paris",
            Some("DE") => "Europe/Berlin",
            Some("AE") => "Asia/Dubai",
            Some("TR") => "Europe/Istanbul",
            _ => "contact",
        }
    }

    /// Holidays and the preset that campaigns in the numbers' country usually want; both are left
    /// to be chosen.
    pub(crate) fn laws(&self) -> Option<(&'static str, &'static str)> {
        match self.home.map(String::from).as_deref() {
            Some("IN") => Some(("IN", "in-trai-promotional")),
            Some("US") => Some(("US", "us-tcpa")),
            Some("GB") => Some(("GB", "uk")),
            Some("FR") => Some(("FR", "fr")),
            Some("AU") => Some(("AU", "au")),
            _ => None,
        }
    }

    /// Names that can be read, each once, and their columns: `Amount (₹)` is `Amount`.
    pub(crate) fn variables(&self) -> Vec<(String, &str)> {
        let mut taken = BTreeSet::new();
        let mut variables: Vec<(String, &str)> =
            self.others.iter().enumerate().map(|(place, column)| (readable(column, place), column.as_str())).collect();
        for (name, _) in &mut variables {
            let plain = name.clone();
            let mut count = 2;
            while !taken.insert(name.clone()) {
                *name = format!("{plain}_{count}");
                count += 1;
            }
        }
        variables
    }
}

/// A column's name as that of a variable; one without letters is named by its place.
fn readable(column: &str, place: usize) -> String {
    let parts = column.split(|c: char| !c.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    let plain = parts.collect::<Vec<_>>().join("_");
    if plain.is_empty() { format!("column_{}", place + 1) } else { plain }
}

/// Columns that are named as numbers and hold them; else the first that holds them.
fn phones(table: &Sample) -> Vec<String> {
    let digits = |value: &str| value.bytes().filter(u8::is_ascii_digit).count();
    let like_numbers = |column: &str| {
        table.share(column, |value| {
            (7..=16).contains(&digits(value)) && !value.chars().any(|c| c.is_alphabetic() && !matches!(c, 'e' | 'E'))
        })
    };
    let named = |column: &str| {
        let name = column.to_lowercase();
        ["phone", "mobile", "msisdn", "cell", "tel", "landline", "whatsapp", "number", "contact"]
            .iter()
            .any(|word| name.contains(word))
    };
    let mut phones: Vec<String> =
        table.columns.iter().filter(|column| named(column) && like_numbers(column) >= 0.5).cloned().collect();
    if phones.is_empty() {
        phones.extend(table.columns.iter().find(|column| like_numbers(column) >= 0.8).cloned());
    }
    phones
}

fn phone(table: &Sample, of: &str, named: Option<&str>, phones: &[String]) -> Result<String, Error> {
    match named {
        Some(column) if table.columns.iter().any(|known| known == column) => Ok(column.to_owned()),
        Some(column) => Err(Error::input(
            format!("{of} has no column `{column}`; it has: {}", table.columns.join(", ")),
            "name one of them with --phone",
        )),
        None => phones.first().cloned().ok_or_else(|| {
            Error::input(
                format!("no column of {of} looks like phone numbers; it has: {}", table.columns.join(", ")),
                "name it with --phone",
            )
        }),
    }
}

/// The number, when it is one that people are called on: of no kind that a campaign must allow
/// first, such as +44 70, and no +44 5.
pub(crate) fn parse_number(value: &str, country: Option<&str>) -> Option<PhoneNumber> {
    let country = country.and_then(|country| country.parse().ok());
    let PlannedNumber { number, kind: None, .. } = PlannedNumber::parse(value, country).ok()? else { return None };
    let callable = !number.e164().starts_with("+44")
        || ["1", "2", "3", "7"].iter().any(|first| number.e164()[3..].starts_with(first));
    callable.then_some(number)
}

fn has_code(value: &str) -> bool {
    let value = value.trim().trim_start_matches('\'');
    value.starts_with('+') || value.starts_with("00")
}

/// The only country in which the numbers without a code are valid. Numbers with one say nothing
/// about the others.
fn country(table: &Sample, phone: &str, notes: &mut Vec<String>) -> Option<Country> {
    let local = |value: &str| !has_code(value);
    let somewhere =
        |value: &str| local(value) && COUNTRIES.iter().any(|country| parse_number(value, Some(country)).is_some());
    let known = table.share(phone, somewhere);
    if known == 0.0 {
        let without = table.share(phone, |value| local(value) && value.bytes().any(|byte| byte.is_ascii_digit()));
        notes.push(if without == 0.0 {
            "country: left out, because every number has its country code".to_owned()
        } else {
            "country: left out, because it cannot be told from the numbers without a +; name it with --country"
                .to_owned()
        });
        return None;
    }
    let valid = |country: &str| {
        table.share(phone, |value| local(value) && parse_number(value, Some(country)).is_some()) / known
    };
    let shares: Vec<(&str, f64)> = COUNTRIES.iter().map(|country| (*country, valid(country))).collect();
    let likely: Vec<&str> =
        shares.iter().filter(|(_, share)| *share >= TOO_MANY).map(|(country, _)| *country).collect();
    match likely.as_slice() {
        [only] if shares.iter().any(|(country, share)| country == only && *share >= ALL) => {
            if *only == "US" && table.share(phone, is_canadian) > 1.0 - ALL {
                return "CA".parse().ok();
            }
            only.parse().ok()
        }
        several => {
            let names = if several.is_empty() { "no country alone".to_owned() } else { several.join(" and ") };
            notes.push(format!(
                "country: left out, because the numbers without a + are valid in {names}; without it they are rejected: name it \
                 with --country"
            ));
            None
        }
    }
}

fn is_canadian(value: &str) -> bool {
    parse_number(value, Some("US")).is_some_and(|number| number_zones::is_canadian(&number))
}

/// The country that every readable number is of, slips apart.
fn home(table: &Sample, phone: &str, country: Option<Country>) -> Option<Country> {
    let reading = country.map(String::from);
    let number = |value: &str| parse_number(value, reading.as_deref());
    let readable = table.share(phone, |value| number(value).is_some());
    let all_of = |name: &str| {
        let code = name.parse::<Country>().ok().and_then(Country::calling_code);
        let own = |value: &str| number(value).is_some_and(|number| number.country_code() == code);
        readable > 0.0 && table.share(phone, own) / readable >= 0.999
    };
    let candidates = ["IN", "GB", "FR", "AU", "DE", "AE", "TR"];
    let found = candidates.into_iter().find(|name| all_of(name));
    let american = || {
        let canadian =
            table.share(phone, |value| number(value).is_some_and(|number| number_zones::is_canadian(&number)));
        (all_of("US") && canadian == 0.0).then_some("US")
    };
    found.or_else(american).and_then(|name| name.parse().ok())
}
