//! What each kind of provider asks of a lane's section and of a campaign file.

use std::path::Path;

use ringfence_domain::Campaign;
use ringfence_intake::{Config, Mistakes, campaign};
use ringfence_samples::noon;
use ringfence_samples::vendors::all as vendors;

use crate::assert_told;

const CONFIG: &str = r#"
[provider.twenty2]
kind = "twenty2"
workspace_id = "w"
api_key = { env = "K" }
api_secret = { env = "K" }
[provider.unleashx]
kind = "unleashx"
token = { env = "K" }
[provider.iqra]
kind = "iqra"
business_id = "42"
api_key = { env = "K" }
[provider.iqra-config]
kind = "iqra"
business_id = "42"
api_key = { env = "K" }
dialect = "config"
[provider.knovvu]
kind = "knovvu"
base_url = "https://va.example"
project = "p"
access_token = { env = "K" }
orchestrator_url = "https://o.example"
[provider.knovvu-scenario]
kind = "knovvu"
base_url = "https://va.example"
project = "p"
access_token = { env = "K" }
orchestrator_url = "https://o.example"
scenario_path = "scenarios/a.xml"
"#;

fn config(text: &str) -> Result<Config, Mistakes> {
    Config::parse(Path::new("/srv/ringfence.toml"), text, &vendors(), &|_| Some("k".to_owned()))
}

fn read(provider: &str, keys: &str) -> Result<Campaign, Mistakes> {
    let text = format!("name = \"spring\"\nprovider = \"{provider}\"\n{keys}\n[contacts]\nphone = \"mobile\"\n");
    // Keys after a section belong to it: sections of the case come last.
    let text = match keys.split_once("\n[") {
        Some((top, sections)) => format!(
            "name = \"spring\"\nprovider = \"{provider}\"\n{top}\n[contacts]\nphone = \"mobile\"\n[{sections}\n"
        ),
        None => text,
    };
    campaign::parse(Path::new("/srv/spring.toml"), &text, &config(CONFIG).expect("fine"), noon())
}

#[test]
fn each_kind_says_what_a_campaign_lacks_and_where() {
    for (provider, keys, place, says) in [
        ("twenty2", "caller_ids = [\"9876500000\"]", "1:1", "`agent` is missing"),
        ("twenty2", "agent = \"\"\ncaller_ids = [\"9876500000\"]", "3:9", "`agent` is empty"),
        ("twenty2", "agent = \"a\"", "1:1", "`caller_ids` is missing"),
        (
            "twenty2",
            "agent = \"a\"\ncaller_ids = [\"9876500000\"]\n[metadata]\na = \"b\"",
            "7:2",
            "twenty2 has no place for metadata",
        ),
        ("twenty2", "agent = \"a\"\ncaller_ids = [\"200\"]", "4:15", "numbers of ten digits"),
        ("twenty2", "agent = \"a\"\ncaller_ids = [\n\"9876500000\",\n\"1800 123 4567\"]", "6:1", "this one has 11"),
        ("twenty2", "agent = \"a\"\ncaller_ids = [\"+44 20 7946 0018\"]", "4:15", "numbers of IN only"),
        ("twenty2", "agent = \"a\"\ncaller_ids = [\"-9876500000\"]", "4:15", "below zero"),
        ("unleashx", "", "1:1", "`agent` is missing"),
        ("unleashx", "agent = \"abc\"", "3:9", "agents are whole numbers there"),
        ("unleashx", "agent = \"1\"\ncaller_ids = [\"1\"]", "4:14", "leave caller_ids out"),
        ("unleashx", "agent = \"1\"\n[vendor]\nreference = \"ref\"", "7:1", "not a known key"),
        ("iqra", "caller_ids = [\"1\"]", "1:1", "write the AgentId"),
        ("iqra", "agent = \"a\"", "1:1", "NumberId"),
        ("iqra", "agent = \"a\"\ncaller_ids = [\"1\"]\n[vendor]\nmax_wait = \"soon\"", "8:12", "soon"),
        ("iqra-config", "", "1:1", "`campaign_id` is missing"),
        ("iqra-config", "\n[vendor]\ncampaign_id = \"c\"\nmax_wait = \"2h\"", "8:12", "too long for a call to wait"),
        (
            "knovvu-scenario",
            "caller_ids = [\"200\"]\n[variables]\n_Destination = \"112\"",
            "6:1",
            "filled by the dialer itself",
        ),
        ("unleashx", "agent = \"1\"\n[variables]\ncity = \"a\"\n[metadata]\ncity = \"b\"", "8:1", "takes as one"),
        ("iqra-config", "\n[vendor]\ncampaign_id = \"\"", "7:15", "empty"),
        ("knovvu", "caller_ids = [\"200\"]", "1:1", "path of the scenario"),
        ("knovvu", "agent = \"a\"", "1:1", "the number to show"),
        (
            "knovvu-scenario",
            "caller_ids = [\"200\"]\n[vendor]\nend_user = { nmae = \"x\" }",
            "7:14",
            "did you mean `name`?",
        ),
        (
            "knovvu-scenario",
            "caller_ids = [\"200\"]\n[vendor]\nsend_result_immediately = \"yes\"",
            "7:27",
            "true or false",
        ),
        ("knovvu-scenario", "caller_ids = [\"200\"]\n[vendor]\nend_user = \"x\"", "7:12", "must be a section"),
    ] {
        assert_told(&read(provider, keys).expect_err(keys), &format!("spring.toml:{place}:"), says);
    }
}

#[test]
fn what_each_kind_needs_is_enough() {
    for (provider, keys) in [
        ("twenty2", "agent = \"a\"\ncaller_ids = [\"+91 98765 00000\"]\n[vendor]\nreference = \"ref\""),
        ("unleashx", "agent = \"123\"\n[metadata]\ncrm = \"{id}\""),
        ("iqra", "agent = \"a\"\ncaller_ids = [\"1\"]\n[vendor]\nmax_wait = \"90s\""),
        ("iqra-config", "\n[vendor]\ncampaign_id = \"c\""),
        ("knovvu", "agent = \"scenarios/b.xml\"\ncaller_ids = [\"200\"]"),
        (
            "knovvu-scenario",
            "caller_ids = [\"200\"]\n[vendor]\nlocale = \"tr-TR\"\nend_user = { name = \"{name}\", email = \"{mail}\" }\nsend_result_immediately = true",
        ),
    ] {
        let rules = read(provider, keys).unwrap_or_else(|mistakes| panic!("{provider}: {mistakes}"));
        // The form with every default filled in, and the database, give the same rules again.
        let shown = toml::to_string(&ringfence_intake::keys::form(&rules)).expect("a file");
        let again = campaign::parse(Path::new("/srv/spring.toml"), &shown, &config(CONFIG).expect("fine"), noon());
        assert_eq!(again.unwrap_or_else(|mistakes| panic!("{provider}: {mistakes}\n{shown}")), rules, "{provider}");
        let stored = serde_json::to_string(&rules).expect("JSON");
        assert_eq!(serde_json::from_str::<Campaign>(&stored).expect("read back"), rules, "{provider}");
    }
}

#[test]
fn columns_that_only_metadata_and_vendor_settings_take_are_asked_of_the_file() {
    let rules = read("unleashx", "agent = \"1\"\n[metadata]\ncrm = \"{customer_id}\"").expect("fine");
    assert!(rules.columns().any(|column| column == "customer_id"));
    let rules = read("knovvu-scenario", "caller_ids = [\"2\"]\n[vendor]\nend_user = { name = \"{full_name}\" }");
    assert!(rules.expect("fine").columns().any(|column| column == "full_name"));
}

#[test]
fn each_kind_says_what_a_lane_lacks() {
    for (from, to, says) in [
        ("token = { env = \"K\" }", "", "provider.unleashx.token"),
        (
            "token = { env = \"K\" }",
            "token = { env = \"K\" }\nauth_header = \"bearer\"",
            "none of token, api_access_token",
        ),
        ("dialect = \"config\"", "dialect = \"soap\"", "none of docs, config"),
        ("base_url = \"https://va.example\"", "", "`provider.knovvu.base_url` is missing"),
        ("base_url = \"https://va.example\"", "base_url = \"http://va.example\"", "unencrypted"),
        ("project = \"p\"", "project = \"p\"\ncountry = \"Turkey\"", "not a two-letter country code"),
        ("project = \"p\"", "project = \"p\"\nproject_header = \"yes\"", "none of value, empty, omit"),
        ("scenario_path = \"scenarios/a.xml\"", "scenario_path = \"\"", "`scenario_path` is empty"),
        ("project = \"p\"", "project = \"p\"\nnumber_format = \"+\"", "none of e164"),
        (
            "orchestrator_url = \"https://o.example\"\n[provider.knovvu-scenario]",
            "[provider.knovvu-scenario]",
            "orchestrator_url",
        ),
    ] {
        assert_told(&config(&CONFIG.replacen(from, to, 1)).expect_err(to), "ringfence.toml:", says);
    }
}

#[test]
fn where_http_is_served_and_reached_is_read() {
    let read = |text: &str| config(&format!("{CONFIG}\n[http]\n{text}"));
    let http = read("listen = \"0.0.0.0:8080\"\npublic_url = \"https://dialer.example.com/\"").expect("fine").http;
    assert_eq!(http.public_url.as_deref(), Some("https://dialer.example.com"));
    assert_eq!(http.listen.map(|listen| listen.port()), Some(8080));
    assert_eq!(config(CONFIG).expect("fine").http, ringfence_intake::Http::default());
    for (text, says) in [
        ("listen = \"8080\"", "not an address to listen on"),
        ("public_url = \"http://dialer.example.com\"", "unencrypted"),
        ("public_url = \"dialer.example.com\"", "not an address"),
        ("port = 80", "not a known key"),
    ] {
        assert_told(&read(text).expect_err(text), "ringfence.toml:", says);
    }
}

#[test]
fn an_agent_may_be_written_as_the_number_that_it_is() {
    assert_eq!(read("unleashx", "agent = 123").expect("fine").agent, "123");
}

#[test]
fn a_secret_that_was_written_down_is_not_shown() {
    for (from, to, says) in [
        ("token = { env = \"K\" }", "token = \"s3cret-value\"", "write token = { env"),
        ("token = { env = \"K\" }", "token = { value = \"s3cret-value\" }", "not a known key"),
        (
            "kind = \"unleashx\"\ntoken = { env = \"K\" }",
            "kind = \"x\"\ntoken = \"s3cret-value\"",
            "not a kind of provider",
        ),
    ] {
        let mistakes = config(&CONFIG.replacen(from, to, 1)).expect_err("refused");
        assert_told(&mistakes, "ringfence.toml:", says);
        assert!(!format!("{mistakes:?}").contains("s3cret"), "{mistakes:?}");
    }
}

#[test]
fn a_zone_that_is_none_is_told_at_its_place() {
    let text = CONFIG.replacen("token = {", "created_at_timezone = \"Asia/Calcuta\"\ntoken = {", 1);
    assert_told(&config(&text).expect_err("refused"), "ringfence.toml:9:23:", "Asia/Calcutta");
}
