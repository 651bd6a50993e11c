//! Contact files.

use std::io::{Cursor, Write};
use std::path::PathBuf;
use std::sync::LazyLock;

use ringfence_intake::json_table::{JsonForm, to_csv};
use ringfence_intake::table::sample;
use ringfence_intake::{ContactFile, Table, TableError};
use ringfence_samples::rules;
use tempfile::TempDir;

static FOLDER: LazyLock<TempDir> = LazyLock::new(|| TempDir::new().expect("a temporary folder"));

/// The file is read as a table, as a contact list, and its first rows as a sample.
pub(crate) fn read(input: &[u8]) {
    let path = written(input);
    let seen = sample(&path, 20).ok().map(|sample| sample.columns);
    let rows = Table::open(&path).and_then(rows);
    let Some(columns) = seen else { return };
    let is_phone = |column: &&String| ["phone", "mobile", "number"].iter().any(|word| column.contains(word));
    let Some(phone) = columns.iter().find(is_phone).or(columns.last()) else { return };
    let mut campaign = rules("spring", "main");
    campaign.contacts.phones = vec![phone.clone()];
    let contacts = ContactFile::open(&path, &campaign, Box::new(|_| Ok(()))).and_then(people);
    if let (Ok(rows), Ok(contacts)) = (rows, contacts) {
        assert_eq!(rows, contacts, "each row is a contact or a reject");
    }
}

/// The document is taken for a contact list in JSON, and what it became is read.
pub(crate) fn read_json(input: &[u8]) {
    for form in [JsonForm::Array, JsonForm::Lines] {
        let mut csv = Vec::new();
        let Ok(objects) = to_csv(Cursor::new(input), form, &mut csv) else { continue };
        let path = written(&csv);
        if let Ok(read) = Table::open(&path).and_then(rows) {
            // A row without a word is no row, also in a list that a spreadsheet wrote.
            let is_blank = |line: &str| line.chars().all(|c| c.is_whitespace() || [',', '"'].contains(&c));
            let text = String::from_utf8_lossy(&csv);
            let blank = text.lines().skip(1).filter(|line| is_blank(line)).count();
            let read = read as u64;
            assert!(read <= objects && read + blank as u64 >= objects, "{objects} objects, {read} rows: {text}");
        }
    }
}

fn written(content: &[u8]) -> PathBuf {
    let path = FOLDER.path().join("contacts.csv");
    let mut file = std::fs::File::create(&path).expect("a file");
    file.write_all(content).expect("written");
    path
}

fn rows(mut table: Table) -> Result<usize, TableError> {
    let mut count = 0;
    while let Some(row) = table.next_row()? {
        row.texts().for_each(drop);
        count += 1;
    }
    Ok(count)
}

fn people(mut file: ContactFile<'_>) -> Result<usize, TableError> {
    let mut count = 0;
    while let Some(row) = file.next_row()? {
        if let Ok(contact) = row {
            assert!(!contact.numbers.is_empty(), "somebody without a number is a reject");
        }
        count += 1;
    }
    Ok(count)
}
