//! Rows of every table that grows, and a way into a database that holds them.

use std::path::{Path, PathBuf};

use sqlx::{AssertSqlSafe, Connection, PgConnection, SqliteConnection};

use crate::{Database, Location};

/// How many rows each large table gets.
const ROWS: u32 = 200_000;

/// The tables that grow with contacts, calls and time. Whatever is read of them must be found by a
/// key.
pub(super) const LARGE: [&str; 13] = [
    "contacts",
    "number_owners",
    "contact_numbers",
    "attempts",
    "calls",
    "events",
    "reports",
    "dnc",
    "rejects",
    "import_matches",
    "webhook_messages",
    "run_hours",
    "idempotency_keys",
];

/// What makes the rows, in words of both databases; `n` is 1, 2, 3, …
const FILL: [(&str, &str); 13] = [
    (
        "contacts (run_id, bucket_id, import_id, row_number, line, number, number_key, state, due_at, last_outcome, \
         change_number, fields)",
        "n % 4, n % 50, n % 4, n, n, '+919876500000', n * 7919, CASE n % 2 WHEN 0 THEN 'waiting' ELSE 'active' END, n, \
         CASE n % 3 WHEN 0 THEN 'busy' WHEN 1 THEN 'no_answer' END, n / 100, '{}'",
    ),
    ("number_owners (number_key, run_id, contact_id)", "n * 7919, n % 4, n"),
    ("contact_numbers (contact_id, position, number_key, number)", "n, 0, n * 7919, '+919876500000'"),
    (
        "attempts (reference, contact_id, run_id, lane_id, number_key, epoch, revision, state, live, class, opened_at, dial_after, \
         dial_before, sending_at, ended_at, outcome, change_number)",
        "'r' || n, n, n % 4, n % 4, n * 7919, 1, 1, 'ended', 0 = 1, 'first', n, n, n, n, n, 'busy', n / 100",
    ),
    ("calls (lane_id, call_id, attempt_id)", "n % 4, 'call ' || n, n"),
    ("events (at, kind, run_id, of_call, who)", "n, 'call.placed', n % 4, 0 = 0, 'a process'"),
    ("reports (lane_id, digest, body, received_at, read_at, call_id)", "n % 4, 'd' || n, '{}', n, n, 'call ' || n"),
    ("dnc (number_key, campaign_id, list_id, number)", "n * 7919, 0, 1, '+919876500000'"),
    ("rejects (import_id, row_number, line, code, reason, record)", "0, n, n, 'a', 'b', '{}'"),
    ("import_matches (import_id, contact_id, row_number, line, change_bytes)", "n % 4, n, n, n, 0"),
    (
        "webhook_messages (webhook_id, event_id, kind, body, state, due_at)",
        "n % 4, n, 'call.placed', '{}', CASE n % 100 WHEN 0 THEN 'waiting' WHEN 1 THEN 'dead' ELSE 'delivered' END, n",
    ),
    ("run_hours (run_id, hour, calls, answered)", "n, n, 1, 1"),
    ("idempotency_keys (token_id, key, digest, begun_at, lease_until, worker)", "n % 4, 'k' || n, 'd', n, n, 'w'"),
];

/// A SQLite database in a folder of its own; and where it is.
pub(super) async fn sqlite() -> (PathBuf, SqliteConnection) {
    let folder = std::env::temp_dir().join(format!("plans-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("plans.db");
    let database = Database::open(&Location::Sqlite(path.clone()), true).await.expect("a database");
    database.close().await;
    let link = SqliteConnection::connect(&format!("sqlite://{}", path.display())).await.expect("a connection");
    (folder, link)
}

/// A database of its own on the throwaway Postgres; how to connect to it as Ringfence does.
pub(super) async fn postgres() -> PgConnection {
    let server = std::env::var("RINGFENCE_TEST_POSTGRES").expect("a server; run the tests with `cargo xtask test`");
    let name = format!("plans_{}", uuid::Uuid::new_v4().simple());
    let mut admin = PgConnection::connect(&format!("{server}/postgres")).await.expect("a server");
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await.expect("made");
    let url = format!("{server}/{name}");
    let location = Location::parse(&url, Path::new("/")).expect("an address");
    Database::open(&location, true).await.expect("a database").close().await;
    PgConnection::connect_with(&crate::database::postgres::options(&url).expect("an address")).await.expect("a way in")
}

pub(super) async fn fill_sqlite(link: &mut SqliteConnection) {
    run_on_sqlite(link, "DROP TRIGGER attempts_begin_open; PRAGMA foreign_keys = OFF").await;
    for (table, values) in FILL {
        let series = format!("WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {ROWS})");
        run_on_sqlite(link, &format!("INSERT INTO {table} {series} SELECT {values} FROM s")).await;
    }
}

pub(super) async fn run_on_sqlite(link: &mut SqliteConnection, sql: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(link).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

pub(super) async fn fill_postgres(link: &mut PgConnection) {
    // Without triggers: what has ended is entered as it is. And without a vacuum, which would make statistics.
    run_on_postgres(link, "SET session_replication_role = replica").await;
    // A busy machine takes more than a minute for these rows.
    run_on_postgres(link, "SET statement_timeout = 0").await;
    for (table, values) in FILL {
        let name = table.split(' ').next().unwrap_or_default();
        run_on_postgres(link, &format!("ALTER TABLE {name} SET (autovacuum_enabled = off)")).await;
        run_on_postgres(link, &format!("INSERT INTO {table} SELECT {values} FROM generate_series(1, {ROWS}) AS s(n)"))
            .await;
    }
}

pub(super) async fn run_on_postgres(link: &mut PgConnection, sql: &str) {
    let done = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(link).await;
    done.unwrap_or_else(|error| panic!("{sql}: {error}"));
}
