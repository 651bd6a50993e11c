//! Many rows as the one argument that `sql!(… rows (…) …)` reads.
//!
//! Postgres gets an array for each column. SQLite has no arrays: there values are bound one by one, in
//! statements for 1, 4, 16, … rows whose last ones are empty.

use std::fmt;

use serde::ser::{Impossible, SerializeStruct};
use serde::{Serialize, Serializer};

use super::statement::Arg;

/// Rows of plain values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rows {
    names: Vec<&'static str>,
    /// Row by row.
    values: Vec<Value>,
}

/// One value of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Value {
    #[default]
    Null,
    Int(i64),
    Text(String),
    /// A document, as text.
    Json(String),
}

/// The values of structs, of which each field is a column. Ids alone are a list: `Arg::ids`.
pub(crate) fn rows<T: Serialize>(rows: &[T]) -> Rows {
    let (mut all, mut document) = (Rows::default(), Vec::new());
    for row in rows {
        row.serialize(OneRow { rows: &mut all, document: &mut document }).expect("rows are structs of plain values");
    }
    all
}

impl Rows {
    /// These columns, as an array each.
    pub(crate) fn columns(mut self, columns: &[(&str, &str)]) -> Vec<Arg> {
        let width = self.names.len().max(1);
        let count = self.values.len() / width;
        let column = |(name, kind): &(&str, &str)| {
            let place = self.names.iter().position(|known| known == name);
            let mut values = (0..count).map(|row| match place {
                Some(place) => std::mem::take(&mut self.values[row * width + place]),
                None => Value::Null,
            });
            if *kind == "bigint" {
                return Arg::IntColumn(values.by_ref().map(Value::int).collect());
            }
            Arg::TextColumn(values.map(Value::text).collect())
        };
        columns.iter().map(column).collect()
    }

    /// The values in the order of these columns, [`MOST`] rows at a time, with nulls up to the room
    /// that [`on_sqlite`](super::rows_sql::on_sqlite) has.
    pub(crate) fn portions(mut self, columns: &[(&str, &str)]) -> Vec<(usize, Vec<Value>)> {
        let width = self.names.len().max(1);
        let places: Vec<Option<usize>> =
            columns.iter().map(|(column, _)| self.names.iter().position(|name| name == column)).collect();
        let portion = |rows: &mut [Value]| {
            let count = rows.len() / width;
            let mut values = Vec::with_capacity(room(count) * columns.len());
            for row in rows.chunks_mut(width) {
                values.extend(
                    places.iter().map(|place| place.map_or(Value::Null, |place| std::mem::take(&mut row[place]))),
                );
            }
            values.resize(room(count) * columns.len(), Value::Null);
            (count, values)
        };
        self.values.chunks_mut(width * MOST).map(portion).collect()
    }
}

impl Value {
    /// Its number, in a column of numbers.
    fn int(self) -> Option<i64> {
        match self {
            Self::Null => None,
            Self::Int(number) => Some(number),
            Self::Text(_) | Self::Json(_) => panic!("a column of numbers has a text"),
        }
    }

    /// Its text, in a column of texts.
    fn text(self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Int(number) => Some(number.to_string()),
            Self::Text(text) | Self::Json(text) => Some(text),
        }
    }
}

/// No statement of SQLite is made for more rows.
const MOST: usize = 256;

/// For how many rows a statement is made that is to take `rows`: there are few such statements, and
/// SQLite keeps them prepared.
pub(super) fn room(rows: usize) -> usize {
    let mut room = 1;
    while room < rows {
        room *= 4;
    }
    room
}

/// Adds a struct's fields to the rows.
struct OneRow<'r> {
    rows: &'r mut Rows,
    /// Room in which documents are written, one after the other: as they grow, their rows do not.
    document: &'r mut Vec<u8>,
}

/// The fields of one struct.
struct Fields<'r> {
    row: OneRow<'r>,
    is_first: bool,
}

impl SerializeStruct for Fields<'_> {
    type Ok = ();
    type Error = fmt::Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), fmt::Error> {
        let OneRow { rows, document } = &mut self.row;
        if self.is_first {
            rows.names.push(name);
        }
        let value = if let Ok(value) = value.serialize(OneValue) {
            value
        } else {
            document.clear();
            serde_json::to_writer(&mut **document, value).map_err(|_| fmt::Error)?;
            Value::Json(str::from_utf8(document).map_err(|_| fmt::Error)?.to_owned())
        };
        rows.values.push(value);
        Ok(())
    }

    fn end(self) -> Result<(), fmt::Error> {
        Ok(())
    }
}

/// Functions of a serializer for kinds of values that it does not take.
macro_rules! refuse {
    ($($name:ident($($kind:ty),*) -> $ok:ty;)+) => {$(
        fn $name(self $(, _: $kind)*) -> Result<$ok, fmt::Error> {
            Err(fmt::Error)
        }
    )+};
}

/// What neither a row nor a plain value is.
macro_rules! refuse_documents {
    () => {
        type SerializeSeq = Impossible<Self::Ok, fmt::Error>;
        type SerializeTuple = Impossible<Self::Ok, fmt::Error>;
        type SerializeTupleStruct = Impossible<Self::Ok, fmt::Error>;
        type SerializeTupleVariant = Impossible<Self::Ok, fmt::Error>;
        type SerializeMap = Impossible<Self::Ok, fmt::Error>;
        type SerializeStructVariant = Impossible<Self::Ok, fmt::Error>;

        refuse! {
            serialize_f32(f32) -> Self::Ok;
            serialize_f64(f64) -> Self::Ok;
            serialize_bytes(&[u8]) -> Self::Ok;
            serialize_unit() -> Self::Ok;
            serialize_unit_struct(&'static str) -> Self::Ok;
            serialize_seq(Option<usize>) -> Self::SerializeSeq;
            serialize_tuple(usize) -> Self::SerializeTuple;
            serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
            serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
            serialize_map(Option<usize>) -> Self::SerializeMap;
            serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
        }

        fn serialize_newtype_variant<T: Serialize + ?Sized>(
            self,
            _: &'static str,
            _: u32,
            _: &'static str,
            _: &T,
        ) -> Result<Self::Ok, fmt::Error> {
            Err(fmt::Error)
        }
    };
}

impl<'r> Serializer for OneRow<'r> {
    type Ok = ();
    type Error = fmt::Error;
    type SerializeStruct = Fields<'r>;

    refuse_documents!();
    refuse! {
        serialize_bool(bool) -> ();
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u8(u8) -> ();
        serialize_u16(u16) -> ();
        serialize_u32(u32) -> ();
        serialize_u64(u64) -> ();
        serialize_char(char) -> ();
        serialize_str(&str) -> ();
        serialize_none() -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), fmt::Error> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), fmt::Error> {
        value.serialize(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Fields<'r>, fmt::Error> {
        Ok(Fields { is_first: self.rows.names.is_empty(), row: self })
    }
}

/// Takes a value that is one number or one text.
struct OneValue;

impl Serializer for OneValue {
    type Ok = Value;
    type Error = fmt::Error;
    type SerializeStruct = Impossible<Value, fmt::Error>;

    refuse_documents!();

    fn serialize_bool(self, value: bool) -> Result<Value, fmt::Error> {
        Ok(Value::Int(i64::from(value)))
    }

    fn serialize_i8(self, value: i8) -> Result<Value, fmt::Error> {
        Ok(Value::Int(value.into()))
    }

    fn serialize_i16(self, value: i16) -> Result<Value, fmt::Error> {
        Ok(Value::Int(value.into()))
    }

    fn serialize_i32(self, value: i32) -> Result<Value, fmt::Error> {
        Ok(Value::Int(value.into()))
    }

    fn serialize_i64(self, value: i64) -> Result<Value, fmt::Error> {
        Ok(Value::Int(value))
    }

    fn serialize_u8(self, value: u8) -> Result<Value, fmt::Error> {
        Ok(Value::Int(value.into()))
    }

    fn serialize_u16(self, value: u16) -> Result<Value, fmt::Error> {
        Ok(Value::Int(value.into()))
    }

    fn serialize_u32(self, value: u32) -> Result<Value, fmt::Error> {
        Ok(Value::Int(value.into()))
    }

    fn serialize_u64(self, value: u64) -> Result<Value, fmt::Error> {
        i64::try_from(value).map(Value::Int).map_err(|_| fmt::Error)
    }

    fn serialize_char(self, value: char) -> Result<Value, fmt::Error> {
        Ok(Value::Text(value.into()))
    }

    fn serialize_str(self, value: &str) -> Result<Value, fmt::Error> {
        Ok(Value::Text(value.to_owned()))
    }

    fn serialize_none(self) -> Result<Value, fmt::Error> {
        Ok(Value::Null)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, fmt::Error> {
        value.serialize(self)
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, name: &'static str) -> Result<Value, fmt::Error> {
        Ok(Value::Text(name.to_owned()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<Value, fmt::Error> {
        value.serialize(self)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self::SerializeStruct, fmt::Error> {
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::value::RawValue;

    use super::*;

    #[derive(Serialize)]
    struct Row<'r> {
        id: i64,
        name: Option<&'r str>,
        is_known: bool,
        fields: HashMap<&'r str, u8>,
        change: Option<Box<RawValue>>,
    }

    #[test]
    fn rows_become_values_and_columns() {
        let raw = RawValue::from_string("[1, 2]".to_owned()).expect("JSON");
        let made = [
            Row { id: 7, name: Some("a \"b\""), is_known: true, fields: [("x", 1)].into(), change: Some(raw) },
            Row { id: -1, name: None, is_known: false, fields: HashMap::new(), change: None },
        ];
        let rows = rows(&made);
        let text = |text: &str| Value::Text(text.to_owned());
        let mut values = vec![text("a \"b\""), Value::Int(7), Value::Null, Value::Null, Value::Int(-1), Value::Null];
        values.resize(4 * 3, Value::Null);
        let wanted = [("name", "text"), ("id", "bigint"), ("nobody", "bigint")];
        assert_eq!(rows.clone().portions(&wanted), [(2, values)]);
        let wanted = [("is_known", "bigint"), ("fields", "jsonb"), ("change", "jsonb"), ("name", "text")];
        let texts = |texts: [Option<&str>; 2]| Arg::TextColumn(texts.map(|text| text.map(str::to_owned)).to_vec());
        let columns = [
            Arg::IntColumn(vec![Some(1), Some(0)]),
            texts([Some("{\"x\":1}"), Some("{}")]),
            texts([Some("[1, 2]"), None]),
            texts([Some("a \"b\""), None]),
        ];
        assert_eq!(format!("{:?}", rows.columns(&wanted)), format!("{columns:?}"));
    }
}
