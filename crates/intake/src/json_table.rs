//! Contacts as JSON: an array of objects, or one object a line. Each becomes a row of a table, and
//! what is true of rows of files is true of them.

use std::cell::Cell;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};

use serde::de::{DeserializeSeed, Deserializer, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::table::{LONGEST_ROW, MOST_COLUMNS};

/// The form of the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonForm {
    /// An array of objects.
    Array,
    /// One object a line.
    Lines,
}

/// What is wrong with the document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct JsonTableError {
    /// Where, as a JSON pointer: `/3/address`; empty for the whole document.
    pub pointer: String,
    /// What is wrong there.
    pub message: String,
}

impl JsonTableError {
    fn at(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), message: message.into() }
    }
}

/// Writes the document as CSV, with a column for each key that any object has. It is read twice:
/// the columns must be known before the first row is written.
pub fn to_csv(mut json: impl Read + Seek, form: JsonForm, csv: impl Write) -> Result<u64, JsonTableError> {
    let mut columns: Vec<String> = Vec::new();
    each_row(&mut json, form, &mut |index, row| {
        for (name, value) in row {
            cell(value).ok_or_else(|| {
                JsonTableError::at(
                    pointer(index, name),
                    "it is a list or an object; write a text, a number or true or false",
                )
            })?;
            if !columns.contains(name) {
                if columns.len() == MOST_COLUMNS {
                    return Err(JsonTableError::at(
                        pointer(index, name),
                        format!("there are more than {MOST_COLUMNS} different keys"),
                    ));
                }
                columns.push(name.clone());
            }
        }
        Ok(())
    })?;
    let failed = |error: &dyn std::fmt::Display| JsonTableError::at("", format!("it cannot be kept: {error}"));
    json.seek(SeekFrom::Start(0)).map_err(|error| failed(&error))?;
    let mut csv = csv::Writer::from_writer(csv);
    csv.write_record(&columns).map_err(|error| failed(&error))?;
    let mut rows = 0;
    each_row(&mut json, form, &mut |_, row| {
        rows += 1;
        let cells = columns.iter().map(|name| row.get(name).and_then(cell).unwrap_or_default());
        csv.write_record(cells).map_err(|error| failed(&error))
    })?;
    csv.flush().map_err(|error| failed(&error))?;
    if rows == 0 {
        return Err(JsonTableError::at("", "there is no contact in it"));
    }
    Ok(rows)
}

fn pointer(index: u64, key: &str) -> String {
    format!("/{index}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// A value as it would stand in a file; none of a list or an object.
fn cell(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(text.clone()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

type EachRow<'e> = dyn FnMut(u64, &Map<String, Value>) -> Result<(), JsonTableError> + 'e;

fn each_row(json: &mut impl Read, form: JsonForm, each: &mut EachRow<'_>) -> Result<(), JsonTableError> {
    let since_row = Cell::new(0);
    let reader = Bounded { inner: BufReader::with_capacity(1 << 16, json), since_row: &since_row };
    let mut rows = Rows { index: 0, each, since_row: &since_row, wrong: None };
    let read = match form {
        JsonForm::Array => {
            let mut reader = serde_json::Deserializer::from_reader(reader);
            rows.deserialize(&mut reader).and_then(|()| reader.end())
        }
        JsonForm::Lines => {
            let mut values = serde_json::Deserializer::from_reader(reader).into_iter::<Value>();
            values.try_for_each(|value| value.and_then(|value| rows.row(value)))
        }
    };
    match (rows.wrong, read) {
        (Some(wrong), _) => Err(wrong),
        (None, Ok(())) => Ok(()),
        (None, Err(error)) => {
            Err(JsonTableError::at(format!("/{}", rows.index), format!("it is not JSON as expected: {error}")))
        }
    }
}

/// Ends a row that does not end: it would fill the memory.
struct Bounded<'c, R> {
    inner: R,
    since_row: &'c Cell<usize>,
}

impl<R: Read> Read for Bounded<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.since_row.set(self.since_row.get() + read);
        if self.since_row.get() > 2 * LONGEST_ROW {
            return Err(std::io::Error::other("a contact is longer than 1 MB"));
        }
        Ok(read)
    }
}

/// Passes each object on.
struct Rows<'e, 'c> {
    index: u64,
    each: &'e mut EachRow<'e>,
    since_row: &'c Cell<usize>,
    wrong: Option<JsonTableError>,
}

impl Rows<'_, '_> {
    fn row(&mut self, value: Value) -> serde_json::Result<()> {
        let stop = || serde::de::Error::custom("it is wrong");
        let Value::Object(row) = value else {
            self.wrong = Some(JsonTableError::at(format!("/{}", self.index), "it is no object"));
            return Err(stop());
        };
        if let Err(wrong) = (self.each)(self.index, &row) {
            self.wrong = Some(wrong);
            return Err(stop());
        }
        self.index += 1;
        self.since_row.set(0);
        Ok(())
    }

    fn deserialize<'de, D: Deserializer<'de, Error = serde_json::Error>>(
        &mut self,
        reader: D,
    ) -> serde_json::Result<()> {
        DeserializeSeed::deserialize(Seed(self), reader)
    }
}

struct Seed<'s, 'e, 'c>(&'s mut Rows<'e, 'c>);

impl<'de> DeserializeSeed<'de> for Seed<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(value) = items.next_element::<Value>()? {
            self.0.row(value).map_err(serde::de::Error::custom)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn csv(json: &str, form: JsonForm) -> Result<String, JsonTableError> {
        let mut out = Vec::new();
        to_csv(Cursor::new(json.as_bytes()), form, &mut out)?;
        Ok(String::from_utf8(out).expect("UTF-8"))
    }

    #[test]
    fn objects_become_rows_and_every_key_a_column() {
        let array = r#"[{"mobile":"+919876543210","name":"Asha, \"A\""},{"mobile":919876543211,"due":12.50,"vip":true,"name":null}]"#;
        let lines = "{\"mobile\":\"+919876543210\",\"name\":\"Asha, \\\"A\\\"\"}\n\n{\"mobile\":919876543211,\"due\":12.50,\"vip\":true,\"name\":null}";
        let wanted = "mobile,name,due,vip\n+919876543210,\"Asha, \"\"A\"\"\",,\n919876543211,,12.5,true\n";
        assert_eq!(csv(array, JsonForm::Array).expect("fine"), wanted);
        assert_eq!(csv(lines, JsonForm::Lines).expect("fine"), wanted);
    }

    #[test]
    fn what_is_wrong_is_named_by_its_place() {
        let wrong = |json: &str, form| csv(json, form).expect_err("wrong").pointer;
        assert_eq!(wrong(r#"[{"a":"1"},{"b/c":{"x":1}}]"#, JsonForm::Array), "/1/b~1c");
        assert_eq!(wrong(r#"[{"a":"1"},7]"#, JsonForm::Array), "/1");
        assert_eq!(wrong("{\"a\":1}\n{\"a\":", JsonForm::Lines), "/1");
        assert_eq!(wrong("{}", JsonForm::Array), "/0");
        assert_eq!(wrong("[]", JsonForm::Array), "");
        assert_eq!(wrong(r#"[{"a":1}] x"#, JsonForm::Array), "/1");
    }

    #[test]
    fn what_would_fill_the_memory_is_refused() {
        let long = format!("[{{\"a\":\"{}\"}}]", "x".repeat(3 * LONGEST_ROW));
        assert!(csv(&long, JsonForm::Array).expect_err("long").message.contains("longer than 1 MB"));
        let deep = format!("[{{\"a\":{}1{}}}]", "[".repeat(10_000), "]".repeat(10_000));
        assert!(csv(&deep, JsonForm::Array).expect_err("deep").message.contains("recursion"));
        let keys: Vec<String> = (0..=MOST_COLUMNS).map(|n| format!("\"k{n}\":1")).collect();
        let wide = format!("[{{{}}}]", keys.join(","));
        assert!(csv(&wide, JsonForm::Array).expect_err("wide").message.contains("500"));
    }
}
