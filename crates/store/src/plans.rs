//! How SQLite carries out statements over many rows: lists of rows come first, and tables are
//! searched by key for each.

use std::path::{Path, PathBuf};

use sqlx::{Connection, Row as _, SqliteConnection};

use crate::session::Sql;
use crate::{Database, Location, attempts, changes, contacts, dnc, events, imports, lanes, queues, reports, run_hours};

/// The plan of a statement, line by line, in a database whose tables are said to be large.
async fn plan(link: &mut SqliteConnection, sql: &Sql) -> Vec<String> {
    let explain = format!("EXPLAIN QUERY PLAN {}", sql.sqlite);
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

/// What a person looks at must not take longer with each contact.
#[tokio::test]
async fn lists_are_read_by_an_index_in_their_own_order() {
    let (folder, url) = empty().await;
    let mut link = SqliteConnection::connect(&url).await.expect("a connection");
    for (sql, search) in [
        (&contacts::rows::BY_STATE, "SEARCH c USING INDEX contacts_state (run_id=? AND state=? AND id>?)"),
        (&contacts::rows::BY_OUTCOME, "SEARCH c USING INDEX contacts_outcome (run_id=? AND last_outcome=? AND id>?)"),
        (
            &changes::CONTACTS,
            "SEARCH c USING INDEX contacts_changes (run_id=? AND change_number>? AND change_number<?)",
        ),
        (
            &changes::ATTEMPTS,
            "SEARCH a USING COVERING INDEX attempts_changes (run_id=? AND change_number>? AND change_number<?)",
        ),
        (&events::LATEST_WITH_CALLS, "SEARCH events USING INTEGER PRIMARY KEY (rowid<?)"),
        (&events::LATEST_CHANGES, "SEARCH events USING INDEX events_changes (id<?)"),
        (&events::LATEST_BY_PEOPLE, "SEARCH events USING INDEX events_changes (id<?)"),
        (&attempts::live::OUT, "SCAN attempts USING INDEX attempts_live_lane"),
        (&contacts::rows::NAMED, "SEARCH c USING INDEX contacts_external_id (run_id=? AND external_id=?)"),
        (&contacts::attempt_rows::OF_CONTACT, "SEARCH attempts USING INDEX attempts_number (number_key=?)"),
        (&attempts::review::LIST, "SCAN c USING INDEX contacts_in_review"),
        (&lanes::recent_calls::NEWEST, "SCAN attempts"),
        (&run_hours::LAST, "SEARCH run_hours USING PRIMARY KEY (run_id=?)"),
        (&queues::WAITING, "SEARCH b USING INDEX sqlite_autoindex_buckets_1 (run_id=?)"),
        (&reports::OF_ATTEMPTS, "SEARCH a USING INTEGER PRIMARY KEY (rowid=?)"),
        (&dnc::BY_LIST, "SEARCH c USING INDEX contacts_number (run_id=? AND number_key=?)"),
    ] {
        let plan = plan(&mut link, sql).await;
        let table = &search[search.find(' ').expect("a word")..][..3];
        let tables: Vec<&String> = plan.iter().filter(|line| line.contains(table)).collect();
        assert!(tables.iter().all(|line| *line == search) && !tables.is_empty(), "{search}: {plan:#?}");
    }
    std::fs::remove_dir_all(folder).expect("removed");
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
        assert!(matched[0].starts_with("SCAN json_each"), "{matched:?}");
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
