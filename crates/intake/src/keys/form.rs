//! A campaign in the form of its file, with every default filled in.

use ringfence_domain::Campaign;
use toml::{Table, Value};

use super::CAMPAIGN;

/// Returns the campaign as a file that says everything. Reading it again gives the same campaign.
pub fn form(campaign: &Campaign) -> Table {
    let mut root = Table::new();
    for key in CAMPAIGN.iter().flat_map(|section| section.iter()) {
        if let Some(value) = (key.value)(campaign) {
            put(&mut root, key.key.path, value);
        }
    }
    root
}

/// Puts a value at a path, with the sections on the way to it.
fn put(table: &mut Table, path: &str, value: Value) {
    let Some((section, rest)) = path.split_once('.') else {
        table.insert(path.to_owned(), value);
        return;
    };
    let inner = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
    if let Value::Table(inner) = inner {
        put(inner, rest, value);
    }
}
