//! The ways in which vendors want numbers written.

use ringfence_domain::PhoneNumber;
use ringfence_domain::phone::{Country, written_digits};

/// A way to write a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NumberFormat {
    /// `+919876543210`
    E164,
    /// `919876543210`
    Digits,
    /// `00919876543210`
    ZeroZero,
    /// `9876543210`: what the home country writes, without its trunk prefix. Only its numbers can
    /// be called.
    National,
    /// `09876543210`: the same with its trunk prefix.
    ZeroNational,
}

impl NumberFormat {
    /// The words that a lane's `number_format` may be.
    pub const WORDS: &'static [&'static str] = &["e164", "digits", "00digits", "national", "0national"];

    /// Reads one of [`NumberFormat::WORDS`].
    pub fn read(word: &str) -> Result<Self, String> {
        Ok(match word {
            "e164" => Self::E164,
            "digits" => Self::Digits,
            "00digits" => Self::ZeroZero,
            "national" => Self::National,
            "0national" => Self::ZeroNational,
            other => return Err(format!("`{other}` is no number_format; write one of {}", Self::WORDS.join(", "))),
        })
    }

    /// Writes the number as the vendor wants it, or returns why it cannot be written so. Without
    /// its country code a number of another country would reach somebody else.
    pub fn write(self, number: &PhoneNumber, home: Country) -> Result<String, String> {
        let digits = number.e164().trim_start_matches('+');
        match self {
            Self::E164 => Ok(number.e164().to_owned()),
            Self::Digits => Ok(digits.to_owned()),
            Self::ZeroZero => Ok(format!("00{digits}")),
            Self::National | Self::ZeroNational => {
                let national = number.national().filter(|_| number.country_code() == home.calling_code());
                let national = national.ok_or_else(|| {
                    format!(
                        "this lane calls numbers of {} only, without their country code; set number_format = \"e164\" if the \
                         vendor calls others",
                        String::from(home)
                    )
                })?;
                Ok(if self == Self::ZeroNational { format!("0{national}") } else { national })
            }
        }
    }
}

impl NumberFormat {
    /// Writes a number to call from as the vendor wants it, or returns why it cannot be written so.
    /// `text` is the operator's; without a country code it is a number of `home`. It need not be of
    /// a known series: Twenty2 has a series of its own with ten digits, and Iqra AI and Knovvu call
    /// from names that only they know.
    pub fn write_caller(self, text: &str, home: Country) -> Result<String, String> {
        let written = written_digits(text).map_err(|error| error.to_string())?;
        let code = home.calling_code().map(|code| code.to_string()).unwrap_or_default();
        let known = PhoneNumber::parse(text, Some(home)).ok();
        let bare = written.trim_start_matches('0');
        let e164 = match &known {
            Some(number) => number.e164().to_owned(),
            None if written.starts_with('+') => written.clone(),
            None => format!("+{code}{bare}"),
        };
        let digits = e164.trim_start_matches('+');
        match self {
            Self::E164 => Ok(e164.clone()),
            Self::Digits => Ok(digits.to_owned()),
            Self::ZeroZero => Ok(format!("00{digits}")),
            Self::National | Self::ZeroNational => {
                let national = digits.strip_prefix(code.as_str()).filter(|national| !national.is_empty());
                let national = national.ok_or_else(|| format!("this lane calls from numbers of {home} only"))?;
                Ok(if self == Self::ZeroNational { format!("0{national}") } else { national.to_owned() })
            }
        }
    }
}

/// Tells whether `theirs`, as a vendor writes it, is this number (E.164). All digits count where
/// the vendor shows a country code; else only the digits that are there.
pub(crate) fn same_number(ours: &str, theirs: &str) -> bool {
    let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    let (ours, all) = (digits(ours), digits(theirs));
    let short = all.trim_start_matches('0');
    // Mexico's 1 and Argentina's 9 may be there or not.
    if let (Some(ours), Some(theirs)) =
        (PhoneNumber::from_e164(&format!("+{ours}")), PhoneNumber::from_e164(&format!("+{short}")))
        && ours == theirs
    {
        return true;
    }
    if theirs.trim_start().starts_with('+') || all.starts_with("00") || short.len() > 10 {
        return ours == short;
    }
    short.len() >= 7 && ours.ends_with(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_in_every_form_and_never_as_somebody_elses() {
        let (india, turkey) = ("IN".parse().expect("a country"), "TR".parse().expect("a country"));
        let number = PhoneNumber::from_e164("+919876543210").expect("a number");
        let written: Vec<String> = NumberFormat::WORDS
            .iter()
            .map(|word| NumberFormat::read(word).expect(word).write(&number, india).expect(word))
            .collect();
        assert_eq!(written, ["+919876543210", "919876543210", "00919876543210", "9876543210", "09876543210"]);
        for word in ["national", "0national"] {
            let refused = NumberFormat::read(word).expect(word).write(&number, turkey).expect_err(word);
            assert!(refused.contains("TR only"), "{refused}");
        }
        assert!(NumberFormat::read("E.164").is_err());
    }

    #[test]
    fn numbers_to_call_from_are_written_in_every_form() {
        let india = "IN".parse().expect("a country");
        let write = |word: &str, text: &str| NumberFormat::read(word).expect(word).write_caller(text, india);
        for text in ["9876500000", "09876500000", "+91 98765-00000", "0091 98765 00000", "919876500000"] {
            assert_eq!(write("national", text).as_deref(), Ok("9876500000"), "{text}");
            assert_eq!(write("e164", text).as_deref(), Ok("+919876500000"), "{text}");
        }
        assert_eq!(write("national", "1600123456").as_deref(), Ok("1600123456"), "a series that no plan lists yet");
        assert_eq!(write("0national", "9876500000").as_deref(), Ok("09876500000"));
        assert_eq!(write("digits", "9876500000").as_deref(), Ok("919876500000"));
        for text in ["", "-9876500000", "1800-FLOWERS", "9876500000 x5"] {
            assert!(write("national", text).is_err(), "{text}");
        }
        assert!(write("national", "+44 20 7946 0018").is_err(), "without its code it would be another number");
        assert_eq!(write("e164", "+44 20 7946 0018").as_deref(), Ok("+442079460018"));
    }

    #[test]
    fn a_number_is_recognised_in_every_form_and_never_in_another_countrys() {
        for theirs in
            ["+919876543210", "919876543210", "00919876543210", "9876543210", "09876543210", "+91 98765-43210"]
        {
            assert!(same_number("+919876543210", theirs), "{theirs}");
        }
        assert!(same_number("+525512345678", "+5215512345678") && same_number("+5491123456789", "541123456789"));
        for theirs in ["", "3210", "+929876543210", "929876543210", "9876543211", "0019876543210"] {
            assert!(!same_number("+919876543210", theirs), "{theirs}");
        }
        assert!(!same_number("+16145550143", "+526145550143"), "Ohio is not Chihuahua");
    }
}
