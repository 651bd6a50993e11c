//! Databases that are made once and copied for each test: migrations cost more than most tests.

use std::path::{Path, PathBuf};

use ringfence_store::{Database, Location};
use sqlx::{Connection, Executor, PgConnection, SqliteConnection};
use tempfile::TempDir;

/// A copy has an identity of its own, as a new database has.
const FORGET: &str = "DELETE FROM installation";
/// Held on the server while a template is made. Any number will do that nobody else holds.
const MAKING: &str = "SELECT pg_advisory_lock(8155001)";

/// Copies the SQLite template to `target`, and makes the template when it is missing.
pub(crate) async fn copy_sqlite(target: &Path) {
    let template = std::env::temp_dir().join(format!("{}.db", name("sqlite")));
    if !template.exists() {
        make_sqlite(&template).await;
    }
    std::fs::copy(&template, target).expect("a copy of the template");
}

/// Two that make it at once both succeed: the file appears whole.
async fn make_sqlite(template: &Path) {
    let folder = TempDir::new().expect("a temporary folder");
    let path = folder.path().join("new.db");
    migrate(&format!("sqlite://{}", path.display())).await;
    let mut link = SqliteConnection::connect(&path.display().to_string()).await.expect("the template");
    link.execute(FORGET).await.expect("no identity");
    link.close().await.expect("its log is in the file");
    let whole = template.with_extension(uuid::Uuid::new_v4().simple().to_string());
    std::fs::copy(&path, &whole).expect("a template");
    std::fs::rename(&whole, template).expect("a template under its name");
}

/// The name of a Postgres database on `server` that others are copied from; it is made when it is
/// missing.
pub(crate) async fn postgres(server: &str, admin: &mut PgConnection) -> String {
    let template = name("postgres");
    if is_made(&template, admin).await {
        return template;
    }
    admin.execute(MAKING).await.expect("nobody else makes it");
    if !is_made(&template, admin).await {
        let new = format!("new_{}", uuid::Uuid::new_v4().simple());
        run(admin, format!("CREATE DATABASE {new}")).await;
        let url = format!("{server}/{new}");
        migrate(&url).await;
        let mut link = PgConnection::connect(&url).await.expect("the template");
        link.execute(FORGET).await.expect("no identity");
        link.close().await.expect("closed");
        // Nobody may be connected to what is copied.
        run(admin, format!("ALTER DATABASE {new} ALLOW_CONNECTIONS false")).await;
        run(admin, format!("ALTER DATABASE {new} RENAME TO {template}")).await;
    }
    admin.execute("SELECT pg_advisory_unlock_all()").await.expect("unlocked");
    template
}

/// Runs a statement that has a name in it.
pub(crate) async fn run(admin: &mut PgConnection, statement: String) {
    let done = admin.execute(sqlx::AssertSqlSafe(statement.clone())).await;
    done.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

async fn is_made(template: &str, admin: &mut PgConnection) -> bool {
    let found = sqlx::query("SELECT 1 FROM pg_database WHERE datname = $1").bind(template).fetch_optional(admin);
    found.await.expect("an answer").is_some()
}

async fn migrate(url: &str) {
    let location = Location::parse(url, Path::new("/")).expect("an address");
    Database::open(&location, true).await.expect("a new database").close().await;
}

/// What a template of these migrations is called: other migrations make another one.
fn name(dialect: &str) -> String {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(dialect);
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("the migrations").map(|entry| entry.expect("a file").path()).collect();
    files.sort();
    let mut hasher = DefaultHasher::new();
    for file in files {
        (file.file_name(), std::fs::read(&file).expect("a migration")).hash(&mut hasher);
    }
    format!("ringfence_template_{:016x}", hasher.finish())
}
