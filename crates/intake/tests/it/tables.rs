//! Contact files as spreadsheets, exports and people make them: who is in them, on which line, and
//! what holds them.

use std::path::{Path, PathBuf};

use ringfence_domain::Campaign;
use ringfence_intake::{ContactFile, Problem, Table, TableError};
use tempfile::TempDir;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tables").join(name)
}

/// Each row in short: its line, and its number or why it is rejected.
fn read(path: &Path, rules: &Campaign) -> Result<Vec<String>, TableError> {
    let mut file = ContactFile::open(path, rules, Box::new(|_| Ok(())))?;
    let mut rows = Vec::new();
    while let Some(row) = file.next_row()? {
        rows.push(match row {
            Ok(row) => format!("{} {}", row.line, row.numbers[0].e164()),
            Err(reject) => format!("{} {}", reject.line, reject.reason),
        });
    }
    Ok(rows)
}

fn rows_of(content: impl AsRef<[u8]>) -> Vec<String> {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("people.csv");
    std::fs::write(&path, content).expect("written");
    read(&path, &ringfence_samples::rules("spring", "main")).expect("readable")
}

/// What is wrong with a whole file, or what it must be held for.
fn problem_of(path: &Path) -> Option<String> {
    let rules = ringfence_samples::rules("spring", "main");
    let file = match ContactFile::open(path, &rules, Box::new(|_| Ok(()))) {
        Ok(file) => file,
        Err(error) => return Some(error.problem.sentence()),
    };
    match file.into_table().look_through() {
        Ok(looked) => looked.swallowed.map(|problem| problem.sentence()),
        Err(error) => Some(error.problem.sentence()),
    }
}

fn problem_in(content: impl AsRef<[u8]>) -> Option<String> {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("people.csv");
    std::fs::write(&path, content).expect("written");
    problem_of(&path)
}

#[test]
fn files_of_spreadsheets_are_read_row_by_row() {
    let rules = ringfence_samples::rules("spring", "main");
    for (name, expected) in [
        ("excel16.csv", &["2 +919876500010", "3 +919876500011", "4 +919876500012"][..]),
        ("extra_trailing.csv", &["2 +919876500010", "3 +919876500011"]),
        ("cp1252_unused_col.csv", &["2 +919876500010", "3 +919876500011"]),
        ("sep_line.csv", &["3 +919876500010"]),
        ("quoted_header_semicolon_more_commas.csv", &["2 +919876500010"]),
        ("utf16le_bom_tab.csv", &["2 +919876500010"]),
        ("header_only.csv", &[]),
        (
            "ext.csv",
            &[
                "2 `9876543241 x5`: it has an extension (5), which cannot be dialled",
                "3 `9876543242 ext. 12`: it has an extension (12), which cannot be dialled",
            ],
        ),
        (
            "neg_formula.csv",
            &["2 `-9876543119`: a number below zero: a spreadsheet computed it, and the real number is lost"],
        ),
    ] {
        let rows = read(&fixture(name), &rules).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(rows, expected, "{name}");
    }
    let mut without_country = rules;
    without_country.contacts.country = None;
    let rows = read(&fixture("lre_no_country.csv"), &without_country).expect("readable");
    assert_eq!(rows, ["2 +919876543213", "3 +919876543214"]);
}

#[test]
fn lines_are_those_of_an_editor_whatever_ends_them() {
    for name in ["lines_lf.csv", "lines_crlf.csv"] {
        let rows = read(&fixture(name), &ringfence_samples::rules("spring", "main")).expect("readable");
        assert_eq!(rows[4], "6 `junk`: letters in a number", "{name}");
        assert_eq!(rows[5], "7 +919876500010", "{name}");
    }
    let text = "\n\nphone,note\n9876500010,\"two\nlines\"\n\n,\n   \n9876500011,x\njunk\n";
    let expected = ["4 +919876500010", "9 +919876500011", "10 `junk`: letters in a number"];
    for end in ["\n", "\r\n", "\r"] {
        assert_eq!(rows_of(text.replace('\n', end)), expected, "{end:?}");
        assert_eq!(rows_of(format!("\u{feff}{}", text.replace('\n', end))), expected, "{end:?} after a mark");
    }
}

#[test]
fn every_unicode_encoding_is_read() {
    let text = "phone\tname\r\n9876500010\tआशा\r\n\r\n9876500011\t\"two\r\nlines\"\r\n9876500012\tx\r\n";
    let expected = ["2 +919876500010", "4 +919876500011", "6 +919876500012"];
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    assert_eq!(rows_of([b"\xff\xfe", &little[..]].concat()), expected);
    assert_eq!(rows_of([b"\xfe\xff", &big[..]].concat()), expected);
    assert_eq!(rows_of(&little), expected, "without a mark");
    assert_eq!(rows_of(&big), expected, "without a mark");
    for (start, what) in
        [(&b"PK\x03\x04x"[..], "a spreadsheet"), (b"%PDF-1", "a PDF"), (b"\xff\xfe\0\0p\0\0\0", "UTF-32")]
    {
        let told = problem_in(start).expect("refused");
        assert!(told.contains(what) && told.contains("not CSV"), "{told}");
    }
}

#[test]
fn only_columns_that_are_used_must_be_readable() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("people.csv");
    std::fs::write(&path, b"phone,name,caf\xe9,note\n9876500010,Ren\xe9,x,a\0b\n9876500011,Asha,\xff,y\n")
        .expect("written");
    let mut rules = ringfence_samples::rules("spring", "main");
    rules.variables.insert("n".to_owned(), "{name}".parse().expect("a template"));
    let rows = read(&path, &rules).expect("readable");
    assert_eq!(rows, ["2 column `name` is not UTF-8", "3 +919876500011"]);
    let mut file = ContactFile::open(&path, &rules, Box::new(|_| Ok(()))).expect("a header");
    file.next_row().expect("readable");
    let row = file.next_row().expect("readable").expect("a row").expect("fine");
    assert_eq!(row.fields["caf\u{fffd}"], "\u{fffd}", "kept as it can be");
}

#[test]
fn missing_last_values_are_empty_and_filled_ones_too_many_are_refused() {
    let rows = rows_of("phone,name,note\n9876500010\n9876500011,A,,, ,\n9876500012,A,x,y\n9876500013,\"A,\"x\n");
    assert_eq!(
        rows,
        [
            "2 +919876500010",
            "3 +919876500011",
            "4 it has 4 values, the header 3 columns",
            "5 it has 2 values, the header 3 columns",
        ],
        "where a quote is misplaced, a value may be lost"
    );
}

#[test]
fn a_quote_that_is_never_closed_is_told_with_its_line() {
    for (name, line) in
        [("lf_openq_lastrow.csv", 3), ("cr_only_open_quote.csv", 3), ("dnc_open_quote.csv", 2), ("dnc_cr.csv", 2)]
    {
        let told = problem_of(&fixture(name));
        assert_eq!(told.as_deref(), Some(&*format!("the quote on line {line} is never closed")), "{name}");
    }
    assert_eq!(problem_in("phone,\"name\n9876500010,A\n").as_deref(), Some("the quote on line 1 is never closed"));
    let late = "phone,note\n9876500010,\"two\nlines\"\n9876500011,\"x\ny\n";
    assert_eq!(problem_in(late).as_deref(), Some("the quote on line 4 is never closed"));
    assert_eq!(problem_in("phone,note\n9876500010,5\" pipe\n9876500011,\"say \"\"a\"\"\"\n"), None);
}

#[test]
fn rows_that_quotes_have_swallowed_hold_the_file_from_line_to_line() {
    let told = problem_of(&fixture("quotes_last_column.csv")).expect("held");
    assert!(told.starts_with("lines 12 to 32 are one value of column `note`"), "{told}");
    for (content, says) in [
        ("phone,name\n9876500010,\"Asha\n9876500011,Ravi\"\n", "lines 2 to 3 are one value of column `name`"),
        ("phone,name,note\n9876500010,\"A,x\n9876500011,B,y\n9876500012,\"C,z\n", "lines 2 to 4"),
        ("phone\n\"9876500010\n9876500011\"\n", "lines 2 to 3"),
        ("phone,name,note\n9876500010,A,\"x\n9876500011\n\n9876500012\"\n", "lines 2 to 5"),
        ("name,phone\n\"Asha,9876500010\nRavi,9876500011\nMeera\",9876500012\n", "lines 2 to 4"),
        ("phone,\"name\n9876500010,A\n9876500011,\"B\n", "lines 1 to 3 are one value of the header"),
    ] {
        for end in ["\n", "\r\n", "\r"] {
            let told = problem_in(content.replace('\n', end)).unwrap_or_else(|| panic!("{content}: not held"));
            assert!(told.contains(says), "{content}: {told}");
        }
    }
    for content in [
        "phone,name,address\n9876500010,Asha,\"Flat 3, Baker Street\nAndheri, Mumbai, 400001\nIndia\"\n",
        "phone,address\n9876500010,\"12 MG Road\nPune\n98200 12345\"\n",
        "name,phone,note\nAsha,9876500010,\"her husband:\n98200 12345\"\n",
        "phone,address\n9876500010,\"12, MG Road\nPune, 411001\"\n",
        "name,note,phone\nAsha,\"call after 6,\nor before 9, please\",9876500010\n",
        "\"phone\",\"amount\n(INR)\"\n9876500010,5\n",
    ] {
        assert_eq!(problem_in(content), None, "{content}");
    }
}

#[test]
fn a_table_that_changes_while_it_is_read_is_another_one() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("people.csv");
    std::fs::write(&path, "phone\n9876500010\n").expect("written");
    let table = Table::open(&path).expect("a header");
    let whole = table.look_through().expect("readable");
    assert_eq!(whole.rows, 1);
    let refused = Table::open(&path).expect("a header").read_while(|| false).look_through();
    assert!(refused.is_ok(), "a short one is over before anybody is asked");
    let rows: String =
        std::iter::once("phone\n".to_owned()).chain((0..5000).map(|n| format!("98765{n:05}\n"))).collect();
    std::fs::write(&path, rows).expect("written");
    let left = Table::open(&path).expect("a header").read_while(|| false).look_through().err().expect("left");
    assert!(matches!(left.problem, Problem::Unreadable(_)), "{left}");
}

#[test]
fn a_line_that_names_another_separator_than_the_rows_have_is_told() {
    for (content, says) in [
        (
            "sep=;\nname,phone\nAsha,9876500010\n",
            "line 1 says that `;` separates the values, but line 2 has none of it and has `,`",
        ),
        (
            "sep=,\r\nname;phone\r\nAsha;9876500010\r\n",
            "line 1 says that `,` separates the values, but line 2 has none of it and has `;`",
        ),
        (
            "sep=;\nname;phone\nAsha\t9876500010\n",
            "line 1 says that `;` separates the values, but line 3 has none of it and has a tab",
        ),
        (
            "name;phone\nAsha,9876500010\n",
            "`;` separates the names of the columns, but line 2 has none of it and has `,`",
        ),
    ] {
        assert_eq!(problem_in(content).as_deref(), Some(says), "{content:?}");
    }
    assert_eq!(problem_in("sep=;\nname, first;phone\nAsha;9876500010\n"), None);
}
