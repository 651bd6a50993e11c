//! Rows of either database.

use ringfence_domain::PhoneNumber;
use serde_json::value::RawValue;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::types::Json;
use sqlx::{Decode, Postgres, Row as _, Sqlite, Type};

use crate::StoreError;

/// A document is missing where there is always one.
#[derive(Debug, thiserror::Error)]
#[error("it is empty")]
struct Empty;

/// A stored number is none.
#[derive(Debug, thiserror::Error)]
#[error("it is not E.164")]
struct NotE164;

/// A row of either database.
#[derive(Debug)]
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    /// The value of a column. A column that the statement does not return, or of another type, is
    /// an error.
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

    /// The column `number`, which holds a whole phone number.
    pub(crate) fn number(&self, table: &'static str) -> Result<PhoneNumber, StoreError> {
        self.number_or_none(table)?.ok_or_else(|| self.corrupt(table, "number", Empty))
    }

    /// The column `number`, which may hold a whole phone number.
    pub(crate) fn number_or_none(&self, table: &'static str) -> Result<Option<PhoneNumber>, StoreError> {
        let Some(text) = self.get::<Option<String>>("number")? else { return Ok(None) };
        PhoneNumber::from_e164(&text).map(Some).ok_or_else(|| self.corrupt(table, "number", NotE164))
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
