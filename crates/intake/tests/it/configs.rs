//! `ringfence.toml`

use std::path::Path;

use ringfence_intake::{Config, Mistakes};
use ringfence_samples::vendors::all as vendors;
use secrecy::ExposeSecret;

fn parse(text: &str) -> Result<Config, Mistakes> {
    let environment = |name: &str| (name == "KEY").then(|| "s3cret-value".to_owned());
    Config::parse(Path::new("/srv/dialer/ringfence.toml"), text, &vendors(), &environment)
}

const LANE: &str = r#"
[database]
url = "sqlite://ringfence.db"

[provider.main]
kind = "twenty2"
workspace_id = "w"
api_key = { env = "KEY" }
api_secret = { env = "KEY" }
"#;

#[test]
fn a_lane_has_its_vendors_defaults() {
    let config = parse(LANE).expect("fine");
    let lane = &config.lanes["main"].setup;
    assert_eq!(lane.base_url, "https://api.twentytwo.in/api");
    assert_eq!(lane.settings.limits.calls.to_string(), "1/s");
    assert_eq!(lane.settings.limits.requests.to_string(), "60/min");
    assert_eq!(lane.settings.limits.concurrent, 3);
    assert_eq!(lane.settings.hours.as_ref().map(ToString::to_string).as_deref(), Some("09:00-21:00"));
    assert_eq!(lane.values["agent_field"], "agent_id");
    let elsewhere =
        parse(&LANE.replace("workspace_id", "base_url = \"http://127.0.0.1:1/api\"\nworkspace_id")).expect("fine");
    assert_eq!(elsewhere.lanes["main"].setup.settings.hours, None, "no vendor hours at another address");
}

#[test]
fn secrets_do_not_print() {
    let shown = format!("{:?}", parse(LANE).expect("fine"));
    assert!(!shown.contains("s3cret-value"), "{shown}");
}

#[test]
fn every_mistake_is_told_at_its_line_and_column_with_its_mend() {
    for (from, to, place, says) in [
        ("kind = \"twenty2\"", "kind = \"twenty3\"", "6:8", "did you mean `twenty2`?"),
        ("workspace_id = \"w\"", "", "5:11", "`provider.main.workspace_id` is missing"),
        ("env = \"KEY\" }\napi_secret", "env = \"NO_KEY\" }\napi_secret", "8:19", "export NO_KEY=… before starting"),
        ("{ env = \"KEY\" }\napi_secret", "\"plain\"\napi_secret", "8:11", "must name where the secret is"),
        ("[provider.main]", "[provider.main]\nbase_url = \"http://vendor.example/api\"", "6:12", "unencrypted"),
        ("[provider.main]", "[provider.main]\nlimits = { calls = \"0/s\" }", "6:20", "never dial"),
        ("[provider.main]", "[provider.main]\nlimits = { concurrent = 0 }", "6:25", "from 1"),
        ("[provider.main]", "[provider.main]\nhours = \"21:00-09:00\"", "6:10", "21:00-33:00"),
        ("[provider.main]", "[provider.main]\ntimezone = \"Asia/Bombay\"", "6:12", "not a time zone"),
        ("[provider.main]", "[provider.main]\nagent_feild = \"x\"", "6:1", "did you mean `provider.main.agent_field`?"),
        ("[provider.main]", "[provider.main]\nstatus_map = { \"gone\" = \"vanished\" }", "6:25", "none of answered"),
        ("[database]", "[databse]", "2:2", "`databse` is not a known key"),
        ("[database]", "[[database]", "2:", ""),
    ] {
        let text = LANE.replacen(from, to, 1);
        let lines = parse(&text).expect_err(to).lines();
        let hit = lines.iter().any(|line| {
            line.contains(&format!("ringfence.toml:{place}"))
                && line.contains(
                    says.trim_end_matches('?').trim_start_matches("did you mean `provider.main.").trim_end_matches('`'),
                )
        });
        assert!(hit, "{to}: wanted {place} {says}, got {lines:#?}");
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = LANE.replace("workspace_id = \"w\"", "workspace = 5\nlimits = { calls = \"fast\" }\nhours = \"9-21\"");
    assert_eq!(parse(&text).expect_err("wrong").list().len(), 4);
}

#[test]
fn a_secret_file_must_be_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::TempDir::new().expect("a folder");
    let secret = folder.path().join("key");
    std::fs::write(&secret, "from a file\n").expect("written");
    let text = LANE.replace("api_key = { env = \"KEY\" }", "api_key = { file = \"key\" }");
    let read = || {
        let environment = |_: &str| Some("x".to_owned());
        Config::parse(&folder.path().join("ringfence.toml"), &text, &vendors(), &environment)
    };
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o644)).expect("set");
    assert!(read().expect_err("readable by all").lines()[0].contains("chmod 600"));
    std::fs::set_permissions(&secret, std::fs::Permissions::from_mode(0o600)).expect("set");
    assert_eq!(read().expect("fine").lanes["main"].setup.secrets["api_key"].expose_secret(), "from a file");
}
