//! The two files that make the tables say the same, each in the words of its database.

use std::collections::BTreeSet;

use ringfence_tests::TestDatabase;
use sqlx::{Connection, PgConnection, Row, SqliteConnection};

/// What a database says of itself, one line for each column, key and index.
type Lines = BTreeSet<String>;

async fn sqlite() -> Lines {
    let database = TestDatabase::sqlite().await;
    let mut link = SqliteConnection::connect(&database.url).await.expect("a connection");
    let mut lines = Lines::new();
    let columns = "SELECT m.name AS t, p.name AS c, p.type AS k, p.\"notnull\" = 1 OR p.pk > 0 AS filled, \
                   coalesce(p.dflt_value, '-') AS usual FROM sqlite_master m JOIN pragma_table_info(m.name) p \
                   WHERE m.type IN ('table', 'view') AND m.name <> 'ringfence_migrations' AND substr(m.name, 1, 7) <> 'sqlite_'";
    for row in sqlx::query(columns).fetch_all(&mut link).await.expect("columns") {
        let (table, column, kind): (String, String, String) = (row.get("t"), row.get("c"), row.get("k"));
        lines.insert(column_line(&table, &column, &kind, row.get("filled"), row.get("usual")));
    }
    let keys = "SELECT m.name AS t, group_concat(x.name, ', ') AS columns FROM sqlite_master m \
                JOIN pragma_index_list(m.name) l JOIN pragma_index_info(l.name) x WHERE l.origin IN ('u', 'pk') \
                AND m.name <> 'ringfence_migrations' GROUP BY m.name, l.name";
    for row in sqlx::query(keys).fetch_all(&mut link).await.expect("keys") {
        lines.insert(format!("key {} ({})", row.get::<String, _>("t"), row.get::<String, _>("columns")));
    }
    // A key of one whole number is the row's own number and has no index.
    let numbers = "SELECT m.name AS t, p.name AS c FROM sqlite_master m JOIN pragma_table_info(m.name) p \
                   WHERE m.type = 'table' AND p.pk = 1 AND m.name <> 'ringfence_migrations' AND substr(m.name, 1, 7) <> 'sqlite_' \
                   AND NOT EXISTS (SELECT 1 FROM pragma_index_list(m.name) l WHERE l.origin = 'pk')";
    for row in sqlx::query(numbers).fetch_all(&mut link).await.expect("keys") {
        lines.insert(format!("key {} ({})", row.get::<String, _>("t"), row.get::<String, _>("c")));
    }
    for row in sqlx::query("SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        .fetch_all(&mut link)
        .await
        .expect("indexes")
    {
        lines.insert(index_line(row.get("sql")));
    }
    lines
}

async fn postgres() -> Lines {
    let database = TestDatabase::postgres().await;
    let mut link = PgConnection::connect(&database.url).await.expect("a connection");
    let mut lines = Lines::new();
    let columns = "SELECT table_name::text AS t, column_name::text AS c, data_type::text AS k, is_nullable = 'NO' AS filled, \
                   coalesce(column_default, '-')::text AS usual FROM information_schema.columns \
                   WHERE table_schema = 'public' AND table_name <> 'ringfence_migrations'";
    for row in sqlx::query(columns).fetch_all(&mut link).await.expect("columns") {
        let (table, column, kind): (String, String, String) = (row.get("t"), row.get("c"), row.get("k"));
        lines.insert(column_line(&table, &column, &kind, row.get("filled"), row.get("usual")));
    }
    let keys = "SELECT t.relname::text AS t, string_agg(a.attname, ', ' ORDER BY k.place) AS columns FROM pg_constraint c \
                JOIN pg_class t ON t.oid = c.conrelid CROSS JOIN unnest(c.conkey) WITH ORDINALITY AS k(number, place) \
                JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number \
                WHERE c.contype IN ('u', 'p') AND t.relnamespace = 'public'::regnamespace AND t.relname <> 'ringfence_migrations' GROUP BY t.relname, c.oid";
    for row in sqlx::query(keys).fetch_all(&mut link).await.expect("keys") {
        lines.insert(format!("key {} ({})", row.get::<String, _>("t"), row.get::<String, _>("columns")));
    }
    let indexes = "SELECT indexdef FROM pg_indexes i WHERE schemaname = 'public' AND NOT EXISTS \
                   (SELECT 1 FROM pg_constraint c WHERE c.conname = i.indexname)";
    for row in sqlx::query(indexes).fetch_all(&mut link).await.expect("indexes") {
        lines.insert(index_line(row.get("indexdef")));
    }
    lines
}

fn column_line(table: &str, column: &str, kind: &str, filled: bool, usual: &str) -> String {
    let kind = match kind {
        // SQLite names no type of what a view reckons.
        "INTEGER" | "" | "bigint" | "smallint" | "boolean" => "number",
        "TEXT" | "text" | "jsonb" => "text",
        other => other,
    };
    let usual = usual.split("::").next().unwrap_or_default();
    let usual = if usual == "false" { "0" } else { usual };
    format!("column {table}.{column}: {kind}, {}, {usual}", if filled { "never null" } else { "may be null" })
}

fn index_line(text: &str) -> String {
    let mut text = text.replace("public.", "").replace("USING btree ", "").replace("::text", "");
    text.retain(|character| !matches!(character, '(' | ')' | '"'));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What must hold of a row: each table's checks and foreign keys, and the transitions that a
/// trigger lets pass.
fn rules(file: &str) -> Lines {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations").join(file);
    let text = std::fs::read_to_string(path).expect("the schema");
    let code: Vec<&str> = text.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    let code = code.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    let mut lines = Lines::new();
    for statement in code.split(';') {
        let words: Vec<&str> = statement.split_whitespace().take(3).collect();
        if let ["CREATE", "TABLE" | "TRIGGER", name] = words[..] {
            for (at, _) in statement.match_indices("CHECK (") {
                let check = balanced(&statement[at + "CHECK ".len()..]);
                if !check.ends_with("IN (0, 1))") {
                    lines.insert(format!("{name}: {check}"));
                }
            }
            for (at, _) in statement.match_indices("REFERENCES ") {
                let target: Vec<&str> = statement[at..].split([' ', ',']).skip(1).take(2).collect();
                lines.insert(format!("{name}: to {}", target.join(" ")));
            }
            let arrows = statement.split('\'').filter(|text| text.contains('>') && !text.contains(' '));
            lines.extend(arrows.map(|arrow| format!("{name}: {arrow}")));
        }
    }
    lines
}

/// The text up to the bracket that closes its first.
fn balanced(text: &str) -> &str {
    let mut depth = 0_i32;
    for (at, character) in text.char_indices() {
        depth += i32::from(character == '(') - i32::from(character == ')');
        if depth == 0 {
            return &text[..=at];
        }
    }
    text
}

#[tokio::test]
async fn tables_columns_keys_and_indexes_are_the_same() {
    let (sqlite, postgres) = (sqlite().await, postgres().await);
    assert!(sqlite.len() > 200, "{}", sqlite.len());
    let only = |these: &Lines, those: &Lines| these.difference(those).cloned().collect::<Vec<_>>();
    assert_eq!(only(&sqlite, &postgres), only(&postgres, &sqlite), "left: only SQLite, right: only Postgres");
}

#[test]
fn so_are_the_checks_and_the_transitions() {
    let (sqlite, postgres) = (rules("sqlite/0001_initial_schema.sql"), rules("postgres/0001_initial_schema.sql"));
    assert!(sqlite.len() > 60, "{}", sqlite.len());
    let only = |these: &Lines, those: &Lines| these.difference(those).cloned().collect::<Vec<_>>();
    assert_eq!(only(&sqlite, &postgres), only(&postgres, &sqlite), "left: only SQLite, right: only Postgres");
}
