//! Columns that the agent gets, and rows that have nothing in them.

use std::path::Path;

use ringfence::home::vendors;
use ringfence_domain::Campaign;
use ringfence_intake::{Config, ContactFile, Mistakes, campaign};
use ringfence_tests::sample::noon;

use super::assert_told;

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
