//! Help pages as they stand, and which keys a program finds in each `--json` document. After a
//! change that is meant: `INSTA_UPDATE=always cargo xtask test printed`, and look at what changed
//! in `snapshots/`.

use std::path::Path;

use ringfence_tests::binary::{json, ringfence, text};
use serde_json::{Map, Value};
use tempfile::TempDir;

use super::help::{commands, project};

/// The help of a command, as wide as where nobody knows the terminal's width.
pub(crate) async fn help(folder: &Path, args: &[&str]) -> String {
    let mut command = ringfence(folder, args);
    let output = command.arg("--help").env("COLUMNS", "100").env_remove("RINGFENCE_HTTP_LISTEN").output().await;
    text(&output.expect("the binary starts"))
}

#[tokio::test]
async fn every_help_page_is_as_it_was_read() {
    let folder = TempDir::new().expect("a folder");
    let mut pages = help(folder.path(), &[]).await;
    for command in commands(folder.path()).await {
        pages.push_str(&format!("=== ringfence {command}\n\n{}", help(folder.path(), &[&command]).await));
    }
    insta::assert_snapshot!("help", pages);
}

/// The same document with the kind of each value instead of the value, and one row of each list.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => "nothing".into(),
        Value::Bool(_) => "yes or no".into(),
        Value::Number(_) => "a number".into(),
        Value::String(_) => "a text".into(),
        Value::Array(rows) => rows.first().map(shape).into_iter().collect(),
        Value::Object(keys) => {
            keys.iter().map(|(key, value)| (key.clone(), shape(value))).collect::<Map<_, _>>().into()
        }
    }
}

#[tokio::test]
async fn every_json_document_has_the_keys_that_programs_read() {
    let (folder, _vendor) = project().await;
    let mut shapes = Map::new();
    for line in [
        "check survey.toml",
        "status survey",
        "status --all",
        "why +919820012310 --campaign survey",
        "plan survey.toml",
        "campaigns",
        "imports survey",
        "contacts survey",
        "dnc add +919820012345 --reason mail",
        "dnc list",
        "review",
        "quarantine",
        "lanes",
        "hours 24/7 --timezone Asia/Kolkata --at 2026-11-20T15:29:00Z",
        "presets",
        "migrate",
    ] {
        let args: Vec<&str> = line.split(' ').chain(["--json"]).collect();
        shapes.insert(line.to_owned(), shape(&json(folder.path(), &args).await));
    }
    insta::assert_json_snapshot!("json", shapes);
}
