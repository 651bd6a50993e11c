//! The database that all processes meet in, and the one way into it.

mod backup;
pub(crate) mod clock;
mod guard;
mod health;
mod location;
mod log;
mod making;
pub(crate) mod migrations;
pub(crate) mod pool;
mod portions;
pub(crate) mod postgres;
mod process_lock;
mod running;
mod sqlite;
mod timing;
#[cfg(test)]
mod traps;
pub(crate) mod turns;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use futures::future::BoxFuture;
use ringfence_crash as crash;
use ringfence_domain::phone::NumberHasher;
use ringfence_domain::{Clock, ReportKey};
use sqlx::{Executor, PgPool};

use self::clock::DatabaseClock;
use self::health::Health;
use self::making::Installation;
use self::portions::Portions;
use self::sqlite::SqlitePools;
use self::timing::Timing;
use crate::StoreError;
use crate::events::Actor;
use crate::imports::recent::RecentImports;
use crate::lanes::tallies::Tallies;
use crate::quarantine::database_file::DatabaseFile;
use crate::quarantine::leftover_log;
use crate::quarantine::witness::Witness;
use crate::quarantine::witness_file::WitnessFile;
use crate::receipts::{self, Receipts};
use crate::session::{Sql, args, sql};

pub use self::backup::Backup;
pub use self::guard::Guarded;
pub use self::health::Outage;
pub use self::location::Location;
pub use self::process_lock::{KnownAs, ProcessLock};
pub(crate) use self::running::{Follows, Written};
pub use self::timing::Lockstep;

/// Which dialect a database speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseKind {
    /// SQLite
    Sqlite,
    /// Postgres
    Postgres,
}

/// An open database with its schema up to date.
#[derive(Debug, Clone)]
pub struct Database {
    pools: Pools,
    location: Location,
    hasher: NumberHasher,
    report_key: ReportKey,
    installation: Arc<str>,
    witness: Arc<OnceLock<Witness>>,
    /// The file lacked what its log takes for granted when it was opened.
    mixed: bool,
    timing: Timing,
    portions: Arc<Portions>,
    recent_imports: Arc<RecentImports>,
    health: Arc<Health>,
    receipts: Arc<Receipts>,
    pub(crate) tallies: Arc<Tallies>,
    /// Ids of processes that are known to be dead.
    dead: Arc<Mutex<HashSet<String>>>,
    /// Whose changes these are.
    actor: Actor,
}

/// How long closing may take.
const CLOSE: Duration = Duration::from_secs(2);

#[derive(Debug, Clone)]
enum Pools {
    Sqlite(SqlitePools),
    Postgres(PgPool),
}

/// What a transition returns.
pub(crate) type Step<'s, T> = BoxFuture<'s, Result<T, StoreError>>;

/// What the database answers, when it is waited for.
pub type Answer<'d, T> = BoxFuture<'d, Result<T, StoreError>>;

impl Database {
    /// Opens the database and brings its schema up to date. A missing SQLite file, or the tables in
    /// an empty Postgres database, are made when `create` says so.
    pub async fn open(location: &Location, create: bool) -> Result<Self, StoreError> {
        let mut mixed = false;
        let pools = match location {
            Location::Sqlite(path) => {
                mixed = leftover_log::is_of_another(path, &WitnessFile::beside(path)).await;
                // Two that turn a new file to WAL mode at once would find it locked.
                let _alone = if create && !making::is_made(path) { making::alone(path).await? } else { None };
                let pools = SqlitePools::connect(path.clone(), create).await;
                Pools::Sqlite(pools.map_err(|error| error.at(location))?)
            }
            Location::Postgres(url) => Pools::Postgres(postgres::connect(url).await?),
        };
        if let Pools::Postgres(pool) = &pools
            && !create
            && !postgres::is_made(pool).await?
        {
            return Err(StoreError::NotMade { location: location.to_string() });
        }
        let mut database = Self { mixed, ..Self::of(pools, location) };
        database.migrate().await.map_err(|error| error.at(location))?;
        crash::point("open", "migrated");
        database.install().await?;
        Ok(database)
    }

    /// Opens a database that this user, or anybody now, may only read. What would change it fails.
    /// It must have all tables of this version.
    pub async fn open_to_read(location: &Location) -> Result<Self, StoreError> {
        let pools = match location {
            Location::Sqlite(path) => {
                let pools = SqlitePools::connect_to_read(path.clone()).await;
                Pools::Sqlite(pools.map_err(|error| error.at(location))?)
            }
            Location::Postgres(url) => Pools::Postgres(postgres::connect(url).await?),
        };
        let mut database = Self::of(pools, location);
        if !database.is_up_to_date().await {
            return Err(StoreError::NotMade { location: location.to_string() });
        }
        database.install().await?;
        Ok(database)
    }

    fn of(pools: Pools, location: &Location) -> Self {
        Self {
            pools,
            location: location.clone(),
            hasher: NumberHasher::new([0; 16]),
            report_key: ReportKey::new([0; 16]),
            installation: Arc::from(""),
            witness: Arc::default(),
            mixed: false,
            timing: Timing::Real,
            portions: Arc::default(),
            recent_imports: Arc::default(),
            health: Arc::default(),
            receipts: Arc::new(Receipts::new(Arc::from(""), Vec::new())),
            tallies: Arc::default(),
            dead: Arc::default(),
            actor: Actor::process("somebody"),
        }
    }

    /// For tests under paused timers: while a statement is under way, timers stand still.
    #[must_use]
    pub fn in_virtual_time(mut self) -> Self {
        self.timing = Timing::Paused;
        self.tallies = Arc::new(Tallies::of_the_moment());
        self
    }

    /// Makes it the database of a simulation: a caller stands still until the answer is there.
    #[must_use]
    pub fn in_lockstep(mut self, process: Lockstep) -> Self {
        self.timing = Timing::Lockstep(process);
        self.tallies = Arc::new(Tallies::of_the_moment());
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

    /// The clock that all processes on this database share. It must be running before anything is
    /// dialled.
    pub async fn clock(&self) -> Result<Arc<dyn Clock>, StoreError> {
        let source = match &self.pools {
            Pools::Sqlite(_) => None,
            Pools::Postgres(pool) => Some(pool.clone()),
        };
        Ok(DatabaseClock::start(source).await?)
    }

    /// Closes all connections, after what is under way; a database that does not answer is not
    /// waited for.
    pub async fn close(&self) {
        let closing = async {
            match &self.pools {
                Pools::Sqlite(pools) => {
                    pools.readers.close().await;
                    pools.writer.close().await;
                }
                Pools::Postgres(pool) => pool.close().await,
            }
        };
        drop(tokio::time::timeout(CLOSE, closing).await);
    }

    async fn migrate(&self) -> Result<(), StoreError> {
        match &self.pools {
            Pools::Sqlite(pools) => {
                // The driver's migrator keeps two processes from migrating at once on Postgres, and
                // not on SQLite.
                let _alone = if self.is_up_to_date().await { None } else { making::alone(&pools.path).await? };
                let mut link = pools.writer.acquire().await?;
                (&mut *link).execute("PRAGMA busy_timeout = 30000").await?;
                migrations::SQLITE.run(&mut *link).await?;
                (&mut *link).execute("PRAGMA busy_timeout = 0").await?;
            }
            Pools::Postgres(pool) => migrations::POSTGRES.run(pool).await?,
        }
        Ok(())
    }

    /// Whether all migrations are in it.
    async fn is_up_to_date(&self) -> bool {
        let wanted = match &self.pools {
            Pools::Sqlite(_) => &migrations::SQLITE,
            Pools::Postgres(_) => &migrations::POSTGRES,
        };
        let known = self.migrations().await;
        known.is_ok_and(|known| {
            wanted.iter().all(|migration| known.iter().any(|(version, _)| *version == migration.version))
        })
    }

    /// Numbers of the migrations that are in, oldest first.
    pub async fn migrations(&self) -> Result<Vec<(i64, String)>, StoreError> {
        const LIST: Sql = sql!("SELECT version, description FROM ringfence_migrations ORDER BY version");
        self.read(|session| {
            Box::pin(async move {
                let rows = session.rows(&LIST, args![]).await?;
                rows.iter().map(|row| Ok((row.get("version")?, row.get("description")?))).collect()
            })
        })
        .await
    }

    async fn install(&mut self) -> Result<(), StoreError> {
        let Installation { name, number_key, report_key } = Installation::of(self).await?;
        self.hasher = NumberHasher::new(key("number_key", &number_key)?);
        self.report_key = ReportKey::new(key("report_key", &report_key)?);
        self.installation = Arc::from(name);
        let places = receipts::file::places(&self.installation, self.sqlite_path());
        self.receipts = Arc::new(Receipts::new(self.installation.clone(), places));
        Ok(())
    }

    /// Keeps what the database does not take in this file, or where it can if this one cannot be
    /// written.
    #[must_use]
    pub fn keeping_receipts_in(mut self, file: PathBuf) -> Self {
        self.receipts = Arc::new(self.receipts.first_in(file));
        self
    }

    /// Names the one whose changes these are, in the events of what follows.
    #[must_use]
    pub fn changed_by(mut self, actor: Actor) -> Self {
        self.actor = actor;
        self
    }

    /// What vendors said and the database has not taken yet.
    pub fn receipts(&self) -> &Receipts {
        &self.receipts
    }

    /// Since when and why the database, or its witness, cannot be written to, if it cannot.
    pub fn outage(&self) -> Option<Outage> {
        self.health.outage()
    }

    /// What keeps the last writes from being done, or calls from following on them.
    pub(crate) fn health(&self) -> &Health {
        &self.health
    }

    /// Its witnesses, once it is guarded.
    pub(crate) fn witness(&self) -> Option<&Witness> {
        self.witness.get()
    }

    /// Its witnesses are kept from now on.
    pub(crate) fn keep(&self, witness: Witness) {
        // A database that is guarded twice keeps its first witnesses: they stand in the same
        // places.
        drop(self.witness.set(witness));
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

    /// A path beside a SQLite file, with an ending of its own.
    pub fn file_beside(&self, ending: &str) -> Option<PathBuf> {
        let path = self.sqlite_path()?;
        let name = path.file_name()?.to_string_lossy();
        Some(path.with_file_name(format!("{name}.{ending}")))
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
