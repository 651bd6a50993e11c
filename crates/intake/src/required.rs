//! The values that a row must have: those of the columns that the agent's values come from.
//!
//! Without them "Dear , you owe " is said to a person. An operator who wants that names the column
//! in `contacts.optional`, or writes a text for its place: `{name|customer}`.

use ringfence_domain::Campaign;
use ringfence_domain::template::{Row, Template, is_blank};

/// Returns a column that a call needs and that is empty in this row; the first by the name of the
/// value that it fills.
pub(crate) fn lacking<'c>(campaign: &'c Campaign, fields: &Row) -> Option<&'c str> {
    let templates = [&campaign.variables, &campaign.metadata, &campaign.vendor].into_iter().flat_map(|of| of.values());
    let empty = |column: &&str| fields.get(*column).is_none_or(|value| is_blank(value));
    templates.flat_map(Template::required).find(empty)
}

/// Returns why such a row cannot be called, and how to mend it. `word` is the word in the cell
/// that is taken as empty.
pub(crate) fn reason(column: &str, word: Option<&str>) -> String {
    let is_empty = match word {
        Some(word) => format!("has `{word}`, which is taken as empty (contacts.empty_words)"),
        None => "is empty".to_owned(),
    };
    format!(
        "column `{column}` {is_empty}; write {{{column}|something}}, or contacts.optional = [\"{column}\"], to call without it"
    )
}
