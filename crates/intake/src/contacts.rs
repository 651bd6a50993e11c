//! Contact files: CSV, read as a stream, each row judged by itself.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use csv::ByteRecord;
use ringfence_domain::campaign::CallingZone;
use ringfence_domain::template::Row;
use ringfence_domain::{Campaign, PhoneNumber, ZoneSet};
use sha2::{Digest, Sha256};

use crate::section::closest;

/// A row that can be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactRow {
    /// Its place in the file, counted from 1 without the header.
    pub row_number: i64,
    /// The number.
    pub number: PhoneNumber,
    /// Where the person may be.
    pub zones: ZoneSet,
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
    /// Why it cannot be called.
    pub reason: String,
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
    reader: csv::Reader<BufReader<File>>,
    columns: Vec<String>,
    phone: usize,
    timezone: Option<usize>,
    campaign: &'c Campaign,
    can_call: CanCall<'c>,
    record: ByteRecord,
    row_number: i64,
}

const BOM: &[u8] = b"\xef\xbb\xbf";

impl<'c> ContactFile<'c> {
    /// Opens a file and checks its header against the campaign.
    pub fn open(path: &Path, campaign: &'c Campaign, can_call: CanCall<'c>) -> Result<Self, HeaderError> {
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
        let phone = place(&campaign.contacts.phone)?;
        let timezone = campaign.contacts.timezone.as_deref().map(place).transpose()?;
        let path = path.to_owned();
        let record = ByteRecord::new();
        Ok(Self { path, reader, columns, phone, timezone, campaign, can_call, record, row_number: 0 })
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
            return Ok(Some(self.judge().map_err(|reason| RejectedRow { row_number, line, reason })));
        }
    }

    fn judge(&self) -> Result<ContactRow, String> {
        if self.record.len() != self.columns.len() {
            return Err(format!("it has {} values, the header {} columns", self.record.len(), self.columns.len()));
        }
        let mut fields = Row::new();
        for (column, value) in self.columns.iter().zip(&self.record) {
            let value = std::str::from_utf8(value).map_err(|_| format!("column `{column}` is not UTF-8"))?;
            if value.contains('\0') {
                return Err(format!("column `{column}` has a zero byte"));
            }
            if !column.is_empty() {
                fields.insert(column.clone(), value.to_owned());
            }
        }
        let text = |place: usize| self.record.get(place).and_then(|value| std::str::from_utf8(value).ok());
        let number = PhoneNumber::parse(text(self.phone).unwrap_or_default(), self.campaign.contacts.country)
            .map_err(|error| error.to_string())?;
        (self.can_call)(&number)?;
        let own = match self.timezone.and_then(text).map(str::trim).filter(|name| !name.is_empty()) {
            Some(name) => name.parse::<ZoneSet>().map_err(|error| error.to_string())?,
            None => ZoneSet::of_number(&number),
        };
        if own.is_empty() && self.campaign.calling.timezone == CallingZone::Contact {
            return Err("its time zone can be told neither from a column nor from the number".to_owned());
        }
        Ok(ContactRow { row_number: self.row_number, number, zones: own, fields })
    }
}

/// The separator that the header line uses most.
fn delimiter(start: &[u8]) -> u8 {
    let header = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let count = |separator: u8| header.iter().filter(|byte| **byte == separator).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(|separator| count(*separator)).unwrap_or(b',')
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
    let reading =
        serde_json::to_string(&(&campaign.contacts.phone, &campaign.contacts.country, &campaign.contacts.timezone))
            .expect("names are always JSON");
    hash.update(reading);
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}
