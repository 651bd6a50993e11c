//! What separates the values of a table.

/// What may separate values; of equals the first wins.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The separator that a line `sep=;` before the header names, as Excel writes and reads it, and the bytes of that line
/// without its end.
pub(super) fn named(start: &[u8]) -> Option<(u8, usize)> {
    let line = start.split(|byte| matches!(byte, b'\n' | b'\r')).next()?;
    let bare = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    match bare {
        [s, e, p, b'=', separator] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") => {
            let fits = separator.is_ascii() && !separator.is_ascii_alphanumeric() && *separator != b'"';
            fits.then_some((*separator, line.len()))
        }
        _ => None,
    }
}

/// The separator that the header has most often outside quotes. One that the first row has as often goes before
/// others: names of columns may have commas.
pub(super) fn guessed(start: &[u8]) -> u8 {
    let [header, row] = counts(start);
    let rank = |place: &usize| (header[*place] > 0 && header[*place] == row[*place], header[*place]);
    (0..SEPARATORS.len()).rev().max_by_key(rank).map_or(SEPARATORS[0], |place| SEPARATORS[place])
}

/// How often each separator stands outside quotes, in the header and in the row after it.
fn counts(start: &[u8]) -> [[usize; SEPARATORS.len()]; 2] {
    let mut counts = [[0; SEPARATORS.len()]; 2];
    let (mut line, mut quoted, mut before) = (0, false, b'\n');
    for byte in start.iter().copied() {
        let separator = SEPARATORS.iter().position(|separator| *separator == byte);
        match byte {
            b'"' if quoted => quoted = false,
            // A doubled quote goes on; another one opens only where a value begins.
            b'"' => quoted = before == b'"' || matches!(before, b'\n' | b'\r') || SEPARATORS.contains(&before),
            b'\n' | b'\r' if !quoted => {
                if !matches!(before, b'\n' | b'\r') {
                    line += 1;
                }
                if line == counts.len() {
                    break;
                }
            }
            _ if !quoted => separator.into_iter().for_each(|place| counts[line][place] += 1),
            _ => {}
        }
        before = byte;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_separator_is_what_header_and_first_row_share() {
        for (text, separator) in [
            ("name,phone\nA,1\n", b','),
            ("name;phone\r\nA;1,5\r\n", b';'),
            ("name\tphone\nA\t1\n", b'\t'),
            ("name|phone\nA|1\n", b'|'),
            ("phone\n1\n", b','),
            ("", b','),
            ("\"phone\";\"name\";\"addr, line 1, line 2, city\"\n1;A;x\n", b';'),
            ("phone;name;addr, line 1, line 2, city\n1;A;x\n", b';'),
            ("phone;\"say \"\"a,b,c,d\"\"\"\n\n1;x\n", b';'),
            ("phone,note,more\n1\n", b','),
            ("\"two\nlines; a; b\",phone\nA,1\n", b','),
        ] {
            assert_eq!(guessed(text.as_bytes()) as char, separator as char, "{text:?}");
        }
    }

    #[test]
    fn a_line_before_the_header_may_name_it() {
        for (text, expected) in [
            ("sep=;\r\nphone;name", Some((b';', 5))),
            ("SEP=\t\nphone", Some((b'\t', 5))),
            ("\"sep=|\"\nphone", Some((b'|', 7))),
            ("sep=\n", None),
            ("sep=x\n", None),
            ("sep,name\n", None),
        ] {
            assert_eq!(named(text.as_bytes()), expected, "{text:?}");
        }
    }
}
