//! Tables, in the house style. Whatever stands in a cell, it does not steer the terminal.

use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

use comfy_table::presets::UTF8_FULL_CONDENSED;
use comfy_table::{Attribute, Cell, Color, ContentArrangement};
use ringfence_domain::harmless::harmless;

use crate::screen::{colours_on_stdout, width};

/// A table as wide as the terminal.
#[derive(Debug)]
pub struct Table(comfy_table::Table);

/// A cell, on as many lines as its text has.
#[derive(Debug)]
pub struct TableCell(Cell);

/// Makes a table with these headings, or without any.
pub fn table(header: &[&str]) -> Table {
    let mut table = comfy_table::Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(width() as u16);
    if !colours_on_stdout() {
        table.force_no_tty();
    }
    if !header.is_empty() {
        table.set_header(header.iter().map(|name| Cell::new(name).add_attribute(Attribute::Bold)));
    }
    Table(table)
}

/// Makes a cell.
pub fn cell(text: impl fmt::Display) -> TableCell {
    TableCell(Cell::new(harmless(&text.to_string())))
}

impl Table {
    /// Adds a row.
    pub fn add_row<C: Into<TableCell>>(&mut self, cells: impl IntoIterator<Item = C>) {
        self.0.add_row(cells.into_iter().map(|cell| cell.into().0));
    }
}

impl TableCell {
    /// Gives the text a colour.
    #[must_use]
    pub fn fg(self, colour: Color) -> Self {
        Self(self.0.fg(colour))
    }

    /// Makes the text bold.
    #[must_use]
    pub fn bold(self) -> Self {
        Self(self.0.add_attribute(Attribute::Bold))
    }
}

impl<T: fmt::Display> From<T> for TableCell {
    fn from(text: T) -> Self {
        cell(text)
    }
}

/// Stands where a style begins or ends, until the text is printed. Nobody can guess it: whatever
/// else is printed cannot have styles.
static STYLE: LazyLock<String> = LazyLock::new(|| {
    let unguessable = RandomState::new().build_hasher().finish();
    format!("\u{e000}{unguessable:016x}")
});

/// Gives a text that is about to be printed the styles of the tables in it.
pub(crate) fn restyled(text: &str) -> String {
    text.replace(STYLE.as_str(), "\u{1b}[")
}

/// Takes the styles of the tables out of a text that goes into a file.
pub fn unstyled(text: &str) -> String {
    let mut parts = text.split(STYLE.as_str());
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once('m').map_or(part, |(_, rest)| rest))
}

impl fmt::Display for Table {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0.to_string().replace("\u{1b}[", &STYLE))
    }
}
