//! Text with `{column}` places that a contact's row fills.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The values of one contact's row by column name.
pub type Row = BTreeMap<String, String>;

/// A text like `"₹{amount_due}"`. `{name|customer}` has a text for rows without a value, and
/// `{name|}` may be empty; `{{` and `}}` stand for the braces themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Template {
    parts: Vec<Part>,
    text: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Column { name: String, default: Option<String> },
}

impl Template {
    /// Returns the columns that it takes from the row.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Column { name, .. } => Some(name.as_str()),
            Part::Text(_) => None,
        })
    }

    /// Returns the columns without which nothing can be said: those with no text in their place.
    pub fn required(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Column { name, default: None } => Some(name.as_str()),
            _ => None,
        })
    }

    /// Returns the text, when it takes nothing from the row.
    pub fn fixed(&self) -> Option<String> {
        if self.columns().next().is_some() { None } else { self.render(&Row::new()).ok() }
    }

    /// Returns the text for one row, or the column that the row lacks or has empty.
    pub fn render(&self, row: &Row) -> Result<String, NoValue> {
        let mut text = String::with_capacity(self.text.len());
        for part in &self.parts {
            match part {
                Part::Text(fixed) => text.push_str(fixed),
                Part::Column { name, default } => match (row.get(name), default) {
                    (None, _) => return Err(NoValue::NoColumn { column: name.clone() }),
                    (Some(value), None) if is_blank(value) => return Err(NoValue::Empty { column: name.clone() }),
                    (Some(value), Some(default)) if is_blank(value) => text.push_str(default),
                    (Some(value), _) => text.push_str(value),
                },
            }
        }
        Ok(text)
    }

    /// Returns the same text, in which these columns may be empty: `{name}` is `{name|}`.
    #[must_use]
    pub fn with_optional(&self, optional: &[String]) -> Self {
        let mut parts = self.parts.clone();
        for part in &mut parts {
            if let Part::Column { name, default: default @ None } = part
                && optional.contains(name)
            {
                *default = Some(String::new());
            }
        }
        if parts == self.parts {
            return self.clone();
        }
        let escaped = |text: &str| text.replace('{', "{{").replace('}', "}}");
        let text = parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => escaped(text),
                Part::Column { name, default: None } => format!("{{{name}}}"),
                Part::Column { name, default: Some(default) } => format!("{{{name}|{default}}}"),
            })
            .collect();
        Self { parts, text }
    }
}

/// Tells whether a cell holds nothing that can be said to somebody: spaces, invisible marks, or a
/// spreadsheet's error in place of a value.
pub fn is_blank(value: &str) -> bool {
    let invisible = |c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '\u{200b}'
                    ..='\u{200f}'
                        | '\u{2060}'
                        | '\u{feff}'
                        | '\u{ad}'
                        | '\u{115f}'
                        | '\u{1160}'
                        | '\u{3164}'
                        | '\u{ffa0}'
                        | '\u{2800}'
            )
    };
    let errors = ["#N/A", "#REF!", "#VALUE!", "#NAME?", "#DIV/0!", "#NULL!", "#NUM!"];
    let value = value.trim_matches(invisible);
    value.is_empty() || errors.iter().any(|error| error.eq_ignore_ascii_case(value))
}

/// The reason that a row does not fill a template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoValue {
    /// It has no such column.
    #[error("the row has no column `{column}`")]
    NoColumn {
        /// The column.
        column: String,
    },
    /// It has the column, and nothing in it.
    #[error("the row's column `{column}` is empty")]
    Empty {
        /// The column.
        column: String,
    },
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
                    let (name, default) = match name.split_once('|') {
                        Some((name, default)) => (name.trim().to_owned(), Some(default.to_owned())),
                        None => (name.trim().to_owned(), None),
                    };
                    if name.is_empty() {
                        return Err("{} names no column".to_owned());
                    }
                    if default.as_ref().is_some_and(|text| text.contains('{')) {
                        return Err("a text in place of an empty column cannot have a { itself".to_owned());
                    }
                    if !fixed.is_empty() {
                        parts.push(Part::Text(std::mem::take(&mut fixed)));
                    }
                    parts.push(Part::Column { name, default });
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
        assert_eq!(template.render(&Row::new()), Err(NoValue::NoColumn { column: "name".into() }));
    }

    #[test]
    fn empty_columns_are_refused_unless_a_text_stands_for_them() {
        let row = Row::from([
            ("name".into(), " \u{200b}".into()),
            ("due".into(), "#N/A".into()),
            ("city".into(), "Pune".into()),
        ]);
        let render = |text: &str| text.parse::<Template>().expect("a template").render(&row);
        assert_eq!(render("Dear {name}"), Err(NoValue::Empty { column: "name".into() }));
        assert_eq!(render("you owe {due}"), Err(NoValue::Empty { column: "due".into() }));
        assert_eq!(render("Dear { name |customer} of {city|somewhere}").as_deref(), Ok("Dear customer of Pune"));
        assert_eq!(render("Dear {name|}").as_deref(), Ok("Dear "));
        assert_eq!(render("Dear {nobody|customer}"), Err(NoValue::NoColumn { column: "nobody".into() }));
        let template: Template = "{{x}} {name} {city}".parse().expect("a template");
        let optional = template.with_optional(&["name".to_owned()]);
        assert_eq!(optional.to_string(), "{{x}} {name|} {city}");
        assert_eq!(optional.to_string().parse::<Template>().as_ref(), Ok(&optional));
        assert_eq!(optional.required().collect::<Vec<_>>(), ["city"]);
        assert_eq!("{name|x}".parse::<Template>().expect("a template").fixed(), None);
    }

    #[test]
    fn loose_braces_are_refused() {
        for text in ["{name", "name}", "{}", "{ }", "{|x}", "{a|{b}}"] {
            assert!(text.parse::<Template>().is_err(), "{text}");
        }
    }
}
