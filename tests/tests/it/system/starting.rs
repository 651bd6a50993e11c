//! The first ten minutes: `init`, `check --show-defaults`, `preview`, `test-call`.

use std::path::Path;

use ringfence_domain::{Outcome, Span};
use ringfence_sandbox::{Behaviour, Fault};
use ringfence_tests::binary::{Vendor, json, output, ringfence, text, write_project};
use ringfence_tests::{on_both_databases, sample};
use tempfile::TempDir;

fn quick() -> Behaviour {
    Behaviour {
        outcomes: vec![(Outcome::Answered, 1)],
        talk: Span::from_millis(100),
        ring: Span::from_millis(20),
        ..Behaviour::default()
    }
}

const CUSTOMERS: &str = "customer_id,Full Name,mobile,amount\nC1,Asha,'98200 12310,1200\nC2,Ravi,+91 98200-12311,900\n\
                         C3,Meera,9.82001E+11,400\nC4,Arjun,9820012312,50\n";

#[tokio::test]
async fn a_header_becomes_a_configuration_and_a_campaign_that_dials() {
    let folder = TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("My Customers.csv"), CUSTOMERS).expect("written");
    let init = ["init", "--kind", "sandbox", "--contacts", "My Customers.csv", "--json"];
    let wrote = json(folder.path(), &init).await;
    assert_eq!((&wrote["phone"], &wrote["country"]), (&"mobile".into(), &"IN".into()), "{wrote}");
    let campaign = std::fs::read_to_string(folder.path().join("my-customers.toml")).expect("the campaign");
    assert!(
        campaign.contains("id = \"customer_id\"") && campaign.contains("Full_Name = \"{Full Name}\""),
        "{campaign}"
    );
    for file in ["ringfence.toml", "my-customers.toml"] {
        editors_take(&folder.path().join(file));
    }
    assert!(output(folder.path(), &["check", "my-customers.toml"]).await.status.success());
    let again = output(folder.path(), &init).await;
    assert_eq!(again.status.code(), Some(1), "{}", text(&again));
    assert!(text(&again).contains("is there already, and is not overwritten"), "{}", text(&again));
    let kept = json(folder.path(), &[&init[..], &["--name", "other"]].concat()).await;
    assert_eq!(kept["config_written"], false);
    // The configuration above is used as it is, and its folder is left alone.
    let below = folder.path().join("below");
    std::fs::create_dir(&below).expect("a folder");
    std::fs::write(below.join("more.csv"), CUSTOMERS).expect("written");
    json(&below, &["init", "--kind", "sandbox", "--contacts", "more.csv", "--json"]).await;
    editors_take(&below.join("more.toml"));
    assert!(below.join(".ringfence").is_dir());

    let run = json(folder.path(), &["run", "my-customers.toml", "--until", "idle", "--json"]).await;
    assert_eq!((&run["contacts"]["total"], &run["last_import"]["rejected"]), (&3.into(), &1.into()), "{run}");
}

/// An editor finds the schema that a file names in its first line, and has nothing against the file.
fn editors_take(file: &Path) {
    let written = std::fs::read_to_string(file).expect("a file");
    let named = written.lines().next().and_then(|line| line.strip_prefix("#:schema ")).expect("a schema");
    let schema = std::fs::read_to_string(file.with_file_name(named)).expect("a schema beside it");
    let schema = serde_json::from_str(&schema).expect("JSON");
    let table: toml::Table = written.parse().expect("TOML");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let table = serde_json::to_value(table).expect("JSON");
    let faults: Vec<String> = validator.iter_errors(&table).map(|fault| fault.to_string()).collect();
    assert!(faults.is_empty(), "{}: {faults:?}", file.display());
}

/// What `init` writes and says for a list.
async fn init(list: &str) -> (String, serde_json::Value, String) {
    let folder = TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("list.csv"), list).expect("written");
    let args = ["init", "--kind", "twenty2", "--contacts", "list.csv"];
    let said = text(&output(folder.path(), &args).await);
    let campaign = std::fs::read_to_string(folder.path().join("list.toml")).expect(&said);
    let wrote = json(folder.path(), &[&args[..], &["--name", "again", "--json"]].concat()).await;
    (campaign, wrote, said)
}

#[tokio::test]
async fn init_guesses_no_country_that_the_numbers_do_not_prove() {
    let nothing = serde_json::Value::Null;
    for (list, country, zone, says) in [
        (
            include_str!("../../../../crates/intake/tests/fixtures/contacts/init_uk_one_na.csv"),
            None,
            "contact",
            "every number has its country code",
        ),
        (
            include_str!("../../../../crates/intake/tests/fixtures/contacts/init_us_617.csv"),
            None,
            "contact",
            "valid in IN and US",
        ),
        ("phone\n+919820012345\n2125552600\n3055552601\n", Some("US"), "contact", "country: US"),
        ("phone\n9820012345\n9876512345\n", Some("IN"), "Asia/Kolkata", "country: IN"),
        ("phone\n7000012345\n7011112346\n7022212347\n7049912348\n", Some("IN"), "Asia/Kolkata", "country: IN"),
        ("phone\n9820012345\n9876512345\n+447911123456\n", Some("IN"), "contact", "country: IN"),
        ("phone\n5065552600\n4385552601\n3065552602\n5195552603\n", Some("CA"), "contact", "country: CA"),
    ] {
        let (campaign, wrote, said) = init(list).await;
        let written = campaign.lines().find(|line| line.starts_with("country = "));
        assert_eq!(written.is_some(), country.is_some(), "{list}: {campaign}");
        assert_eq!(wrote["country"], country.map_or(nothing.clone(), Into::into), "{list}");
        assert_eq!(wrote["timezone"], zone, "{list}");
        assert!(campaign.contains(&format!("timezone = \"{zone}\"")), "{list}: {campaign}");
        assert!(said.contains(says) && said.contains("timezone: "), "{list}: {said}");
    }
}

#[tokio::test]
async fn init_offers_what_columns_are_for_and_keeps_refusals_from_the_agent() {
    let list = "customer_id,name,mobile,landline,Amount (\u{20b9}),Amount,Opted Out,DND\n\
                C1,Asha,9820012345,02228001234,100,1,no,\nC2,Ravi,9876512345,02228001235,200,2,yes,x\n";
    let (campaign, _, said) = init(list).await;
    for line in [
        "id = \"customer_id\"",
        "# phones = [\"mobile\", \"landline\"]",
        "Amount = \"{Amount (\u{20b9})}\"",
        "Amount_2 = \"{Amount}\"",
        "opt_out = { when = { opted_out = \"yes\" } }",
        "# rules = [\"in-trai-promotional\"]",
        "# \"Opted Out\"",
        "# \"DND\"",
    ] {
        assert!(campaign.contains(line), "{line}: {campaign}");
    }
    for variable in ["Opted_Out = ", "DND = ", "landline = "] {
        assert!(!campaign.lines().any(|line| line.starts_with(variable)), "{variable}: {campaign}");
    }
    assert!(said.contains("`Opted Out` may say who must not be called"), "{said}");
}

#[tokio::test]
async fn what_init_leaves_open_is_told_with_its_line() {
    let folder = TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("list.csv"), CUSTOMERS).expect("written");
    json(folder.path(), &["init", "--kind", "twenty2", "--contacts", "list.csv", "--json"]).await;
    let config = std::fs::read_to_string(folder.path().join("ringfence.toml")).expect("read");
    std::fs::write(folder.path().join("ringfence.toml"), config.replace("workspace_id = \"\"", "workspace_id = \"w\""))
        .expect("written");
    let told = output(folder.path(), &["check", "list.toml"]).await;
    assert_eq!(told.status.code(), Some(1));
    for says in ["`agent` is empty", "list.toml:4:9", "a caller id is empty"] {
        assert!(text(&told).contains(says), "{says}: {}", text(&told));
    }
    std::fs::write(folder.path().join("names.csv"), "name,city\nAsha,Pune\n").expect("written");
    let refused = output(folder.path(), &["init", "--kind", "twenty2", "--contacts", "names.csv"]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused).contains("no column of names.csv looks like phone numbers"), "{}", text(&refused));
}

#[tokio::test]
async fn shown_defaults_read_back_as_the_same_campaign() {
    let folder = TempDir::new().expect("a folder");
    let vendor = Vendor::begin(quick()).await;
    let extra = "[limits]\ncalls = \"2/s\"\n[schedule]\ncron = \"0 9 * * MON-FRI\"\nends = \"2099-12-05\"\n\
                 [safety]\nmax_file_age = \"20h\"\ncanary = 5\n[results]\nreached = { outcome = [\"answered\", \"voicemail\"], min_seconds = 3 }";
    write_project(folder.path(), "sqlite://test.db", &vendor, 5, extra);
    let shown = output(folder.path(), &["check", "spring.toml", "--show-defaults"]).await;
    assert!(shown.status.success(), "{}", text(&shown));
    std::fs::write(folder.path().join("full.toml"), &shown.stdout).expect("written");
    let again = output(folder.path(), &["check", "full.toml", "--show-defaults"]).await;
    let body = |output: &std::process::Output| {
        String::from_utf8_lossy(&output.stdout).lines().skip(1).collect::<Vec<_>>().join("\n")
    };
    assert_eq!(body(&again), body(&shown));
    for says in [
        "guard = \"0s\"",
        "max_attempts = 3",
        "per_number = [\"3/day\"]",
        "stop_at_failures = \"50%\"",
        "policy = \"hold\"",
    ] {
        assert!(text(&shown).contains(says), "{says}: {}", text(&shown));
    }
}

#[tokio::test]
async fn a_preview_is_the_request_that_is_sent_and_sends_nothing() {
    let folder = TempDir::new().expect("a folder");
    let vendor = Vendor::begin(quick()).await;
    write_project(folder.path(), "sqlite://test.db", &vendor, 3, "");
    let shown = json(folder.path(), &["preview", "spring.toml", "--row", "2", "--json"]).await;
    assert_eq!(shown[0]["headers"]["authorization"], "***");
    assert_eq!(shown[0]["body"]["input_parameters"]["customerName"], "Person 1");
    assert!(vendor.simulator.tape().is_empty());
    let plain = output(folder.path(), &["preview", "spring.toml"]).await;
    assert!(!text(&plain).contains("canary-secret"));
    assert!(text(&plain).starts_with("POST http://"), "{}", text(&plain));
    let missing = output(folder.path(), &["preview", "spring.toml", "--row", "9"]).await;
    assert_eq!(missing.status.code(), Some(1));
    assert!(text(&missing).contains("has 3 rows"), "{}", text(&missing));
    json(folder.path(), &["run", "spring.toml", "--until", "done", "--json"]).await;
    let sent = vendor.simulator.tape().calls();
    let national = shown[0]["body"]["callee_phone"].as_str().expect("a number").to_owned();
    assert!(sent.iter().any(|call| call.callee.ends_with(&national)), "{national} in {sent:?}");
}

on_both_databases! {
    async fn a_test_call_stands_outside_the_counts_and_inside_caps_and_lists(database) {
        let vendor = Vendor::begin(quick()).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 3, "[limits]\nper_number = [\"1/day\"]");
        let phone = sample::number(500);
        let called = json(folder, &["test-call", "spring.toml", phone.e164(), "--json"]).await;
        assert_eq!((&called["outcome"], &called["outputs"]["interested"]), (&"answered".into(), &"yes".into()), "{called}");
        assert_eq!(vendor.simulator.tape().len(), 1, "nobody else of the list");
        let capped = output(folder, &["test-call", "spring.toml", phone.e164()]).await;
        assert_eq!(capped.status.code(), Some(4), "{}", text(&capped));
        json(folder, &["dnc", "add", sample::number(501).e164(), "--json"]).await;
        let listed = output(folder, &["test-call", "spring.toml", sample::number(501).e164()]).await;
        assert_eq!(listed.status.code(), Some(4), "{}", text(&listed));
        assert_eq!(vendor.simulator.tape().len(), 1);

        let why = json(folder, &["why", phone.e164(), "--json"]).await;
        assert_eq!((&why["campaign"], &why["history"][0]["outcome"]), (&serde_json::Value::Null, &"answered".into()), "{why}");
        let why = text(&output(folder, &["why", sample::number(501).e164()]).await);
        assert!(why.contains("on the do-not-call list since"), "{why}");
        let listed = json(folder, &["dnc", "list", "--json"]).await;
        assert_eq!(listed[0]["phone"], sample::number(501).e164(), "{listed}");
        json(folder, &["dnc", "remove", sample::number(501).e164(), "--json"]).await;
        assert_eq!(json(folder, &["dnc", "list", "--json"]).await, serde_json::json!([]));

        let campaigns = json(folder, &["campaigns", "--json"]).await;
        assert_eq!(campaigns.as_array().map(Vec::len), Some(0), "{campaigns}");
        let run = json(folder, &["run", "spring.toml", "--until", "done", "--json"]).await;
        assert_eq!(run["contacts"]["total"], 3, "{run}");
        assert_eq!(vendor.simulator.tape().len(), 4, "a test call that was put off is never made up for");
    }
}

#[tokio::test]
async fn a_test_call_outside_the_window_needs_a_yes() {
    let folder = TempDir::new().expect("a folder");
    let vendor = Vendor::begin(quick()).await;
    write_project(folder.path(), "sqlite://test.db", &vendor, 3, "");
    let path = folder.path().join("spring.toml");
    let campaign = std::fs::read_to_string(&path).expect("read");
    let today = ringfence_operations::workspace::wall_clock().utc_date().strftime("%a").to_string();
    let other = if today == "Mon" || today == "Sun" || today == "Tue" { "Th" } else { "Mo" };
    std::fs::write(&path, campaign.replace("24/7", &format!("{other} 09:00-21:00"))).expect("written");
    let phone = sample::number(500);
    let closed = output(folder.path(), &["test-call", "spring.toml", phone.e164()]).await;
    assert_eq!(closed.status.code(), Some(4), "{}", text(&closed));
    assert!(text(&closed).contains("the window is closed; it opens"), "{}", text(&closed));
    let nobody = output(folder.path(), &["test-call", "spring.toml", phone.e164(), "--ignore-window"]).await;
    assert_eq!(nobody.status.code(), Some(4), "nobody is there to say yes");
    assert!(vendor.simulator.tape().is_empty());
    let called =
        json(folder.path(), &["test-call", "spring.toml", phone.e164(), "--ignore-window", "--yes", "--json"]).await;
    assert_eq!(called["outcome"], "answered", "{called}");
}

#[tokio::test]
async fn shells_and_manuals_are_served() {
    let folder = TempDir::new().expect("a folder");
    for shell in ["bash", "zsh", "fish"] {
        let script = output(folder.path(), &["completions", shell]).await;
        assert!(text(&script).contains("test-call"), "{shell}");
    }
    assert!(output(folder.path(), &["man", "--out", "man"]).await.status.success());
    let pages = std::fs::read_dir(folder.path().join("man")).expect("pages").count();
    assert!(pages > 30, "{pages}");
    let plain = ringfence(folder.path(), &["man"]).output().await.expect("it runs");
    assert!(text(&plain).contains(".TH ringfence 1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_test_call_that_is_refused_says_so_at_once_and_the_next_one_may_try_again() {
    let folder = TempDir::new().expect("a folder");
    let behaviour = Behaviour { faults: vec![(Fault::UnknownAgent, 100.0)], ..Behaviour::default() };
    let vendor = Vendor::begin(behaviour).await;
    write_project(folder.path(), "sqlite://test.db", &vendor, 1, "");
    let phone = sample::number(500);
    let call = async || {
        let args = ["test-call", "spring.toml", phone.e164()];
        tokio::time::timeout(std::time::Duration::from_mins(1), output(folder.path(), &args))
            .await
            .expect("no ten minutes")
    };
    for _ in 0..2 {
        let refused = call().await;
        assert_eq!(refused.status.code(), Some(2), "{}", text(&refused));
        assert!(
            text(&refused).contains("INVALID_AGENT") && text(&refused).contains("nobody was called"),
            "{}",
            text(&refused)
        );
    }
    vendor.simulator.change(|behaviour| behaviour.faults = vec![(Fault::Unauthorized, 100.0)]);
    let refused = call().await;
    assert!(text(&refused).contains("UNAUTHORIZED"), "{}", text(&refused));
    vendor.simulator.change(|behaviour| behaviour.faults.clear());
    let paused = call().await;
    assert_eq!(paused.status.code(), Some(4), "{}", text(&paused));
    assert!(text(&paused).contains("lanes resume main"), "{}", text(&paused));
    let resumed = output(folder.path(), &["lanes", "resume", "main"]).await;
    assert!(resumed.status.success(), "{}", text(&resumed));
    let called = call().await;
    assert!(called.status.success(), "{}", text(&called));
}

#[tokio::test]
async fn what_stands_still_is_said_before_there_is_a_campaign() {
    let folder = TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("ringfence.toml"), "[database]\nurl = \"sqlite://ringfence.db\"\n")
        .expect("written");
    for command in [&["migrate"][..], &["stop", "--reason", "not yet"]] {
        assert!(output(folder.path(), command).await.status.success(), "{command:?}");
    }
    let said = text(&output(folder.path(), &["status"]).await);
    assert!(said.contains("WARNING: everything: everything is stopped: not yet"), "{said}");
    assert!(said.contains("no campaigns yet"), "{said}");
}
