//! The separator between the values of a table.

use super::error::Problem;

/// The possible separators; of equals the first wins.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Returns the separator that a line `sep=;` before the header names, as Excel writes and reads
/// it, and the bytes of that line without its end.
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

/// Returns the separator that the header has most often outside quotes. One that the first row has
/// as often goes before others: names of columns may have commas.
pub(super) fn guessed(start: &[u8]) -> u8 {
    let [header, row, _] = lines(start).map(|line| line.separators);
    let rank = |place: &usize| (header[*place] > 0 && header[*place] == row[*place], header[*place]);
    (0..SEPARATORS.len()).rev().max_by_key(rank).map_or(SEPARATORS[0], |place| SEPARATORS[place])
}

/// Returns a line that has other separators than the table, with one of them. `named`: how many
/// bytes before the header name the separator.
pub(super) fn contradicted(start: &[u8], separator: u8, named: usize) -> Option<Problem> {
    let of_table = SEPARATORS.iter().position(|known| *known == separator)?;
    let [header, row, second] = lines(&start[named..]);
    let other = |line: &Line, count: &dyn Fn(usize) -> bool| {
        let found = (0..SEPARATORS.len()).find(|place| line.separators[*place] > 0 && count(*place))?;
        Some(Problem::Separator {
            line: line.number,
            is_named: named > 0,
            table: char::from(separator),
            found: char::from(SEPARATORS[found]),
        })
    };
    match (header.separators[of_table], row.separators[of_table]) {
        // A name may have a comma, when the row after it has none.
        (0, _) => other(&header, &|place| !row.is_whole || row.separators[place] == header.separators[place]),
        // One row may have a comma in its only value.
        (columns, 0) if row.is_whole => other(&row, &|place| {
            let agrees = |line: &Line| line.separators[of_table] == 0 && line.separators[place] == columns;
            agrees(&row) && (!second.is_whole || agrees(&second))
        }),
        _ => None,
    }
}

/// A line of the start of a table.
#[derive(Debug, Clone, Copy, Default)]
struct Line {
    /// Counted from 1, as an editor shows it.
    number: u64,
    /// How often each separator stands outside quotes.
    separators: [usize; SEPARATORS.len()],
    /// Whether its end was seen.
    is_whole: bool,
}

/// Returns the header and the two rows after it.
fn lines(start: &[u8]) -> [Line; 3] {
    let mut lines = [Line::default(); 3];
    let (mut line, mut quoted, mut before) = (0, false, b'\n');
    let mut number = 1;
    for byte in start.iter().copied() {
        if lines[line].number == 0 && !matches!(byte, b'\n' | b'\r') {
            lines[line].number = number;
        }
        number += u64::from(byte == b'\r' || (byte == b'\n' && before != b'\r'));
        let separator = SEPARATORS.iter().position(|separator| *separator == byte);
        match byte {
            b'"' if quoted => quoted = false,
            // A doubled quote goes on; another one opens only where a value begins.
            b'"' => quoted = before == b'"' || matches!(before, b'\n' | b'\r') || SEPARATORS.contains(&before),
            b'\n' | b'\r' if !quoted => {
                if !matches!(before, b'\n' | b'\r') {
                    lines[line].is_whole = true;
                    line += 1;
                }
                if line == lines.len() {
                    break;
                }
            }
            _ if !quoted => separator.into_iter().for_each(|place| lines[line].separators[place] += 1),
            _ => {}
        }
        before = byte;
    }
    lines
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
    fn a_line_with_other_separators_than_the_table_is_named() {
        for (text, expected) in [
            ("sep=;\r\nphone,name\r\n1,A\r\n", Some((2, ','))),
            ("sep=;\n\nphone\tname\n1\tA\n", Some((3, '\t'))),
            ("sep=;\nphone,name", Some((2, ','))),
            ("sep=;\nphone;name\n1,A\n", Some((3, ','))),
            ("phone;name\n1,A\n", Some((2, ','))),
            ("sep=;\nname;phone\nA, B\nC;1\n", None),
            ("sep=;\nphone;name\n1;A, B\n", None),
            ("sep=;\nphone;name, first\n1\n", None),
            ("sep=;\n\"phone, mobile\"\n1\n", None),
            ("sep=;\nphone, mobile\n1\n", None),
            ("sep=;\nphone\n1\n", None),
            ("phone;name\n1\n", None),
            ("phone\n1\n", None),
        ] {
            let (separator, named) = named(text.as_bytes()).unwrap_or((guessed(text.as_bytes()), 0));
            let found = contradicted(text.as_bytes(), separator, named);
            let found = found.map(|problem| match problem {
                Problem::Separator { line, found, .. } => (line, found),
                other => panic!("{other:?}"),
            });
            assert_eq!(found, expected, "{text:?}");
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
