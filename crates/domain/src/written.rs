//! The schemas of values that are one text in JSON, for documents that describe it.

use utoipa::openapi::schema::{KnownFormat, SchemaFormat, Type};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

use crate::cap::Cap;
use crate::window::Timetable;
use crate::{Moment, Percent, Rate, Span};

macro_rules! texts {
    ($($name:ident: $example:literal $format:expr;)+) => {$(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let format: Option<SchemaFormat> = $format;
                let text = ObjectBuilder::new().schema_type(Type::String).format(format);
                text.examples([$example]).into()
            }
        }

        impl ToSchema for $name {}
    )+};
}

texts! {
    Moment: "2026-11-26T03:30:00Z" Some(SchemaFormat::KnownFormat(KnownFormat::DateTime));
    Rate: "60/min" None;
    Span: "15m" None;
    Percent: "20%" None;
    Cap: "3/day" None;
    Timetable: "Mo-Sa 09:00-21:00" None;
}
