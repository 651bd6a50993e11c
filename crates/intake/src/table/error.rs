//! Why a table cannot be read.

use std::path::{Path, PathBuf};

/// Why a table cannot be read, or not to its end. Lines are counted from 1, as an editor shows
/// them.
#[derive(Debug, thiserror::Error)]
#[error("{}{problem}", path.display())]
pub struct TableError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub problem: Problem,
}

/// The trouble with a table; its text follows the name of the file.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    /// The file cannot be read.
    #[error(" cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// The file is of another kind.
    #[error(" is {0}, not CSV")]
    NotCsv(&'static str),
    /// There is no header.
    #[error(" is empty")]
    Empty,
    /// The first line is a row already.
    #[error(" has no header: its first line has the number `{0}`")]
    NoHeader(String),
    /// A column that is needed is not there.
    #[error(" has no column `{column}`; it has: {}{}", columns.join(", "), meant.as_ref().map(|close| format!(". Did you mean `{close}`?")).unwrap_or_default())]
    NoColumn {
        /// The column that is asked for.
        column: String,
        /// The columns of the file.
        columns: Vec<String>,
        /// The column that may have been meant.
        meant: Option<String>,
    },
    /// Two columns have one name.
    #[error(" has two columns `{0}`")]
    TwoColumns(String),
    /// A line has other separators than the table.
    #[error(
        "{}, but line {line} has none of it and has {}",
        if *is_named {
            format!(": line 1 says that {} separates the values", visible(*table))
        } else {
            format!(": {} separates the names of the columns", visible(*table))
        },
        visible(*found)
    )]
    Separator {
        /// The line.
        line: u64,
        /// Whether a line `sep=` before the header names the table's separator.
        is_named: bool,
        /// The table's separator.
        table: char,
        /// The separators of the line.
        found: char,
    },
    /// A quote is never closed, and what follows it is one value.
    #[error(": the quote on line {line} is never closed")]
    OpenQuote {
        /// Where the quote stands.
        line: u64,
    },
    /// Quotes pair up over several lines, and rows between them are one value.
    #[error(
        ": lines {from} to {to} are one value{}, and look like rows of their own: the quote on line {from} is closed on line {to}",
        column.as_ref().map_or_else(|| " of the header".to_owned(), |name| format!(" of column `{name}`"))
    )]
    Swallowed {
        /// The column of the value; none for the header itself.
        column: Option<String>,
        /// The line of the quote that opens the value.
        from: u64,
        /// The line of the quote that closes it.
        to: u64,
    },
    /// A row is longer than [`super::LONGEST_ROW`].
    #[error(": the row on line {line} is longer than 1 MB")]
    TooLong {
        /// Where the row begins.
        line: u64,
    },
    /// A row has more columns than [`super::MOST_COLUMNS`].
    #[error(": the row on line {line} has more than {} columns", super::MOST_COLUMNS)]
    TooWide {
        /// Where the row begins.
        line: u64,
    },
    /// The content has changed since the file was looked through.
    #[error(" changed while it was read")]
    Changed,
}

fn visible(separator: char) -> String {
    if separator == '\t' { "a tab".to_owned() } else { format!("`{separator}`") }
}

impl Problem {
    /// Returns the problem of the file at `path`.
    pub fn of(self, path: &Path) -> TableError {
        TableError { path: path.to_owned(), problem: self }
    }

    /// Returns what is wrong, for a text that names the file elsewhere.
    pub fn sentence(&self) -> String {
        self.to_string().trim_start_matches([':', ' ']).to_owned()
    }

    /// Returns how to mend it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Unreadable(_) => "name a regular CSV file that can be read; - is standard input",
            Self::NotCsv(_) => "in a spreadsheet: save as CSV UTF-8",
            Self::Empty => "the first line must name the columns",
            Self::NoColumn { .. } => "name the right columns in the campaign file",
            Self::TwoColumns(_) => "rename one of them",
            Self::NoHeader(_) => "write the names of the columns above it, such as `phone`",
            Self::Separator { is_named: true, .. } => "name the rows' separator on line 1, or take that line out",
            Self::Separator { is_named: false, .. } => "save it anew with one separator for names and values",
            Self::OpenQuote { .. } => "close it, or double it if it is part of the value",
            Self::Swallowed { .. } => "double a quote that is part of a value, or take the line ends out of it",
            Self::TooLong { .. } => "a row may have 1 MB; check the quotes and line ends of the file",
            Self::TooWide { .. } => "leave out the columns that no campaign uses",
            Self::Changed => "start again when it is written",
        }
    }
}
