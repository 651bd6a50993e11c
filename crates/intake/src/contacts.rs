//! Contact files: CSV, read as a stream, each row judged by itself.

use std::collections::BTreeMap;
use std::path::Path;

use ringfence_domain::campaign::ContactSource;
use ringfence_domain::phone::PhoneError;
use ringfence_domain::template::Row;
use ringfence_domain::{Campaign, PhoneNumber, ZoneSet};
use sha2::{Digest, Sha256};

use crate::required;
use crate::section::closest;
use crate::table::{Problem, Record, Table, TableError};

pub use crate::table::{Sample, sample};

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
    /// The name of the person in the operator's own system.
    pub external_id: Option<String>,
    /// Its values by column.
    pub fields: Row,
}

/// A row that cannot be called.
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
    /// The name of the person in the operator's own system, as far as the row has it.
    pub external_id: Option<String>,
    /// Its numbers, as far as they can be read.
    pub numbers: Vec<PhoneNumber>,
}

/// Every kind of reason why a row cannot be called. Those of a number are
/// [`PhoneError::code`](ringfence_domain::phone::PhoneError::code).
pub const REJECT_CODES: [&str; 15] = [
    "columns",
    "country",
    "empty",
    "encoding",
    "extension",
    "invalid_number",
    "kind",
    "letters",
    "negative",
    "no_country",
    "no_number",
    "not_a_number",
    "shortened",
    "vendor",
    "zone",
];

/// Why a row cannot be called.
struct RowError {
    code: &'static str,
    reason: String,
}

impl RowError {
    fn new(code: &'static str, reason: impl Into<String>) -> Self {
        debug_assert!(REJECT_CODES.contains(&code), "{code} is not among the codes");
        Self { code, reason: reason.into() }
    }
}

/// Whether the lane's vendor can call a number; the reason when it cannot.
pub type CanCall<'c> = Box<dyn Fn(&PhoneNumber) -> Result<(), String> + Send + 'c>;

/// A contact file, open at its first row.
pub struct ContactFile<'c> {
    table: Table,
    phones: Vec<usize>,
    timezone: Option<usize>,
    id: Option<usize>,
    /// Places of the columns that the campaign uses.
    used: Vec<usize>,
    /// Cells that were taken as empty, by the word in them.
    taken_as_empty: BTreeMap<&'c str, i64>,
    campaign: &'c Campaign,
    can_call: CanCall<'c>,
}

impl<'c> ContactFile<'c> {
    /// Opens a file and checks its header against the campaign.
    pub fn open(path: &Path, campaign: &'c Campaign, can_call: CanCall<'c>) -> Result<Self, TableError> {
        let table = Table::open(path)?;
        let columns = table.columns();
        let place = |wanted: &str| {
            columns.iter().position(|column| column == wanted).ok_or_else(|| {
                let meant = closest(wanted, columns.iter().map(String::as_str)).map(str::to_owned);
                Problem::NoColumn { column: wanted.to_owned(), columns: columns.to_vec(), meant }.of(path)
            })
        };
        let mut used: Vec<usize> = campaign.columns().map(place).collect::<Result<_, _>>()?;
        used.sort_unstable();
        used.dedup();
        let phones: Vec<usize> =
            campaign.contacts.phones.iter().map(|column| place(column)).collect::<Result<_, _>>()?;
        let timezone = campaign.contacts.timezone.as_deref().map(place).transpose()?;
        let id = campaign.contacts.id.as_deref().map(place).transpose()?;
        Ok(Self {
            table: table.with_numbers_in(&phones),
            phones,
            timezone,
            id,
            used,
            taken_as_empty: BTreeMap::new(),
            campaign,
            can_call,
        })
    }

    /// Has it read only for as long as this is true: then reading fails.
    #[must_use]
    pub fn read_while(mut self, is_wanted: impl Fn() -> bool + Send + 'static) -> Self {
        self.table = self.table.read_while(is_wanted);
        self
    }

    /// Returns the columns of the header.
    pub fn columns(&self) -> &[String] {
        self.table.columns()
    }

    /// Returns the table, to be looked through.
    pub fn into_table(self) -> Table {
        self.table
    }

    /// Returns the next row, or why it cannot be called; none at the end of the file.
    pub fn next_row(&mut self) -> Result<Option<Result<ContactRow, RejectedRow>>, TableError> {
        let Some(record) = self.table.next_row()? else { return Ok(None) };
        let (row_number, line) = (record.number(), record.line());
        let record = self.table.record();
        for place in &self.used {
            let words = &self.campaign.contacts.empty_words;
            if let Some(word) = record.utf_8(*place).and_then(|cell| words.find(cell)) {
                *self.taken_as_empty.entry(word).or_default() += 1;
            }
        }
        Ok(Some(self.judge(record).map_err(|RowError { code, reason }| {
            let readable =
                |place: &usize| PhoneNumber::parse(record.utf_8(*place)?, self.campaign.contacts.country).ok();
            let id = self.id.and_then(|place| self.filled(record, place));
            RejectedRow {
                row_number,
                line,
                code,
                reason,
                record: record.texts().map(std::borrow::Cow::into_owned).collect(),
                external_id: id.map(str::to_owned),
                numbers: self.phones.iter().filter_map(readable).collect(),
            }
        })))
    }

    /// Returns the lines that a value of the last row has swallowed, if they look like rows.
    pub fn swallowed(&self) -> Option<Problem> {
        self.table.record().swallowed()
    }

    /// Returns how many cells were taken as empty, by the word in them, as far as was read. Only
    /// columns that the campaign uses count.
    pub fn taken_as_empty(&self) -> BTreeMap<String, i64> {
        self.taken_as_empty.iter().map(|(word, cells)| ((*word).to_owned(), *cells)).collect()
    }

    /// Returns the digest of the bytes that were read: at its end, that of the whole file.
    pub fn digest(&self) -> String {
        digest(self.table.hash(), self.campaign)
    }

    fn judge(&self, record: Record<'_>) -> Result<ContactRow, RowError> {
        let columns = self.table.columns();
        // Spreadsheets leave out empty values at the end of a row; where a quote is misplaced,
        // others may be lost.
        if record.len() > columns.len() || (record.has_misplaced_quote() && record.len() != columns.len()) {
            let reason = format!("it has {} values, the header {} columns", record.len(), columns.len());
            return Err(RowError::new("columns", reason));
        }
        for place in &self.used {
            check_text(record, *place)
                .map_err(|what| RowError::new("encoding", format!("column `{}` {what}", columns[*place])))?;
        }
        let mut fields: Row =
            of_people(columns).map(|(place, column)| (column.clone(), record.text(place).into_owned())).collect();
        for place in &self.used {
            if let Some(value) = fields.get_mut(&columns[*place]).filter(|value| self.is_empty_word(value)) {
                value.clear();
            }
        }
        let filled = |place: Option<usize>| place.and_then(|place| self.filled(record, place));
        let numbers = self.numbers(record)?;
        let own = match filled(self.timezone) {
            Some(name) => ringfence_domain::place::zones(name)
                .map_err(|error| RowError::new("zone", format!("{error}; {}", error.hint())))?,
            // Whichever number is called, it must be a good hour there.
            None => numbers
                .iter()
                .skip(1)
                .fold(ZoneSet::of_number(&numbers[0]), |zones, number| zones.and(&ZoneSet::of_number(number))),
        };
        if own.is_empty() && self.campaign.needs_own_zone() {
            let reason = "its time zone can be told neither from a column nor from the number";
            return Err(RowError::new("zone", reason));
        }
        if let Some(column) = required::lacking(self.campaign, &fields) {
            let place = columns.iter().position(|name| name == column);
            let word = place.and_then(|place| record.utf_8(place)).filter(|cell| self.is_empty_word(cell));
            return Err(RowError::new("empty", required::reason(column, word.map(str::trim))));
        }
        let external_id = filled(self.id).map(str::to_owned);
        let (row_number, line) = (record.number(), record.line());
        Ok(ContactRow { row_number, line, numbers, zones: own, external_id, fields })
    }

    /// Returns the text of a cell; none when it is empty or has a word that stands for empty.
    fn filled<'r>(&self, record: Record<'r>, place: usize) -> Option<&'r str> {
        record.utf_8(place).map(str::trim).filter(|value| !value.is_empty() && !self.is_empty_word(value))
    }

    fn is_empty_word(&self, cell: &str) -> bool {
        self.campaign.contacts.empty_words.find(cell).is_some()
    }

    /// Returns the numbers that can be called. A number that cannot be called is left out when the
    /// person has another.
    fn numbers(&self, record: Record<'_>) -> Result<Vec<PhoneNumber>, RowError> {
        let (mut numbers, mut refusal) = (Vec::new(), None);
        for place in &self.phones {
            let text = record.utf_8(*place).filter(|text| !self.is_empty_word(text)).unwrap_or_default();
            let number = self.campaign.contacts.number(text);
            let number = number.map_err(|error| RowError::new(error.code(), shown(text, &error))).and_then(|number| {
                let refused = |reason| RowError::new("vendor", format!("`{}`: {reason}", visible(text)));
                (self.can_call)(&number).map(|()| number).map_err(refused)
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

/// Tells whether a header is that of rejected rows, some of a larger file: their line and reason
/// come first, and are no data of theirs.
pub fn is_rejects(columns: &[String]) -> bool {
    let ours = |place: usize, name: &str| {
        columns.get(place).is_some_and(|column| column.trim_start_matches("reject_") == name)
    };
    ours(0, "line") && ours(1, "reason")
}

/// The columns that hold data of people, each with its place: they have a name, and are not ours.
pub fn of_people(columns: &[String]) -> impl Iterator<Item = (usize, &String)> {
    let ours = if is_rejects(columns) { 2 } else { 0 };
    columns.iter().enumerate().skip(ours).filter(|(_, column)| !column.is_empty())
}

/// Checks that a value which the campaign uses can be read.
fn check_text(record: Record<'_>, place: usize) -> Result<(), &'static str> {
    match record.utf_8(place) {
        None => Err("is not UTF-8"),
        Some(value) if value.contains('\u{fffd}') => {
            Err("has lost letters (\u{fffd}): it was saved in another encoding")
        }
        Some(value) if value.contains('\0') => Err("has a zero byte"),
        Some(_) => Ok(()),
    }
}

/// Describes what is wrong with a number, with the number as it stands in the file.
pub fn shown(text: &str, error: &PhoneError) -> String {
    match error {
        // These say it themselves.
        PhoneError::Empty | PhoneError::Shortened(_) => error.to_string(),
        _ => format!("`{}`: {error}", visible(text)),
    }
}

/// Returns the first signs of a value, so that everything in it can be seen.
fn visible(text: &str) -> String {
    const SIGNS: usize = 60;
    let text = text.trim();
    let mut shown: String = text.chars().take(SIGNS).flat_map(char::escape_debug).collect();
    if text.chars().nth(SIGNS).is_some() {
        shown.push('…');
    }
    shown
}

/// Returns the hash of a file's content and of the way that it is read: the same hash twice is the
/// same import.
pub fn digest(mut content: Sha256, campaign: &Campaign) -> String {
    let reading = serde_json::to_string(&ContactSource { file: None, ..campaign.contacts.clone() })
        .expect("names are always JSON");
    content.update(reading);
    hex::encode(content.finalize())
}
