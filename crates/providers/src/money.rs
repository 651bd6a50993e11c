//! Charges as vendors write them.

use std::str::FromStr;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

const SYMBOLS: &[(&str, &str)] = &[("₹", "INR"), ("Rs", "INR"), ("$", "USD"), ("€", "EUR"), ("£", "GBP")];

/// No call costs more than this, in any currency: what is larger is a mistake, and sums of it fit nowhere.
const MOST: i64 = 1_000_000;

/// Reads `"₹15.67"`, `"15.67 INR"` or `"15.67"` into millionths and a currency; `default` when none is named. None for what is no
/// charge of a call: below zero, written in powers of ten, or beyond a million.
pub fn parse_charge(text: &str, default: &str) -> Option<(i64, String)> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let number: String = text[start..].chars().take_while(|c| c.is_ascii_digit() || *c == '.' || *c == ',').collect();
    let (before, after) = (&text[..start], &text[start + number.len()..]);
    let exponent = after
        .strip_prefix(['e', 'E'])
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || "+-".contains(c)));
    if exponent || before.contains(['-', '\u{2212}']) {
        return None;
    }
    let amount = Decimal::from_str(number.replace(',', "").trim_end_matches('.')).ok()?;
    let amount = (amount <= Decimal::from(MOST)).then_some(amount)?;
    let micros = (amount * Decimal::from(1_000_000)).to_i64()?;
    let rest = text.replace(&number, " ");
    let code = rest.split(|c: char| !c.is_ascii_uppercase()).find(|word| word.len() == 3);
    let symbol = SYMBOLS.iter().find(|(symbol, _)| rest.contains(symbol)).map(|(_, code)| *code);
    Some((micros, code.or(symbol).unwrap_or(default).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charges_are_read_in_every_documented_form() {
        let inr = |micros| Some((micros, "INR".to_owned()));
        assert_eq!(parse_charge("₹15.67", "INR"), inr(15_670_000));
        assert_eq!(parse_charge("15.67 INR", "USD"), inr(15_670_000));
        assert_eq!(parse_charge("1,015.5", "INR"), inr(1_015_500_000));
        assert_eq!(parse_charge("$0.10", "INR"), Some((100_000, "USD".to_owned())));
        assert_eq!(parse_charge("free", "INR"), None);
        assert_eq!(parse_charge("1000000", "INR"), inr(1_000_000_000_000));
        for none in [
            "9200000000000",
            "-5",
            "₹-5.00",
            "1e400",
            "1e21",
            "1.5E+6 INR",
            "99999999999999999999999999999999",
            "1000000.01",
        ] {
            assert_eq!(parse_charge(none, "INR"), None, "{none}");
        }
    }
}
