//! How SQLite carries out statements over many rows: lists of rows come first, and tables are
//! searched by key for each.

use std::path::{Path, PathBuf};

use sqlx::{Connection, PgConnection, Row as _, SqliteConnection};

use crate::session::Sql;
use crate::{
    Database, Location, attempts, campaigns, changes, contacts, dnc, events, imports, lanes, queues, reports,
    run_figures, run_hours,
};

/// The plan of a statement, line by line, in a database whose tables are said to be large.
async fn plan(link: &mut SqliteConnection, sql: &'static Sql) -> Vec<String> {
    let explain = format!("EXPLAIN QUERY PLAN {}", sql.on_sqlite(3).as_str());
    let rows = sqlx::query(sqlx::AssertSqlSafe(explain)).fetch_all(link).await.expect("a plan");
    rows.iter().map(|row| row.get::<String, _>("detail")).collect()
}

/// An empty SQLite database in a folder of its own; and where it is.
async fn empty() -> (PathBuf, String) {
    let folder = std::env::temp_dir().join(format!("plans-{}", uuid::Uuid::new_v4().simple()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join("plans.db");
    let database = Database::open(&Location::Sqlite(path.clone()), true).await.expect("a database");
    database.close().await;
    (folder, format!("sqlite://{}", path.display()))
}

/// What people look at, and how SQLite must find it.
const LOOKED_AT: &[(&Sql, &str)] = &[
    (&contacts::rows::BY_STATE, "SEARCH c USING INDEX contacts_state (run_id=? AND state=? AND id>?)"),
    (&contacts::rows::BY_OUTCOME, "SEARCH c USING INDEX contacts_outcome (run_id=? AND last_outcome=? AND id>?)"),
    (&changes::CONTACTS, "SEARCH c USING INDEX contacts_changes (run_id=? AND change_number>? AND change_number<?)"),
    (&changes::ATTEMPTS, "SEARCH a USING INDEX attempts_"),
    (&events::LATEST_WITH_CALLS, "SEARCH events USING INTEGER PRIMARY KEY (rowid<?)"),
    (&events::LATEST_CHANGES, "SEARCH events USING INDEX events_changes (id<?)"),
    (&events::LATEST_BY_PEOPLE, "SEARCH events USING INDEX events_changes (id<?)"),
    (&attempts::live::OUT, "SCAN attempts USING INDEX attempts_live_lane"),
    (&contacts::rows::NAMED, "SEARCH c USING INDEX contacts_external_id (external_id=? AND run_id=?)"),
    (&contacts::attempt_rows::OF_CONTACT, "SEARCH attempts USING INDEX attempts_number (number_key=?)"),
    (&attempts::review::LIST, "SCAN c USING INDEX contacts_in_review"),
    (&lanes::recent_calls::NEWEST, "SCAN attempts"),
    (&campaigns::runs::LAST_FINISHED, "SEARCH contacts USING INDEX contacts_changes (run_id=?)"),
    (&run_figures::BUCKETS, "SEARCH c USING COVERING INDEX contacts_due (bucket_id=? AND due_at"),
    (&run_hours::LAST, "SEARCH run_hours USING PRIMARY KEY (run_id=?)"),
    (&queues::WAITING, "SEARCH c USING COVERING INDEX contacts_due (bucket_id=? AND due_at"),
    (&reports::OF_ATTEMPTS, "SEARCH a USING INTEGER PRIMARY KEY (rowid=?)"),
    (&attempts::plan::DUE, "SEARCH c USING INDEX contacts_due (bucket_id=? AND due_at>? AND due_at<?)"),
    (&attempts::plan::HEAD, "SEARCH k USING COVERING INDEX contacts_due (bucket_id=? AND due_at>?)"),
    (&dnc::BY_LIST, "SEARCH o USING PRIMARY KEY (number_key=? AND run_id=?)"),
];

/// What a person looks at must not take longer with each contact.
#[tokio::test]
async fn lists_are_read_by_an_index_in_their_own_order() {
    let (folder, url) = empty().await;
    let mut link = SqliteConnection::connect(&url).await.expect("a connection");
    for (sql, search) in LOOKED_AT {
        let plan = plan(&mut link, sql).await;
        let table = &search[search.find(' ').expect("a word")..][..3];
        let tables: Vec<&String> = plan.iter().filter(|line| line.contains(table)).collect();
        assert!(tables.iter().all(|line| line.starts_with(search)) && !tables.is_empty(), "{search}: {plan:#?}");
    }
    std::fs::remove_dir_all(folder).expect("removed");
}

/// Tables that grow with the contacts.
const LARGE: [&str; 7] = ["contacts", "number_owners", "contact_numbers", "attempts", "events", "reports", "dnc"];

/// The same on Postgres, which would rather read a small table whole: where it may not, it must know
/// an index.
#[tokio::test]
async fn postgres_knows_an_index_for_each_list() {
    let server = std::env::var("RINGFENCE_TEST_POSTGRES").expect("a server; run the tests with `cargo xtask test`");
    let name = format!("plans_{}", uuid::Uuid::new_v4().simple());
    let mut admin = PgConnection::connect(&format!("{server}/postgres")).await.expect("a server");
    sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await.expect("made");
    let url = format!("{server}/{name}");
    let location = Location::parse(&url, Path::new("/")).expect("an address");
    Database::open(&location, true).await.expect("a database").close().await;
    let mut link = PgConnection::connect(&url).await.expect("a connection");
    sqlx::raw_sql("SET enable_seqscan = off; SET plan_cache_mode = force_generic_plan")
        .execute(&mut link)
        .await
        .expect("set");
    for (n, (sql, _)) in LOOKED_AT.iter().enumerate() {
        let plan = plan_on_postgres(&mut link, n, sql).await;
        let whole = |line: &&String| LARGE.iter().any(|table| line.contains(&format!("Seq Scan on {table} ")));
        assert_eq!(plan.iter().find(whole), None, "{}: {plan:#?}", sql.on_postgres().as_str());
        // Before the head of a bucket are only those who have left. While somebody else reads for long, Postgres would
        // pass all of them each time.
        let is_from_head = plan.iter().any(|line| line.contains("Index Cond") && line.contains("ROW("));
        assert!(is_from_head || !sql.on_postgres().as_str().contains("next_contact"), "{plan:#?}");
    }
}

/// The plan of a statement on Postgres, whatever its parameters are, line by line.
async fn plan_on_postgres(link: &mut PgConnection, n: usize, sql: &'static Sql) -> Vec<String> {
    let text = sql.on_postgres();
    let text = text.as_str();
    let is_named = |n: &usize| text.contains(&format!("${n}"));
    let last = (1..=9).rev().find(is_named).unwrap_or_default();
    // A parameter that is only asked whether it is there says nothing of its type.
    let is_text = |n: usize| text.contains(&format!("${n} = ''")) || text.contains(&format!("${n} IS NULL"));
    let type_of = |n: usize| match n {
        _ if is_text(n) => "text",
        _ if is_named(&n) => "unknown",
        _ => "bigint",
    };
    let types: Vec<&str> = (1..=last).map(type_of).collect();
    let list = |words: Vec<&str>| if last == 0 { String::new() } else { format!("({})", words.join(", ")) };
    let (types, nulls) = (list(types), list(vec!["NULL"; last]));
    let prepare = format!("PREPARE looked_at_{n}{types} AS {text}");
    sqlx::raw_sql(sqlx::AssertSqlSafe(prepare)).execute(&mut *link).await.expect("prepared");
    let explain = format!("EXPLAIN EXECUTE looked_at_{n}{nulls}");
    let rows = sqlx::raw_sql(sqlx::AssertSqlSafe(explain)).fetch_all(link).await.expect("a plan");
    rows.iter().map(|row| row.get(0)).collect()
}

#[tokio::test]
async fn new_data_of_known_contacts_is_read_by_key() {
    let (folder, url) = empty().await;
    for said in [
        // Nothing is known; a large table; one that looked small when it was looked at last.
        "SELECT 1",
        "ANALYZE; DELETE FROM sqlite_stat1; INSERT INTO sqlite_stat1 VALUES ('import_matches', 'import_matches', '80000 80000 1'), \
         ('contacts', 'contacts_due', '80000 80000 80000 1'), ('buckets', 'sqlite_autoindex_buckets_1', '500 500 2 2 1')",
        "ANALYZE; DELETE FROM sqlite_stat1; INSERT INTO sqlite_stat1 VALUES ('import_matches', 'import_matches', '1 1 1'), \
         ('contacts', 'contacts_due', '1 1 1 1'), ('buckets', 'sqlite_autoindex_buckets_1', '1 1 1 1 1')",
    ] {
        let mut link = SqliteConnection::connect(&url).await.expect("a connection");
        sqlx::raw_sql(said).execute(&mut link).await.expect("said");
        link.close().await.expect("closed");
        let mut link = SqliteConnection::connect(&url).await.expect("a connection");
        let matched = plan(&mut link, &imports::changes::MATCHED).await;
        assert!(matched[0].ends_with("VALUES CLAUSE"), "{matched:?}");
        assert!(matched[1].starts_with("SEARCH m USING PRIMARY KEY (import_id=? AND contact_id=?)"), "{matched:?}");
        let next = plan(&mut link, &imports::changes::NEXT).await;
        assert!(next[0].starts_with("SEARCH m USING PRIMARY KEY (import_id=? AND contact_id>?)"), "{next:?}");
        assert!(next[1..].iter().all(|line| line.contains("USING INTEGER PRIMARY KEY (rowid=?)")), "{next:?}");
    }
    std::fs::remove_dir_all(folder).expect("removed");
}

/// In a plain join SQLite may go through the list once for each row of the table, and 20,000 rows
/// then take a minute. `CROSS JOIN` after the list keeps the order. Source:
/// https://www.sqlite.org/optoverview.html, section 8.2
#[test]
fn no_list_of_rows_stands_behind_a_table() {
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    let mut all = Vec::new();
    while let Some(folder) = folders.pop() {
        let paths = std::fs::read_dir(folder).expect("the sources").map(|file| file.expect("a file").path());
        let (more, files): (Vec<_>, Vec<_>) = paths.partition(|path| path.is_dir());
        folders.extend(more);
        all.extend(files);
    }
    assert!(all.len() > 50, "{} sources were found", all.len());
    for path in all {
        let text = std::fs::read_to_string(&path).expect("a source");
        let words: Vec<&str> = text.split_whitespace().collect();
        let behind = words.windows(2).filter(|pair| pair[0].ends_with(r#"JOIN""#) && pair[1] == "rows");
        assert_eq!(behind.count(), 0, "{}: write FROM rows (…) CROSS JOIN table WHERE …", path.display());
    }
}
