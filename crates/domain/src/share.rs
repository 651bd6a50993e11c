//! A share of a whole, in hundredths: `"10%"`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::quantity::QuantityError;

/// A share from `"0%"` to `"100%"`, where none at all is one, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Share(u8);

impl Share {
    /// Makes a share of `hundredths`, at most 100.
    pub const fn new(hundredths: u8) -> Self {
        assert!(hundredths <= 100, "a share of everything at most");
        Self(hundredths)
    }

    /// Returns the share in hundredths.
    pub const fn hundredths(self) -> u8 {
        self.0
    }
}

impl FromStr for Share {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.trim().strip_suffix('%').and_then(|number| number.trim().parse().ok());
        number.filter(|hundredths| (0..=100).contains(hundredths)).map(Self).ok_or_else(|| QuantityError {
            message: format!("`{text}` is not a share"),
            hint: "write a whole number from 0 to 100 and %: 10%",
        })
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl TryFrom<String> for Share {
    type Error = QuantityError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Share> for String {
    fn from(share: Share) -> Self {
        share.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_whole_hundredths_of_at_most_all() {
        for (text, hundredths) in [("0%", 0), ("10%", 10), (" 100 %", 100)] {
            assert_eq!(text.parse::<Share>().map(Share::hundredths), Ok(hundredths), "{text}");
        }
        for text in ["", "10", "%", "-1%", "101%", "2.5%", "300%"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
        assert_eq!(Share::new(7).to_string(), "7%");
    }
}
