//! The places in a file where something is written, for code that finds out later that it is
//! wrong.

use std::ops::Range;
use std::path::Path;

use toml::de::{DeTable, DeValue};

use crate::{Mistake, Mistakes};

/// Returns the place of the first text of a section (`contacts`; `provider` stands at the top)
/// whose key and text are `wanted`.
pub fn find(text: &str, section: &str, wanted: &dyn Fn(&str, &str) -> bool) -> Option<Range<usize>> {
    let document = DeTable::parse(text).ok()?;
    let root = document.get_ref();
    let table = match root.get(section)?.get_ref() {
        DeValue::Table(table) => table,
        DeValue::String(said) if wanted(section, said) => return root.get(section).map(toml::Spanned::span),
        _ => return None,
    };
    texts(table).into_iter().find(|(key, said, _)| wanted(key, said)).map(|(_, _, at)| at)
}

/// Returns the keys of a table and of the tables in it, with each of their texts.
fn texts<'t>(table: &'t DeTable<'t>) -> Vec<(&'t str, &'t str, Range<usize>)> {
    let mut found = Vec::new();
    for (key, value) in table {
        let key = key.get_ref().as_ref();
        match value.get_ref() {
            DeValue::String(said) => found.push((key, said.as_ref(), value.span())),
            DeValue::Array(list) => found.extend(list.iter().filter_map(|one| match one.get_ref() {
                DeValue::String(said) => Some((key, said.as_ref(), one.span())),
                _ => None,
            })),
            DeValue::Table(inner) => found.extend(texts(inner)),
            _ => {}
        }
    }
    found
}

/// Makes one mistake at such a place; at the beginning of the file when the place is not there.
pub fn mistake(path: &Path, text: &str, at: Option<Range<usize>>, message: String, hint: &str) -> Mistakes {
    Mistakes::new(path, text, vec![Mistake::new(at.unwrap_or(0..0), message).hint(hint)])
}

/// Returns `line:column` of a place, counted from 1.
pub fn line_and_column(text: &str, at: &Range<usize>) -> String {
    let before = &text[..at.start.min(text.len())];
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    format!("{}:{column}", before.matches('\n').count() + 1)
}
