//! The rows of a table one by one, each in bounded memory and with the line that an editor shows.
//!
//! Quotes and lines are counted beside `csv-core`: the library counts lines by `\n` only, and does
//! not say whether a quote was open. A test holds both against the `csv` crate.

use std::io::BufRead;

use csv_core::ReadRecordResult;

use super::error::Problem;
use super::quotes::{self, Quotes};
use super::source::Source;
use super::{LONGEST_ROW, MOST_COLUMNS};

/// A row as it stands in the file.
pub(super) struct Rows {
    source: Source,
    csv: csv_core::Reader,
    separator: u8,
    /// The line that is read next, counted from 1.
    line: u64,
    /// Whether the last byte was a carriage return: a line feed after it ends no other line.
    after_return: bool,
    row: RawRow,
}

/// One row: its bytes, its values without their quotes, and where each ends.
pub(super) struct RawRow {
    /// The line that it begins on, counted from 1.
    pub(super) line: u64,
    pub(super) bytes: Vec<u8>,
    values: Vec<u8>,
    ends: Vec<usize>,
    count: usize,
    /// The findings about its quotes; nothing when it has none.
    pub(super) quotes: Quotes,
}

impl RawRow {
    /// Returns how many values it has.
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Returns a value without its quotes.
    pub(super) fn get(&self, place: usize) -> Option<&[u8]> {
        let end = *self.ends[..self.count].get(place)?;
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.values.get(start..end)
    }
}

impl Rows {
    /// Begins with a text whose first `skipped` bytes are no row.
    pub(super) fn new(mut source: Source, separator: u8, skipped: usize) -> Self {
        source.text.consume(skipped);
        let row = RawRow {
            line: 1,
            bytes: Vec::new(),
            values: vec![0; 1 << 12],
            ends: vec![0; MOST_COLUMNS + 1],
            count: 0,
            quotes: Quotes::default(),
        };
        let csv = csv_core::ReaderBuilder::new().delimiter(separator).build();
        Self { source, csv, separator, line: 1, after_return: false, row }
    }

    pub(super) fn separator(&self) -> u8 {
        self.separator
    }

    pub(super) fn source(&self) -> &Source {
        &self.source
    }

    /// Returns the row that was read last.
    pub(super) fn row(&self) -> &RawRow {
        &self.row
    }

    /// Reads the next row; false at the end. Lines without any sign are none.
    pub(super) fn next(&mut self) -> Result<bool, Problem> {
        self.skip_line_ends()?;
        let row = &mut self.row;
        (row.line, row.count, row.quotes) = (self.line, 0, Quotes::default());
        row.bytes.clear();
        let mut written = 0;
        loop {
            let input = self.source.text.fill_buf()?;
            let (result, read, out, ended) =
                self.csv.read_record(input, &mut row.values[written..], &mut row.ends[row.count..]);
            row.bytes.extend_from_slice(&input[..read]);
            let at_end = input.is_empty();
            self.source.text.consume(read);
            written += out;
            row.count += ended;
            if row.bytes.len() > LONGEST_ROW {
                return Err(self.too_long());
            }
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => {
                    let longer = (row.values.len() * 2).min(LONGEST_ROW + 1);
                    row.values.resize(longer, 0);
                }
                ReadRecordResult::OutputEndsFull => return Err(Problem::TooWide { line: row.line }),
                ReadRecordResult::End => return Ok(false),
                ReadRecordResult::Record => return self.finish(at_end).map(|()| true),
            }
        }
    }

    fn finish(&mut self, at_end: bool) -> Result<(), Problem> {
        let row = &mut self.row;
        if row.count > MOST_COLUMNS {
            return Err(Problem::TooWide { line: row.line });
        }
        if row.bytes.contains(&b'"') {
            row.quotes = quotes::count(&row.bytes, self.separator, row.line);
            if let Some(line) = row.quotes.open.filter(|_| at_end) {
                return Err(Problem::OpenQuote { line });
            }
            for byte in &row.bytes {
                self.line += u64::from(*byte == b'\r' || (*byte == b'\n' && !self.after_return));
                self.after_return = *byte == b'\r';
            }
        } else if let Some(last) = row.bytes.last() {
            // Without quotes a row ends with its first line.
            self.line += u64::from(matches!(last, b'\n' | b'\r'));
            self.after_return = *last == b'\r';
        }
        Ok(())
    }

    /// Returns the likelier mistake: a quote that is not closed within the longest row, or a row
    /// that is too long.
    fn too_long(&self) -> Problem {
        let row = &self.row;
        match quotes::count(&row.bytes, self.separator, row.line).open {
            Some(line) => Problem::OpenQuote { line },
            None => Problem::TooLong { line: row.line },
        }
    }

    fn skip_line_ends(&mut self) -> Result<(), Problem> {
        loop {
            let input = self.source.text.fill_buf()?;
            let ends = input.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
            for byte in &input[..ends] {
                self.line += u64::from(*byte == b'\r' || !self.after_return);
                self.after_return = *byte == b'\r';
            }
            let all = ends == input.len() && ends > 0;
            self.source.text.consume(ends);
            if !all {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A row's line and its values.
    type Read = (u64, Vec<Vec<u8>>);

    /// Returns the rows of a text with their lines, until the first that cannot be read.
    fn read(text: &str) -> (Vec<Read>, Option<Problem>) {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        std::io::Write::write_all(&mut file, text.as_bytes()).expect("written");
        let mut rows = Rows::new(Source::open(file.path()).expect("a source"), b',', 0);
        let mut read = Vec::new();
        loop {
            match rows.next() {
                Ok(true) => {
                    let row = rows.row();
                    let values = (0..row.len()).map(|place| row.get(place).expect("a value").to_vec()).collect();
                    read.push((row.line, values));
                }
                Ok(false) => return (read, None),
                Err(problem) => return (read, Some(problem)),
            }
        }
    }

    /// Returns the line of a byte, as an editor counts: a line ends with `\n`, `\r\n` or `\r`.
    fn line_of(text: &str, byte: usize) -> u64 {
        let rest = text[byte..].len() - text[byte..].trim_start_matches(['\n', '\r']).len();
        let before = text[..byte + rest].replace("\r\n", "\n").replace('\r', "\n");
        1 + before.matches('\n').count() as u64
    }

    proptest! {
        #[test]
        fn rows_are_those_of_the_csv_library_with_the_lines_of_an_editor(text in "([ab,\"\n\r]|\r\n|,\"|\",){0,60}") {
            let (rows, problem) = read(&text);
            let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let mut expected = Vec::new();
            for record in reader.byte_records() {
                let record = record.expect("in memory");
                let byte = record.position().expect("a place").byte() as usize;
                expected.push((line_of(&text, byte), record.iter().map(<[u8]>::to_vec).collect::<Vec<_>>()));
            }
            match problem {
                // The row whose quote is open is the last one, and is not given out.
                Some(Problem::OpenQuote { .. }) => prop_assert_eq!(&rows[..], &expected[..expected.len() - 1]),
                Some(other) => prop_assert!(false, "{}", other),
                None => prop_assert_eq!(rows, expected),
            }
        }
    }

    #[test]
    fn long_and_wide_rows_are_refused_with_their_line() {
        let long = format!("a,b\n1,{}\n", "x".repeat(LONGEST_ROW));
        assert!(matches!(read(&long).1, Some(Problem::TooLong { line: 2 })));
        let open = format!("a,b\n1,2\n3,\"{}\n", "x\n".repeat(LONGEST_ROW));
        assert!(matches!(read(&open).1, Some(Problem::OpenQuote { line: 3 })));
        let wide = format!("a\n{}\n", ",".repeat(MOST_COLUMNS));
        assert!(matches!(read(&wide).1, Some(Problem::TooWide { line: 2 })));
        let widest = format!("{}\n{}x\n", ",".repeat(MOST_COLUMNS - 1), "y".repeat(LONGEST_ROW - 2));
        let (rows, problem) = read(&widest);
        assert!(problem.is_none() && rows.len() == 2 && rows[0].1.len() == MOST_COLUMNS);
    }
}
