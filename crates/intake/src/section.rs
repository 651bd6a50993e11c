//! The reader of a TOML table, key by key. It collects mistakes instead of stopping at the first.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::Range;
use std::str::FromStr;

use ringfence_domain::Span;
use ringfence_domain::quantity::QuantityError;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::Mistake;

/// A text and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed<T> {
    pub(crate) value: T,
    pub(crate) at: Range<usize>,
}

/// The mistakes found so far.
#[derive(Debug, Default)]
pub(crate) struct Found {
    mistakes: RefCell<Vec<Mistake>>,
    hidden: RefCell<Vec<Range<usize>>>,
}

impl Found {
    pub(crate) fn add(&self, mistake: Mistake) {
        self.mistakes.borrow_mut().push(mistake);
    }

    /// Hides a part of the text from every complaint.
    pub(crate) fn hide(&self, at: Range<usize>) {
        self.hidden.borrow_mut().push(at);
    }

    /// Returns the text with everything hidden replaced, in as many bytes.
    pub(crate) fn shown(&self, text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        for at in self.hidden.borrow().iter() {
            bytes.get_mut(at.clone()).into_iter().flatten().for_each(|byte| *byte = b'*');
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    pub(crate) fn take(self) -> Vec<Mistake> {
        self.mistakes.into_inner()
    }
}

/// A table of the file, being read.
pub(crate) struct Section<'t> {
    name: String,
    at: Range<usize>,
    table: &'t DeTable<'t>,
    read: BTreeSet<String>,
    found: &'t Found,
}

/// A parse error that may know its mend, and which part of the text is wrong.
pub(crate) trait Explain: Display {
    fn explain(&self) -> (Option<String>, Option<Range<usize>>) {
        (None, None)
    }
}

impl Explain for QuantityError {
    fn explain(&self) -> (Option<String>, Option<Range<usize>>) {
        (Some(self.hint.to_owned()), None)
    }
}

impl Explain for ringfence_domain::window::HoursError {
    fn explain(&self) -> (Option<String>, Option<Range<usize>>) {
        (Some(self.hint.clone()), Some(self.at.clone()))
    }
}

impl Explain for String {}

impl<'t> Section<'t> {
    /// Begins with the whole document.
    pub(crate) fn root(document: &'t Spanned<DeTable<'t>>, found: &'t Found) -> Self {
        Self { name: String::new(), at: 0..0, table: document.get_ref(), read: BTreeSet::new(), found }
    }

    /// Returns where the section begins.
    pub(crate) fn at(&self) -> Range<usize> {
        self.at.clone()
    }

    pub(crate) fn found(&self) -> &'t Found {
        self.found
    }

    /// Returns the keys in the file, each with its place.
    pub(crate) fn keys(&self) -> Vec<Placed<String>> {
        self.table.keys().map(|key| Placed { value: key.get_ref().to_string(), at: key.span() }).collect()
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    fn raw(&mut self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.read.insert(key.to_owned());
        self.table.get(key)
    }

    fn wrong(&self, at: Range<usize>, key: &str, wanted: &str) {
        self.found.add(Mistake::new(at, format!("`{}` must be {wanted}", self.path(key))));
    }

    /// Reads a text, if the key is there.
    pub(crate) fn text(&mut self, key: &str) -> Option<Placed<String>> {
        let value = self.raw(key)?;
        if let DeValue::String(text) = value.get_ref() {
            Some(Placed { value: text.to_string(), at: value.span() })
        } else {
            self.wrong(value.span(), key, "a text in quotes");
            None
        }
    }

    /// Reads a text that must be there.
    pub(crate) fn required_text(&mut self, key: &str, hint: &str) -> Option<Placed<String>> {
        if self.table.get(key).is_none() {
            self.missing(key, hint);
            return None;
        }
        let text = self.text(key)?;
        if text.value.trim().is_empty() {
            self.found.add(Mistake::new(text.at.clone(), format!("`{}` is empty", self.path(key))).hint(hint));
        }
        Some(text)
    }

    pub(crate) fn missing(&mut self, key: &str, hint: &str) {
        self.read.insert(key.to_owned());
        let path = self.path(key);
        self.found.add(Mistake::new(self.at.clone(), format!("`{path}` is missing")).hint(hint));
    }

    /// Reads and parses a text, if the key is there.
    pub(crate) fn parsed<T>(&mut self, key: &str) -> Option<T>
    where
        T: FromStr,
        T::Err: Explain,
    {
        let text = self.text(key)?;
        self.parse(&text)
    }

    /// Reads a length of time above zero, if the key is there.
    pub(crate) fn span(&mut self, key: &str) -> Option<Span> {
        let text = self.text(key)?;
        self.longer_than_nothing(&text)
    }

    /// Parses a length of time that must be above zero.
    pub(crate) fn longer_than_nothing(&self, text: &Placed<String>) -> Option<Span> {
        let span: Span = self.parse(text)?;
        if span == Span::ZERO {
            let mistake = Mistake::new(text.at.clone(), format!("`{}` is no time at all", text.value));
            self.found.add(mistake.hint("write a number and a unit: 60s, 15m, 1h30m or 7d"));
            return None;
        }
        Some(span)
    }

    /// Parses a text that was read.
    pub(crate) fn parse<T>(&self, text: &Placed<String>) -> Option<T>
    where
        T: FromStr,
        T::Err: Explain,
    {
        text.value
            .parse()
            .map_err(|error: T::Err| {
                let (hint, part) = error.explain();
                // The place counts the opening quote.
                let at = part.map_or(text.at.clone(), |part| {
                    let start = text.at.start + 1 + part.start;
                    start..(start + part.len()).min(text.at.end)
                });
                self.found.add(Mistake { at, message: error.to_string(), hint });
            })
            .ok()
    }

    /// Reads a whole number within a range, if the key is there.
    pub(crate) fn integer(&mut self, key: &str, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
        let value = self.raw(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(number) => number.to_string().replace('_', "").parse::<u32>().ok(),
            _ => None,
        };
        match number {
            Some(number) if range.contains(&number) => Some(number),
            _ => {
                let wanted = match *range.end() {
                    u32::MAX => format!("a whole number from {} on", range.start()),
                    end => format!("a whole number from {} to {end}", range.start()),
                };
                self.wrong(value.span(), key, &wanted);
                None
            }
        }
    }

    /// Tells whether a key holds a table. The key counts as read.
    pub(crate) fn is_table(&mut self, key: &str) -> bool {
        self.read.insert(key.to_owned());
        self.table.get(key).is_some_and(|value| matches!(value.get_ref(), DeValue::Table(_)))
    }

    /// Hides the value of a key from every complaint, but for these keys of a table.
    pub(crate) fn hide(&self, key: &str, except: &[&str]) {
        let Some(value) = self.table.get(key) else { return };
        match value.get_ref() {
            DeValue::Table(table) => {
                let others = table.iter().filter(|(name, _)| !except.contains(&name.get_ref().as_ref()));
                others.for_each(|(_, value)| self.found.hide(value.span()));
            }
            _ => self.found.hide(value.span()),
        }
    }

    /// Reads a text, or a whole number as text, if the key is there.
    pub(crate) fn word(&mut self, key: &str) -> Option<Placed<String>> {
        let value = self.raw(key)?;
        if let DeValue::Integer(number) = value.get_ref() {
            return Some(Placed { value: number.to_string(), at: value.span() });
        }
        self.text(key)
    }

    /// Reads true or false, if the key is there.
    pub(crate) fn flag(&mut self, key: &str) -> Option<bool> {
        let value = self.raw(key)?;
        if let DeValue::Boolean(flag) = value.get_ref() {
            Some(*flag)
        } else {
            self.wrong(value.span(), key, "true or false");
            None
        }
    }

    /// Returns where the value of a key stands in the file, if it does.
    pub(crate) fn place_of(&self, key: &str) -> Option<Range<usize>> {
        self.table.get(key).map(Spanned::span)
    }

    /// Returns where an item of a key's list stands, if it does.
    pub(crate) fn place_of_item(&self, key: &str, item: usize) -> Option<Range<usize>> {
        match self.table.get(key)?.get_ref() {
            DeValue::Array(list) => list.get(item).map(Spanned::span),
            _ => None,
        }
    }

    /// Returns where a key itself stands, if it does.
    pub(crate) fn key_at(&self, key: &str) -> Option<Range<usize>> {
        self.table.get_key_value(key).map(|(key, _)| key.span())
    }

    /// Reads a text, a list of texts, a whole number, or true or false, as texts.
    pub(crate) fn flag_or_texts(&mut self, key: &str) -> Option<Vec<String>> {
        match self.table.get(key)?.get_ref() {
            DeValue::Boolean(flag) => {
                self.read.insert(key.to_owned());
                Some(vec![flag.to_string()])
            }
            DeValue::Integer(_) => Some(vec![self.word(key)?.value]),
            _ => Some(self.texts(key)?.into_iter().map(|text| text.value).collect()),
        }
    }

    /// Reads a text, or a list of texts; empty when the key is not there.
    pub(crate) fn texts(&mut self, key: &str) -> Option<Vec<Placed<String>>> {
        let value = self.raw(key)?;
        match value.get_ref() {
            DeValue::String(text) => Some(vec![Placed { value: text.to_string(), at: value.span() }]),
            DeValue::Array(list) => list
                .iter()
                .map(|item| {
                    if let DeValue::String(text) = item.get_ref() {
                        Some(Placed { value: text.to_string(), at: item.span() })
                    } else {
                        self.wrong(item.span(), key, "a list of texts in quotes");
                        None
                    }
                })
                .collect(),
            _ => {
                self.wrong(value.span(), key, "a text or a list of texts");
                None
            }
        }
    }

    /// Reads a sub-table, if the key is there.
    pub(crate) fn section(&mut self, key: &str) -> Option<Section<'t>> {
        let value = self.raw(key)?;
        if let DeValue::Table(table) = value.get_ref() {
            let at = self.table.get_key_value(key).map_or(value.span(), |(key, _)| key.span());
            let name = self.path(key);
            Some(Section { name, at, table, read: BTreeSet::new(), found: self.found })
        } else {
            self.wrong(value.span(), key, "a section");
            None
        }
    }

    /// Reads a list of sub-tables, `[[key]]`.
    pub(crate) fn sections(&mut self, key: &str) -> Vec<Section<'t>> {
        let Some(value) = self.raw(key) else { return Vec::new() };
        let DeValue::Array(items) = value.get_ref() else {
            self.wrong(value.span(), key, &format!("a list of sections, [[{key}]]"));
            return Vec::new();
        };
        let mut sections = Vec::new();
        for item in items {
            if let DeValue::Table(table) = item.get_ref() {
                let name = self.path(key);
                sections.push(Section { name, at: item.span(), table, read: BTreeSet::new(), found: self.found });
            } else {
                self.wrong(item.span(), key, &format!("a list of sections, [[{key}]]"));
            }
        }
        sections
    }

    /// Reads every pair of the section, as texts.
    pub(crate) fn pairs(&mut self) -> Vec<(Placed<String>, Placed<String>)> {
        let keys = self.keys();
        keys.into_iter().filter_map(|key| Some((key.clone(), self.text(&key.value)?))).collect()
    }

    /// Complains about every key that nobody read.
    pub(crate) fn finish(self) {
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if self.read.contains(name) {
                continue;
            }
            // A credential under a name that is almost right is one all the same.
            if ["key", "secret", "token", "password"].iter().any(|word| name.to_lowercase().contains(word)) {
                self.hide(name, &["env", "file"]);
            }
            let mut mistake = Mistake::new(key.span(), format!("`{}` is not a known key", self.path(name)));
            if let Some(close) = closest(name, self.read.iter().map(String::as_str)) {
                mistake = mistake.hint(format!("did you mean `{close}`?"));
            } else if !self.read.is_empty() {
                let known: Vec<&str> = self.read.iter().map(String::as_str).collect();
                mistake = mistake.hint(format!("known here: {}", known.join(", ")));
            }
            self.found.add(mistake);
        }
    }
}

/// Returns the candidate that looks most like a word, if any does.
pub(crate) fn closest<'c>(word: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    candidates
        .map(|candidate| (strsim::jaro_winkler(&word.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(score, _)| *score > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}
