//! No statement reads what it is not asked for, however many contacts, calls and events there are:
//! of every table that grows, rows are found by a key, or read in an index's order up to a limit.

use serde_json::Value;
use sqlx::types::Json;
use sqlx::{AssertSqlSafe, PgConnection, Row as _, SqliteConnection};

use super::many_rows::{LARGE, fill_postgres, fill_sqlite, postgres, run_on_postgres, run_on_sqlite, sqlite};
use crate::session::Written;

/// Columns of which a value is in few rows of a table.
const NARROW: [&str; 12] = [
    "rowid",
    "id",
    "contact_id",
    "attempt_id",
    "event_id",
    "row_number",
    "number_key",
    "external_id",
    "call_id",
    "digest",
    "reference",
    "key",
];

/// Indexes that hold few rows, however large their table is.
const FEW: [&str; 7] = [
    "attempts_live_contact",
    "attempts_live_number",
    "attempts_live_lane",
    "contacts_in_review",
    "reports_unread",
    "webhook_messages_due",
    "webhook_messages_dead",
];

/// What a plan reads of a large table.
#[derive(Debug)]
struct Reading {
    table: String,
    /// The index; none when the table is read from end to end.
    index: Option<String>,
    /// What the index is searched by.
    by: String,
    /// It ends after as many rows as were asked for.
    is_limited: bool,
}

impl Reading {
    fn is_bounded(&self) -> bool {
        let Some(index) = &self.index else { return false };
        // Few contacts wait for a person's decision.
        let is_review = self.by.contains("state = 'review'");
        is_review
            || NARROW.iter().any(|column| asks_for(&self.by, column))
            || FEW.contains(&index.as_str())
            || self.is_limited
    }
}

/// Whether a condition asks for single values of a column: `id = 1`, `(id=?)`, `id = ANY (…)`.
fn asks_for(condition: &str, column: &str) -> bool {
    condition.match_indices(column).any(|(at, _)| {
        let before = condition[..at].chars().next_back();
        let after = condition[at + column.len()..].trim_start_matches([' ', ')']);
        before.is_none_or(|letter| !letter.is_alphanumeric() && letter != '_') && after.starts_with('=')
    })
}

/// What grows all the same, by words of the statement, and why it may.
const MAY_GROW: [(&str, &str); 11] = [
    ("AS name, count(*) AS n FROM contacts WHERE run_id = $1", "`verify` counts afresh what is counted"),
    ("AS hidden FROM buckets b WHERE b.run_id = $1", "and so do its buckets"),
    ("AS active, (SELECT count(*) FROM contacts c", "and looks at everybody in a run"),
    ("FROM imports i JOIN buckets b ON b.run_id = i.run_id", "an import looks for who is missing, once"),
    ("DELETE FROM rejects WHERE import_id = $1", "an import begins again"),
    ("AS n FROM rejects WHERE import_id", "rejects of one import, by kind"),
    ("SELECT EXISTS (SELECT 1 FROM", "the first row is enough"),
    ("r.campaign_id = $1 AND r.id >= $2", "the first row of each run is enough"),
    ("INSERT INTO imports", "SQLite would look for rejects of an import that is replaced; none is"),
    ("INSERT INTO tokens", "SQLite would look for keys of a token that is replaced; none is"),
    ("FROM dnc d CROSS JOIN number_owners o", "only for a list that is short"),
];

/// The readings of a statement that may grow with the tables.
fn unbounded(written: &'static Written, readings: Vec<Reading>) -> Vec<String> {
    if MAY_GROW.iter().any(|(words, _)| written.sql.on_sqlite(3).as_str().contains(words)) {
        return Vec::new();
    }
    let grows = readings.into_iter().filter(|reading| !reading.is_bounded());
    let line = |Reading { table, index, by, .. }: Reading| {
        let index = index.unwrap_or_else(|| "nothing".to_owned());
        format!("{}: {table} by {index} ({by}: {}", written.place, written.sql.on_sqlite(3).as_str())
    };
    grows.map(line).collect()
}

async fn of_sqlite(link: &mut SqliteConnection, written: &'static Written) -> Vec<Reading> {
    let sql = written.sql.on_sqlite(3);
    let sql = sql.as_str();
    let explain = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"))).fetch_all(link).await;
    let rows = explain.unwrap_or_else(|error| panic!("{}: {error}", written.place));
    let lines: Vec<(i64, String)> = rows.iter().map(|row| (row.get("parent"), row.get("detail"))).collect();
    // What is sorted was read to its end before.
    let sorted: Vec<i64> =
        lines.iter().filter(|(_, line)| line.contains("TEMP B-TREE")).map(|(part, _)| *part).collect();
    let is_limited = |part| sql.contains("LIMIT") && !sorted.contains(part);
    lines.iter().filter_map(|(part, line)| sqlite_reading(sql, line, is_limited(part))).collect()
}

/// `SEARCH c USING INDEX contacts_due (bucket_id=? AND due_at<?)`, `SCAN c`.
fn sqlite_reading(sql: &str, line: &str, is_limited: bool) -> Option<Reading> {
    let rest = line.strip_prefix("SEARCH ").or_else(|| line.strip_prefix("SCAN "))?;
    let (name, how) = rest.split_once(' ').unwrap_or((rest, ""));
    let table = LARGE.iter().find(|table| **table == name || is_alias(sql, table, name))?;
    let index = how.split_once("INDEX ").map(|(_, index)| index.split(' ').next().unwrap_or_default());
    let key = (how.contains("PRIMARY KEY")).then_some("PRIMARY KEY");
    let by = how.split_once('(').map_or("", |(_, by)| by).to_owned();
    // The first or the last row of a table, by its id.
    let is_end = line.starts_with("SEARCH ") && how.is_empty();
    let key = key.or_else(|| (is_limited || is_end).then_some("the table's own order"));
    let is_limited = is_limited || is_end;
    Some(Reading { table: (*table).to_owned(), index: index.or(key).map(str::to_owned), by, is_limited })
}

/// Whether the statement calls the table so: `contacts c`, `contacts AS c`.
fn is_alias(sql: &str, table: &str, alias: &str) -> bool {
    let words: Vec<&str> = sql.split(|letter: char| !letter.is_alphanumeric() && letter != '_').collect();
    let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty() && *word != "AS").collect();
    words.windows(2).any(|pair| pair == [table, alias])
}

async fn of_postgres(link: &mut PgConnection, written: &'static Written) -> Vec<Reading> {
    let sql = written.sql.on_postgres();
    let text = sql.as_str();
    // Postgres tells the types of parameters, but for those that are only asked whether they are there.
    let mut types = Vec::new();
    while let Err(error) = prepare(link, written, &types).await {
        let message = error.to_string();
        let Some((_, place)) = message.split_once("data type of parameter $") else {
            // Numbers that are chosen from, before they are added to others.
            assert!(types.is_empty(), "{}: {error}", written.place);
            types = vec!["bigint"; (1..9).rfind(|n| text.contains(&format!("${n}"))).unwrap_or_default()];
            continue;
        };
        let digits = place.split(|letter: char| !letter.is_ascii_digit()).next().unwrap_or_default();
        let place: usize = digits.parse().expect("a place");
        types.resize(types.len().max(place), "unknown");
        types[place - 1] = "text";
    }
    let told = "SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = 'asked'";
    let types: Vec<String> = sqlx::query(told).fetch_one(&mut *link).await.expect("types").get(0);
    let values: Vec<&str> = types.iter().map(|kind| value_of(kind)).collect();
    let values = if values.is_empty() { String::new() } else { format!("({})", values.join(", ")) };
    let explain = AssertSqlSafe(format!("EXPLAIN (FORMAT JSON) EXECUTE asked{values}"));
    let explained = sqlx::raw_sql(explain).fetch_one(&mut *link).await;
    let Json(plan): Json<Value> = explained.unwrap_or_else(|error| panic!("{}: {error}", written.place)).get(0);
    run_on_postgres(link, "DEALLOCATE asked").await;
    let mut readings = Vec::new();
    walk(&plan[0]["Plan"], None, false, &mut readings);
    readings
}

async fn prepare(link: &mut PgConnection, written: &'static Written, types: &[&str]) -> Result<(), sqlx::Error> {
    let types = if types.is_empty() { String::new() } else { format!("({})", types.join(", ")) };
    let prepare = format!("PREPARE asked{types} AS {}", written.sql.on_postgres().as_str());
    sqlx::raw_sql(AssertSqlSafe(prepare)).execute(link).await.map(drop)
}

/// A list is as long as the longest that a statement is given.
fn value_of(kind: &str) -> &'static str {
    match kind {
        "bigint[]" => "array_fill(1::bigint, ARRAY[1000])",
        "text[]" => "array_fill('0'::text, ARRAY[1000])",
        "bigint" | "integer" | "numeric" => "1",
        "boolean" => "true",
        "json" | "jsonb" => "'[]'",
        _ => "'a'",
    }
}

/// Steps of a plan; `limited` when the step above ends early.
fn walk(step: &Value, heap: Option<&str>, limited: bool, readings: &mut Vec<Reading>) {
    let text = |key: &str| step[key].as_str();
    let kind = text("Node Type").unwrap_or_default();
    let table = text("Relation Name").or(heap);
    if let Some(table) = table.filter(|table| LARGE.contains(table)) {
        let by = text("Index Cond").unwrap_or_default().to_owned();
        let index = text("Index Name").map(str::to_owned);
        if kind != "Bitmap Heap Scan" && kind != "ModifyTable" && !kind.starts_with("Bitmap") || index.is_some() {
            readings.push(Reading { table: table.to_owned(), index, by, is_limited: limited });
        }
    }
    let limited = match kind {
        "Limit" => true,
        // All that comes in is read before the first row goes out.
        "Sort" | "Aggregate" | "Hash" | "Bitmap Heap Scan" | "Materialize" => false,
        _ => limited,
    };
    let heap = (kind == "Bitmap Heap Scan" || heap.is_some()).then_some(table).flatten();
    for below in step["Plans"].as_array().into_iter().flatten() {
        walk(below, heap, limited, readings);
    }
}

#[tokio::test]
async fn sqlite_finds_what_it_is_asked_for() {
    let all = inventory::iter::<Written>.into_iter().count();
    assert!(all > 200, "{all} statements");
    let (folder, mut link) = sqlite().await;
    for state in ["empty", "large", "looked at"] {
        match state {
            "large" => fill_sqlite(&mut link).await,
            "looked at" => run_on_sqlite(&mut link, "ANALYZE").await,
            _ => {}
        }
        let mut found = Vec::new();
        for written in inventory::iter::<Written> {
            found.extend(unbounded(written, of_sqlite(&mut link, written).await));
        }
        assert!(found.is_empty(), "{state}: {found:#?}");
    }
    std::fs::remove_dir_all(folder).expect("removed");
}

#[tokio::test]
async fn postgres_finds_what_it_is_asked_for() {
    let mut link = postgres().await;
    fill_postgres(&mut link).await;
    // Each time a statement is run it is planned anew: while the tables are small it does not matter how.
    for state in ["large", "looked at"] {
        if state == "looked at" {
            run_on_postgres(&mut link, "ANALYZE").await;
        }
        let mut found = Vec::new();
        for written in inventory::iter::<Written> {
            found.extend(unbounded(written, of_postgres(&mut link, written).await));
        }
        assert!(found.is_empty(), "{state}: {found:#?}");
    }
}
