//! Many contacts in little time: those that were imported stand there again and again, with other
//! keys. Their indexes are made anew, as it is quicker so.

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
    run(insert(&series.replace("{}", &(times - 1).to_string()), &columns, "random()", "n")).await;
    for sql in made_by.into_iter().chain(counts(times)) {
        run(sql).await;
    }
    link.close().await.expect("closed");
}

async fn postgres(url: &str, times: usize) {
    let mut link = PgConnection::connect(url).await.expect("a connection");
    let mut run = async |sql: String| {
        let rows = sqlx::raw_sql(AssertSqlSafe(sql.clone())).fetch_all(&mut link).await;
        rows.unwrap_or_else(|error| panic!("{sql}: {error}")).iter().map(|row| row.get(0)).collect::<Vec<String>>()
    };
    run("SET synchronous_commit = off".to_owned()).await;
    run("SET maintenance_work_mem = '400MB'".to_owned()).await;
    let of_contacts = "FROM pg_indexes WHERE tablename = 'contacts' AND indexname <> 'contacts_pkey'";
    let indexes = run(format!("SELECT indexname::text {of_contacts}")).await;
    let made_by = run(format!("SELECT indexdef {of_contacts}")).await;
    let columns = "SELECT column_name::text FROM information_schema.columns WHERE table_name = 'contacts'";
    let columns = run(columns.to_owned()).await;
    for index in indexes {
        run(format!("DROP INDEX {index}")).await;
    }
    let key = "(random() * 9000000000000000000)::bigint";
    run(insert("INSERT", &columns, key, &format!("generate_series(1, {}) AS n(k)", times - 1))).await;
    for sql in made_by.into_iter().chain(counts(times)).chain(["ANALYZE contacts".to_owned()]) {
        run(sql).await;
    }
    link.close().await.expect("closed");
}

/// The statement that writes everybody again, once for each `k`.
fn insert(begin: &str, columns: &[String], key: &str, series: &str) -> String {
    let all = "(SELECT max(id) FROM contacts)";
    let value = |column: &String| match column.as_str() {
        "id" | "row_number" | "line" => format!("c.{column} + k * {all}"),
        "external_id" => "NULL".to_owned(),
        "number_key" => key.to_owned(),
        _ => format!("c.{column}"),
    };
    let values: Vec<String> = columns.iter().map(value).collect();
    format!("{begin} INTO contacts ({}) SELECT {} FROM contacts c, {series}", columns.join(", "), values.join(", "))
}

/// What is counted of them.
fn counts(times: usize) -> [String; 2] {
    [
        format!("UPDATE run_counts SET n = n * {times} WHERE name = 'contact:waiting'"),
        format!("UPDATE buckets SET waiting = waiting * {times}"),
    ]
}
