//! The values of a line, and how they are written.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Write;

use ringfence_domain::template::Row as Fields;
use ringfence_domain::{Moment, Zone};
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{Format, local};
use crate::error::Error;
use crate::spreadsheet::{inert, text};

/// One value.
pub(super) enum Cell<'r> {
    Nothing,
    Number(i64),
    Text(Cow<'r, str>),
    At(Moment),
}

impl<'r> Cell<'r> {
    pub(super) fn text(text: Option<&'r str>) -> Self {
        text.map_or(Self::Nothing, |text| Self::Text(Cow::Borrowed(text)))
    }

    pub(super) fn owned(text: Option<String>) -> Self {
        text.map_or(Self::Nothing, |text| Self::Text(Cow::Owned(text)))
    }

    pub(super) fn number(number: Option<i64>) -> Self {
        number.map_or(Self::Nothing, Self::Number)
    }

    pub(super) fn at(at: Option<Moment>) -> Self {
        at.map_or(Self::Nothing, Self::At)
    }

    /// As a spreadsheet has it, on the clocks of a zone.
    fn shown(&self, zone: Zone) -> Cow<'_, str> {
        match self {
            Self::Nothing => Cow::Borrowed(""),
            Self::Number(number) => Cow::Owned(number.to_string()),
            Self::Text(text) => Cow::Borrowed(text),
            Self::At(at) => Cow::Owned(local(*at, zone)),
        }
    }
}

impl Serialize for Cell<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Nothing => to.serialize_none(),
            Self::Number(number) => to.serialize_i64(*number),
            Self::Text(text) => to.serialize_str(text),
            Self::At(at) => at.serialize(to),
        }
    }
}

/// One line.
pub(super) struct Line<'r> {
    /// One for each column that every export has.
    pub(super) own: Vec<Cell<'r>>,
    /// The row of the file.
    pub(super) fields: Option<&'r Fields>,
    /// What the agent collected.
    pub(super) outputs: Option<&'r BTreeMap<String, Value>>,
}

impl Line<'_> {
    /// As one JSON object, by the names of its own columns.
    fn write_json(&self, columns: &[&str], mut out: impl Write) -> Result<(), Error> {
        let named = Named { columns, line: self };
        serde_json::to_writer(&mut out, &named).map_err(|error| Error::work(unwritable(&error)))?;
        Ok(out.write_all(b"\n")?)
    }
}

struct Named<'l> {
    columns: &'l [&'l str],
    line: &'l Line<'l>,
}

impl Serialize for Named<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap;

        let mut map = to.serialize_map(None)?;
        for (column, cell) in self.columns.iter().zip(&self.line.own) {
            map.serialize_entry(column, cell)?;
        }
        if let Some(fields) = self.line.fields {
            map.serialize_entry("in", fields)?;
        }
        map.serialize_entry("out", &self.line.outputs.unwrap_or(&BTreeMap::new()))?;
        map.end()
    }
}

/// A file that lines are written to, in either form.
pub(super) enum Lines<W: Write> {
    Sheet { sheet: Box<Sheet<W>>, written: u64 },
    Json { out: W, columns: &'static [&'static str], written: u64 },
}

impl<W: Write> Lines<W> {
    /// Begins with the header, where the form has one: its own columns, those of the rows of the
    /// files, and what agents collected.
    pub(super) fn begin(
        out: W,
        (format, zone): (Format, Zone),
        columns: &'static [&'static str],
        inputs: Vec<String>,
        outputs: Vec<String>,
    ) -> Result<Self, Error> {
        Ok(match format {
            Format::Csv => {
                Self::Sheet { sheet: Box::new(Sheet::begin(out, zone, columns, inputs, outputs)?), written: 0 }
            }
            Format::Json => Self::Json { out, columns, written: 0 },
        })
    }

    pub(super) fn write(&mut self, line: &Line<'_>) -> Result<(), Error> {
        match self {
            Self::Sheet { sheet, written } => {
                *written += 1;
                sheet.write(line)
            }
            Self::Json { out, columns, written } => {
                *written += 1;
                line.write_json(columns, out)
            }
        }
    }

    /// How many lines were written.
    pub(super) fn finish(self) -> Result<u64, Error> {
        match self {
            Self::Sheet { sheet, written } => sheet.finish().map(|()| written),
            Self::Json { mut out, written, .. } => Ok(out.flush().map(|()| written)?),
        }
    }
}

/// A CSV file with a header.
pub(super) struct Sheet<W: Write> {
    csv: csv::Writer<W>,
    zone: Zone,
    inputs: Vec<String>,
    outputs: Vec<String>,
}

impl<W: Write> Sheet<W> {
    fn begin(out: W, zone: Zone, own: &[&str], inputs: Vec<String>, outputs: Vec<String>) -> Result<Self, Error> {
        let mut sheet = Self { csv: csv::Writer::from_writer(out), zone, inputs, outputs };
        for name in own {
            sheet.csv.write_field(inert(name).as_bytes()).map_err(failed)?;
        }
        let (inputs, outputs) =
            (sheet.inputs.iter().map(|name| ("in", name)), sheet.outputs.iter().map(|name| ("out", name)));
        for (kind, name) in inputs.chain(outputs) {
            sheet.csv.write_field(inert(&format!("{kind}.{name}")).as_bytes()).map_err(failed)?;
        }
        sheet.end_line()?;
        Ok(sheet)
    }

    fn write(&mut self, line: &Line<'_>) -> Result<(), Error> {
        for cell in &line.own {
            self.csv.write_field(inert(&cell.shown(self.zone)).as_bytes()).map_err(failed)?;
        }
        for name in &self.inputs {
            let value = line.fields.and_then(|fields| fields.get(name)).map_or("", String::as_str);
            self.csv.write_field(inert(value).as_bytes()).map_err(failed)?;
        }
        for name in &self.outputs {
            let value = line.outputs.and_then(|outputs| outputs.get(name)).map_or(Cow::Borrowed(""), text);
            self.csv.write_field(inert(&value).as_bytes()).map_err(failed)?;
        }
        self.end_line()
    }

    fn end_line(&mut self) -> Result<(), Error> {
        self.csv.write_record(None::<&[u8]>).map_err(failed)
    }

    fn finish(mut self) -> Result<(), Error> {
        Ok(self.csv.flush()?)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is what `map_err` passes")]
fn failed(error: csv::Error) -> Error {
    Error::work(unwritable(&error))
}

fn unwritable(error: &dyn std::fmt::Display) -> String {
    format!("the export cannot be written: {error}")
}
