//! One conversation with either database: statements in both dialects, arguments, rows.

use serde_json::value::RawValue;
use sqlx::pool::PoolConnection;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::types::Json;
use sqlx::{Decode, PgConnection, Postgres, Row as _, Sqlite, SqliteConnection, Type};

use crate::StoreError;
use crate::transaction::Open;

/// A statement, once for each dialect.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sql {
    pub(crate) sqlite: &'static str,
    pub(crate) postgres: &'static str,
}

/// A statement that both dialects read alike, `sql!("…")` or `sql!(both concat!(…))`, or that they do not:
/// `sql!("…")`.
/// With `rows (id bigint, …)` after the first text, `$1` is a JSON array of objects that stands there as table `u`.
macro_rules! sql {
    (sqlite $sqlite:expr, postgres $postgres:expr) => {
        $crate::session::Sql { sqlite: $sqlite, postgres: $postgres }
    };
    ($head:literal rows ($first:ident $first_type:ident $(, $name:ident $type:ident)* $(,)?) $tail:literal) => {
        $crate::session::Sql {
            sqlite: concat!(
                $head, " (SELECT value->>'", stringify!($first), "' AS ", stringify!($first)
                $(, ", value->>'", stringify!($name), "' AS ", stringify!($name))*,
                " FROM json_each($1)) AS u ", $tail
            ),
            postgres: concat!(
                $head, " jsonb_to_recordset($1::jsonb) AS u(", stringify!($first), " ", stringify!($first_type)
                $(, ", ", stringify!($name), " ", stringify!($type))*, ") ", $tail
            ),
        }
    };
    (both $both:expr) => {
        $crate::session::Sql { sqlite: $both, postgres: $both }
    };
    ($both:literal) => {
        $crate::session::Sql { sqlite: $both, postgres: $both }
    };
}
pub(crate) use sql;

/// One argument of a statement.
#[derive(Debug, Clone)]
pub(crate) enum Arg {
    Int(Option<i64>),
    Text(Option<String>),
    Bool(bool),
    /// A document: text on SQLite, JSONB on Postgres.
    Json(Option<Json<Box<RawValue>>>),
}

impl Arg {
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
}

/// The arguments of a statement, in the order of `$1`, `$2`, …
macro_rules! args {
    ($($value:expr),* $(,)?) => { vec![$($crate::session::Arg::from($value)),*] };
}
pub(crate) use args;

/// Many rows as the one argument that `sql!(… rows (…) …)` reads.
pub(crate) fn rows_json<T: serde::Serialize>(rows: &[T]) -> String {
    serde_json::to_string(rows).expect("rows of plain values are always JSON")
}

/// A connection, inside a transaction for writing or without one for reading.
pub(crate) enum Session {
    SqliteWrite(Open<Sqlite>),
    SqliteRead(PoolConnection<Sqlite>),
    PostgresWrite(Open<Postgres>),
    PostgresRead(PoolConnection<Postgres>),
}

enum Link<'s> {
    Sqlite(&'s mut SqliteConnection),
    Postgres(&'s mut PgConnection),
}

macro_rules! bound {
    ($query:expr, $args:expr) => {{
        let mut query = $query;
        for arg in $args {
            query = match arg {
                Arg::Int(value) => query.bind(value),
                Arg::Text(value) => query.bind(value),
                Arg::Bool(value) => query.bind(value),
                Arg::Json(value) => query.bind(value),
            };
        }
        query
    }};
}

impl Session {
    fn link(&mut self) -> Link<'_> {
        match self {
            Self::SqliteWrite(transaction) => Link::Sqlite(transaction),
            Self::SqliteRead(connection) => Link::Sqlite(connection),
            Self::PostgresWrite(transaction) => Link::Postgres(transaction),
            Self::PostgresRead(connection) => Link::Postgres(connection),
        }
    }

    /// Runs a statement and returns how many rows it touched.
    pub(crate) async fn run(&mut self, sql: &Sql, args: Vec<Arg>) -> Result<u64, StoreError> {
        Ok(match self.link() {
            Link::Sqlite(link) => bound!(sqlx::query(sql.sqlite), args).execute(link).await?.rows_affected(),
            Link::Postgres(link) => bound!(sqlx::query(sql.postgres), args).execute(link).await?.rows_affected(),
        })
    }

    /// Runs a statement and returns its rows.
    pub(crate) async fn rows(&mut self, sql: &Sql, args: Vec<Arg>) -> Result<Vec<Row>, StoreError> {
        Ok(match self.link() {
            Link::Sqlite(link) => {
                let rows = bound!(sqlx::query(sql.sqlite), args).fetch_all(link).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Link::Postgres(link) => {
                let rows = bound!(sqlx::query(sql.postgres), args).fetch_all(link).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    /// Runs a statement and returns its first row, if any.
    pub(crate) async fn row(&mut self, sql: &Sql, args: Vec<Arg>) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, args).await?.into_iter().next())
    }

    /// Runs a statement that always returns a row.
    pub(crate) async fn one(&mut self, sql: &Sql, args: Vec<Arg>) -> Result<Row, StoreError> {
        self.row(sql, args).await?.ok_or(StoreError::Refused(sqlx::Error::RowNotFound))
    }

    /// Makes what was written hold. When that fails nobody knows whether it does, and the connection is closed.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::SqliteWrite(open) => open.commit().await?,
            Self::PostgresWrite(open) => open.commit().await?,
            Self::SqliteRead(_) | Self::PostgresRead(_) => {}
        }
        Ok(())
    }

    /// Takes back what was written. A connection that is in doubt is closed, and the next one is opened anew.
    pub(crate) async fn abandon(self, error: &StoreError) {
        let doubtful =
            matches!(error, StoreError::Unavailable(trouble) if trouble.kind != crate::trouble::TroubleKind::Witness);
        match self {
            Self::SqliteWrite(open) if !doubtful => open.roll_back().await,
            Self::PostgresWrite(open) if !doubtful => open.roll_back().await,
            Self::SqliteRead(mut link) if doubtful => link.close_on_drop(),
            Self::PostgresRead(mut link) if doubtful => link.close_on_drop(),
            _ => {}
        }
    }
}

/// A document is missing where there is always one.
#[derive(Debug, thiserror::Error)]
#[error("it is empty")]
struct Empty;

/// A row of either database.
#[derive(Debug)]
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// The value of a column. A column that the statement does not return, or of another type, is an error.
    pub(crate) fn get<'r, T>(&'r self, column: &str) -> Result<T, StoreError>
    where
        T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>,
    {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(crate) fn moment(&self, column: &str) -> Result<ringfence_domain::Moment, StoreError> {
        self.get(column).map(ringfence_domain::Moment::from_millis)
    }

    pub(crate) fn moment_or_none(&self, column: &str) -> Result<Option<ringfence_domain::Moment>, StoreError> {
        let millis: Option<i64> = self.get(column)?;
        Ok(millis.map(ringfence_domain::Moment::from_millis))
    }

    /// A column that holds one of a fixed list of words.
    pub(crate) fn word<T>(&self, table: &'static str, column: &'static str) -> Result<T, StoreError>
    where
        T: std::str::FromStr,
        T::Err: std::error::Error + Send + Sync + 'static,
    {
        let text: String = self.get(column)?;
        text.parse().map_err(|source: T::Err| self.corrupt(table, column, source))
    }

    /// A column that holds JSON.
    pub(crate) fn json<T: serde::de::DeserializeOwned>(
        &self,
        table: &'static str,
        column: &'static str,
    ) -> Result<T, StoreError> {
        self.json_or_none(table, column)?.ok_or_else(|| self.corrupt(table, column, Empty))
    }

    /// A column that may hold JSON.
    pub(crate) fn json_or_none<T: serde::de::DeserializeOwned>(
        &self,
        table: &'static str,
        column: &'static str,
    ) -> Result<Option<T>, StoreError> {
        let document: Option<Json<Box<RawValue>>> = self.get(column)?;
        let Some(Json(text)) = document else { return Ok(None) };
        serde_json::from_str(text.get()).map(Some).map_err(|source| self.corrupt(table, column, source))
    }

    fn corrupt(
        &self,
        table: &'static str,
        column: &'static str,
        source: impl std::error::Error + Send + Sync + 'static,
    ) -> StoreError {
        StoreError::Corrupt { table, column, id: self.get("id").unwrap_or_default(), source: Box::new(source) }
    }
}
