//! Contact files.

use std::path::PathBuf;

use ringfence_domain::Campaign;
use ringfence_domain::campaign::CallingZone;
use ringfence_intake::{ContactFile, ContactRow, RejectedRow, TableError};
use tempfile::TempDir;

struct Sheet {
    _folder: TempDir,
    path: PathBuf,
    rules: Campaign,
}

fn sheet(content: impl AsRef<[u8]>) -> Sheet {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("people.csv");
    std::fs::write(&path, content).expect("written");
    let mut rules = ringfence_samples::rules("spring", "main");
    rules.calling.timezone = CallingZone::Contact;
    rules.variables.insert("n".to_owned(), "{name|}".parse().expect("a template"));
    Sheet { _folder: folder, path, rules }
}

impl Sheet {
    fn open(&self) -> Result<ContactFile<'_>, TableError> {
        ContactFile::open(&self.path, &self.rules, Box::new(|_| Ok(())))
    }

    fn rows(&self) -> Vec<Result<ContactRow, RejectedRow>> {
        let mut file = self.open().expect("a header");
        std::iter::from_fn(|| file.next_row().expect("readable")).collect()
    }
}

#[test]
fn marks_line_ends_and_quotes_of_every_spreadsheet_are_read() {
    let sheet = sheet(
        "\u{feff}name,phone\r\n\"Rao, Asha\",9820012345\r\n\"two\nlines\",+91 98200 12346\r\n\r\n,9820012347\r\n",
    );
    let rows: Vec<ContactRow> = sheet.rows().into_iter().map(|row| row.expect("fine")).collect();
    let read: Vec<(i64, &str, &str)> =
        rows.iter().map(|row| (row.row_number, row.fields["name"].as_str(), row.numbers[0].e164())).collect();
    assert_eq!(read, [(1, "Rao, Asha", "+919820012345"), (2, "two\nlines", "+919820012346"), (3, "", "+919820012347")]);
    assert_eq!(rows[0].zones.to_string(), "Asia/Kolkata", "told from the number");
}

#[test]
fn semicolons_and_tabs_separate_too() {
    for text in ["name;phone\nAsha;9820012345\n", "name\tphone\nAsha\t9820012345\n"] {
        assert_eq!(sheet(text).rows().len(), 1, "{text}");
        assert!(sheet(text).rows()[0].is_ok(), "{text}");
    }
}

#[test]
fn a_bad_row_is_named_with_its_reason_and_blocks_no_other() {
    let sheet = sheet(b"name,phone\nA,9820012345\nB,not a number\nC,\nD,9820012346,extra\n\xff\xfe,9820012347\nF,12345\nG,9820012348\n");
    let rows = sheet.rows();
    let rejects: Vec<(i64, i64, &str)> =
        rows.iter().filter_map(|row| row.as_ref().err()).map(|r| (r.row_number, r.line, r.reason.as_str())).collect();
    assert_eq!(
        rejects,
        [
            (2, 3, "`not a number`: letters in a number"),
            (3, 4, "the phone number is empty"),
            (4, 5, "it has 3 values, the header 2 columns"),
            (5, 6, "column `name` is not UTF-8"),
            (6, 7, "`12345`: no such number exists in its country's numbering plan"),
        ]
    );
    assert_eq!(rows.iter().filter(|row| row.is_ok()).count(), 2);
}

#[test]
fn a_zone_comes_from_the_column_else_the_number_else_the_row_is_rejected() {
    let mut sheet =
        sheet("name,phone,tz\nA,9820012345,Asia/Dubai\nB,9820012346,\nC,9820012347,Mars/Olympus\nD,+870773111632,\n");
    sheet.rules.contacts.timezone = Some("tz".to_owned());
    let rows = sheet.rows();
    assert_eq!(rows[0].as_ref().expect("fine").zones.to_string(), "Asia/Dubai");
    assert_eq!(rows[1].as_ref().expect("fine").zones.to_string(), "Asia/Kolkata");
    assert!(rows[2].as_ref().expect_err("no such zone").reason.contains("Mars/Olympus"));
    assert!(rows[3].is_err(), "an unknown place is not dialled");
}

#[test]
fn a_file_of_the_wrong_shape_is_refused_before_any_row() {
    let refusal = |text: &str| sheet(text).open().err().map(|error| error.to_string()).unwrap_or_default();
    assert!(refusal("name,mobile\nA,9820012345\n").contains("no column `phone`; it has: name, mobile"));
    assert!(refusal("name,phones\nA,1\n").contains("Did you mean `phones`?"));
    assert!(refusal("phone,phone,name\n").contains("two columns `phone`"));
    assert!(refusal("").contains("is empty"));
    assert!(refusal("phone\n9820012345\n").contains("no column `name`"), "a variable needs it");
    let missing = ContactFile::open(std::path::Path::new("/nowhere.csv"), &sheet("").rules, Box::new(|_| Ok(()))).err();
    assert!(missing.is_some_and(|error| error.to_string().contains("/nowhere.csv cannot be read")));
}

#[test]
fn what_the_vendor_cannot_call_is_rejected_with_its_reason() {
    let sheet = sheet("name,phone\nA,9820012345\n");
    let mut file =
        ContactFile::open(&sheet.path, &sheet.rules, Box::new(|_| Err("not here".to_owned()))).expect("a header");
    let row = file.next_row().expect("readable").expect("a row");
    assert_eq!(row.expect_err("refused").reason, "`9820012345`: not here");
}
