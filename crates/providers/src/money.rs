//! Charges as vendors write them.

use std::str::FromStr;

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

const SYMBOLS: &[(&str, &str)] = &[("₹", "INR"), ("Rs", "INR"), ("$", "USD"), ("€", "EUR"), ("£", "GBP")];

/// The highest charge of a call, in any currency: a higher one is a mistake, and sums of it fit
/// nowhere.
const MOST: i64 = 1_000_000;

/// Reads `"₹15.67"`, `"15.67 INR"`, `"15,67 €"` or `"1,015.67"` into millionths and a currency;
/// `default` when none is named.
///
/// None for a text that is no charge of a call: below zero, written in powers of ten, or beyond a
/// million. None also for a text that can be read in two ways: `"1,015"` is a thousand or a little
/// more than one.
pub fn parse_charge(text: &str, default: &str) -> Option<(i64, String)> {
    let start = text.find(|c: char| c.is_ascii_digit())?;
    let number: String = text[start..].chars().take_while(|c| c.is_ascii_digit() || *c == '.' || *c == ',').collect();
    let (before, after) = (&text[..start], &text[start + number.len()..]);
    let exponent = after
        .strip_prefix(['e', 'E'])
        .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || "+-".contains(c)));
    // Bookkeepers write a minus behind the number, or put the number into brackets.
    let negative =
        before.contains(['-', '\u{2212}', '\u{2013}', '(']) || after.trim_start().starts_with(['-', '\u{2212}']);
    if exponent || negative {
        return None;
    }
    let amount = Decimal::from_str(plain(number.trim_end_matches(['.', ',']))?.trim_end_matches('.')).ok()?;
    let amount = (amount <= Decimal::from(MOST)).then_some(amount)?;
    let micros = (amount * Decimal::from(1_000_000)).to_i64()?;
    let rest = text.replace(&number, " ");
    let code = rest.split(|c: char| !c.is_ascii_uppercase()).find(|word| word.len() == 3);
    let symbol = SYMBOLS.iter().find(|(symbol, _)| rest.contains(symbol)).map(|(_, code)| *code);
    Some((micros, code.or(symbol).unwrap_or(default).to_owned()))
}

/// Returns the number with a point and without marks between thousands. None when the marks can be
/// read in two ways, or in none.
fn plain(number: &str) -> Option<String> {
    let (commas, points) = (number.matches(',').count(), number.matches('.').count());
    // The mark of the fraction comes last and once; the other one parts the thousands.
    let fraction = match (number.rfind(','), number.rfind('.')) {
        (None, None) => None,
        (None, Some(_)) => (points == 1).then_some('.'),
        (Some(at), None) if commas == 1 && number.len() - at - 1 == 3 => return None,
        (Some(_), None) => (commas == 1).then_some(','),
        (Some(comma), Some(point)) => Some(if comma > point { ',' } else { '.' }),
    };
    let (whole, part) = fraction.and_then(|mark| number.rsplit_once(mark)).unwrap_or((number, ""));
    let mark = if fraction == Some(',') || (fraction.is_none() && points > 0) { '.' } else { ',' };
    let groups: Vec<&str> = whole.split(mark).collect();
    // India parts thousands, then hundreds: 1,00,000.
    let [first, middle @ .., last] = groups.as_slice() else { return Some(format!("{whole}.{part}")) };
    let fits = |group: &&str| matches!(group.len(), 2 | 3);
    let grouped = matches!(first.len(), 1..=3) && middle.iter().all(fits) && last.len() == 3;
    grouped.then(|| format!("{}.{part}", groups.concat()))
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
        assert_eq!(parse_charge("€15,67", "INR"), Some((15_670_000, "EUR".to_owned())));
        assert_eq!(parse_charge("1.015,5 EUR", "INR"), Some((1_015_500_000, "EUR".to_owned())));
        assert_eq!(parse_charge("₹1,00,000.50", "INR"), inr(100_000_500_000));
        assert_eq!(parse_charge("100,000,00", "INR"), None);
        assert_eq!(parse_charge("1,000,000", "INR"), inr(1_000_000_000_000));
        assert_eq!(parse_charge("1000000", "INR"), inr(1_000_000_000_000));
        for none in [
            "9200000000000",
            "-5",
            "₹-5.00",
            "₹\u{2013}5.00",
            "(5.00)",
            "5.00-",
            "1,015",
            "1.2.3",
            "15,67,1.2,3",
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
