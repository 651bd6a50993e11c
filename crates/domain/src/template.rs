//! Text with `{column}` places that a contact's row fills.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The values of one contact's row by column name.
pub type Row = BTreeMap<String, String>;

/// `"₹{amount_due}"`; `{{` and `}}` stand for the braces themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template {
    parts: Vec<Part>,
    text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Column(String),
}

impl Template {
    /// The columns that it takes from the row.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Column(name) => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// The text, when it takes nothing from the row.
    pub fn fixed(&self) -> Option<String> {
        self.render(&Row::new()).ok()
    }

    /// The text for one row, or the column that the row lacks.
    pub fn render(&self, row: &Row) -> Result<String, MissingColumn> {
        let mut text = String::with_capacity(self.text.len());
        for part in &self.parts {
            match part {
                Part::Text(fixed) => text.push_str(fixed),
                Part::Column(name) => {
                    text.push_str(row.get(name).ok_or_else(|| MissingColumn { column: name.clone() })?);
                }
            }
        }
        Ok(text)
    }
}

/// A template names a column that the row does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the row has no column `{column}`")]
pub struct MissingColumn {
    /// The column.
    pub column: String,
}

impl FromStr for Template {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut parts = Vec::new();
        let mut fixed = String::new();
        let mut rest = text.chars().peekable();
        while let Some(next) = rest.next() {
            match next {
                '{' if rest.next_if_eq(&'{').is_some() => fixed.push('{'),
                '}' if rest.next_if_eq(&'}').is_some() => fixed.push('}'),
                '{' => {
                    let mut name = String::new();
                    loop {
                        match rest.next() {
                            Some('}') => break,
                            Some(letter) => name.push(letter),
                            None => return Err("a { is never closed; write {{ for the brace itself".to_owned()),
                        }
                    }
                    if name.trim().is_empty() {
                        return Err("{} names no column".to_owned());
                    }
                    if !fixed.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut fixed)));
                    }
                    parts.push(Part::Column(name.trim().to_owned()));
                }
                '}' => return Err("a } without its {; write }} for the brace itself".to_owned()),
                letter => fixed.push(letter),
            }
        }
        if !fixed.is_empty() {
            parts.push(Part::Text(fixed));
        }
        Ok(Self { parts, text: text.to_owned() })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl TryFrom<String> for Template {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Template> for String {
    fn from(template: Template) -> Self {
        template.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_filled_and_braces_kept() {
        let template: Template = "{{Dear}} {name}, ₹{ amount_due }".parse().expect("a template");
        let row = Row::from([("name".into(), "Asha".into()), ("amount_due".into(), "{12}".into())]);
        assert_eq!(template.render(&row).as_deref(), Ok("{Dear} Asha, ₹{12}"));
        assert_eq!(template.columns().collect::<Vec<_>>(), ["name", "amount_due"]);
        assert_eq!(template.render(&Row::new()), Err(MissingColumn { column: "name".into() }));
    }

    #[test]
    fn loose_braces_are_refused() {
        for text in ["{name", "name}", "{}", "{ }"] {
            assert!(text.parse::<Template>().is_err(), "{text}");
        }
    }
}
