//! Statements in both dialects, and their arguments.
//!
//! Each transition is one function. Where the dialects differ, both texts of a statement stand side
//! by side: two folders, one for each database, would have to be kept alike by discipline. Many
//! rows travel as one argument (`rows.rs`), which stands in the statement as a table.

use serde_json::value::RawValue;
use sqlx::SqlStr;
use sqlx::types::Json;

use super::rows::{Rows, Value};
use super::rows_sql;

/// A statement, once for each dialect.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Sql {
    Plain {
        sqlite: &'static str,
        postgres: &'static str,
    },
    /// Rows are its first argument.
    OfRows(RowsSql),
}

/// The two sides of a statement between which rows stand as table `u`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowsSql {
    pub(crate) head: &'static str,
    pub(crate) tail: &'static str,
    /// Names and types of the columns.
    pub(crate) columns: &'static [(&'static str, &'static str)],
}

impl Sql {
    /// Returns the text for SQLite. The text has room for `rows` when rows are the first argument.
    pub(crate) fn on_sqlite(&'static self, rows: usize) -> SqlStr {
        match self {
            Self::Plain { sqlite, .. } => rows_sql::plain_on_sqlite(sqlite),
            Self::OfRows(sql) => rows_sql::on_sqlite(sql, rows),
        }
    }

    /// Returns the text for Postgres.
    pub(crate) fn on_postgres(&'static self) -> SqlStr {
        match self {
            Self::Plain { postgres, .. } => SqlStr::from_static(postgres),
            Self::OfRows(sql) => rows_sql::on_postgres(sql),
        }
    }
}

/// Makes a statement that both dialects read alike, `sql!("…")` or `sql!(both concat!(…))`, or that
/// they do not: `sql!(sqlite "…", postgres "…")`.
///
/// With `rows (id bigint, …)` after the first text, `$1` are rows that stand there as table `u`. With `ids` after a text that ends with a column, `$1` is a list,
/// [`Arg::ids`] or [`Arg::texts`], that has the column's value. A text after `postgres` is only in
/// its statement: what it locks, in which order.
macro_rules! sql {
    ($($words:tt)+) => {{
        // Tests ask both databases how they carry each statement out.
        #[cfg(test)]
        inventory::submit!($crate::session::Written {
            sql: $crate::session::texts!($($words)+),
            place: concat!(file!(), ":", line!()),
        });
        $crate::session::texts!($($words)+)
    }};
}

pub(crate) use sql;

/// The texts of a statement.
macro_rules! texts {
    (sqlite $sqlite:expr, postgres $postgres:expr) => {
        $crate::session::Sql::Plain { sqlite: $sqlite, postgres: $postgres }
    };
    ($head:literal rows ($first:ident $first_type:ident $(, $name:ident $type:ident)* $(,)?) $tail:literal) => {
        $crate::session::Sql::OfRows($crate::session::RowsSql {
            head: $head,
            tail: $tail,
            columns: &[(stringify!($first), stringify!($first_type)) $(, (stringify!($name), stringify!($type)))*],
        })
    };
    ($columns:ident!($($columns_args:tt)*) ids $tail:literal) => {
        $crate::session::Sql::Plain {
            sqlite: concat!($columns!($($columns_args)*), " IN (SELECT value FROM json_each($1)) ", $tail),
            postgres: concat!($columns!($($columns_args)*), " = ANY ($1) ", $tail),
        }
    };
    ($head:literal $(ids $tail:literal)+ $(postgres $lock:literal)?) => {
        $crate::session::Sql::Plain {
            sqlite: concat!($head, $(" IN (SELECT value FROM json_each($1)) ", $tail),+),
            postgres: concat!($head, $(" = ANY ($1) ", $tail),+ $(, " ", $lock)?),
        }
    };
    (both $both:expr) => {
        $crate::session::Sql::Plain { sqlite: $both, postgres: $both }
    };
    ($both:literal) => {
        $crate::session::Sql::Plain { sqlite: $both, postgres: $both }
    };
}

pub(crate) use texts;

/// A statement that is made by [`sql!`], and where it stands.
#[cfg(test)]
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) sql: Sql,
    pub(crate) place: &'static str,
}

#[cfg(test)]
inventory::collect!(Written);

/// One argument of a statement.
#[derive(Debug, Clone)]
pub(crate) enum Arg {
    Int(Option<i64>),
    Text(Option<String>),
    Bool(bool),
    /// A list: JSON on SQLite, an array on Postgres.
    Ints(Vec<i64>),
    /// The same of texts.
    Texts(Vec<String>),
    /// Rows, as the first argument only.
    Rows(Rows),
    /// One column of rows.
    IntColumn(Vec<Option<i64>>),
    /// The same of texts.
    TextColumn(Vec<Option<String>>),
    /// A document: text on SQLite, JSONB on Postgres.
    Json(Option<Json<Box<RawValue>>>),
}

impl Arg {
    /// Makes a list of ids or keys, for `sql!("…" ids "…")`.
    pub(crate) fn ids(ids: impl IntoIterator<Item = i64>) -> Self {
        Self::Ints(ids.into_iter().collect())
    }

    /// Makes a list of texts, for `sql!("…" ids "…")`.
    pub(crate) fn texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        Self::Texts(texts.into_iter().map(str::to_owned).collect())
    }

    /// A document for a column that holds JSON.
    pub(crate) fn json<T: serde::Serialize + ?Sized>(value: &T) -> Self {
        Self::Json(Some(Json(
            serde_json::value::to_raw_value(value).expect("documents of plain values are always JSON"),
        )))
    }
}

macro_rules! arg_from {
    ($($from:ty => |$value:ident| $arg:expr),+ $(,)?) => {$(
        impl From<$from> for Arg {
            fn from($value: $from) -> Self { $arg }
        }
    )+};
}

arg_from! {
    i64 => |value| Arg::Int(Some(value)),
    Option<i64> => |value| Arg::Int(value),
    &str => |value| Arg::Text(Some(value.to_owned())),
    String => |value| Arg::Text(Some(value)),
    Option<String> => |value| Arg::Text(value),
    bool => |value| Arg::Bool(value),
    Rows => |value| Arg::Rows(value),
    Value => |value| match value {
        Value::Null => Arg::Int(None),
        Value::Int(number) => Arg::Int(Some(number)),
        Value::Text(text) | Value::Json(text) => Arg::Text(Some(text)),
    },
    ringfence_domain::Moment => |value| Arg::Int(Some(value.millis())),
    Option<ringfence_domain::Moment> => |value| Arg::Int(value.map(ringfence_domain::Moment::millis)),
    ringfence_domain::NumberKey => |value| Arg::Int(Some(value.0)),
    ringfence_domain::LaneId => |value| Arg::Int(Some(value.0)),
    ringfence_domain::CampaignId => |value| Arg::Int(Some(value.0)),
    ringfence_domain::RunId => |value| Arg::Int(Some(value.0)),
    ringfence_domain::ImportId => |value| Arg::Int(Some(value.0)),
    ringfence_domain::BucketId => |value| Arg::Int(Some(value.0)),
    ringfence_domain::ContactId => |value| Arg::Int(Some(value.0)),
    ringfence_domain::AttemptId => |value| Arg::Int(Some(value.0)),
    ringfence_domain::TokenId => |value| Arg::Int(Some(value.0)),
    ringfence_domain::LoginId => |value| Arg::Int(Some(value.0)),
}

/// The arguments of a statement, in the order of `$1`, `$2`, …
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::session::Arg::from($value)),*] };
}

pub(crate) use args;
