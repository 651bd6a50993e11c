//! Charges as vendors write them.

use std::str::FromStr;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

const SYMBOLS: &[(&str, &str)] = &[("₹", "INR"), ("Rs", "INR"), ("$", "USD"), ("€", "EUR"), ("£", "GBP")];

/// Reads `"₹15.67"`, `"15.67 INR"` or `"15.67"` into millionths and a currency; `default` when none is named.
pub fn parse_charge(text: &str, default: &str) -> Option<(i64, String)> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let number: String = text[start..].chars().take_while(|c| c.is_ascii_digit() || *c == '.' || *c == ',').collect();
    let amount = Decimal::from_str(number.replace(',', "").trim_end_matches('.')).ok()?;
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
    }
}
