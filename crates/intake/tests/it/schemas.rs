//! The schemas for editors allow what the readers allow.

use std::path::{Path, PathBuf};

use ringfence_intake::keys::schema;
use ringfence_samples::vendors::all as vendors;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn schemas() -> [(&'static str, Value); 2] {
    // Simulated vendors are for trying things out, and are shown by their samples.
    let vendors = vendors();
    [("campaign", schema::campaign(&vendors)), ("ringfence", schema::config(&vendors))]
}

/// What a schema has against a file, if anything.
fn objections(schema: &Value, text: &str) -> Vec<String> {
    let table: toml::Table = text.parse().expect("TOML");
    let instance = serde_json::to_value(table).expect("JSON");
    let validator = jsonschema::validator_for(schema).expect("a schema");
    validator.iter_errors(&instance).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn the_schemas_that_are_published_are_those_of_the_code() {
    for (name, schema) in schemas() {
        let path = root().join(format!("schemas/{name}.schema.json"));
        let made = format!("{schema:#}\n");
        if std::env::var_os("UPDATE").is_some() {
            std::fs::create_dir_all(root().join("schemas")).expect("a folder");
            std::fs::write(&path, made).expect("written");
            continue;
        }
        let published = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(published == made, "make {} anew: UPDATE=1 cargo xtask test schemas", path.display());
    }
}

#[test]
fn every_sample_passes() {
    let [(_, campaign), (_, config)] = schemas();
    let mut seen = 0;
    for folder in ["campaigns", "campaigns/vendors"] {
        for entry in std::fs::read_dir(root().join(folder)).expect("samples").flatten() {
            let path = entry.path();
            if path.extension().is_none_or(|end| end != "toml") {
                continue;
            }
            let schema = if path.ends_with("ringfence.toml") { &config } else { &campaign };
            let text = std::fs::read_to_string(&path).expect("a sample");
            assert_eq!(objections(schema, &text), [""; 0], "{}", path.display());
            seen += 1;
        }
    }
    assert!(seen > 4, "{seen} samples");
}

#[test]
fn a_campaign_that_uses_every_section_passes() {
    let [(_, campaign), _] = schemas();
    let text = r#"
name = "spring"
provider = "main"
agent = 12
caller_ids = "9876500000"
priority = 1
contacts = { phones = ["mobile", "home"], country = "IN", countries = "IN", allow = ["premium"], optional = ["name"] }
variables = { name = "{name|customer}" }
vendor = { reference = "ref" }
calling = { hours = "Mo-Sa 09:00-21:00", timezone = "Asia/Kolkata", holidays = "IN", closed = ["2026-11-08"], guard = "60s" }
limits = { calls = "1/s", per_number = ["3/day", "7/7d"], cool_off = { after_answered = "7d" } }
retry = { busy = "15m", no_answer = ["1h", "4h"], rejected = "never", jitter = "0%" }
results = { reached = { outcome = ["answered"], min_seconds = 10 }, opt_out = { when = { opted_out = true } } }
callback = { from = "at", when = { wanted = ["yes", "sure"] } }
on_unknown = { policy = "assume-placed" }
schedule = { cron = "0 9 * * *", starts = "2026-11-01" }
safety = { canary = 10, max_rejected = "5%" }
"#;
    assert_eq!(objections(&campaign, text), [""; 0]);
}

#[test]
fn slips_are_found_in_the_editor_already() {
    let [(_, campaign), (_, config)] = schemas();
    let rest = "name = \"a\"\nprovider = \"main\"\ncontacts = { phone = \"mobile\" }\n";
    for slip in [
        "caler_ids = [\"1\"]",
        "priority = 10",
        "limits = { concurrent = \"3\" }",
        "retry = { buzy = \"15m\" }",
        "on_unknown = { policy = \"ask\" }",
        "safety = { canary = 0 }",
    ] {
        assert!(!objections(&campaign, &format!("{rest}{slip}")).is_empty(), "{slip}");
    }
    assert!(!objections(&campaign, "name = \"a\"\nprovider = \"main\"\ncontacts = {}").is_empty(), "no column");
    for slip in [
        "[provider.main]\nkind = \"twentytwo\"",
        "[provider.main]\nkind = \"unleashx\"\ntoken = \"the secret itself\"",
        "[provider.main]\nkind = \"unleashx\"",
        "[databse]\nurl = \"sqlite://x\"",
    ] {
        assert!(!objections(&config, slip).is_empty(), "{slip}");
    }
}
