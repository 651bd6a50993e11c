//! Quantities in human units: `"15m"`, `"10/s"`. Parsed once, printed as they are written.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jiff::SpanRelativeTo;
use jiff::fmt::friendly::SpanParser;
use serde::{Deserialize, Serialize};

/// A text that is not the quantity it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct QuantityError {
    /// What is wrong.
    pub message: String,
    /// How to write it.
    pub hint: &'static str,
}

/// A length of time in whole milliseconds, never negative: `"250ms"`, `"60s"`, `"15m"`, `"1h30m"`,
/// `"7d"`. Printed in one unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(i64);

impl Span {
    /// No time at all.
    pub const ZERO: Span = Span(0);

    /// Makes a span of `millis` milliseconds.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Makes a span of `seconds` seconds.
    pub const fn from_secs(seconds: i64) -> Self {
        Self(seconds * 1000)
    }

    /// Makes a span of `minutes` minutes.
    pub const fn from_minutes(minutes: i64) -> Self {
        Self(minutes * 60_000)
    }

    /// Makes a span of `hours` hours of sixty minutes.
    pub const fn from_hours(hours: i64) -> Self {
        Self(hours * 3_600_000)
    }

    /// Makes a span of `days` days of 24 hours.
    pub const fn from_days(days: i64) -> Self {
        Self(days * 86_400_000)
    }

    /// Returns the length in milliseconds.
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// Returns the length in seconds, rounded down.
    pub const fn secs(self) -> i64 {
        self.0 / 1000
    }

    /// Returns the same length for timers.
    pub const fn duration(self) -> Duration {
        Duration::from_millis(self.0.unsigned_abs())
    }

    /// Returns `self × numerator ÷ denominator`, rounded down.
    #[must_use]
    pub const fn scaled(self, numerator: i64, denominator: i64) -> Self {
        Self(self.0.saturating_mul(numerator) / denominator)
    }
}

const UNITS: &[(&str, i64)] = &[("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];
const SPAN_HINT: &str = "write whole numbers, each with its unit, the largest first: 250ms, 60s, 15m, 1h30m or 1d 12h";

impl FromStr for Span {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let fault = |what: &str| QuantityError { message: format!("`{text}` {what}"), hint: SPAN_HINT };
        // In one unit, as it is printed, a length may pass the 20,000 years that the reader knows.
        let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
        if let Some((_, scale)) = UNITS.iter().find(|(name, _)| *name == unit.trim())
            && let Ok(number) = number.parse::<i64>()
        {
            return number.checked_mul(*scale).map(Span).ok_or_else(|| fault("is too long"));
        }
        if text.contains(['.', ',']) {
            return Err(fault("is not in whole numbers"));
        }
        let strange = |c: char| !c.is_ascii_alphanumeric() && c != ' ';
        if !text.starts_with(|c: char| c.is_ascii_digit()) || text.contains(strange) {
            return Err(fault("is not a length of time"));
        }
        // The reader knows more units: months, whose length nobody knows, and other words for
        // these.
        let mut words = text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty());
        if !words.all(|word| UNITS.iter().any(|(unit, _)| *unit == word)) {
            return Err(fault("has a unit other than d, h, m, s and ms"));
        }
        if text.ends_with(|c: char| c.is_ascii_digit()) {
            return Err(fault("ends in a number without a unit"));
        }
        let read = SpanParser::new().parse_span(&text).map_err(|_| fault("is not a length of time, or too long"))?;
        read.to_duration(SpanRelativeTo::days_are_24_hours())
            .ok()
            .and_then(|length| i64::try_from(length.as_millis()).ok())
            .map(Span)
            .ok_or_else(|| fault("is too long"))
    }
}

impl Span {
    /// The same as people tell it: in whole seconds, unless it is shorter than one.
    #[must_use]
    pub const fn rounded(self) -> Self {
        if self.0 < 1_000 { self } else { Self((self.0 + 500) / 1_000 * 1_000) }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, scale) = match self.0 {
            0 => ("s", 1000),
            millis => UNITS.iter().find(|(_, scale)| millis % scale == 0).copied().unwrap_or(("ms", 1)),
        };
        write!(f, "{}{unit}", self.0 / scale)
    }
}

impl TryFrom<String> for Span {
    type Error = QuantityError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

/// A share in whole percent, from 1 to 100: `"20%"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Percent(u8);

impl Percent {
    /// Makes a share of `percent` hundredths; it must lie between 1 and 100.
    pub const fn new(percent: u8) -> Self {
        assert!(percent > 0 && percent <= 100, "a share between nothing and everything");
        Self(percent)
    }

    /// Tells whether `part` of `whole` is more than this share.
    pub const fn is_exceeded_by(self, part: i64, whole: i64) -> bool {
        part.saturating_mul(100) > whole.saturating_mul(self.0 as i64)
    }

    /// Tells whether `part` of `whole` is this share or more.
    pub const fn is_reached_by(self, part: i64, whole: i64) -> bool {
        whole > 0 && part.saturating_mul(100) >= whole.saturating_mul(self.0 as i64)
    }
}

impl FromStr for Percent {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number = text.trim().strip_suffix('%').and_then(|number| number.trim().parse().ok());
        number.filter(|percent| (1..=100).contains(percent)).map(Percent).ok_or_else(|| QuantityError {
            message: format!("`{text}` is not a share"),
            hint: "write a whole number from 1 to 100 and %: 20%",
        })
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl TryFrom<String> for Percent {
    type Error = QuantityError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Percent> for String {
    fn from(percent: Percent) -> Self {
        percent.to_string()
    }
}

/// A rate: a number in every sliding window of a length. `"10/s"`, `"60/min"`, `"1000/h"`. Never
/// zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Rate {
    count: u32,
    per: Span,
}

impl Rate {
    /// Makes a rate of `count` a second; `count` must not be zero.
    pub const fn per_second(count: u32) -> Self {
        assert!(count > 0, "a rate of zero");
        Self { count, per: Span::from_secs(1) }
    }

    /// Makes a rate of `count` a minute; `count` must not be zero.
    pub const fn per_minute(count: u32) -> Self {
        assert!(count > 0, "a rate of zero");
        Self { count, per: Span::from_minutes(1) }
    }

    /// Returns how many fit into one window.
    pub const fn count(self) -> u32 {
        self.count
    }

    /// Returns the length of the window.
    pub const fn per(self) -> Span {
        self.per
    }

    /// Returns the even spacing of events at this rate.
    pub fn spacing(self) -> Duration {
        self.per.duration() / self.count
    }
}

const RATE_HINT: &str = "write a number, a slash and s, min or h: 10/s, 60/min, 1000/h";

impl FromStr for Rate {
    type Err = QuantityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fault = |message: String| QuantityError { message, hint: RATE_HINT };
        let (count, per) =
            text.split_once('/').ok_or_else(|| fault(format!("`{text}` is not a rate: the slash is missing")))?;
        let count: u32 = count.trim().parse().map_err(|_| fault(format!("`{count}` is not a number")))?;
        if count == 0 {
            return Err(fault("a rate of zero would never dial".to_owned()));
        }
        let per = match per.trim() {
            "s" => Span::from_secs(1),
            "min" => Span::from_minutes(1),
            "h" => Span::from_hours(1),
            other => return Err(fault(format!("`{other}` is not s, min or h"))),
        };
        Ok(Self { count, per })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per = match self.per.secs() {
            1 => "s",
            60 => "min",
            _ => "h",
        };
        write!(f, "{}/{per}", self.count)
    }
}

impl TryFrom<String> for Rate {
    type Error = QuantityError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Rate> for String {
    fn from(rate: Rate) -> Self {
        rate.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn spans_print_as_they_parse(
            millis in prop_oneof![0_i64..10_000_000_000, 0..=i64::MAX],
            scale in prop::sample::select(vec![1, 1000, 60_000, 3_600_000, 86_400_000]),
        ) {
            let millis = millis / scale * scale;
            let span = Span::from_millis(millis);
            prop_assert_eq!(span.to_string().parse::<Span>(), Ok(span));
        }

        #[test]
        fn several_units_add_up(counts in prop::array::uniform5(prop::option::of(0_i64..10_000)), spaced in any::<bool>()) {
            let parts: Vec<(i64, &(&str, i64))> =
                counts.into_iter().zip(UNITS).filter_map(|(count, unit)| Some((count?, unit))).collect();
            let texts: Vec<String> = parts.iter().map(|(count, (unit, _))| format!("{count}{unit}")).collect();
            let span = texts.join(if spaced { " " } else { "" }).parse::<Span>().ok();
            let sum = parts.iter().map(|(count, (_, scale))| count * scale).sum();
            prop_assert_eq!(span, (!parts.is_empty()).then_some(Span::from_millis(sum)));
        }

        #[test]
        fn rates_print_as_they_parse(count in 1_u32.., unit in prop::sample::select(vec!["s", "min", "h"])) {
            let text = format!("{count}/{unit}");
            prop_assert_eq!(text.parse::<Rate>().map(|rate| rate.to_string()), Ok(text));
        }
    }

    #[test]
    fn lengths_of_time_are_read_as_people_write_them() {
        for (text, minutes) in [
            ("90m", 90),
            ("1h30m", 90),
            ("1h 30m", 90),
            (" 1h  30 m ", 90),
            ("1d", 1440),
            ("1d12h", 2160),
            ("1d 12h", 2160),
            ("15\u{a0}m", 15),
            ("007m", 7),
            ("60000ms", 1),
            ("0s", 0),
        ] {
            assert_eq!(text.parse(), Ok(Span::from_minutes(minutes)), "{text}");
        }
    }

    #[test]
    fn a_refused_length_of_time_names_the_mend() {
        for (text, message) in [
            ("1h30", "`1h30` ends in a number without a unit"),
            ("5", "`5` ends in a number without a unit"),
            ("1.5h", "`1.5h` is not in whole numbers"),
            ("1,5h", "`1,5h` is not in whole numbers"),
            ("5 parsecs", "`5 parsecs` has a unit other than d, h, m, s and ms"),
            ("1month", "`1month` has a unit other than d, h, m, s and ms"),
            ("99999999999999999d", "`99999999999999999d` is too long"),
            ("5m ago", "`5m ago` has a unit other than d, h, m, s and ms"),
        ] {
            let error = text.parse::<Span>().expect_err(text);
            assert_eq!(error.message, message);
            assert!(error.hint.contains("1h30m"), "{}", error.hint);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "m",
            "-5m",
            "+5m",
            "30m1h",
            "5m5m",
            "1 000m",
            "m5",
            "1d 01:30:00",
            "5\u{b5}s",
            "PT5M",
            "99999999999999999999999ms",
            "99999999d 1h",
        ] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
        for text in ["", "5", "0/s", "5/", "/s", "5/day", "-1/s"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }
}
