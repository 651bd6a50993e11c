//! SQLite: one connection that writes, a few that read, nothing lost on power failure.

use std::path::PathBuf;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Row as _, Sqlite, SqlitePool, Transaction};

use crate::StoreError;
use crate::database_file::DatabaseFile;

/// The pools of one SQLite file.
#[derive(Debug, Clone)]
pub(crate) struct SqlitePools {
    pub(crate) writer: SqlitePool,
    pub(crate) readers: SqlitePool,
    pub(crate) path: PathBuf,
    pub(crate) file: DatabaseFile,
}

const BUSY: Duration = Duration::from_secs(5);

impl SqlitePools {
    pub(crate) async fn connect(path: PathBuf, create: bool) -> Result<Self, StoreError> {
        if !create && !path.exists() {
            return Err(StoreError::Missing { path });
        }
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(create)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .pragma("journal_size_limit", "67108864")
            .pragma("cache_size", "-32768")
            .optimize_on_close(true, None);
        let writer =
            SqlitePoolOptions::new().max_connections(1).acquire_timeout(BUSY * 2).connect_with(options.clone()).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(4)
            .acquire_timeout(BUSY * 2)
            .connect_with(options.pragma("query_only", "ON"))
            .await?;
        let file = DatabaseFile::open(&path).map_err(sqlx::Error::Io)?;
        let pools = Self { writer, readers, path, file };
        pools.check_durability().await?;
        Ok(pools)
    }

    /// A lost commit of `sending` would be a second call, so the settings are asked back rather than trusted.
    async fn check_durability(&self) -> Result<(), StoreError> {
        let journal: String = sqlx::query("PRAGMA journal_mode").fetch_one(&self.writer).await?.try_get(0)?;
        let synchronous: i64 = sqlx::query("PRAGMA synchronous").fetch_one(&self.writer).await?.try_get(0)?;
        if journal != "wal" || synchronous != 2 {
            return Err(StoreError::NotDurable(format!(
                "SQLite runs with journal_mode={journal} synchronous={synchronous} instead of wal and 2; \
                 is the file on a network disk?"
            )));
        }
        Ok(())
    }

    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?)
    }
}
