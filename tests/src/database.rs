//! One empty database for each test.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ringfence_store::{Database, Location};
use sqlx::{Connection, Executor, PgConnection, Row};
use tempfile::TempDir;

use crate::templates;

/// Where `cargo xtask test` tells the tests its throwaway Postgres is.
pub const POSTGRES_VARIABLE: &str = "RINGFENCE_TEST_POSTGRES";

/// An empty database that goes away with the test.
#[derive(Debug)]
pub struct TestDatabase {
    /// The database.
    pub store: Arc<Database>,
    /// Its address, for other processes.
    pub url: String,
    folder: TempDir,
}

impl TestDatabase {
    /// A SQLite file of its own.
    pub async fn sqlite() -> Self {
        let (url, folder) = sqlite_file().await;
        Self::open(url, folder, false).await
    }

    /// A database of its own on the throwaway Postgres.
    pub async fn postgres() -> Self {
        Self::open(postgres_database().await, TempDir::new().expect("a temporary folder"), false).await
    }

    /// A SQLite file of its own, and from now on timers that wait for nothing but each other:
    /// statements take no virtual time.
    pub async fn sqlite_in_virtual_time() -> Self {
        let (url, folder) = sqlite_file().await;
        let database = Self::open(url, folder, true).await;
        tokio::time::pause();
        database
    }

    /// The same on the throwaway Postgres.
    pub async fn postgres_in_virtual_time() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let database = Self::open(postgres_database().await, folder, true).await;
        tokio::time::pause();
        database
    }

    /// The address of a new database without tables on the throwaway Postgres.
    pub async fn empty_postgres() -> String {
        let (server, mut admin) = server().await;
        let name = new_name();
        templates::run(&mut admin, format!("CREATE DATABASE {name}")).await;
        format!("{server}/{name}")
    }

    async fn open(url: String, folder: TempDir, virtual_time: bool) -> Self {
        let location = Location::parse(&url, Path::new("/")).expect("an address");
        let store = Database::open(&location, true).await.expect("an empty database");
        let store = if virtual_time { store.in_virtual_time() } else { store };
        Self { store: Arc::new(store), url, folder }
    }

    /// A folder that goes away with the test.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Prepares that the Postgres server says something else of itself, as after a fail-over: from
    /// the moment that the schema `server_not_yet` is named `server`, new connections are answered
    /// so by these functions, each with what it returns and says.
    pub async fn prepare_server(&self, functions: &[(&str, &str, &str)]) {
        let name = self.url.rsplit_once('/').expect("an address").1;
        let mut statements = vec![
            "CREATE SCHEMA server_not_yet".to_owned(),
            format!("ALTER DATABASE {name} SET search_path = public, server, pg_catalog"),
        ];
        for (function, returns, says) in functions {
            statements.push(format!(
                "CREATE FUNCTION server_not_yet.{function} RETURNS {returns} LANGUAGE sql AS $$ SELECT {says} $$"
            ));
        }
        let mut link = PgConnection::connect(&self.url).await.expect("a connection");
        for statement in statements {
            link.execute(sqlx::AssertSqlSafe(statement)).await.expect("done");
        }
    }

    /// Cuts all connections to a Postgres database, as a fail-over does.
    pub async fn cut_connections(&self) {
        let (server, name) = self.url.rsplit_once('/').expect("an address");
        let mut admin = PgConnection::connect(&format!("{server}/postgres")).await.expect("the server");
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1";
        sqlx::query(cut).bind(name).execute(&mut admin).await.expect("cut");
    }

    /// A second, independent way into the same database, as another process would have.
    pub async fn another(&self) -> Database {
        let location = Location::parse(&self.url, Path::new("/")).expect("an address");
        Database::open(&location, false).await.expect("the same database")
    }
}

/// Ends what is left of processes that died: a database that is in use cannot be copied.
const CUT_OFF: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'NAME'";

/// A place for a database. The first process that opens it makes it.
#[derive(Debug)]
pub struct Throwaway {
    /// Its address.
    pub url: String,
    folder: TempDir,
}

impl Throwaway {
    /// A SQLite file that is not there yet.
    pub fn sqlite() -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        Self { url: format!("sqlite://{}", folder.path().join("test.db").display()), folder }
    }

    /// An empty database on the throwaway Postgres.
    pub async fn postgres() -> Self {
        Self { url: TestDatabase::empty_postgres().await, folder: TempDir::new().expect("a temporary folder") }
    }

    /// A folder that goes away with it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Makes room: a database on the server stays until somebody drops it.
    pub async fn drop_it(self) {
        if self.url.starts_with("postgres") {
            self.lose().await;
            self.administer("DROP DATABASE IF EXISTS NAME_kept").await;
        }
    }

    /// Keeps a copy of it as it is now, while nobody uses it.
    pub async fn keep(&self) {
        if let Some(file) = self.file() {
            std::fs::copy(&file, file.with_extension("kept")).expect("a copy");
        } else {
            self.administer(CUT_OFF).await;
            self.administer("CREATE DATABASE NAME_kept TEMPLATE NAME").await;
        }
    }

    /// Puts the copy in its place.
    pub async fn put_back(&self) {
        self.lose().await;
        match self.file() {
            Some(file) => drop(std::fs::copy(file.with_extension("kept"), &file).expect("put back")),
            None => self.administer("CREATE DATABASE NAME TEMPLATE NAME_kept").await,
        }
    }

    /// Deletes it. On Postgres, [`Throwaway::begin_anew`] makes an empty one.
    pub async fn lose(&self) {
        let Some(file) = self.file() else { return self.administer("DROP DATABASE NAME WITH (FORCE)").await };
        for end in ["", "-wal", "-shm"] {
            let part = format!("{}{end}", file.display());
            if let Err(error) = std::fs::remove_file(&part) {
                assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{part}: {error}");
            }
        }
    }

    /// Makes a new one where it was lost. The first process makes its own on SQLite.
    pub async fn begin_anew(&self) {
        if self.file().is_none() {
            self.administer("CREATE DATABASE NAME").await;
        }
    }

    fn file(&self) -> Option<PathBuf> {
        self.url.strip_prefix("sqlite://").map(PathBuf::from)
    }

    /// Runs a statement beside the database, in which `NAME` is its name.
    async fn administer(&self, statement: &str) {
        let (server, name) = self.url.rsplit_once('/').expect("an address");
        let mut admin = PgConnection::connect(&format!("{server}/postgres")).await.expect("the server");
        templates::run(&mut admin, statement.replace("NAME", name)).await;
    }
}

/// A new SQLite file with tables, and the folder that it goes away with.
async fn sqlite_file() -> (String, TempDir) {
    let folder = TempDir::new().expect("a temporary folder");
    let path = folder.path().join("test.db");
    templates::copy_sqlite(&path).await;
    (format!("sqlite://{}", path.display()), folder)
}

/// The address of a new database with tables on the throwaway Postgres.
async fn postgres_database() -> String {
    let (server, mut admin) = server().await;
    let template = templates::postgres(&server, &mut admin).await;
    let name = new_name();
    templates::run(&mut admin, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    format!("{server}/{name}")
}

fn new_name() -> String {
    format!("test_{}", uuid::Uuid::new_v4().simple())
}

/// The throwaway Postgres: its address without a database, and a way in.
async fn server() -> (String, PgConnection) {
    let server = std::env::var(POSTGRES_VARIABLE)
        .unwrap_or_else(|_| panic!("{POSTGRES_VARIABLE} is not set; run the tests with `cargo xtask test`"));
    let admin = PgConnection::connect(&format!("{server}/postgres")).await.expect("the throwaway Postgres");
    (server, admin)
}

/// Runs one statement as nobody's transition would.
pub async fn execute(url: &str, statement: &'static str) {
    if url.starts_with("sqlite") {
        let mut link = sqlx::SqliteConnection::connect(url).await.expect("a connection");
        link.execute(statement).await.expect("done");
    } else {
        let mut link = PgConnection::connect(url).await.expect("a connection");
        link.execute(statement).await.expect("done");
    }
}

/// The text that a question finds, if it finds a row.
pub async fn text_of(url: &str, question: &'static str) -> Option<String> {
    if url.starts_with("sqlite") {
        let mut link = sqlx::SqliteConnection::connect(url).await.expect("a connection");
        link.fetch_optional(question).await.expect("an answer").map(|row| row.get(0))
    } else {
        let mut link = PgConnection::connect(url).await.expect("a connection");
        link.fetch_optional(question).await.expect("an answer").map(|row| row.get(0))
    }
}
