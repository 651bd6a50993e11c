//! Columns that the agent gets, and rows that have nothing in them.

use std::path::Path;

use ringfence_domain::Campaign;
use ringfence_intake::{Config, ContactFile, Mistakes, campaign};
use ringfence_samples::noon;
use ringfence_samples::vendors::all as vendors;

use crate::assert_told;

fn parse(contacts: &str, variables: &str) -> Result<Campaign, Mistakes> {
    let config = "[provider.main]\nkind = \"sandbox\"";
    let config = Config::parse(Path::new("/srv/ringfence.toml"), config, &vendors(), &|_| None).expect("fine");
    let text = format!(
        "name = \"a\"\nprovider = \"main\"\nagent = \"a\"\ncaller_ids = [\"9876500000\"]\n[contacts]\nphone = \"phone\"\n\
         country = \"IN\"\n{contacts}\n[variables]\n{variables}"
    );
    campaign::parse(Path::new("/srv/a.toml"), &text, &config, noon())
}

/// The codes and reasons of the rows that are rejected.
fn rejected(campaign: &Campaign, csv: &str) -> Vec<(i64, &'static str, String)> {
    let folder = tempfile::TempDir::new().expect("a folder");
    let path = folder.path().join("people.csv");
    std::fs::write(&path, csv).expect("written");
    let mut file = ContactFile::open(&path, campaign, Box::new(|_| Ok(()))).expect("a header");
    let rows = std::iter::from_fn(|| file.next_row().expect("readable"));
    rows.filter_map(Result::err).map(|row| (row.row_number, row.code, row.reason)).collect()
}

const CSV: &str = "phone,name,due\n9820012345,Asha,100\n9820012346,,100\n9820012347,Ravi, \n9820012348,Lila,#N/A\n";

#[test]
fn a_row_with_nothing_to_say_is_refused_by_the_name_of_its_column() {
    let campaign = parse("", "text = \"Dear {name}, you owe {due}\"").expect("fine");
    let refused = rejected(&campaign, CSV);
    let named: Vec<(i64, &str, bool)> =
        refused.iter().map(|(row, code, reason)| (*row, *code, reason.contains("`name`"))).collect();
    assert_eq!(named, [(2, "empty", true), (3, "empty", false), (4, "empty", false)], "{refused:?}");
    assert!(refused[1].2.contains("column `due` is empty"), "{}", refused[1].2);
}

#[test]
fn a_column_may_be_empty_where_the_campaign_says_so() {
    let named = parse("optional = [\"name\", \"due\"]", "text = \"Dear {name}, you owe {due}\"").expect("fine");
    assert_eq!(rejected(&named, CSV), []);
    assert_eq!(named.variables["text"].to_string(), "Dear {name|}, you owe {due|}");
    let replaced = parse("", "text = \"Dear {name|customer}\"").expect("fine");
    assert_eq!(rejected(&replaced, CSV), []);
    let fixed = parse("", "text = \"Dear customer\"").expect("fine");
    assert_eq!(rejected(&fixed, CSV), []);
}

#[test]
fn an_optional_column_that_nobody_uses_is_a_slip() {
    let mistakes = parse("optional = [\"nmae\"]", "text = \"Dear {name}\"").expect_err("a slip");
    assert_told(&mistakes, "a.toml:8:13", "did you mean `name`?");
}

const WORDS: &str =
    "phone,name,due,note\n9820012345, null ,100,NULL\n9820012346,Null Sen,n/a,-\n9820012347,Nan,5,\n-,Asha,5,x\n";

#[test]
fn words_that_stand_for_an_empty_cell_are_said_to_nobody() {
    let campaign = parse("", "text = \"Dear {name|customer}, you owe {due}\"").expect("fine");
    let folder = tempfile::TempDir::new().expect("a folder");
    let path = folder.path().join("people.csv");
    std::fs::write(&path, WORDS).expect("written");
    let mut file = ContactFile::open(&path, &campaign, Box::new(|_| Ok(()))).expect("a header");
    let rows: Vec<_> = std::iter::from_fn(|| file.next_row().expect("readable")).collect();
    let told: Vec<_> = rows
        .iter()
        .map(|row| match row {
            Ok(row) => campaign.variables["text"].render(&row.fields).expect("a text"),
            Err(row) => row.reason.clone(),
        })
        .collect();
    assert_eq!(told[0], "Dear customer, you owe 100");
    assert!(told[1].starts_with("column `due` has `n/a`, which is taken as empty (contacts.empty_words)"), "{told:?}");
    assert_eq!(told[2], "Dear customer, you owe 5");
    assert_eq!(told[3], "the phone number is empty");
    assert_eq!(
        rows[0].as_ref().expect("a row").fields["note"],
        "NULL",
        "what the campaign does not use stays as it is"
    );
    let taken = [("-", 1), ("N/A", 1), ("NULL", 1), ("nan", 1)];
    assert_eq!(file.taken_as_empty(), taken.map(|(word, cells)| (word.to_owned(), cells)).into());
}

#[test]
fn a_person_may_be_named_null_where_the_campaign_says_so() {
    let variables = "text = \"Dear {name}\"";
    let csv = "phone,name\n9820012345,Null\n9820012346,unbekannt\n";
    let refused = |contacts: &str| {
        let campaign = parse(contacts, variables).expect("fine");
        rejected(&campaign, csv).into_iter().map(|(row, ..)| row).collect::<Vec<_>>()
    };
    assert_eq!(refused(""), [1]);
    assert!(refused("empty_words = []").is_empty());
    assert_eq!(refused("empty_words = [\"Unbekannt\"]"), [2]);
}
