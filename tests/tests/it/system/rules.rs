//! Calling rules, as people ask for them: `hours --holidays`, `check`'s cautions, `why`, `dnc`,
//! and a `serve` with one broken campaign.

use ringfence_domain::Outcome;
use ringfence_sandbox::Behaviour;
use ringfence_tests::binary::{Vendor, json, output, ringfence, text, write_project};
use ringfence_tests::database::execute;
use ringfence_tests::{on_both_databases, sample};
use serde_json::Value;
use tempfile::TempDir;

fn answered() -> Behaviour {
    let talk = ringfence_domain::Span::from_millis(10);
    Behaviour { outcomes: vec![(Outcome::Answered, 1)], ring: talk, talk, ..Behaviour::default() }
}

#[tokio::test]
async fn hours_know_holidays() {
    let folder = TempDir::new().expect("a folder");
    let ask = async |args: &[&str]| {
        let mut all = vec!["hours", "Mo-Sa 09:00-21:00", "--timezone", "Asia/Kolkata"];
        all.extend_from_slice(args);
        output(folder.path(), &all).await
    };
    let until = ["--at", "2026-11-23T12:00:00Z", "--until", "2026-11-26T00:00:00Z", "--json"];
    let told = ask(&[&["--holidays", "IN"][..], &until].concat()).await;
    let lines: Vec<Value> =
        String::from_utf8_lossy(&told.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    // Guru Nanak's birthday on the 24th is closed.
    assert_eq!(lines[0], serde_json::json!({ "open": true, "next_change": "2026-11-23T15:30:00Z" }));
    assert_eq!(lines[1], serde_json::json!({ "at": "2026-11-23T15:30:00Z", "open": false }));
    assert_eq!(lines[2], serde_json::json!({ "at": "2026-11-25T03:30:00Z", "open": true }));
    let closed = ask(&["--holidays", "IN", "--at", "2026-11-24T06:00:00Z"]).await;
    assert!(text(&closed).contains("closed at 2026-11-24T11:30:00+05:30, opens 2026-11-25"), "{}", text(&closed));
    assert!(text(&closed).contains("2026-11-24 is Guru Nanak"), "{}", text(&closed));
    let unknown = ask(&["--holidays", "INDIA"]).await;
    assert!(unknown.status.code() == Some(1) && text(&unknown).contains("shipped: AU, FR"), "{}", text(&unknown));

    std::fs::write(folder.path().join("office.txt"), "source: us\nyears: 2026-2026\n2026-11-23 * Moving day\n")
        .expect("written");
    std::fs::write(folder.path().join("ringfence.toml"), "[holidays]\noffice = \"office.txt\"\n").expect("written");
    let own = ask(&["--holidays", "office,IN", "--at", "2026-11-23T12:00:00Z"]).await;
    assert!(text(&own).contains("2026-11-23 is Moving day (office)"), "{}", text(&own));
}

#[tokio::test]
async fn check_speaks_of_what_is_no_mistake_and_yet_surprises() {
    let folder = TempDir::new().expect("a folder");
    let vendor = Vendor::begin(answered()).await;
    write_project(
        folder.path(),
        "sqlite://test.db",
        &vendor,
        1,
        "rules = [\"fr\"]\n[callback]\nfrom = \"t\"\n[limits]\ncool_off = { after_answered = \"7d\" }",
    );
    let checked = output(folder.path(), &["check", "spring.toml"]).await;
    let told = text(&checked);
    assert!(
        checked.status.success() && told.contains("caution: cool_off.after_answered = 7d holds callbacks"),
        "{told}"
    );
    assert!(told.contains("declined calls only"), "{told}");
    let shown = output(folder.path(), &["check", "spring.toml", "--show-defaults"]).await;
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    for line in [
        "rules = [\"fr\"]",
        "after_answered = \"7d\"",
        "avoid_same_hour = false",
        "jitter = \"10%\"",
        "otherwise = \"2h\"",
    ] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    // What is shown can be read again, and says the same.
    std::fs::write(folder.path().join("again.toml"), &shown).expect("written");
    let again = output(folder.path(), &["check", "again.toml", "--show-defaults"]).await;
    let body = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(body(&String::from_utf8_lossy(&again.stdout)), body(&shown));
}

on_both_databases! {
    async fn why_names_the_rule_that_holds_and_counts_who_waits_for_it(database) {
        let vendor = Vendor::begin(answered()).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 3, "");
        json(folder, &["run", "spring.toml", "--until", "done", "--json"]).await;
        let path = folder.join("spring.toml");
        let campaign = std::fs::read_to_string(&path).expect("read").replace("\"spring\"", "\"autumn\"");
        std::fs::write(&path, format!("{campaign}[limits]\nper_number = [\"5/day\"]\ncool_off = {{ after_answered = \"7d\" }}\n")).expect("written");
        let run = json(folder, &["run", "spring.toml", "--until", "idle", "--json"]).await;
        assert_eq!((&run["contacts"]["waiting"], &run["waiting_for"]["contact_cap"]), (&3.into(), &3.into()), "{run}");
        assert_eq!(vendor.simulator.tape().len(), 3, "everyone was spoken to");

        let phone = sample::number(0);
        let why = json(folder, &["why", phone.e164(), "--campaign", "autumn", "--json"]).await;
        assert_eq!((&why["set_by"], &why["steps"][0]["rule"]), (&"cool_off".into(), &"cool_off".into()), "{why}");
        let rule = |name: &str| why["rules"].as_array().expect("rules").iter().find(|rule| rule["rule"] == name).cloned();
        let held = rule("cool_off").expect("a rule");
        assert_eq!((&held["allows"], &held["from"]), (&false.into(), &why["next_dial_at"]), "{why}");
        assert_eq!(rule("per_number").expect("a rule")["allows"], true);
        for allowed in ["hours", "vendor_hours", "window", "number", "dnc"] {
            assert!(rule(allowed).is_none_or(|rule| rule["allows"] == true), "{allowed}: {why}");
        }

        let waiting = json(folder, &["why", "--campaign", "autumn", "--json"]).await;
        assert_eq!((&waiting["waiting"], &waiting["reasons"][0]["contacts"]), (&3.into(), &3.into()), "{waiting}");
        assert_eq!(waiting["reasons"][0]["rule"], "limits", "{waiting}");
        let table = text(&output(folder, &["why", "--campaign", "autumn"]).await);
        assert!(table.contains("a cap, a cool-off or an hour to avoid"), "{table}");
        json(folder, &["dnc", "add", phone.e164(), "--json"]).await;
        assert_eq!(json(folder, &["why", "--campaign", "autumn", "--json"]).await["on_dnc"], 1);
        assert_eq!(output(folder, &["why"]).await.status.code(), Some(1));

        // A window that never opens where the contacts are is said to be one, with the rules that
        // contradict each other.
        std::fs::write(&path, campaign.replace("\"autumn\"", "\"winter\"").replace("{name}", "{name|}").replace("hours = \"24/7\"", "hours = \"Su 09:00-20:00\"\nrules = [\"uk\"]").replace("phone = \"phone\"", "phone = \"phone\"\ntimezone = \"name\"")).expect("written");
        std::fs::write(folder.join("contacts.csv"), format!("name,phone\n,{}\n", phone.e164())).expect("written");
        json(folder, &["dnc", "remove", phone.e164(), "--json"]).await;
        json(folder, &["run", "spring.toml", "--until", "idle", "--json"]).await;
        let never = json(folder, &["why", phone.e164(), "--campaign", "winter", "--json"]).await;
        assert_eq!((&never["never"], &never["next_dial_at"]), (&serde_json::json!(["hours", "preset uk"]), &Value::Null), "{never}");
        let table = text(&output(folder, &["why", "--campaign", "winter"]).await);
        assert!(table.contains("hours and preset uk") && table.contains("leave no time to call"), "{table}");
    }
}

on_both_databases! {
    async fn what_people_said_is_counted_and_an_output_that_nobody_ever_had_is_named(database) {
        let outputs = [("opted_out", "no"), ("interested", "no")].map(|(name, value)| (name.to_owned(), value.into()));
        let vendor = Vendor::begin(Behaviour { outputs: outputs.into_iter().collect(), ..answered() }).await;
        let folder = database.folder();
        let rules = "[results]\nopt_out = { when = { opted_oot = \"yes\" } }\nrefusal = { when = { interested = \"no\" } }";
        write_project(folder, &database.url, &vendor, 12, rules);
        let run = json(folder, &["run", "spring.toml", "--until", "done", "--json"]).await;
        assert_eq!(run["never_collected"], serde_json::json!(["opted_oot"]), "{run}");
        let not_heeded = serde_json::json!([{ "output": "opted_out", "calls": 12, "wanted": 0 }]);
        let said = serde_json::json!({ "opted_out": 0, "refused": 12, "unclear": [], "not_heeded": not_heeded });
        assert_eq!(run["said"], said, "{run}");
        let shown = text(&output(folder, &["status", "spring"]).await);
        assert!(shown.contains("12 said no") && shown.contains("the output opted_oot"), "{shown}");
        assert!(shown.contains("the output opted_out") && shown.contains("no rule heeds it"), "{shown}");
    }
}

on_both_databases! {
    async fn an_opt_out_in_words_that_cannot_be_told_is_counted_and_named(database) {
        let outputs = [("opted_out".to_owned(), "Yes, but only at weekends".into()), ("Do not call".to_owned(), "Y".into())];
        let vendor = Vendor::begin(Behaviour { outputs: outputs.into_iter().collect(), ..answered() }).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 3, "");
        let checked = text(&output(folder, &["check", "spring.toml"]).await);
        assert!(checked.contains("caution: nobody who asks for no more calls is heeded"), "{checked}");
        let run = json(folder, &["run", "spring.toml", "--until", "done", "--json"]).await;
        assert_eq!(run["said"]["not_heeded"][0], serde_json::json!({ "output": "Do not call", "calls": 3, "wanted": 3 }), "{run}");
        assert_eq!(run["said"]["not_heeded"][1]["output"], "opted_out", "{run}");

        let campaign = std::fs::read_to_string(folder.join("spring.toml")).expect("read").replace("\"spring\"", "\"autumn\"");
        let rule = "[results]\nopt_out = { when = { opted_out = \"yes\" } }";
        std::fs::write(folder.join("autumn.toml"), format!("{campaign}{rule}")).expect("written");
        let checked = text(&output(folder, &["check", "autumn.toml"]).await);
        assert!(!checked.contains("no more calls"), "{checked}");
        let run = json(folder, &["run", "autumn.toml", "--until", "done", "--json"]).await;
        let unclear = serde_json::json!([{ "output": "opted_out", "value": "a longer text", "calls": 3 }]);
        assert_eq!((&run["said"]["opted_out"], &run["said"]["unclear"]), (&0.into(), &unclear), "{run}");
        let shown = text(&output(folder, &["status", "autumn"]).await);
        assert!(shown.contains("3 said `a longer text` in opted_out"), "{shown}");
    }
}

on_both_databases! {
    async fn a_register_is_taken_in_whole_or_says_what_it_left_out(database) {
        let vendor = Vendor::begin(answered()).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 3, "");
        json(folder, &["apply", "spring.toml", "--yes", "--json"]).await;
        let numbers: Vec<String> = (0..25_000).map(|n| format!("98{:08}", 20_000_000 + n)).collect();
        let write = |name: &str, text: String| std::fs::write(folder.join(name), text).expect("written");
        write("register.csv", format!("phone\n{}\n", numbers.join("\n")));
        let done = json(folder, &["dnc", "import", "register.csv", "--country", "IN", "--json"]).await;
        assert_eq!((&done["rows"], &done["added"], &done["unreadable"]), (&25_000.into(), &25_000.into(), &0.into()), "{done}");
        let again = json(folder, &["dnc", "import", "register.csv", "--country", "IN", "--json"]).await;
        assert_eq!((&again["added"], &again["known"]), (&0.into(), &25_000.into()), "{again}");

        // Rows that are no numbers, and a name in another encoding, leave nobody else out.
        std::fs::write(folder.join("mixed.csv"), b"name;phone\nJos\xe9;9899900001\nx;call me\ny;9899900002\n").expect("written");
        let mixed = output(folder, &["dnc", "import", "mixed.csv", "--country", "IN", "--json"]).await;
        assert_eq!(mixed.status.code(), Some(1), "{}", text(&mixed));
        let done: Value = serde_json::from_slice(&mixed.stdout).expect("JSON");
        assert_eq!((&done["added"], &done["unreadable"]), (&2.into(), &1.into()), "{}", text(&mixed));
        write("bare.csv", format!("{}\n", numbers[..3].join("\n")));
        let bare = output(folder, &["dnc", "import", "bare.csv", "--country", "IN"]).await;
        assert!(bare.status.code() == Some(1) && text(&bare).contains("no header"), "{}", text(&bare));
        // Digits of another script are a number, too; and nobody in a second column of numbers is
        // passed over.
        for (name, rows, says) in [
            ("wide.csv", "９８７６５００００７\n9876500008\n", "no header"),
            ("two.csv", "phone,phone2\n9876500009,9876500010\n", "and, by its name, in `phone2`"),
        ] {
            write(name, rows.to_owned());
            let refused = output(folder, &["dnc", "import", name, "--country", "IN"]).await;
            assert!(refused.status.code() == Some(1) && text(&refused).contains(says), "{}", text(&refused));
        }

        // A campaign's own list, and one call that is not made for it.
        let phone = sample::number(1);
        json(folder, &["dnc", "add", phone.e164(), "--campaign", "spring", "--reason", "a colleague", "--json"]).await;
        let own = json(folder, &["dnc", "list", "--campaign", "spring", "--json"]).await;
        assert_eq!((own.as_array().map(Vec::len), &own[0]["reason"]), (Some(1), &"a colleague".into()), "{own}");
        let test = output(folder, &["test-call", "spring.toml", phone.e164()]).await;
        assert!(test.status.code() == Some(4) && text(&test).contains("do-not-call"), "{}", text(&test));
        let run = json(folder, &["run", "spring.toml", "--until", "done", "--json"]).await;
        assert_eq!((&run["stopped_for"]["dnc"], &run["reached"]), (&1.into(), &2.into()), "{run}");
        let why = text(&output(folder, &["why", phone.e164()]).await);
        assert!(why.contains("on the campaign's own do-not-call") && why.contains("because a colleague"), "{why}");
    }
}

on_both_databases! {
    async fn one_campaign_that_cannot_be_read_stops_no_serve(database) {
        use tokio::io::{AsyncBufReadExt, BufReader};
        let vendor = Vendor::begin(answered()).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 3, "");
        json(folder, &["apply", "spring.toml", "--yes", "--json"]).await;
        let other = std::fs::read_to_string(folder.join("spring.toml")).expect("read").replace("\"spring\"", "\"autumn\"");
        std::fs::write(folder.join("autumn.toml"), other).expect("written");
        json(folder, &["apply", "autumn.toml", "--yes", "--json"]).await;
        execute(&database.url, "UPDATE campaigns SET rules = '{\"calling\":{\"hours\":\"sometimes\"}}' WHERE name = 'autumn'").await;
        let listed = output(folder, &["campaigns"]).await;
        assert!(listed.status.success() && text(&listed).contains("autumn: nobody of it is dialled"), "{}", text(&listed));

        let mut serving = ringfence(folder, &["serve"]).spawn().expect("it starts");
        let mut lines = BufReader::new(serving.stderr.take().expect("its log")).lines();
        let mut told = Vec::new();
        while let Some(line) = lines.next_line().await.expect("a line") {
            told.push(line);
            if told.iter().any(|line| line.contains("is dialled by this process")) {
                break;
            }
        }
        assert!(told.iter().any(|line| line.contains("autumn: nobody of it is dialled")), "{told:#?}");
        json(folder, &["import", "spring", "contacts.csv", "--json"]).await;
        let done = json(folder, &["run", "spring.toml", "--until", "done", "--json"]).await;
        assert_eq!(done["contacts"]["done"], 3, "{done}");
        assert!(serving.try_wait().expect("an answer").is_none(), "it still serves");
        serving.kill().await.expect("it ends");

        // Applying its file again mends it.
        let mended = json(folder, &["apply", "autumn.toml", "--yes", "--json"]).await;
        assert_eq!(mended["change"], "changed", "{mended}");
        let run = json(folder, &["run", "autumn.toml", "--until", "done", "--json"]).await;
        assert_eq!(run["contacts"]["total"], 3, "{run}");
    }
}

on_both_databases! {
    async fn nobody_is_called_with_an_empty_name_when_newer_rules_need_it(database) {
        let vendor = Vendor::begin(answered()).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 3, "");
        let path = folder.join("spring.toml");
        let strict = std::fs::read_to_string(&path).expect("read");
        let numbers: Vec<String> = (0..3).map(|n| sample::number(n).e164().to_owned()).collect();
        let csv = format!("name,phone\nAsha,{}\n,{}\nRavi,{}\n", numbers[0], numbers[1], numbers[2]);
        std::fs::write(folder.join("contacts.csv"), csv).expect("written");
        std::fs::write(&path, strict.replace("{name}", "{name|}")).expect("written");
        json(folder, &["apply", "spring.toml", "--yes", "--json"]).await;
        let taken = json(folder, &["import", "spring", "contacts.csv", "--json"]).await;
        assert_eq!(taken["accepted"], 3, "{taken}");

        std::fs::write(&path, &strict).expect("written");
        let dry = text(&output(folder, &["run", "spring.toml", "--dry-run"]).await);
        assert!(dry.contains("empty"), "{dry}");
        let preview = text(&output(folder, &["preview", "spring.toml", "--row", "2"]).await);
        assert!(preview.contains("column `name` is empty"), "{preview}");
        let run = output(folder, &["run", "spring.toml", "--until", "idle", "--json"]).await;
        let run: Value = serde_json::from_slice(&run.stdout).expect("JSON");
        assert_eq!((&run["contacts"]["done"], &run["contacts"]["review"]), (&2.into(), &1.into()), "{run}");
        assert_eq!(vendor.simulator.tape().calls().len(), 2, "nobody is called as \"\"");
        let why = text(&output(folder, &["why", &numbers[1]]).await);
        assert!(why.contains("`name` is empty"), "{why}");
    }
}
