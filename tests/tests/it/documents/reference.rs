//! The pages of `docs/reference` are made from the code. After a change that is meant:
//! `UPDATE=1 cargo xtask test -E 'test(/reference/)'`, and look at what changed.

use std::collections::BTreeSet;
use std::path::Path;

use ringfence_intake::contacts::{ContactFile, REJECT_CODES, RejectedRow};
use ringfence_tests::TestDatabase;
use serde_json::Value;

use crate::system::printed::help;

/// Holds a page against what the code says.
fn hold(page: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference").join(page);
    let text = format!("{}\n", text.trim_end());
    if std::env::var_os("UPDATE").is_some() {
        return std::fs::write(&path, text).expect("written");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "docs/reference/{page} is not what the code says: UPDATE=1 cargo xtask test -E 'test(/reference/)'"
    );
}

/// A cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

#[tokio::test]
async fn commands_of_the_reference() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut page = "# Commands\n\nWhat `--help` says of each.\n".to_owned();
    for command in crate::system::help::commands(folder.path()).await {
        let help = help(folder.path(), &[&command]).await;
        page.push_str(&format!("\n## ringfence {command}\n\n```text\n{}\n```\n", help.trim()));
    }
    hold("commands.md", &page);
}

#[test]
fn exit_codes_of_the_reference() {
    let mut page = "# Exit codes\n\n| code | means |\n|---|---|\n".to_owned();
    for (code, means) in ringfence::failure::EXIT_CODES {
        page.push_str(&format!("| {code} | {means} |\n"));
    }
    hold("exit_codes.md", &page);
}

/// The keys of a schema, one row each, under the names of their tables. `of`: whose they are.
fn keys(schema: &Value, table: &str, of: &str, page: &mut String) {
    let Some(all) = schema["properties"].as_object() else { return };
    let (tables, plain): (Vec<_>, Vec<_>) = all.iter().partition(|(_, value)| value["properties"].is_object());
    if !plain.is_empty() {
        let heading = if table.is_empty() { "At the top".to_owned() } else { format!("`[{table}]`{of}") };
        page.push_str(&format!("\n## {heading}\n\n| key | takes | default | says |\n|---|---|---|---|\n"));
    }
    for (name, value) in plain {
        let default = match &value["default"] {
            Value::Null => String::new(),
            default => format!("`{}`", cell(&default.to_string())),
        };
        let says = value["description"].as_str().unwrap_or_default();
        page.push_str(&format!("| `{name}` | {} | {default} | {} |\n", cell(&takes(value)), cell(says)));
    }
    for (name, value) in tables {
        keys(value, format!("{table}.{name}").trim_start_matches('.'), of, page);
    }
}

/// What a key takes, in words.
fn takes(value: &Value) -> String {
    if let Some(words) = value["enum"].as_array() {
        return words
            .iter()
            .map(|word| format!("`{}`", word.as_str().unwrap_or_default()))
            .collect::<Vec<_>>()
            .join(", ");
    }
    for either in ["anyOf", "oneOf"] {
        if let Some(forms) = value[either].as_array() {
            let forms: BTreeSet<String> = forms.iter().map(takes).collect();
            return forms.into_iter().collect::<Vec<_>>().join(", or ");
        }
    }
    let kinds = match &value["type"] {
        Value::String(kind) => vec![kind.as_str()],
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let word = |kind: &str| match kind {
        "string" => "text".to_owned(),
        "integer" => "a whole number".to_owned(),
        "number" => "a number".to_owned(),
        "boolean" => "true or false".to_owned(),
        "array" => format!("a list of {}", takes(&value["items"])),
        _ => "a table".to_owned(),
    };
    let mut text = kinds.into_iter().map(word).collect::<Vec<_>>().join(" or ");
    if let Some(examples) = value["examples"].as_array() {
        let shown = examples.iter().take(3).map(|example| format!("`{}`", example.as_str().unwrap_or_default()));
        text.push_str(&format!(": {}", shown.collect::<Vec<_>>().join(", ")));
    }
    text
}

fn schema(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas").join(format!("{name}.schema.json"));
    serde_json::from_str(&std::fs::read_to_string(path).expect("a schema")).expect("JSON")
}

/// The line by which editors complete and check a file.
fn editors(name: &str) -> String {
    format!(
        "Editors that know JSON schemas (Even Better TOML, taplo) complete and check it by `{name}.schema.json`. `ringfence init` \
         writes it into `.ringfence/` beside the campaign, and its path into the first line: \
         `#:schema .ringfence/{name}.schema.json`. The project has it in `schemas/`.\n"
    )
}

#[test]
fn configuration_of_the_reference() {
    let schema = schema("ringfence");
    let mut page = format!("# ringfence.toml\n\n{}", editors("ringfence"));
    let mut top = schema.clone();
    for part in ["provider", "webhook"] {
        top["properties"].as_object_mut().expect("keys").remove(part);
    }
    keys(&top, "", "", &mut page);
    keys(&schema["properties"]["webhook"]["items"], "[webhook]", "", &mut page);
    for lane in schema["properties"]["provider"]["additionalProperties"]["oneOf"].as_array().expect("lanes") {
        let kind = &lane["properties"]["kind"];
        let kind = kind["const"].as_str().or(kind["enum"][0].as_str()).expect("a kind");
        keys(lane, "provider.NAME", &format!(" of kind `{kind}`"), &mut page);
    }
    hold("configuration.md", &page);
}

#[test]
fn campaign_files_of_the_reference() {
    let mut page = format!("# Campaign files\n\n{}", editors("campaign"));
    keys(&schema("campaign"), "", "", &mut page);
    hold("campaign.md", &page);
}

#[tokio::test]
async fn http_of_the_reference() {
    let database = TestDatabase::sqlite().await;
    let server =
        ringfence_tests::web::server(database.store.clone(), std::sync::Arc::new(ringfence_sandbox::MachineClock));
    let document = server.openapi().clone();
    let mut page = "# HTTP API\n\nWhat `/api/openapi.json` says; [the guide](../api.md) drives a campaign with it.\n\n\
                    | request | does | scope |\n|---|---|---|\n"
        .to_owned();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let says = operation["summary"].as_str().or(operation["description"].as_str()).unwrap_or_default();
            let scopes = ["viewer", "operator", "admin"];
            let description = operation["description"].as_str().unwrap_or_default();
            let scope = scopes.into_iter().find(|scope| description.contains(&format!("`{scope}`"))).unwrap_or("none");
            page.push_str(&format!("| `{} {path}` | {} | {scope} |\n", method.to_uppercase(), cell(says)));
        }
    }
    hold("http.md", &page);
}

#[tokio::test]
async fn metrics_of_the_reference() {
    let database = TestDatabase::sqlite().await;
    let (own, _) = crate::http::metrics::scene(&database.store).await;
    let told = crate::http::metrics::scrape(&own).await;
    let mut page = "# Metrics\n\nWhat `/metrics` tells, in the words of the program. What is true of the rows is told by the process that \
                    owns the lane, once.\n\n| metric | kind | says |\n|---|---|---|\n"
        .to_owned();
    let lines = |what: &str| -> Vec<(String, String)> {
        let lines = told.lines().filter_map(|line| line.strip_prefix(&format!("# {what} "))?.split_once(' '));
        lines.map(|(name, text)| (name.to_owned(), text.to_owned())).collect()
    };
    let says = lines("HELP");
    for (name, kind) in lines("TYPE") {
        let says = says
            .iter()
            .find(|(other, _)| *other == name)
            .map(|(_, says)| says.trim_end_matches('.'))
            .unwrap_or_default();
        page.push_str(&format!("| `{name}` | {kind} | {} |\n", cell(says)));
    }
    hold("metrics.md", &page);
}

/// Rows of a list, and why each is not taken in by a campaign whose people live in `country`.
fn rejected(rows: &[u8], country: &str) -> Vec<RejectedRow> {
    let folder = tempfile::tempdir().expect("a folder");
    let list = folder.path().join("list.csv");
    std::fs::write(&list, rows).expect("written");
    let text = format!(
        "name = \"c\"\nprovider = \"main\"\nagent = \"a\"\ncaller_ids = [\"9876500000\"]\n[contacts]\nphone = \"phone\"\n\
         {country}\ntimezone = \"tz\"\n[variables]\nname = \"{{name}}\"\n"
    );
    let config = ringfence_tests::web::config(folder.path());
    let campaign =
        ringfence_intake::campaign::parse(&folder.path().join("c.toml"), &text, &config, ringfence_samples::noon());
    let campaign = campaign.unwrap_or_else(|faults| panic!("{faults:?}"));
    let client = ringfence_providers::HttpTransport::new(None).expect("a client");
    // It calls numbers of India only.
    let provider = ringfence_tests::vendors::twenty2(&ringfence_samples::lane_settings("main"), "national", client);
    let mut file = ContactFile::open(&list, &campaign, Box::new(|number| provider.can_call(number))).expect("a list");
    let rows = std::iter::from_fn(|| file.next_row().expect("a row"));
    rows.map(|row| row.expect_err("each has its fault")).collect()
}

#[test]
fn rejects_of_the_reference() {
    let mut page = "# Why a row is not taken in\n\n`ringfence rejects CAMPAIGN` has the rows with their line and reason; `--json` and the API count them by \
                    code. Mend them and import them again.\n\n| code | for example |\n|---|---|\n"
        .to_owned();
    let mut codes = BTreeSet::new();
    let at_home = rejected(AT_HOME, "country = \"IN\"\ncountries = [\"IN\", \"GB\"]");
    for row in at_home.into_iter().chain(rejected(ANYWHERE, "")) {
        if codes.insert(row.code) {
            page.push_str(&format!("| `{}` | {} |\n", row.code, cell(&row.reason)));
        }
    }
    assert_eq!(codes, BTreeSet::from(REJECT_CODES), "each has an example");
    hold("rejects.md", &page);
}

/// Rows of a campaign whose numbers are of India or the United Kingdom.
const AT_HOME: &[u8] = b"\
name,phone,tz
Asha,,
Asha,020 7946 0000 ext 12,
Asha,letters,
Asha,12,
Asha,+910000000000,
Asha,9.70002E+11,
Asha,-9820012345,
Asha,+12025550123,
Asha,+449098790123,
Asha,9820012345,Nowhere
,9820012345,
Asha,9820012345,,one too many,
As\xe9ha,9820012345,
";

/// Rows of a campaign that does not say where its people live.
const ANYWHERE: &[u8] = b"\
name,phone,tz
Asha,9820012345,
Asha,+1,
Asha,+447911123456,
";
