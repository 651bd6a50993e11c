//! Many contacts in little time, and many calls: those that were imported, or made, stand there again and again, with
//! other keys. Their indexes are made anew, as it is quicker so.

use ringfence_store::Location;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};

/// Makes `times` contacts of each one of the only campaign.
pub(crate) async fn multiply(location: &Location, times: usize) {
    match location {
        Location::Sqlite(path) => sqlite(&format!("sqlite://{}", path.display()), times).await,
        Location::Postgres(url) => postgres(url, times).await,
    }
}

async fn sqlite(url: &str, times: usize) {
    let mut link = SqliteConnection::connect(url).await.expect("a connection");
    let mut run = async |sql: String| {
        let rows = sqlx::raw_sql(AssertSqlSafe(sql.clone())).fetch_all(&mut link).await;
        rows.unwrap_or_else(|error| panic!("{sql}: {error}")).iter().map(|row| row.get(0)).collect::<Vec<String>>()
    };
    run("PRAGMA synchronous = OFF".to_owned()).await;
    run("PRAGMA cache_size = -500000".to_owned()).await;
    let of_contacts = "FROM sqlite_master WHERE type = 'index' AND tbl_name = 'contacts' AND sql IS NOT NULL";
    let indexes = run(format!("SELECT name {of_contacts}")).await;
    let made_by = run(format!("SELECT sql {of_contacts}")).await;
    let columns = run("SELECT name FROM pragma_table_info('contacts')".to_owned()).await;
    for index in indexes {
        run(format!("DROP INDEX {index}")).await;
    }
    let series = "WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < {}) INSERT";
    let begin = series.replace("{}", &(times - 1).to_string());
    run(insert(&begin, "contacts", &columns, |column| another_contact(column, "random()"), "n")).await;
    for sql in made_by.into_iter().chain(counts(times)) {
        run(sql).await;
    }
    link.close().await.expect("closed");
}

async fn postgres(url: &str, times: usize) {
    let key = "(random() * 9000000000000000000)::bigint";
    let mut server = Server::begin(url).await;
    server.multiply("contacts", times, |column| another_contact(column, key)).await;
    for sql in counts(times) {
        server.run(sql).await;
    }
    server.run("ANALYZE contacts".to_owned()).await;
}

/// Makes `times` calls of each one that is over, on Postgres, each to a person of its own.
pub(crate) async fn calls(url: &str, times: usize) {
    let mut server = Server::begin(url).await;
    // Triggers let no attempt begin that is over.
    server.run("SET session_replication_role = replica".to_owned()).await;
    let (people, calls) = (server.last_of("contacts").await, server.last_of("attempts").await);
    let key = || Some("hashint8extended(t.number_key, k)".to_owned());
    let moved = |column: &str, by: i64| Some(format!("t.{column} + k * {by}"));
    let contact = |column: &str| match column {
        "number_key" => key(),
        "last_attempt" => moved(column, calls),
        _ => another_contact(column, "0"),
    };
    server.multiply("contacts", times, contact).await;
    let attempt = |column: &str| match column {
        "id" => moved(column, calls),
        "contact_id" => moved(column, people),
        "number_key" => key(),
        // A day apart, so that few are of these days.
        "opened_at" | "sending_at" | "placed_at" | "ended_at" => moved(column, -86_400_000),
        "reference" | "call_id" => Some(format!("t.{column} || '-' || k")),
        _ => None,
    };
    server.multiply("attempts", times, attempt).await;
    let call = |column: &str| match column {
        "attempt_id" => moved(column, calls),
        "call_id" => Some("t.call_id || '-' || k".to_owned()),
        _ => None,
    };
    server.multiply("calls", times, call).await;
    for table in ["contacts", "attempts"] {
        server.run(format!("SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id))::text FROM {table}")).await;
    }
    server.run(format!("UPDATE run_counts SET n = n * {times}")).await;
    server.run(OWNERS.to_owned()).await;
    for table in ["contacts", "attempts", "calls", "number_owners"] {
        server.run(format!("VACUUM ANALYZE {table}")).await;
    }
    server.run("CHECKPOINT".to_owned()).await;
}

/// A connection to Postgres on which much is written.
struct Server(PgConnection);

impl Server {
    async fn begin(url: &str) -> Self {
        let mut server = Self(PgConnection::connect(url).await.expect("a connection"));
        server.run("SET synchronous_commit = off".to_owned()).await;
        server.run("SET maintenance_work_mem = '400MB'".to_owned()).await;
        server
    }

    /// Runs a statement. Returns the first column of its rows.
    async fn run(&mut self, sql: String) -> Vec<String> {
        let rows = sqlx::raw_sql(AssertSqlSafe(sql.clone())).fetch_all(&mut self.0).await;
        rows.unwrap_or_else(|error| panic!("{sql}: {error}")).iter().map(|row| row.get(0)).collect()
    }

    async fn last_of(&mut self, table: &str) -> i64 {
        self.run(format!("SELECT max(id)::text FROM {table}")).await[0].parse().expect("a number")
    }

    /// Makes `times` rows of each one of a table. Its indexes but the key are away meanwhile.
    async fn multiply(&mut self, table: &str, times: usize, other: impl Fn(&str) -> Option<String>) {
        let of = format!("FROM pg_indexes WHERE tablename = '{table}' AND indexname <> '{table}_pkey'");
        let indexes = self.run(format!("SELECT indexname::text {of}")).await;
        let made_by = self.run(format!("SELECT indexdef {of}")).await;
        let columns = "SELECT column_name::text FROM information_schema.columns WHERE table_name =";
        let columns = self.run(format!("{columns} '{table}' ORDER BY ordinal_position")).await;
        for index in indexes {
            self.run(format!("DROP INDEX {index}")).await;
        }
        if columns.iter().any(|column| column == "id") {
            // Their ids are given.
            self.run(format!("ALTER TABLE {table} ALTER COLUMN id SET GENERATED BY DEFAULT")).await;
        }
        let series = format!("generate_series(1, {}) AS n(k)", times - 1);
        self.run(insert("INSERT", table, &columns, other, &series)).await;
        for sql in made_by {
            self.run(sql).await;
        }
    }
}

/// What a contact's column is of the `k`th of everybody, if it is not the same.
fn another_contact(column: &str, key: &str) -> Option<String> {
    match column {
        "id" | "row_number" | "line" => Some(format!("t.{column} + k * (SELECT max(id) FROM contacts)")),
        "external_id" => Some("NULL".to_owned()),
        "number_key" => Some(key.to_owned()),
        _ => None,
    }
}

/// The statement that writes every row of a table again, once for each `k`.
fn insert(
    begin: &str,
    table: &str,
    columns: &[String],
    other: impl Fn(&str) -> Option<String>,
    series: &str,
) -> String {
    let value = |column: &String| other(column).unwrap_or_else(|| format!("t.{column}"));
    let values: Vec<String> = columns.iter().map(value).collect();
    format!("{begin} INTO {table} ({}) SELECT {} FROM {table} t, {series}", columns.join(", "), values.join(", "))
}

/// Enters whose the numbers of contacts are.
const OWNERS: &str = "INSERT INTO number_owners (number_key, run_id, contact_id) SELECT number_key, run_id, id \
     FROM contacts WHERE true ORDER BY number_key, run_id ON CONFLICT DO NOTHING";

/// Whose their numbers are, and what is counted of them.
fn counts(times: usize) -> [String; 3] {
    [
        OWNERS.to_owned(),
        format!("UPDATE run_counts SET n = n * {times} WHERE name = 'contact:waiting'"),
        format!("UPDATE buckets SET waiting = waiting * {times}"),
    ]
}
