//! Mistakes of a text that came without a file, by the key they are about: a JSON pointer, RFC
//! 6901.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::Mistakes;

/// A mistake at a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MistakeAt {
    /// The key, as in `/calling/hours`; empty for the whole text.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// How to mend it.
    pub hint: Option<String>,
}

impl Mistakes {
    /// Returns each mistake with the key that it is about.
    pub fn pointers(&self) -> Vec<MistakeAt> {
        let document = DeTable::parse(self.text()).ok();
        let pointer = |at: &Range<usize>| {
            let mut path = String::new();
            // What is missing has no place of its own.
            if let Some(document) = document.as_ref().filter(|_| !at.is_empty()) {
                into_table(document.get_ref(), at.start, &mut path);
            }
            path
        };
        let at = |mistake: &crate::Mistake| MistakeAt {
            pointer: pointer(&mistake.at),
            message: mistake.message.clone(),
            hint: mistake.hint.clone(),
        };
        self.list().iter().map(at).collect()
    }
}

/// Adds the keys that lead to the value, or the key, at a place of the text.
fn into_table(table: &DeTable<'_>, at: usize, path: &mut String) {
    for (key, value) in table {
        let inside = key.span().contains(&at) || holds(value, at);
        if inside {
            path.push('/');
            path.push_str(&key.get_ref().replace('~', "~0").replace('/', "~1"));
            into_value(value, at, path);
            return;
        }
    }
}

fn into_value(value: &Spanned<DeValue<'_>>, at: usize, path: &mut String) {
    match value.get_ref() {
        DeValue::Table(table) => into_table(table, at, path),
        DeValue::Array(items) => {
            if let Some(index) = items.iter().position(|item| item.span().contains(&at)) {
                path.push_str(&format!("/{index}"));
                into_value(&items[index], at, path);
            }
        }
        _ => {}
    }
}

/// Tells whether a value, or something in it, stands at a place: the span of a `[table]` is its
/// header, and its keys stand below that.
fn holds(value: &Spanned<DeValue<'_>>, at: usize) -> bool {
    value.span().contains(&at)
        || match value.get_ref() {
            DeValue::Table(table) => table.iter().any(|(key, value)| key.span().contains(&at) || holds(value, at)),
            DeValue::Array(items) => items.iter().any(|item| holds(item, at)),
            _ => false,
        }
}
