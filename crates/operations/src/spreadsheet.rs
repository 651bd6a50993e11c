//! The cells of a CSV file that a person may open as a spreadsheet.

use std::borrow::Cow;

use serde_json::Value;

/// Writes a JSON value as the text of a cell.
pub fn text(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::String(text) => Cow::Borrowed(text),
        other => Cow::Owned(other.to_string()),
    }
}

/// Writes a value so that no spreadsheet takes it for a formula. A number with its `+` is none, and
/// keeps it.
pub fn inert(value: &str) -> Cow<'_, str> {
    let number =
        value.strip_prefix('+').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    let starts = value
        .trim_start_matches([' ', '\u{feff}'])
        .starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']);
    let plain_number = starts && value.parse::<f64>().is_ok();
    if starts && !number && !plain_number { Cow::Owned(format!("'{value}")) } else { Cow::Borrowed(value) }
}

/// Reads what [`inert`] has written.
pub fn restored(cell: &str) -> String {
    match cell.strip_prefix('\'') {
        Some(value) if inert(value) == cell => value.to_owned(),
        _ => cell.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{inert, restored};

    #[test]
    fn formulas_are_inert_and_numbers_whole() {
        for (value, written) in [
            ("=1+1", "'=1+1"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("-cmd|' /C calc'!A0", "'-cmd|' /C calc'!A0"),
            (" =1", "' =1"),
            ("＝1", "'＝1"),
            ("+919876543210", "+919876543210"),
            ("-15.5", "-15.5"),
            ("plain", "plain"),
        ] {
            assert_eq!(inert(value), written);
            assert_eq!(restored(written), value);
        }
    }
}
