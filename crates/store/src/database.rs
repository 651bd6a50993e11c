//! The database that all processes meet in, and the one way into it.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use futures::future::BoxFuture;
use ringfence_domain::phone::NumberHasher;
use ringfence_domain::{Clock, ReportKey};
use sqlx::PgPool;

use crate::clock::DatabaseClock;
use crate::database_file::DatabaseFile;
use crate::postgres::hide_password;
use crate::session::{Session, Sql, args, sql};
use crate::sqlite::SqlitePools;
use crate::witness::{self, Witness};
use crate::{StoreError, postgres};

/// Which database is used, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file.
    Sqlite(PathBuf),
    /// A server's address, with its password.
    Postgres(String),
}

/// Which dialect a database speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    /// SQLite
    Sqlite,
    /// Postgres
    Postgres,
}

impl Location {
    /// Reads `sqlite://file`, relative to `base`, or `postgres://…`.
    pub fn parse(url: &str, base: &Path) -> Result<Self, StoreError> {
        if let Some(path) = url.strip_prefix("sqlite://").or_else(|| url.strip_prefix("sqlite:")) {
            if path.is_empty() || path.contains('?') {
                return Err(StoreError::Address(url.to_owned()));
            }
            return Ok(Self::Sqlite(base.join(path)));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        Err(StoreError::Address(hide_password(url)))
    }
}

/// The address without its password.
impl std::fmt::Display for Location {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            Self::Postgres(url) => f.write_str(&hide_password(url)),
        }
    }
}

static SQLITE_MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/sqlite");
static POSTGRES_MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("../../migrations/postgres");

/// An open database with its schema up to date.
#[derive(Debug, Clone)]
pub struct Database {
    pools: Pools,
    location: Location,
    hasher: NumberHasher,
    report_key: ReportKey,
    installation: Arc<str>,
    witness: Arc<OnceLock<Witness>>,
    virtual_time: bool,
}

#[derive(Debug, Clone)]
enum Pools {
    Sqlite(SqlitePools),
    Postgres(PgPool),
}

/// What a transition returns.
pub(crate) type Step<'s, T> = BoxFuture<'s, Result<T, StoreError>>;

impl Database {
    /// Opens the database and brings its schema up to date. A missing SQLite file, or the tables in an
    /// empty Postgres database, are made when `create` says so.
    pub async fn open(location: &Location, create: bool) -> Result<Self, StoreError> {
        let pools = match location {
            Location::Sqlite(path) => Pools::Sqlite(SqlitePools::connect(path.clone(), create).await?),
            Location::Postgres(url) => Pools::Postgres(postgres::connect(url).await?),
        };
        if let Pools::Postgres(pool) = &pools
            && !create
            && !postgres::is_made(pool).await?
        {
            return Err(StoreError::NotMade { location: location.to_string() });
        }
        let mut database = Self {
            pools,
            location: location.clone(),
            hasher: NumberHasher::new([0; 16]),
            report_key: ReportKey::new([0; 16]),
            installation: Arc::from(""),
            witness: Arc::default(),
            virtual_time: false,
        };
        database.migrate().await?;
        database.install().await?;
        Ok(database)
    }

    /// For tests under paused timers: while a statement is under way, timers stand still.
    #[must_use]
    pub fn in_virtual_time(mut self) -> Self {
        self.virtual_time = true;
        self
    }

    /// Which dialect it speaks.
    pub fn kind(&self) -> DatabaseKind {
        match self.pools {
            Pools::Sqlite(_) => DatabaseKind::Sqlite,
            Pools::Postgres(_) => DatabaseKind::Postgres,
        }
    }

    /// Where it is.
    pub fn location(&self) -> &Location {
        &self.location
    }

    /// The identity that this database was made with.
    pub fn installation(&self) -> &str {
        &self.installation
    }

    /// What numbers are looked up by.
    pub fn hasher(&self) -> &NumberHasher {
        &self.hasher
    }

    /// What addresses for reports are made with.
    pub fn report_key(&self) -> &ReportKey {
        &self.report_key
    }

    /// The clock that all processes on this database share. It must be running before anything is dialled.
    pub async fn clock(&self) -> Result<Arc<dyn Clock>, StoreError> {
        let source = match &self.pools {
            Pools::Sqlite(_) => None,
            Pools::Postgres(pool) => Some(pool.clone()),
        };
        Ok(DatabaseClock::start(source).await?)
    }

    /// Closes all connections, after what is under way.
    pub async fn close(&self) {
        match &self.pools {
            Pools::Sqlite(pools) => {
                pools.readers.close().await;
                pools.writer.close().await;
            }
            Pools::Postgres(pool) => pool.close().await,
        }
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        match &self.pools {
            Pools::Sqlite(pools) => SQLITE_MIGRATIONS.run(&pools.writer).await,
            Pools::Postgres(pool) => POSTGRES_MIGRATIONS.run(pool).await,
        }
        .map_err(StoreError::Migration)
    }

    /// Numbers of the migrations that are in, oldest first.
    pub async fn migrations(&self) -> Result<Vec<(i64, String)>, StoreError> {
        const LIST: Sql = sql!("SELECT version, description FROM _sqlx_migrations ORDER BY version");
        self.read(|session| {
            Box::pin(async move {
                let rows = session.rows(&LIST, args![]).await?;
                rows.iter().map(|row| Ok((row.get("version")?, row.get("description")?))).collect()
            })
        })
        .await
    }

    async fn install(&mut self) -> Result<(), StoreError> {
        const INSTALL: Sql = sql!(
            "INSERT INTO installation (only_row, id, number_key, created_at) VALUES (1, $1, $2, $3) ON CONFLICT DO NOTHING"
        );
        const REPORT_KEY: Sql = sql!("UPDATE installation SET report_key = $1 WHERE report_key IS NULL");
        const READ: Sql = sql!("SELECT id AS name, number_key, report_key FROM installation");
        let [id, number_key, report_key] = [(); 3].map(|()| uuid::Uuid::new_v4());
        let now = crate::clock::wall_clock();
        let (name, number_key, report_key): (String, String, String) = self
            .write(move |session| {
                Box::pin(async move {
                    session.run(&INSTALL, args![id.to_string(), number_key.simple().to_string(), now]).await?;
                    session.run(&REPORT_KEY, args![report_key.simple().to_string()]).await?;
                    let row = session.one(&READ, args![]).await?;
                    Ok((row.get("name")?, row.get("number_key")?, row.get("report_key")?))
                })
            })
            .await?;
        self.hasher = NumberHasher::new(key("number_key", &number_key)?);
        self.report_key = ReportKey::new(key("report_key", &report_key)?);
        self.installation = Arc::from(name);
        Ok(())
    }

    /// Runs one transition in one transaction. It runs to its end in a task of its own, so that whoever waits for it
    /// may be cancelled without leaving a transaction half done on a pooled connection.
    pub(crate) async fn write<T, F>(&self, transition: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'s> FnOnce(&'s mut Session) -> Step<'s, T> + Send + 'static,
    {
        let (pools, witness) = (self.pools.clone(), self.witness.clone());
        let task = tokio::spawn(async move {
            let mut session = match &pools {
                Pools::Sqlite(pools) => Session::SqliteWrite(pools.begin().await?),
                Pools::Postgres(pool) => Session::PostgresWrite(pool.begin().await?),
            };
            let result = transition(&mut session).await?;
            let position = witness::count(&mut session).await?;
            session.commit().await?;
            if let (Some(witness), Some(position)) = (witness.get(), position) {
                witness.committed(position)?;
            }
            Ok(result)
        });
        self.in_real_time(async { task.await.unwrap_or_else(|join| Err(stopped(join))) }).await
    }

    /// Runs a question outside any transaction.
    pub(crate) async fn read<T, F>(&self, question: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'s> FnOnce(&'s mut Session) -> Step<'s, T> + Send + 'static,
    {
        let pools = self.pools.clone();
        let task = tokio::spawn(async move {
            let mut session = match &pools {
                Pools::Sqlite(pools) => Session::SqliteRead(pools.readers.acquire().await?),
                Pools::Postgres(pool) => Session::PostgresRead(pool.acquire().await?),
            };
            question(&mut session).await
        });
        self.in_real_time(async { task.await.unwrap_or_else(|join| Err(stopped(join))) }).await
    }

    /// Runs a question of several statements that must agree with each other: all of them see one moment.
    pub(crate) async fn snapshot<T, F>(&self, question: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'s> FnOnce(&'s mut Session) -> Step<'s, T> + Send + 'static,
    {
        const POSTGRES: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        let pools = self.pools.clone();
        let task = tokio::spawn(async move {
            let mut session = match &pools {
                Pools::Sqlite(pools) => Session::SqliteWrite(pools.readers.begin().await?),
                Pools::Postgres(pool) => Session::PostgresWrite(pool.begin_with(POSTGRES).await?),
            };
            let answer = question(&mut session).await?;
            session.commit().await?;
            Ok(answer)
        });
        self.in_real_time(async { task.await.unwrap_or_else(|join| Err(stopped(join))) }).await
    }

    /// Paused timers jump ahead whenever every task waits, also for a database that answers in real time. They do not
    /// while a blocking task runs, so one is kept for as long as the statement takes.
    async fn in_real_time<T>(&self, work: impl Future<Output = T>) -> T {
        if !self.virtual_time {
            return work.await;
        }
        let (release, held) = std::sync::mpsc::channel::<()>();
        let guard = tokio::task::spawn_blocking(move || held.recv().is_ok());
        let result = work.await;
        drop(release);
        drop(guard.await);
        result
    }

    /// Its witnesses are kept from now on.
    pub(crate) fn keep(&self, witness: Witness) {
        // A database that is guarded twice keeps its first witnesses: they stand in the same places.
        drop(self.witness.set(witness));
    }

    /// Calls were claimed; before any of them is made the witnesses know.
    pub(crate) fn dialled(&self, claimed: &crate::Claimed) -> Result<(), StoreError> {
        match self.witness.get() {
            Some(witness) if !claimed.sending.is_empty() => witness.dialled(claimed.log_position),
            _ => Ok(()),
        }
    }

    /// The number of the SQLite file that was opened.
    pub(crate) fn file_number(&self) -> Option<u64> {
        match &self.pools {
            Pools::Sqlite(pools) => Some(pools.file.number()),
            Pools::Postgres(_) => None,
        }
    }

    /// What is asked before every call: whether the file of a SQLite database is still there.
    pub fn file(&self) -> Option<DatabaseFile> {
        match &self.pools {
            Pools::Sqlite(pools) => Some(pools.file.clone()),
            Pools::Postgres(_) => None,
        }
    }

    pub(crate) fn sqlite_path(&self) -> Option<&Path> {
        match &self.pools {
            Pools::Sqlite(pools) => Some(&pools.path),
            Pools::Postgres(_) => None,
        }
    }
}

fn key(column: &'static str, hex: &str) -> Result<[u8; 16], StoreError> {
    uuid::Uuid::parse_str(hex).map(uuid::Uuid::into_bytes).map_err(|source| StoreError::Corrupt {
        table: "installation",
        column,
        id: 1,
        source: Box::new(source),
    })
}

fn stopped(join: tokio::task::JoinError) -> StoreError {
    match join.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => StoreError::Stopping,
    }
}
