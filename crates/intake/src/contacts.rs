//! Contact files: CSV, read as a stream, each row judged by itself.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use csv::ByteRecord;
use ringfence_domain::campaign::ContactSource;
use ringfence_domain::template::Row;
use ringfence_domain::{Campaign, PhoneNumber, ZoneSet};
use sha2::{Digest, Sha256};

use crate::required;
use crate::section::closest;

/// A row that can be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactRow {
    /// Its place in the file, counted from 1 without the header.
    pub row_number: i64,
    /// The line that it begins on, counted from 1.
    pub line: i64,
    /// The person's numbers, in the order of their columns. Never empty.
    pub numbers: Vec<PhoneNumber>,
    /// Where the person may be.
    pub zones: ZoneSet,
    /// What the operator's own system calls the person.
    pub external_id: Option<String>,
    /// Its values by column.
    pub fields: Row,
}

/// A row that cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedRow {
    /// Its place in the file, counted from 1 without the header.
    pub row_number: i64,
    /// The line that it begins on, counted from 1.
    pub line: i64,
    /// The kind of reason, for counting.
    pub code: &'static str,
    /// Why it cannot be called.
    pub reason: String,
    /// Its values as they stood in the file; bytes that are not UTF-8 are marked.
    pub record: Vec<String>,
    /// What the operator's own system calls the person, as far as the row says it.
    pub external_id: Option<String>,
    /// Its numbers, as far as they can be read.
    pub numbers: Vec<PhoneNumber>,
}

/// Why a row cannot be called.
struct Refusal {
    code: &'static str,
    reason: String,
}

impl Refusal {
    fn new(code: &'static str, reason: impl Into<String>) -> Self {
        Self { code, reason: reason.into() }
    }
}

/// Why no row of a file can be read.
#[derive(Debug, thiserror::Error)]
pub enum HeaderError {
    /// The file cannot be read.
    #[error("{} cannot be read: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// There is no header.
    #[error("{} is empty", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// A column that the campaign needs is not there.
    #[error("{} has no column `{column}`; it has: {}{}", path.display(), columns.join(", "), hint.as_ref().map(|close| format!(". Did you mean `{close}`?")).unwrap_or_default())]
    NoColumn {
        /// The file.
        path: PathBuf,
        /// What the campaign asks for.
        column: String,
        /// What the file has.
        columns: Vec<String>,
        /// What may have been meant.
        hint: Option<String>,
    },
    /// A quote is never closed, and what follows it is one value.
    #[error("{}: the quote on line {line} is never closed", path.display())]
    OpenQuote {
        /// The file.
        path: PathBuf,
        /// Where the row with the quote begins, counted from 1.
        line: u64,
    },
    /// Two columns have one name.
    #[error("{} has two columns `{column}`", path.display())]
    TwoColumns {
        /// The file.
        path: PathBuf,
        /// Their name.
        column: String,
    },
    /// The header is not UTF-8.
    #[error("the header of {} is not UTF-8; save the file as CSV UTF-8", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
    },
}

/// Whether the lane's vendor can call a number; the reason when it cannot.
pub type CanCall<'c> = Box<dyn Fn(&PhoneNumber) -> Result<(), String> + Send + 'c>;

/// A contact file, open at its first row.
pub struct ContactFile<'c> {
    path: PathBuf,
    reader: Reader,
    columns: Vec<String>,
    phones: Vec<usize>,
    timezone: Option<usize>,
    id: Option<usize>,
    campaign: &'c Campaign,
    can_call: CanCall<'c>,
    record: ByteRecord,
    row_number: i64,
}

const BOM: &[u8] = b"\xef\xbb\xbf";

impl<'c> ContactFile<'c> {
    /// Opens a file and checks its header against the campaign.
    pub fn open(path: &Path, campaign: &'c Campaign, can_call: CanCall<'c>) -> Result<Self, HeaderError> {
        let (reader, columns) = table(path)?;
        let place = |wanted: &str| {
            columns.iter().position(|column| column == wanted).ok_or_else(|| HeaderError::NoColumn {
                path: path.to_owned(),
                column: wanted.to_owned(),
                hint: closest(wanted, columns.iter().map(String::as_str)).map(str::to_owned),
                columns: columns.clone(),
            })
        };
        for column in campaign.columns() {
            place(column)?;
        }
        let phones = campaign.contacts.phones.iter().map(|column| place(column)).collect::<Result<_, _>>()?;
        let timezone = campaign.contacts.timezone.as_deref().map(place).transpose()?;
        let id = campaign.contacts.id.as_deref().map(place).transpose()?;
        let path = path.to_owned();
        let record = ByteRecord::new();
        Ok(Self { path, reader, columns, phones, timezone, id, campaign, can_call, record, row_number: 0 })
    }

    /// The columns of the header.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The next row, or why it cannot be called; none at the end of the file.
    pub fn next_row(&mut self) -> Result<Option<Result<ContactRow, RejectedRow>>, HeaderError> {
        loop {
            let line = self.reader.position().line() as i64;
            let more = self.reader.read_byte_record(&mut self.record).map_err(|error| HeaderError::Unreadable {
                path: self.path.clone(),
                source: std::io::Error::other(error),
            })?;
            if !more {
                return Ok(None);
            }
            // Empty lines at the end of a spreadsheet's export are nobody's row.
            if self.record.iter().all(|value| value.iter().all(u8::is_ascii_whitespace)) {
                continue;
            }
            self.row_number += 1;
            let line = self.record.position().map_or(line, |position| position.line() as i64);
            let row_number = self.row_number;
            return Ok(Some(self.judge(line).map_err(|Refusal { code, reason }| {
                let record = self.record.iter().map(|value| String::from_utf8_lossy(value).into_owned()).collect();
                let text = |place: usize| self.record.get(place).and_then(|value| std::str::from_utf8(value).ok());
                let country = self.campaign.contacts.country;
                let readable = |place: &usize| PhoneNumber::parse(text(*place)?, country).ok();
                let numbers = self.phones.iter().filter_map(readable).collect();
                let external_id = self.id.and_then(text).map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned);
                RejectedRow { row_number, line, code, reason, record, external_id, numbers }
            })));
        }
    }

    fn judge(&self, line: i64) -> Result<ContactRow, Refusal> {
        if self.record.len() != self.columns.len() {
            let reason = format!("it has {} values, the header {} columns", self.record.len(), self.columns.len());
            return Err(Refusal::new("columns", reason));
        }
        let ours = if is_rejects(&self.columns) { 2 } else { 0 };
        let mut fields = Row::new();
        for (place, (column, value)) in self.columns.iter().zip(&self.record).enumerate() {
            let value = std::str::from_utf8(value)
                .map_err(|_| Refusal::new("encoding", format!("column `{column}` is not UTF-8")))?;
            if value.contains('\u{fffd}') {
                let reason = format!("column `{column}` has lost letters (\u{fffd}): it was saved in another encoding");
                return Err(Refusal::new("encoding", reason));
            }
            if value.contains('\0') {
                return Err(Refusal::new("encoding", format!("column `{column}` has a zero byte")));
            }
            if place >= ours && !column.is_empty() {
                fields.insert(column.clone(), value.to_owned());
            }
        }
        let text = |place: usize| self.record.get(place).and_then(|value| std::str::from_utf8(value).ok());
        let filled = |place: Option<usize>| place.and_then(text).map(str::trim).filter(|value| !value.is_empty());
        let numbers = self.numbers(&text)?;
        let own = match filled(self.timezone) {
            Some(name) => ringfence_domain::place::zones(name)
                .map_err(|error| Refusal::new("zone", format!("{error}; {}", error.hint())))?,
            // Whichever number is called, it must be a good hour there.
            None => numbers
                .iter()
                .skip(1)
                .fold(ZoneSet::of_number(&numbers[0]), |zones, number| zones.and(&ZoneSet::of_number(number))),
        };
        if own.is_empty() && self.campaign.needs_own_zone() {
            let reason = "its time zone can be told neither from a column nor from the number";
            return Err(Refusal::new("zone", reason));
        }
        if let Some(column) = required::lacking(self.campaign, &fields) {
            return Err(Refusal::new("empty", required::reason(column)));
        }
        let external_id = filled(self.id).map(str::to_owned);
        Ok(ContactRow { row_number: self.row_number, line, numbers, zones: own, external_id, fields })
    }

    /// The numbers that can be called. One that cannot is let go when the person has another.
    fn numbers<'t>(&self, text: &impl Fn(usize) -> Option<&'t str>) -> Result<Vec<PhoneNumber>, Refusal> {
        let (mut numbers, mut refusal) = (Vec::new(), None);
        for place in &self.phones {
            let number = PhoneNumber::parse(text(*place).unwrap_or_default(), self.campaign.contacts.country)
                .map_err(|error| Refusal::new(error.code(), error.to_string()))
                .and_then(|number| {
                    (self.can_call)(&number).map(|()| number).map_err(|reason| Refusal::new("vendor", reason))
                });
            match number {
                Ok(number) if numbers.contains(&number) => {}
                Ok(number) => numbers.push(number),
                // Of several columns the filled one says what is wrong.
                Err(error) if refusal.is_none() || error.code != "no_number" => refusal = Some(error),
                Err(_) => {}
            }
        }
        match refusal {
            Some(refusal) if numbers.is_empty() => Err(refusal),
            _ => Ok(numbers),
        }
    }
}

/// Whether a header is that of rejected rows, some of a larger file: their line and reason come first, and are no data of theirs.
pub fn is_rejects(columns: &[String]) -> bool {
    let ours = |place: usize, name: &str| {
        columns.get(place).is_some_and(|column| column.trim_start_matches("reject_") == name)
    };
    ours(0, "line") && ours(1, "reason")
}

/// A table's rows.
pub type Reader = csv::Reader<BufReader<File>>;

/// A file after its header, and the columns that the header names; the separator is guessed from it.
pub fn table(path: &Path) -> Result<(Reader, Vec<String>), HeaderError> {
    let unreadable = |source| HeaderError::Unreadable { path: path.to_owned(), source };
    let mut input = BufReader::with_capacity(1 << 16, File::open(path).map_err(unreadable)?);
    let start = input.fill_buf().map_err(unreadable)?;
    if start.starts_with(BOM) {
        input.consume(BOM.len());
    }
    let delimiter = delimiter(input.fill_buf().map_err(unreadable)?);
    let mut reader = csv::ReaderBuilder::new().flexible(true).delimiter(delimiter).from_reader(input);
    let header = reader.byte_headers().map_err(|error| unreadable(std::io::Error::other(error)))?;
    let columns = header
        .iter()
        .map(|name| std::str::from_utf8(name).map(|name| name.trim().to_owned()))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| HeaderError::NotUtf8 { path: path.to_owned() })?;
    if columns.iter().all(String::is_empty) {
        return Err(HeaderError::Empty { path: path.to_owned() });
    }
    for (place, column) in columns.iter().enumerate() {
        if !column.is_empty() && columns[..place].contains(column) {
            return Err(HeaderError::TwoColumns { path: path.to_owned(), column: column.clone() });
        }
    }
    Ok((reader, columns))
}

/// The first rows of a file, to guess from what its columns are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The columns of the header.
    pub columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// Reads a file's header and its first `count` rows, whatever they hold.
pub fn sample(path: &Path, count: usize) -> Result<Sample, HeaderError> {
    let (mut reader, columns) = table(path)?;
    let rows = reader
        .byte_records()
        .filter_map(Result::ok)
        .take(count)
        .map(|row| row.iter().map(|value| String::from_utf8_lossy(value).trim().to_owned()).collect())
        .collect();
    Ok(Sample { columns, rows })
}

impl Sample {
    /// The filled values of a column.
    fn values<'s>(&'s self, column: &str) -> impl Iterator<Item = &'s str> {
        let place = self.columns.iter().position(|name| name == column).unwrap_or(usize::MAX);
        self.rows.iter().filter_map(move |row| row.get(place)).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The part of a column's filled values that are so, from 0 to 1; 0 when none is filled.
    pub fn share(&self, column: &str, is_so: impl Fn(&str) -> bool) -> f64 {
        let all = self.values(column).count();
        if all == 0 { 0.0 } else { self.values(column).filter(|value| is_so(value)).count() as f64 / all as f64 }
    }

    /// Whether every row has a value in the column, and no two the same.
    pub fn is_unique(&self, column: &str) -> bool {
        let values: std::collections::HashSet<&str> = self.values(column).collect();
        !self.rows.is_empty() && values.len() == self.rows.len()
    }

    /// The first filled value of a column.
    pub fn first(&self, column: &str) -> Option<&str> {
        self.values(column).next()
    }
}

/// The separator that the header line uses most.
fn delimiter(start: &[u8]) -> u8 {
    let header = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |separator: u8| header.iter().filter(|byte| **byte == separator).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(|separator| count(*separator)).unwrap_or(b',')
}

/// Makes sure that the file ends outside quotes: an open one takes all rows after it into one value.
pub fn check_quotes(path: &Path) -> Result<(), HeaderError> {
    let unreadable = |source| HeaderError::Unreadable { path: path.to_owned(), source };
    let (mut reader, _) = table(path)?;
    let mut record = ByteRecord::new();
    let mut last = None;
    while reader.read_byte_record(&mut record).map_err(|error| unreadable(std::io::Error::other(error)))? {
        last = record.position().cloned();
    }
    let Some(last) = last.filter(|last| last.line() + 1 < reader.position().line()) else { return Ok(()) };
    // Only a row of several lines can be one that ends within quotes. Its own quotes come in pairs otherwise.
    let mut file = File::open(path).map_err(unreadable)?;
    let mut start = [0; BOM.len()];
    let marked = file.read(&mut start).map_err(unreadable)? == BOM.len() && start == BOM;
    let offset = last.byte() + if marked { BOM.len() as u64 } else { 0 };
    file.seek(SeekFrom::Start(offset)).map_err(unreadable)?;
    let mut quotes = 0_usize;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer).map_err(unreadable)?;
        if read == 0 {
            break;
        }
        quotes += buffer[..read].iter().filter(|byte| **byte == b'"').count();
    }
    if quotes.is_multiple_of(2) {
        Ok(())
    } else {
        Err(HeaderError::OpenQuote { path: path.to_owned(), line: last.line() })
    }
}

/// What the content of a file, and the way that it is read, hash to: the same twice is the same import.
pub fn digest(path: &Path, campaign: &Campaign) -> std::io::Result<String> {
    let mut hash = Sha256::new();
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        hash.update(&buffer[..read]);
    }
    let reading = serde_json::to_string(&ContactSource { file: None, ..campaign.contacts.clone() })
        .expect("names are always JSON");
    hash.update(reading);
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
