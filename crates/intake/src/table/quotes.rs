//! The quotes in a row as it stands in the file: which values go over several lines, and whether
//! one never ends.
//!
//! A value of several lines may be meant (an address) or may have swallowed rows. So such rows
//! hold an import, which a person can accept, and refuse a do-not-call list, which must not lack
//! people. A line within a value looks like a row when it has several values, and a number where
//! rows have one.

/// The findings about the quotes of one row.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Quotes {
    /// Values that go over several lines.
    pub(super) long: Vec<LongValue>,
    /// The line of a quote that opens a value and is not closed.
    pub(super) open: Option<u64>,
    /// Whether text follows a closing quote, so that where the value ends is not sure.
    pub(super) misplaced: bool,
}

/// A value that goes over several lines.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LongValue {
    /// Its place in the row, counted from 0.
    pub(super) column: usize,
    /// The line of the quote that opens it.
    pub(super) from: u64,
    /// The line of the quote that closes it.
    pub(super) to: u64,
    /// Its bytes in the row.
    pub(super) bytes: std::ops::Range<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// Where a value begins.
    Begin,
    /// In a value without quotes, or after its closing quote: quotes are text there.
    Plain,
    /// Within quotes.
    Quoted,
    /// After a quote within quotes: it closes the value, or a second one makes it text.
    Closing,
}

/// Reads the quotes of a row that begins on `line`.
pub(super) fn count(row: &[u8], separator: u8, mut line: u64) -> Quotes {
    let mut found = Quotes::default();
    let (mut at, mut column, mut from, mut start, mut before) = (At::Begin, 0, line, 0, 0);
    for (place, byte) in row.iter().copied().enumerate() {
        at = match (at, byte) {
            (At::Begin, b'"') => {
                (from, start) = (line, place + 1);
                At::Quoted
            }
            (At::Quoted, b'"') => At::Closing,
            (At::Quoted, _) | (At::Closing, b'"') => At::Quoted,
            (At::Begin | At::Plain | At::Closing, byte) => {
                if at == At::Closing && line > from {
                    found.long.push(LongValue { column, from, to: line, bytes: start..place - 1 });
                }
                if byte == separator {
                    column += 1;
                    At::Begin
                } else if matches!(byte, b'\n' | b'\r') {
                    At::Begin
                } else {
                    found.misplaced |= at == At::Closing;
                    At::Plain
                }
            }
        };
        if byte == b'\r' || (byte == b'\n' && before != b'\r') {
            line += 1;
        }
        before = byte;
    }
    if at == At::Closing && line > from {
        found.long.push(LongValue { column, from, to: line, bytes: start..row.len() - 1 });
    }
    found.open = (at == At::Quoted).then_some(from);
    found
}

/// Tells whether a line within a value looks like a row of its own: it has several values, one of
/// them a number where rows have one. In a table of one column the number alone is enough.
pub(super) fn looks_like_row(line: &[u8], separator: u8, columns: usize, numbers: &[usize]) -> bool {
    let values: Vec<&[u8]> = line.split(|byte| *byte == separator).collect();
    let at = |place: usize| values.get(place).is_some_and(|value| is_like_number(value));
    let has_number =
        if numbers.is_empty() { (0..values.len()).any(at) } else { numbers.iter().any(|place| at(*place)) };
    has_number && (columns == 1 || values.len() > 1)
}

/// Tells whether a text has as many digits as a number that can be called, and no letters beside
/// them.
pub(super) fn is_like_number(value: &[u8]) -> bool {
    let digits = value.iter().filter(|byte| byte.is_ascii_digit()).count();
    (7..=17).contains(&digits) && !value.iter().any(u8::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_over_several_lines_are_found_with_their_lines() {
        let found = count(b"1,\"a\r\nb\",\"c\rd\ne\"\n", b',', 7);
        let lines: Vec<(usize, u64, u64)> =
            found.long.iter().map(|value| (value.column, value.from, value.to)).collect();
        assert_eq!(lines, [(1, 7, 8), (2, 8, 10)]);
        assert_eq!((found.open, found.misplaced), (None, false));
        assert_eq!(found.long[0].bytes, 3..7);
    }

    #[test]
    fn only_a_quote_that_opens_a_value_can_stay_open() {
        for (row, open) in [
            ("1,\"a", Some(1)),
            ("1,\"a\"\"", Some(1)),
            ("\"a\nb\",\"c\nd", Some(2)),
            ("1,5\" pipe", None),
            ("1,\"a\"\"b\"", None),
            ("1,\"a\"", None),
            ("1,\"\"", None),
        ] {
            assert_eq!(count(row.as_bytes(), b',', 1).open, open, "{row:?}");
        }
        assert!(count(b"1,\"a\"b,c", b',', 1).misplaced);
    }

    #[test]
    fn addresses_are_no_rows() {
        for line in ["Baker Street 221, London", "Mumbai, 400001", "Tel 98200 12345, Pune", "", "98200 12345"] {
            assert!(!looks_like_row(line.as_bytes(), b',', 3, &[0]), "{line}");
        }
        for (line, columns, numbers) in [
            ("9820012345,Asha,x", 3, &[0][..]),
            ("9820012345,Asha", 3, &[0]),
            ("Asha,+91 98200-12345", 2, &[1]),
            ("9820012345", 1, &[0]),
            ("Asha,9820012345", 2, &[]),
        ] {
            assert!(looks_like_row(line.as_bytes(), b',', columns, numbers), "{line}");
        }
    }
}
