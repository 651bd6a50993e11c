//! Phone numbers: read once, kept as E.164, never printed whole by accident.

use std::fmt;
use std::hash::Hasher;

use rlibphonenumber::enums::Region;
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat};
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher13;

/// A valid number in E.164 (`+919876543210`). `Display` and `Debug` mask it; [`PhoneNumber::e164`] does not.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PhoneNumber(String);

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
    /// It can be read, but no such number is given out.
    #[error("no such number exists in its country's numbering plan")]
    Invalid,
    /// A spreadsheet kept the first digits only.
    #[error("a spreadsheet shortened the number to `{0}`; format the column as text and save the file again")]
    Shortened(String),
}

impl PhoneError {
    /// The kind of mistake, for counting.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Empty => "no_number",
            Self::NoCountry => "no_country",
            Self::Unreadable => "not_a_number",
            Self::Invalid => "invalid_number",
            Self::Shortened(_) => "shortened",
        }
    }
}

/// `9.19877E+11`: the rest of the digits is gone.
fn is_shortened(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, "0"));
    digits(whole) && digits(fraction) && digits(exponent.trim_start_matches('+'))
}

/// The number without what spreadsheets and tables put around it: an apostrophe before it, `.0` after it.
fn unwrapped(text: &str) -> &str {
    let text = text.trim().trim_start_matches('\'').trim_start();
    match text.split_once('.') {
        Some((whole, zeros)) if whole.len() >= 7 && !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole,
        _ => text,
    }
}

/// A country whose numbers may be written without a country code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Country(Region);

impl std::str::FromStr for Country {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Region::try_from(text.to_ascii_uppercase().as_str())
            .ok()
            .filter(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(*region).is_some())
            .map(Country)
            .ok_or_else(|| format!("`{text}` is not a two-letter country code"))
    }
}

impl Country {
    /// Its calling code, 91 for India.
    pub fn calling_code(self) -> Option<i32> {
        PHONE_NUMBER_UTIL.get_country_code_for_region(self.0)
    }
}

impl TryFrom<String> for Country {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.0.to_string()
    }
}

impl PhoneNumber {
    /// Reads a number as people write it: spaces, dashes, brackets, `00` or `+` before the country code, or none
    /// when `country` says how to read it.
    pub fn parse(text: &str, country: Option<Country>) -> Result<Self, PhoneError> {
        let text = unwrapped(text);
        if text.is_empty() {
            return Err(PhoneError::Empty);
        }
        if is_shortened(text) {
            return Err(PhoneError::Shortened(text.to_owned()));
        }
        if country.is_none() && !text.starts_with('+') {
            return Err(PhoneError::NoCountry);
        }
        let number =
            PHONE_NUMBER_UTIL.parse(text, country.map(|country| country.0)).map_err(|_| PhoneError::Unreadable)?;
        if !number.is_valid() || !number.extension.as_deref().unwrap_or_default().is_empty() {
            return Err(PhoneError::Invalid);
        }
        Ok(Self(number.format_as(PhoneNumberFormat::E164).into_owned()))
    }

    /// A number that is already E.164, as our own tables keep it.
    pub fn from_e164(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+')?;
        let plain = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| Self(text.to_owned()))
    }

    /// The whole number, `+` and all digits. For the provider, the database and the operator's own export.
    pub fn e164(&self) -> &str {
        &self.0
    }

    /// The digits without `+` and country code, as the country itself would write them after its trunk prefix.
    /// None when the number cannot be taken apart.
    pub fn national(&self) -> Option<String> {
        let number = PHONE_NUMBER_UTIL.parse(self.0.as_str(), None).ok()?;
        self.0.strip_prefix(&format!("+{}", number.country_code)).map(str::to_owned)
    }

    /// The country calling code, 91 for India.
    pub fn country_code(&self) -> Option<i32> {
        PHONE_NUMBER_UTIL.parse(self.0.as_str(), None).ok().map(|number| number.country_code)
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

/// A text in which every run of seven digits or more, as a vendor's message may quote one, keeps its last four only.
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

/// What a number is made unique and looked up by: a keyed hash, so that encrypting the numbers later changes one
/// column and no index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NumberKey(pub i64);

/// The secret that number keys are made with, one for each installation.
#[derive(Clone)]
pub struct NumberHasher {
    key: [u8; 16],
}

impl NumberHasher {
    /// A hasher with this installation's key.
    pub fn new(key: [u8; 16]) -> Self {
        Self { key }
    }

    /// The key of a number: SipHash-1-3 of its E.164 digits.
    pub fn key(&self, number: &PhoneNumber) -> NumberKey {
        let mut hasher = SipHasher13::new_with_key(&self.key);
        hasher.write(number.0.as_bytes());
        NumberKey(hasher.finish().cast_signed())
    }
}

impl fmt::Debug for NumberHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NumberHasher(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn india() -> Option<Country> {
        Some("IN".parse().expect("a country"))
    }

    #[test]
    fn people_write_numbers_in_many_ways() {
        for text in [
            "9876543210",
            "'9876543210",
            "919876543210.0",
            "\u{a0}98765\u{a0}43210",
            "098765 43210",
            "+91 98765-43210",
            "0091 98765 43210",
            "(+91) 9876543210",
        ] {
            let number = PhoneNumber::parse(text, india()).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(number.e164(), "+919876543210", "{text}");
        }
    }

    #[test]
    fn what_cannot_be_called_is_refused_with_its_reason() {
        assert_eq!(PhoneNumber::parse("", india()), Err(PhoneError::Empty));
        assert_eq!(PhoneNumber::parse("9876543210", None), Err(PhoneError::NoCountry));
        assert_eq!(PhoneNumber::parse("call me", india()), Err(PhoneError::Unreadable));
        assert_eq!(PhoneNumber::parse("12345", india()), Err(PhoneError::Invalid));
        assert_eq!(PhoneNumber::parse("+44 7700 900123", None), Err(PhoneError::Invalid));
        assert_eq!(PhoneNumber::parse("9876543210 ext 5", india()), Err(PhoneError::Invalid));
        for text in ["9.19877E+11", "9,19877E+11", "9.19877e11", "9E+11"] {
            assert_eq!(PhoneNumber::parse(text, india()), Err(PhoneError::Shortened(text.to_owned())));
        }
    }

    #[test]
    fn a_number_does_not_print_whole() {
        let number = PhoneNumber::parse("9876543210", india()).expect("a number");
        assert_eq!(format!("{number} {number:?}"), "+91******3210 +91******3210");
        assert_eq!(number.national().as_deref(), Some("9876543210"));
        assert_eq!(number.country_code(), Some(91));
    }

    #[test]
    fn numbers_in_other_texts_are_masked() {
        let masked = mask_numbers("HTTP 400: +919876543210 and 9876543210 are wrong");
        assert_eq!(masked, "HTTP 400: +********3210 and ******3210 are wrong");
    }

    #[test]
    fn keys_depend_on_the_installation() {
        let number = PhoneNumber::from_e164("+919876543210").expect("a number");
        assert_eq!(NumberHasher::new([1; 16]).key(&number), NumberHasher::new([1; 16]).key(&number));
        assert_ne!(NumberHasher::new([1; 16]).key(&number), NumberHasher::new([2; 16]).key(&number));
    }
}
