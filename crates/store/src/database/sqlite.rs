//! SQLite: one connection that writes, a few that read, nothing lost on power failure.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sqlx::{Executor, Row as _, Sqlite, SqlitePool};

use super::clock::boot_time;
use super::log::{self, LogMover};
use super::pool::pool;
use super::turns::{Gate, Turn, Urgency, WaitingSign, breathe, holder};
use crate::StoreError;
use crate::error::trouble::{Trouble, TroubleKind};
use crate::quarantine::database_file::DatabaseFile;
use crate::session::transaction::Open;

/// The pools of one SQLite file.
#[derive(Debug, Clone)]
pub(crate) struct SqlitePools {
    pub(crate) writer: SqlitePool,
    pub(crate) readers: SqlitePool,
    pub(crate) path: PathBuf,
    pub(crate) file: DatabaseFile,
    gate: Arc<Gate>,
    sign: Arc<WaitingSign>,
    pub(crate) log_mover: LogMover,
}

/// How long a connection waits for others while it is opened, and a reader at any time.
const BUSY: Duration = Duration::from_secs(5);

/// KiB of pages that a connection keeps. A list goes in no sooner with more. Source:
/// <https://www.sqlite.org/pragma.html#pragma_cache_size>
const WRITER_CACHE: &str = "-16384";
const READER_CACHE: &str = "-8192";

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
            .pragma("journal_size_limit", log::KEPT.to_string())
            .pragma("wal_autocheckpoint", log::LAST_RESORT)
            .optimize_on_close(true, None);
        let writer = pool::<Sqlite>(1, BUSY * 2)
            // A writer waits in `begin`, where stop switches come first.
            .after_connect(|link, _| {
                Box::pin(async move {
                    link.execute("PRAGMA busy_timeout = 0").await?;
                    Ok(())
                })
            })
            .connect_with(
                options
                    .clone()
                    .pragma("cache_size", WRITER_CACHE)
                    // What a statement that fails midway would put back is not worth a file for each statement.
                    .pragma("temp_store", "MEMORY")
                    // What is erased does not stay readable in the file.
                    .pragma("secure_delete", "ON"),
            )
            .await?;
        let readers = pool(4, BUSY * 2)
            .connect_with(options.pragma("query_only", "ON").pragma("cache_size", READER_CACHE))
            .await?;
        let file = DatabaseFile::open(&path).map_err(sqlx::Error::Io)?;
        let sign = Arc::new(WaitingSign::new(&lock_folder(&path)));
        let log_mover = LogMover::default();
        let pools = Self { writer, readers, path, file, gate: Arc::default(), sign, log_mover };
        pools.check_durability().await?;
        Ok(pools)
    }

    /// Connects to a file that may only be read. Where nobody has it open, its folder may be read
    /// only, too.
    pub(crate) async fn connect_to_read(path: PathBuf) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing { path });
        }
        let log = PathBuf::from(format!("{}-wal", path.display()));
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .read_only(true)
            // Without a log nobody writes: the file is read as it stands.
            .immutable(!log.exists())
            .busy_timeout(BUSY)
            .pragma("cache_size", READER_CACHE);
        let connected = |options| pool(2, BUSY * 2).connect_with(options);
        let (writer, readers) = (connected(options.clone()).await?, connected(options).await?);
        let file = DatabaseFile::open(&path).map_err(sqlx::Error::Io)?;
        let sign = Arc::new(WaitingSign::new(&lock_folder(&path)));
        Ok(Self { writer, readers, path, file, gate: Arc::default(), sign, log_mover: LogMover::default() })
    }

    /// A lost commit of `sending` would be a second call, so the settings are asked back rather
    /// than trusted.
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

    /// Begins to write when it is our turn, in this process and among all. An error after the
    /// wait of `urgency`.
    pub(crate) async fn begin(&self, urgency: Urgency) -> Result<(Turn, Open<Sqlite>), StoreError> {
        let deadline = boot_time() + urgency.waits();
        if urgency == Urgency::Bulk {
            self.leave_to_others(urgency.courtesy()).await;
        }
        let Ok(turn) = tokio::time::timeout(urgency.waits(), self.gate.pass(urgency)).await else {
            return Err(StoreError::Unavailable(Trouble::locked(holder(&self.path))));
        };
        if urgency == Urgency::Normal {
            self.leave_to_others(urgency.courtesy()).await;
        }
        let mut link = self.writer.acquire().await?;
        let (mut sign, mut pause) = (None, Duration::from_millis(1));
        loop {
            let Err(error) = (&mut *link).execute("BEGIN IMMEDIATE").await else {
                return Ok((turn, Open::begun(link)));
            };
            let locked = Trouble::of(&error).is_some_and(|trouble| trouble.kind == TroubleKind::Locked);
            if !locked {
                link.close_on_drop();
                return Err(error.into());
            }
            if boot_time() >= deadline {
                return Err(StoreError::Unavailable(Trouble::locked(holder(&self.path))));
            }
            if urgency != Urgency::Bulk {
                sign = sign.or_else(|| self.sign.show());
            }
            breathe(pause).await;
            pause = (pause * 3 / 2).min(urgency.longest_pause());
        }
    }

    /// Waits until it is our turn in this process.
    pub(crate) async fn turn(&self, urgency: Urgency) -> Turn {
        self.gate.pass(urgency).await
    }

    /// Waits while another process waits for the lock, for this long at most.
    async fn leave_to_others(&self, courtesy: Duration) {
        let until = boot_time() + courtesy;
        while self.sign.is_shown() && boot_time() < until {
            breathe(Duration::from_millis(1)).await;
        }
    }
}

/// The folder beside a database in which its processes hold locks.
pub(crate) fn lock_folder(database: &Path) -> PathBuf {
    let mut folder = database.as_os_str().to_owned();
    folder.push(".lock.d");
    PathBuf::from(folder)
}
