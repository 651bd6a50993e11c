//! The texts of statements that are not sent as they are written: those that take rows, in both
//! dialects, and those that change rows of SQLite. Each is made once.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::rows::room;
use super::statement::RowsSql;

/// A statement of SQLite that binds its rows, with room for as many as these. Their values are the
/// first arguments; `$2` and so on follow them.
pub(crate) fn on_sqlite(sql: &'static RowsSql, rows: usize) -> SqlStr {
    let room = room(rows);
    made((std::ptr::from_ref(sql) as usize, room), || {
        let named: Vec<String> =
            sql.columns.iter().zip(1..).map(|((name, _), n)| format!("column{n} AS {name}")).collect();
        let row = format!("({})", vec!["?"; sql.columns.len()].join(","));
        // The first value of each row is its key. Parameters without a name are found at once.
        let table = format!(
            "(SELECT {} FROM (VALUES {}) WHERE column1 IS NOT NULL) AS u",
            named.join(", "),
            vec![row; room].join(",")
        );
        or_fail(&around(sql, &table, room * sql.columns.len()))
    })
}

/// The same on Postgres, for any number of rows. Their columns are the first arguments.
pub(crate) fn on_postgres(sql: &'static RowsSql) -> SqlStr {
    made((std::ptr::from_ref(sql) as usize, 0), || {
        let array = |((_, kind), n): (&(&str, &str), usize)| match *kind {
            "jsonb" => format!("${n}::text[]::jsonb[]"),
            kind => format!("${n}::{kind}[]"),
        };
        let arrays: Vec<String> = sql.columns.iter().zip(1..).map(array).collect();
        let names: Vec<&str> = sql.columns.iter().map(|(name, _)| *name).collect();
        around(sql, &format!("unnest({}) AS u({})", arrays.join(", "), names.join(", ")), names.len())
    })
}

/// A statement of SQLite without rows.
pub(crate) fn plain_on_sqlite(sql: &'static str) -> SqlStr {
    // Those that insert without rows as an argument insert one or few.
    if sql.starts_with("UPDATE ") {
        made((sql.as_ptr() as usize, sql.len()), || or_fail(sql))
    } else {
        SqlStr::from_static(sql)
    }
}

/// How statements begin that may fail midway, and how they begin here.
const WRITING: [(&str, &str); 2] = [("INSERT INTO ", "INSERT OR FAIL INTO "), ("UPDATE ", "UPDATE OR FAIL ")];

/// A statement that leaves what it did when it fails midway: its transaction is rolled back in any
/// case. To take back the statement alone, SQLite would keep in memory all pages that it changes, as
/// they were: a megabyte for a contact that has so much data. It still does so for foreign keys and
/// for `ON CONFLICT DO UPDATE`, which have no such words. Sources:
/// <https://www.sqlite.org/tempfiles.html#statement_journal_files>,
/// <https://www.sqlite.org/lang_conflict.html>
fn or_fail(sql: &str) -> String {
    let writing = WRITING.iter().find_map(|(begin, with)| Some(format!("{with}{}", sql.strip_prefix(begin)?)));
    writing.unwrap_or_else(|| sql.to_owned())
}

/// Puts a table between the sides of a statement. The table takes the first `parameters`.
fn around(sql: &RowsSql, table: &str, parameters: usize) -> String {
    format!("{} {table} {}", moved(sql.head, parameters - 1), moved(sql.tail, parameters - 1))
}

/// Returns the text that was made of a statement, or makes it. The key is its address, and for how
/// many rows it is or how long.
fn made(key: (usize, usize), make: impl FnOnce() -> String) -> SqlStr {
    type Made = HashMap<(usize, usize), Arc<str>>;
    static MADE: LazyLock<Mutex<Made>> = LazyLock::new(Mutex::default);

    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let text = made.entry(key).or_insert_with(|| make().into()).clone();
    AssertSqlSafe(text).into_sql_str()
}

/// `$2` and so on as many places later.
fn moved(sql: &str, by: usize) -> String {
    let mut parts = sql.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let end = part.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(part.len());
        let place: usize = part[..end].parse().expect("a parameter has a number");
        text.push_str(&format!("${}{}", place + by, &part[end..]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_has_room_for_a_power_of_four() {
        static SQL: RowsSql =
            RowsSql { head: "SELECT u.a FROM", tail: "WHERE u.b = $2", columns: &[("a", "bigint"), ("b", "jsonb")] };
        assert_eq!(
            on_sqlite(&SQL, 2).as_str(),
            "SELECT u.a FROM (SELECT column1 AS a, column2 AS b FROM (VALUES (?,?),(?,?),(?,?),(?,?)) \
              WHERE column1 IS NOT NULL) AS u WHERE u.b = $9"
        );
        assert_eq!(
            on_postgres(&SQL).as_str(),
            "SELECT u.a FROM unnest($1::bigint[], $2::text[]::jsonb[]) AS u(a, b) WHERE u.b = $3"
        );
    }

    #[test]
    fn on_sqlite_a_statement_leaves_what_it_did_when_it_fails() {
        static SQL: RowsSql =
            RowsSql { head: "INSERT INTO t (a) SELECT u.a FROM", tail: "WHERE true", columns: &[("a", "bigint")] };
        assert_eq!(
            on_sqlite(&SQL, 1).as_str(),
            "INSERT OR FAIL INTO t (a) SELECT u.a FROM (SELECT column1 AS a FROM (VALUES (?)) \
             WHERE column1 IS NOT NULL) AS u WHERE true"
        );
        for (sql, sent) in [
            ("UPDATE t SET a = $1", "UPDATE OR FAIL t SET a = $1"),
            ("INSERT INTO t (a) VALUES ($1)", "INSERT INTO t (a) VALUES ($1)"),
            ("DELETE FROM t", "DELETE FROM t"),
            ("SELECT a FROM t", "SELECT a FROM t"),
        ] {
            assert_eq!(plain_on_sqlite(sql).as_str(), sent);
        }
    }
}
