//! Phone numbers: read once, kept as E.164, never printed whole by accident.

mod calling_code;
mod country;
mod key;
mod kind;
#[cfg(test)]
mod tests;
mod text;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, PhoneNumberType};

pub use self::country::Country;
pub use self::key::{NumberHasher, NumberKey};
pub use self::kind::NumberKind;

/// A valid number in E.164 (`+919876543210`). `Display` and `Debug` mask it; [`PhoneNumber::e164`]
/// does not.
///
/// Two numbers that are one number, written in two ways, are equal: +54 9 11… and +54 11….
#[derive(Clone)]
pub struct PhoneNumber(String);

/// A number, and what its numbering plan knows of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedNumber {
    /// The number.
    pub number: PhoneNumber,
    /// The kind that campaigns must name before it is called; none for others.
    pub kind: Option<NumberKind>,
    /// Its country; none for networks of no country.
    pub country: Option<Country>,
}

/// Why a text is not a number that can be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// Nothing was given.
    #[error("the phone number is empty")]
    Empty,
    /// It has no country code and the campaign names no country.
    #[error("the phone number has no country code; begin it with +, or say the country (contacts.country, --country)")]
    NoCountry,
    /// It cannot be read as a number.
    #[error("not a phone number")]
    Unreadable,
    /// It has a minus before it, or after.
    #[error("a number below zero: a spreadsheet computed it, and the real number is lost")]
    Negative,
    /// It has letters.
    #[error("letters in a number")]
    Letters,
    /// It has an extension.
    #[error("it has an extension ({0}), which cannot be dialled")]
    Extension(String),
    /// It is of a kind that the campaign does not name.
    #[error("it is {}; contacts.allow = [\"{}\"] would let it be called", .0.described(), .0)]
    Kind(NumberKind),
    /// It is a number of a country that the campaign does not call.
    #[error("it is a number of {}, which contacts.countries does not have", .0.map_or("no country".to_owned(), String::from))]
    OtherCountry(Option<Country>),
    /// It can be read, but no such number is given out.
    #[error("no such number exists in its country's numbering plan")]
    Invalid,
    /// A spreadsheet kept the first digits only.
    #[error("a spreadsheet shortened the number to `{0}`; format the column as text and save the file again")]
    Shortened(String),
}

impl PhoneError {
    /// Returns the kind of mistake, for counting.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "no_number",
            Self::NoCountry => "no_country",
            Self::Unreadable => "not_a_number",
            Self::Invalid => "invalid_number",
            Self::Shortened(_) => "shortened",
            Self::Negative => "negative",
            Self::Letters => "letters",
            Self::Extension(_) => "extension",
            Self::Kind(_) => "kind",
            Self::OtherCountry(_) => "country",
        }
    }
}

impl PhoneNumber {
    /// Reads a number as people write it: spaces, dashes, brackets, `00` or `+` before the country
    /// code, or none when `country` says how to read it.
    pub fn parse(text: &str, country: Option<Country>) -> Result<Self, PhoneError> {
        PlannedNumber::parse(text, country).map(|planned| planned.number)
    }

    /// Reads a number that is already E.164, as our own tables keep it.
    pub fn from_e164(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+')?;
        let plain = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| Self(without_old_prefix(text, None).into_owned()))
    }

    /// Returns the form that all ways to write the number share. Argentina's mobiles have a 9 after
    /// +54 when they are called from abroad, and none at home. They are dialled as they are
    /// written, because from abroad a mobile is reached with the 9 only.
    fn identity(&self) -> Cow<'_, str> {
        match self.0.strip_prefix("+549") {
            Some(rest) if rest.len() == 10 => Cow::Owned(format!("+54{rest}")),
            _ => Cow::Borrowed(&self.0),
        }
    }

    /// Returns the whole number, `+` and all digits. For the provider, the database and the
    /// operator's own export.
    pub fn e164(&self) -> &str {
        &self.0
    }

    /// Returns the digits without `+` and country code, as the country itself would write them
    /// after its trunk prefix. None when the number cannot be taken apart.
    pub fn national(&self) -> Option<String> {
        calling_code::split(&self.0).map(|(_, national)| national.to_owned())
    }

    /// Returns the country calling code, 91 for India.
    pub fn country_code(&self) -> Option<i32> {
        calling_code::split(&self.0).map(|(code, _)| code)
    }
}

impl PlannedNumber {
    /// Reads a number as [`PhoneNumber::parse`] does.
    pub fn parse(text: &str, country: Option<Country>) -> Result<Self, PhoneError> {
        let written = text::plain(text)?;
        if country.is_none() && !written.starts_with('+') {
            return Err(PhoneError::NoCountry);
        }
        let text = without_old_prefix(&written, country);
        let number =
            PHONE_NUMBER_UTIL.parse(&text, country.map(|country| country.0)).map_err(|_| PhoneError::Unreadable)?;
        let kind = number.get_type();
        if kind == PhoneNumberType::Unknown || !number.extension.as_deref().unwrap_or_default().is_empty() {
            return Err(PhoneError::Invalid);
        }
        let e164 = number.format_as(PhoneNumberFormat::E164).into_owned();
        // Only a prefix may be read out of what is written.
        if !written.ends_with(&e164[e164.len().saturating_sub(6)..]) {
            return Err(PhoneError::Unreadable);
        }
        let region = number.get_region_code().map(Country).filter(|country| country.calling_code().is_some());
        let kind = NumberKind::of_plan(kind, number.country_code);
        // Some plans have numbers that are longer than E.164 allows; no network abroad takes them.
        let number = PhoneNumber::from_e164(&e164).ok_or(PhoneError::Invalid)?;
        Ok(Self { number, kind, country: region })
    }
}

/// Removes prefixes that Mexico has given up: the 1 after +52, and 01, 044 or 045 at home.
/// Networks refuse them.
fn without_old_prefix(digits: &str, country: Option<Country>) -> Cow<'_, str> {
    let abroad = digits.strip_prefix("+521").or_else(|| digits.strip_prefix("00521"));
    let mexico = country.is_some_and(|country| country.calling_code() == Some(52));
    let home = ["1", "01", "044", "045"].iter().filter(|_| mexico).find_map(|prefix| digits.strip_prefix(prefix));
    let mut rest = abroad.into_iter().chain(home);
    rest.find(|rest| rest.len() == 10).map_or(Cow::Borrowed(digits), |rest| Cow::Owned(format!("+52{rest}")))
}

/// Returns the digits of a number as it is written, not judged by any plan: numbers that a person
/// calls from may be of series that no plan lists. They begin with `+` when the country code is
/// among them.
pub fn written_digits(text: &str) -> Result<String, PhoneError> {
    let written = text::plain(text)?;
    Ok(written.strip_prefix("00").map_or_else(|| written.clone(), |rest| format!("+{rest}")))
}

impl PartialEq for PhoneNumber {
    fn eq(&self, other: &Self) -> bool {
        self.identity() == other.identity()
    }
}

impl Eq for PhoneNumber {}

impl Hash for PhoneNumber {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.identity().hash(state);
    }
}

impl PartialOrd for PhoneNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for PhoneNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        self.identity().cmp(&other.identity())
    }
}

/// Country code and last four digits: `+91******3210`.
impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.len().saturating_sub(4);
        let head = self.0.len().min(3);
        let hidden = "*".repeat(shown.saturating_sub(head));
        f.pad(&format!("{}{hidden}{}", &self.0[..head], &self.0[shown..]))
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Masks every run of seven digits or more, which a vendor's message may quote, down to its last
/// four.
pub fn mask_numbers(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let digits = rest[start..].find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len() - start);
        masked.push_str(&rest[..start]);
        let run = &rest[start..start + digits];
        if run.len() >= 7 {
            masked.push_str(&"*".repeat(run.len() - 4));
            masked.push_str(&run[run.len() - 4..]);
        } else {
            masked.push_str(run);
        }
        rest = &rest[start + digits..];
    }
    masked.push_str(rest);
    masked
}
