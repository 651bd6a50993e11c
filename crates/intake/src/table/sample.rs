//! The first rows of a table, to guess from what its columns are for.

use std::path::Path;

use super::{Table, TableError};

/// Bytes of a sample that are enough, however few rows they are.
const ENOUGH: usize = 4 << 20;

/// The first rows of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The columns of the header.
    pub columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// Reads a file's header and its first `count` rows, fewer of long ones, whatever they hold.
pub fn sample(path: &Path, count: usize) -> Result<Sample, TableError> {
    let mut table = Table::open(path)?;
    let mut rows = Vec::new();
    let mut bytes = 0;
    while rows.len() < count && bytes < ENOUGH {
        let Some(record) = table.next_row()? else { break };
        let row: Vec<String> = record.texts().map(|value| value.trim().to_owned()).collect();
        bytes += row.iter().map(|value| value.len() + size_of::<String>()).sum::<usize>();
        rows.push(row);
    }
    Ok(Sample { columns: table.columns, rows })
}

impl Sample {
    /// Returns the filled values of a column, row by row.
    pub fn values<'s>(&'s self, column: &str) -> impl Iterator<Item = &'s str> {
        let place = self.columns.iter().position(|name| name == column).unwrap_or(usize::MAX);
        self.rows.iter().filter_map(move |row| row.get(place)).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Returns the part of a column's filled values that are so, from 0 to 1; 0 when none is
    /// filled.
    pub fn share(&self, column: &str, is_so: impl Fn(&str) -> bool) -> f64 {
        let all = self.values(column).count();
        if all == 0 { 0.0 } else { self.values(column).filter(|value| is_so(value)).count() as f64 / all as f64 }
    }

    /// Tells whether every row has a value in the column, and no two the same.
    pub fn is_unique(&self, column: &str) -> bool {
        let values: std::collections::HashSet<&str> = self.values(column).collect();
        !self.rows.is_empty() && values.len() == self.rows.len()
    }

    /// Returns the first filled value of a column.
    pub fn first(&self, column: &str) -> Option<&str> {
        self.values(column).next()
    }
}
