//! Money as people read it.

/// Writes millionths as a decimal number with at least two places.
pub fn amount(micros: i64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros.abs() % 1_000_000);
    let keep = text.find('.').map_or(text.len(), |dot| dot + 3);
    let trimmed = text.trim_end_matches('0').len().max(keep);
    text[..trimmed].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_what_was_charged() {
        assert_eq!(amount(15_670_000), "15.67");
        assert_eq!(amount(0), "0.00");
        assert_eq!(amount(100_000), "0.10");
        assert_eq!(amount(1_234_567), "1.234567");
    }
}
