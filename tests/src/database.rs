//! One empty database for each test.

use std::path::Path;
use std::sync::Arc;

use ringfence_store::{Database, Location};
use sqlx::{Connection, Executor, PgConnection};
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

    /// A SQLite file of its own, and from now on timers that wait for nothing but each other: statements take no
    /// virtual time.
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

    /// A second, independent way into the same database, as another process would have.
    pub async fn another(&self) -> Database {
        let location = Location::parse(&self.url, Path::new("/")).expect("an address");
        Database::open(&location, false).await.expect("the same database")
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
