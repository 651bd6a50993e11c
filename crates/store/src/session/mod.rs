//! One conversation with either database.

pub(crate) mod claim_fence;
mod row;
mod rows;
mod rows_sql;
mod statement;
pub(crate) mod transaction;

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, Postgres, SqlStr, Sqlite, SqliteConnection};

use self::rows::Value;
use self::transaction::Open;
use crate::StoreError;

pub(crate) use self::row::Row;
pub(crate) use self::rows::rows;
#[cfg(test)]
pub(crate) use self::statement::Written;
pub(crate) use self::statement::{Arg, RowsSql, Sql, args, sql, texts};

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

/// Binds the arguments of a statement; the closure makes of a list what the database takes: SQLite
/// has no arrays.
macro_rules! bound {
    ($query:expr, $args:expr, |$list:ident| $bound:expr) => {{
        let mut query = $query;
        for arg in $args {
            query = match arg {
                Arg::Int(value) => query.bind(value),
                Arg::Text(value) => query.bind(value),
                Arg::Bool(value) => query.bind(value),
                Arg::Json(value) => query.bind(value),
                Arg::Rows(_) => unreachable!("rows are taken apart before"),
                Arg::Ints($list) => query.bind($bound),
                Arg::Texts($list) => query.bind($bound),
                Arg::IntColumn($list) => query.bind($bound),
                Arg::TextColumn($list) => query.bind($bound),
            };
        }
        query
    }};
}

/// A statement for SQLite with its arguments: rows are bound one by one, some at a time.
fn on_sqlite(sql: &'static Sql, mut args: Vec<Arg>) -> Vec<(SqlStr, Vec<Arg>)> {
    let (Sql::OfRows(text), Some(Arg::Rows(rows))) = (sql, args.first_mut()) else {
        return vec![(sql.on_sqlite(0), args)];
    };
    let portions = std::mem::take(rows).portions(text.columns);
    let with_others = |(count, values): (usize, Vec<Value>)| {
        let values = values.into_iter().map(Arg::from).chain(args[1..].iter().cloned());
        (sql.on_sqlite(count), values.collect())
    };
    portions.into_iter().map(with_others).collect()
}

/// The arguments of a statement for Postgres: rows are an array for each column.
fn on_postgres(sql: &'static Sql, mut args: Vec<Arg>) -> Vec<Arg> {
    let (Sql::OfRows(text), Some(Arg::Rows(rows))) = (sql, args.first_mut()) else { return args };
    let columns = std::mem::take(rows).columns(text.columns);
    columns.into_iter().chain(args.drain(1..)).collect()
}

/// SQLite has no lists.
fn list_json<T: serde::Serialize>(list: &[T]) -> String {
    serde_json::to_string(list).expect("a list of plain values is always JSON")
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
    pub(crate) async fn run(&mut self, sql: &'static Sql, args: Vec<Arg>) -> Result<u64, StoreError> {
        self.trace(sql);
        match self.link() {
            Link::Sqlite(link) => {
                let mut touched = 0;
                for (text, args) in on_sqlite(sql, args) {
                    let query = bound!(sqlx::query(text), args, |list| list_json(&list));
                    touched += query.execute(&mut *link).await?.rows_affected();
                }
                Ok(touched)
            }
            Link::Postgres(link) => {
                let query = bound!(sqlx::query(sql.on_postgres()), on_postgres(sql, args), |list| list);
                Ok(query.execute(link).await?.rows_affected())
            }
        }
    }

    /// Runs a statement and returns its rows.
    pub(crate) async fn rows(&mut self, sql: &'static Sql, args: Vec<Arg>) -> Result<Vec<Row>, StoreError> {
        self.trace(sql);
        match self.link() {
            Link::Sqlite(link) => {
                let mut all = Vec::new();
                for (text, args) in on_sqlite(sql, args) {
                    let query = bound!(sqlx::query(text), args, |list| list_json(&list));
                    all.extend(query.fetch_all(&mut *link).await?.into_iter().map(Row::Sqlite));
                }
                Ok(all)
            }
            Link::Postgres(link) => {
                let query = bound!(sqlx::query(sql.on_postgres()), on_postgres(sql, args), |list| list);
                Ok(query.fetch_all(link).await?.into_iter().map(Row::Postgres).collect())
            }
        }
    }

    /// Names the statement that is run next.
    fn trace(&self, sql: &'static Sql) {
        tracing::trace!(
            statement = match self {
                Self::SqliteRead(_) | Self::SqliteWrite(_) => sql.on_sqlite(1),
                Self::PostgresRead(_) | Self::PostgresWrite(_) => sql.on_postgres(),
            }
            .as_str(),
            "a statement"
        );
    }

    /// Runs a statement and returns its first row, if any.
    pub(crate) async fn row(&mut self, sql: &'static Sql, args: Vec<Arg>) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, args).await?.into_iter().next())
    }

    /// Runs a statement that always returns a row.
    pub(crate) async fn one(&mut self, sql: &'static Sql, args: Vec<Arg>) -> Result<Row, StoreError> {
        self.row(sql, args).await?.ok_or(StoreError::Refused(sqlx::Error::RowNotFound))
    }

    /// Makes what was written hold. When that fails nobody knows whether it does, and the
    /// connection is closed.
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        match self {
            Self::SqliteWrite(open) => open.commit().await?,
            Self::PostgresWrite(open) => open.commit().await?,
            Self::SqliteRead(_) | Self::PostgresRead(_) => {}
        }
        Ok(())
    }

    /// Takes back what was written. A connection that is in doubt is closed, and the next one is
    /// opened anew.
    pub(crate) async fn abandon(self, error: &StoreError) {
        let doubtful = matches!(error, StoreError::Unavailable(trouble) if trouble.kind != crate::error::trouble::TroubleKind::Witness);
        match self {
            Self::SqliteWrite(open) if !doubtful => open.roll_back().await,
            Self::PostgresWrite(open) if !doubtful => open.roll_back().await,
            Self::SqliteRead(mut link) if doubtful => link.close_on_drop(),
            Self::PostgresRead(mut link) if doubtful => link.close_on_drop(),
            _ => {}
        }
    }
}
