//! Tables that operators hand over: contact lists, do-not-call lists, rejected rows. One reader,
//! one set of checks.
//!
//! A table is a regular file of CSV in UTF-8 or UTF-16, with any line ends, its values separated
//! by a comma, semicolon, tab or bar. Blank lines and rows of empty values are nobody's. A row has
//! [`LONGEST_ROW`] bytes and [`MOST_COLUMNS`] columns at most, so that no file takes more memory
//! than that.

mod error;
mod quotes;
mod rows;
mod sample;
mod separator;
mod source;

use std::borrow::Cow;
use std::io::BufRead;
use std::path::{Path, PathBuf};

use sha2::Sha256;

use self::quotes::LongValue;
use self::rows::Rows;
use self::source::Source;

pub use self::error::{Problem, TableError};
pub use self::sample::{Sample, sample};

/// Bytes of the longest row.
pub const LONGEST_ROW: usize = 1 << 20;
/// Columns of the widest row.
pub const MOST_COLUMNS: usize = 500;

/// A table, open after its header.
pub struct Table {
    path: PathBuf,
    rows: Rows,
    columns: Vec<String>,
    numbers: Vec<usize>,
    row_number: i64,
    is_wanted: Box<dyn Fn() -> bool + Send>,
}

/// Rows between two looks whether a table is still wanted.
const LOOK: i64 = 64;

/// The facts of a table once all of it was read.
pub struct Looked {
    /// Rows that are not blank.
    pub rows: i64,
    /// The hash of the whole file.
    pub hash: Sha256,
    /// The first value that seems to have swallowed rows: [`Problem::Swallowed`].
    pub swallowed: Option<Problem>,
}

impl Table {
    /// Opens a file and reads its header.
    pub fn open(path: &Path) -> Result<Self, TableError> {
        Self::begin(path).map_err(|problem| problem.of(path))
    }

    fn begin(path: &Path) -> Result<Self, Problem> {
        let mut source = Source::open(path)?;
        let start = source.text.fill_buf()?;
        let (separator, skipped) = separator::named(start).unwrap_or_else(|| (separator::guessed(start), 0));
        if let Some(problem) = separator::contradicted(start, separator, skipped) {
            return Err(problem);
        }
        let mut rows = Rows::new(source, separator, skipped);
        let is_there = rows.next()?;
        let header = rows.row();
        let columns: Vec<String> = (0..header.len())
            .filter_map(|place| header.get(place))
            .map(|name| String::from_utf8_lossy(name).trim().replace('\0', "\u{fffd}"))
            .collect();
        if !is_there || columns.iter().all(String::is_empty) {
            return Err(Problem::Empty);
        }
        if let Some(value) = swallowing(&rows, columns.len(), &[]) {
            return Err(Problem::Swallowed { column: None, from: value.from, to: value.to });
        }
        // A list without a header would lose its first person to it.
        if let Some(number) = columns.iter().find(|name| is_number(name)) {
            return Err(Problem::NoHeader(number.clone()));
        }
        for (place, column) in columns.iter().enumerate() {
            if !column.is_empty() && columns[..place].contains(column) {
                return Err(Problem::TwoColumns(column.clone()));
            }
        }
        Ok(Self {
            path: path.to_owned(),
            rows,
            columns,
            numbers: Vec::new(),
            row_number: 0,
            is_wanted: Box::new(|| true),
        })
    }

    /// Returns the columns of the header.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Names the columns of numbers, by which rows are recognised where quotes have swallowed them.
    #[must_use]
    pub fn with_numbers_in(mut self, places: &[usize]) -> Self {
        places.clone_into(&mut self.numbers);
        self
    }

    /// Has it read only for as long as this is true: then reading fails.
    #[must_use]
    pub fn read_while(mut self, is_wanted: impl Fn() -> bool + Send + 'static) -> Self {
        self.is_wanted = Box::new(is_wanted);
        self
    }

    /// Reads the next row that is not blank; none at the end.
    pub fn next_row(&mut self) -> Result<Option<Record<'_>>, TableError> {
        if self.row_number % LOOK == LOOK - 1 && !(self.is_wanted)() {
            let left = std::io::Error::new(std::io::ErrorKind::Interrupted, "nobody waits for it any more");
            return Err(Problem::Unreadable(left).of(&self.path));
        }
        loop {
            if !self.rows.next().map_err(|problem| problem.of(&self.path))? {
                return Ok(None);
            }
            let row = self.rows.row();
            let blank = |place| row.get(place).is_none_or(|value| value.iter().all(u8::is_ascii_whitespace));
            if !(0..row.len()).all(blank) {
                self.row_number += 1;
                return Ok(Some(self.record()));
            }
        }
    }

    /// Returns the row that was read last.
    pub fn record(&self) -> Record<'_> {
        Record { table: self }
    }

    /// Returns how many bytes of the file were read.
    pub fn bytes_read(&self) -> u64 {
        self.rows.source().bytes()
    }

    /// Returns the hash of the bytes that were read.
    pub fn hash(&self) -> Sha256 {
        self.rows.source().hash()
    }

    /// Reads to the end. So every trouble of the file is known before anything of it is used.
    pub fn look_through(mut self) -> Result<Looked, TableError> {
        let mut swallowed = None;
        while let Some(record) = self.next_row()? {
            if swallowed.is_none() {
                swallowed = record.swallowed();
            }
        }
        Ok(Looked { rows: self.row_number, hash: self.hash(), swallowed })
    }
}

/// A row of a table.
#[derive(Clone, Copy)]
pub struct Record<'t> {
    table: &'t Table,
}

impl<'t> Record<'t> {
    /// Returns its place in the file, counted from 1 without the header and blank rows.
    pub fn number(self) -> i64 {
        self.table.row_number
    }

    /// Returns the line that it begins on, counted from 1 as an editor does.
    pub fn line(self) -> i64 {
        self.table.rows.row().line as i64
    }

    /// Returns how many values it has, but for empty ones beyond the header: spreadsheets add
    /// those.
    pub fn len(self) -> usize {
        let row = self.table.rows.row();
        let surplus = |place: &usize| row.get(*place).is_some_and(|value| !value.trim_ascii().is_empty());
        (self.table.columns.len()..row.len())
            .rev()
            .find(surplus)
            .map_or(row.len().min(self.table.columns.len()), |last| last + 1)
    }

    /// Tells whether it has no value.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Returns the value of a column as it stands in the file; empty where spreadsheets left out
    /// empty ones at the end.
    pub fn bytes(self, place: usize) -> &'t [u8] {
        self.table.rows.row().get(place).unwrap_or_default()
    }

    /// Returns the value of a column if it is UTF-8.
    pub fn utf_8(self, place: usize) -> Option<&'t str> {
        std::str::from_utf8(self.bytes(place)).ok()
    }

    /// Returns the value of a column. Bytes that cannot be read or kept are marked.
    pub fn text(self, place: usize) -> Cow<'t, str> {
        let text = String::from_utf8_lossy(self.bytes(place));
        // No database keeps zero bytes in a text.
        if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { text }
    }

    /// Returns its values as they stand in the file, as many as there are.
    pub fn texts(self) -> impl Iterator<Item = Cow<'t, str>> {
        (0..self.table.rows.row().len()).map(move |place| self.text(place))
    }

    /// Tells whether text follows a closing quote, so that it is not sure where values end.
    pub fn has_misplaced_quote(self) -> bool {
        self.table.rows.row().quotes.misplaced
    }

    /// Returns [`Problem::Swallowed`], if one of its values has lines that look like rows.
    pub fn swallowed(self) -> Option<Problem> {
        let Table { rows, columns, numbers, .. } = self.table;
        let value = swallowing(rows, columns.len(), numbers)?;
        let column = columns.get(value.column).cloned().unwrap_or_default();
        Some(Problem::Swallowed { column: Some(column), from: value.from, to: value.to })
    }
}

/// Returns the first value of the row that was read last whose lines look like rows.
fn swallowing<'r>(rows: &'r Rows, columns: usize, numbers: &[usize]) -> Option<&'r LongValue> {
    let row = rows.row();
    row.quotes.long.iter().find(|value| {
        let lines = row.bytes[value.bytes.clone()].split(|byte| matches!(byte, b'\n' | b'\r'));
        // The first line is the rest of the row that the quote stands in.
        let inner: Vec<&[u8]> = lines.skip(1).filter(|line| !line.trim_ascii().is_empty()).collect();
        // Rows whose empty last values were left out may be numbers only; an address has other
        // lines, too.
        let begins = numbers.is_empty() || numbers.contains(&0);
        let bare = begins && !inner.is_empty() && inner.iter().all(|line| quotes::is_like_number(line));
        bare || inner.iter().any(|line| quotes::looks_like_row(line, rows.separator(), columns, numbers))
    })
}

/// Tells whether the name of a column is a phone number, in digits of any script. Dates have fewer
/// digits.
fn is_number(name: &str) -> bool {
    let only = name.chars().all(|letter| letter.is_numeric() || "+-(). ".contains(letter));
    only && name.chars().filter(|letter| letter.is_numeric()).count() >= 9
}
