//! Contacts, imports and stop switches, from the command line.

use ringfence_domain::{Outcome, Span};
use ringfence_sandbox::Behaviour;
use ringfence_tests::binary::{Vendor, json, output, ringfence, text, write_project};
use ringfence_tests::{on_both_databases, sample};

fn quick(outcome: Outcome) -> Behaviour {
    Behaviour {
        outcomes: vec![(outcome, 1)],
        talk: Span::from_millis(100),
        ring: Span::from_millis(20),
        ..Behaviour::default()
    }
}

on_both_databases! {
    async fn every_row_of_an_import_gets_its_verdict(database) {
        let vendor = Vendor::begin(quick(Outcome::Answered)).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 0, "");
        json(folder, &["apply", "spring.toml", "--yes", "--json"]).await;
        let first = "phone;name\n9820000001;Asha\n9820000002;Ravi\n98200 00001;Asha again\ncall me;Nobody\n9.82E+11;Spreadsheet\n";
        std::fs::write(folder.join("first.csv"), first).expect("written");
        let told = json(folder, &["import", "spring", "first.csv", "--rejects", "rejects.csv", "--json"]).await;
        let counts = |told: &serde_json::Value| {
            ["rows", "accepted", "updated", "unchanged", "duplicate", "rejected", "missing"]
                .map(|name| told[name].as_i64().unwrap_or_else(|| panic!("{name} in {told}")))
        };
        assert_eq!(counts(&told), [5, 2, 0, 0, 1, 2, 0]);
        assert_eq!(told["reasons"], serde_json::json!({ "duplicate": 1, "letters": 1, "shortened": 1 }));
        let rejects = std::fs::read_to_string(folder.join("rejects.csv")).expect("read");
        assert_eq!(
            rejects,
            "line,reason,phone,name\n5,`call me`: letters in a number,call me,Nobody\n\
             6,a spreadsheet shortened the number to `9.82E+11`; format the column as text and save the file again,9.82E+11,Spreadsheet\n"
        );
        let printed = async |args: &[&str]| String::from_utf8(output(folder, args).await.stdout).expect("UTF-8");
        assert_eq!(printed(&["rejects", "spring"]).await, rejects);
        let duplicates = printed(&["rejects", "spring", "--duplicates"]).await;
        assert_eq!(duplicates.trim(), "line,reason,phone,name\n4,duplicate of line 2,98200 00001,Asha again");

        // The mended rejects are a file like any other; what is not mended is rejected again.
        std::fs::write(folder.join("rejects.csv"), rejects.replace("call me", "9820000003")).expect("written");
        let told = json(folder, &["import", "spring", "rejects.csv", "--json"]).await;
        assert_eq!(counts(&told), [2, 1, 0, 0, 0, 1, 0], "{told}");
        let exported = text(&output(folder, &["export", "spring"]).await);
        assert!(!exported.contains("in.reason") && exported.contains("in.name"), "{exported}");
        std::fs::write(folder.join("tabs.csv"), "name\tphone\nRavi\t9820000002\n").expect("written");
        let told = json(folder, &["import", "spring", "tabs.csv", "--json"]).await;
        assert_eq!(counts(&told), [1, 0, 0, 1, 0, 0, 0]);

        let imports = json(folder, &["imports", "spring", "--json"]).await;
        assert_eq!(imports.as_array().map(Vec::len), Some(3), "{imports}");
        let undone = json(folder, &["import", "--undo", &imports[0]["import"].to_string(), "--json"]).await;
        assert_eq!(undone["stopped"], 2, "{undone}");
        let left = json(folder, &["contacts", "spring", "--state", "waiting", "--json"]).await;
        assert_eq!(left.as_array().map(Vec::len), Some(1), "{left}");
        let status = json(folder, &["status", "spring", "--json"]).await;
        assert_eq!(status["stopped_for"]["import_undone"], 2, "{status}");
    }
}

#[tokio::test]
async fn an_import_says_which_cells_it_took_as_empty() {
    let vendor = Vendor::begin(quick(Outcome::Answered)).await;
    let folder = tempfile::TempDir::new().expect("a folder");
    let folder = folder.path();
    write_project(folder, "sqlite://test.db", &vendor, 0, "");
    json(folder, &["apply", "spring.toml", "--yes", "--json"]).await;
    std::fs::write(folder.join("first.csv"), "phone,name\n9820000001,NULL\n9820000002,Ravi\n9820000003,null\n")
        .expect("written");
    let told = json(folder, &["import", "spring", "first.csv", "--json"]).await;
    assert_eq!((&told["accepted"], &told["taken_as_empty"]), (&1.into(), &serde_json::json!({ "NULL": 2 })), "{told}");
    std::fs::write(folder.join("second.csv"), "phone,name\n9820000004,n/a\n9820000002,Ravi\n").expect("written");
    let told = text(&output(folder, &["import", "spring", "second.csv"]).await);
    assert!(told.contains("1 cell was taken as empty: 1 `N/A`; contacts.empty_words names these words"), "{told}");
}

on_both_databases! {
    async fn who_is_missing_from_tomorrows_file_is_not_called(database) {
        let vendor = Vendor::begin(quick(Outcome::Busy)).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 0, "");
        let path = folder.join("spring.toml");
        let campaign = std::fs::read_to_string(&path).expect("read");
        std::fs::write(&path, campaign.replace("country = \"IN\"", "country = \"IN\"\nid = \"id\"\nmissing = \"stop\"")).expect("written");
        let refused = output(folder, &["apply", "spring.toml", "--yes"]).await;
        assert_eq!(refused.status.code(), Some(1), "{}", text(&refused));
        assert!(text(&refused).contains("has no column `id`"), "{}", text(&refused));
        std::fs::remove_file(folder.join("contacts.csv")).expect("removed");
        json(folder, &["apply", "spring.toml", "--yes", "--json"]).await;
        std::fs::write(folder.join("monday.csv"), "id,name,phone\na,Asha,9820000001\nb,Ravi,9820000002\nc,Meera,9820000003\n").expect("written");
        json(folder, &["import", "spring", "monday.csv", "--json"]).await;
        std::fs::write(folder.join("tuesday.csv"), "id,name,phone\nb,Ravi,9820000022\nd,Divya,9820000004\n").expect("written");
        let told = json(folder, &["import", "spring", "tuesday.csv", "--json"]).await;
        assert_eq!((&told["updated"], &told["accepted"], &told["missing"]), (&1.into(), &1.into(), &2.into()), "{told}");
        json(folder, &["run", "spring.toml", "--contacts", "tuesday.csv", "--until", "idle", "--json"]).await;
        let mut called: Vec<String> = vendor.simulator.tape().calls().iter().map(|call| call.callee.clone()).collect();
        called.sort();
        assert_eq!(called.len(), 2, "{called:?}");
        assert!(called[0].ends_with("9820000004") && called[1].ends_with("9820000022"), "{called:?}");
        // A file without anyone would stop everyone.
        std::fs::write(folder.join("empty.csv"), "id,name,phone\n").expect("written");
        let held = output(folder, &["import", "spring", "empty.csv"]).await;
        assert_eq!(held.status.code(), Some(4), "{}", text(&held));
        assert!(text(&held).contains("would stop everyone who waits"), "{}", text(&held));
    }
}

on_both_databases! {
    async fn a_part_of_a_list_makes_nobody_missing_and_most_of_it_gone_is_held(database) {
        let vendor = Vendor::begin(quick(Outcome::Busy)).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 30, "");
        let path = folder.join("spring.toml");
        let campaign = std::fs::read_to_string(&path).expect("read");
        std::fs::write(&path, campaign.replace("country = \"IN\"", "country = \"IN\"\nmissing = \"stop\"")).expect("written");
        json(folder, &["apply", "spring.toml", "--yes", "--json"]).await;
        let csv = std::fs::read_to_string(folder.join("contacts.csv")).expect("read");
        let broken = format!("{csv}Kiran,98200\n");
        std::fs::write(folder.join("contacts.csv"), &broken).expect("written");
        json(folder, &["import", "spring", "contacts.csv", "--rejects", "rejects.csv", "--json"]).await;
        let rejects = std::fs::read_to_string(folder.join("rejects.csv")).expect("read");
        std::fs::write(folder.join("rejects.csv"), rejects.replace("98200", "9820098200")).expect("written");
        let told = json(folder, &["import", "spring", "rejects.csv", "--json"]).await;
        assert_eq!((&told["accepted"], &told["missing"]), (&1.into(), &0.into()), "mended rejects are a part: {told}");
        let some = csv.lines().take(6).collect::<Vec<_>>().join("\n");
        std::fs::write(folder.join("some.csv"), &some).expect("written");
        let told = json(folder, &["import", "spring", "some.csv", "--partial", "--json"]).await;
        assert_eq!((&told["unchanged"], &told["missing"]), (&5.into(), &0.into()), "{told}");
        std::fs::write(folder.join("half.csv"), format!("{some}\n")).expect("written");
        let held = output(folder, &["import", "spring", "half.csv"]).await;
        assert_eq!(held.status.code(), Some(4), "{}", text(&held));
        assert!(text(&held).contains("26 of 31 who wait are not in the file"), "{}", text(&held));
        let status = json(folder, &["status", "spring", "--json"]).await;
        assert_eq!(status["contacts"]["stopped"], 0, "{status}");
        let accepted = json(folder, &["resume", "spring", "--accept", "--json"]).await;
        assert_eq!(accepted["accepted_imports"].as_array().map(Vec::len), Some(1), "{accepted}");
        let status = json(folder, &["status", "spring", "--json"]).await;
        assert_eq!(status["stopped_for"]["missing"], 26, "{status}");
    }
}

on_both_databases! {
    async fn accepting_releases_the_newest_file_and_no_wrong_one_before_it(database) {
        let vendor = Vendor::begin(quick(Outcome::Answered)).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 5, "[safety]\nmax_contacts = 10");
        let mut wrong = String::from("name,phone\n");
        (100..120).for_each(|n| wrong.push_str(&format!("Wrong {n},{}\n", sample::number(n).e164())));
        std::fs::write(folder.join("wrong.csv"), wrong).expect("written");
        let held = output(folder, &["run", "spring.toml", "--contacts", "wrong.csv"]).await;
        assert_eq!(held.status.code(), Some(4), "{}", text(&held));
        let run = json(folder, &["run", "spring.toml", "--until", "idle", "--json"]).await;
        assert_eq!(run["contacts"]["done"], 5, "{run}");
        json(folder, &["pause", "spring", "--json"]).await;
        let accepted = json(folder, &["resume", "spring", "--accept", "--json"]).await;
        assert_eq!(accepted["accepted_imports"], serde_json::json!([]), "{accepted}");
        json(folder, &["run", "spring.toml", "--until", "idle", "--json"]).await;
        assert_eq!(vendor.simulator.tape().len(), 5, "nobody of the wrong list");
    }
}

on_both_databases! {
    async fn the_corrected_file_frees_whom_the_held_one_keeps(database) {
        let vendor = Vendor::begin(quick(Outcome::Answered)).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 20, "");
        let right = std::fs::read_to_string(folder.join("contacts.csv")).expect("read");
        let wrong: Vec<String> = right
            .lines()
            .enumerate()
            .map(|(n, line)| if n > 10 { line.replace("+9198", "+10") } else { line.to_owned() })
            .collect();
        std::fs::write(folder.join("contacts.csv"), wrong.join("\n")).expect("written");
        let held = output(folder, &["run", "spring.toml", "--until", "idle"]).await;
        assert_eq!(held.status.code(), Some(4), "{}", text(&held));
        std::fs::write(folder.join("contacts.csv"), right).expect("written");
        let run = json(folder, &["run", "spring.toml", "--until", "idle", "--json"]).await;
        assert_eq!((&run["contacts"]["done"], &run["contacts"]["waiting"]), (&20.into(), &0.into()), "{run}");
    }
}

on_both_databases! {
    async fn the_list_of_the_wrong_campaign_is_caught_before_twenty_are_called(database) {
        let vendor = Vendor::begin(quick(Outcome::Failed)).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 0, "[safety]\nmax_contacts = 100\ncanary = 10\nmax_file_age = \"20h\"\n[retry]\nfailed = \"never\"");
        let list = |rows: usize, bad: usize| {
            let mut csv = String::from("name,phone\n");
            for n in 0..rows {
                let phone = if n < bad { format!("order {n}") } else { sample::number(n).e164().to_owned() };
                csv.push_str(&format!("Person {n},{phone}\n"));
            }
            csv
        };
        let contacts = folder.join("contacts.csv");
        for (rows, bad, says) in [(50, 20, "20 of 50 rows were rejected"), (120, 0, "120 contacts were accepted")] {
            std::fs::write(&contacts, list(rows, bad)).expect("written");
            let held = output(folder, &["run", "spring.toml", "--until", "done", "--json"]).await;
            assert_eq!(held.status.code(), Some(4), "{}", text(&held));
            assert!(text(&held).contains(says), "{}", text(&held));
            let summary: serde_json::Value = serde_json::from_slice(&held.stdout).expect("JSON");
            assert_eq!(summary["state"], "held", "{summary}");
            let id = summary["last_import"]["import"].to_string();
            json(folder, &["import", "--undo", &id, "--json"]).await;
        }
        assert!(vendor.simulator.tape().is_empty());

        // Yesterday's file.
        std::fs::write(&contacts, list(60, 0)).expect("written");
        let written = contacts.metadata().and_then(|data| data.modified()).expect("a time");
        let yesterday = written - std::time::Duration::from_hours(24);
        std::fs::File::open(&contacts).expect("open").set_modified(yesterday).expect("made older");
        let stale = output(folder, &["run", "spring.toml", "--until", "done"]).await;
        assert_eq!(stale.status.code(), Some(4), "{}", text(&stale));
        assert!(text(&stale).contains("1d ago; safety.max_file_age is 20h"), "{}", text(&stale));
        let resumed = output(folder, &["resume", "spring"]).await;
        assert_eq!(resumed.status.code(), Some(4), "only with --accept: {}", text(&resumed));
        assert!(vendor.simulator.tape().is_empty());
        json(folder, &["resume", "spring", "--accept", "--json"]).await;

        // The numbers look fine, and every call fails: ten are called and no more.
        let held = output(folder, &["run", "spring.toml", "--until", "done", "--json"]).await;
        assert_eq!(held.status.code(), Some(4), "{}", text(&held));
        assert_eq!(vendor.simulator.tape().len(), 10, "{}", text(&held));
        let summary: serde_json::Value = serde_json::from_slice(&held.stdout).expect("JSON");
        assert!(summary["held_by"].as_str().is_some_and(|by| by.contains("10 of the first 10 calls failed")), "{summary}");
        assert_eq!(summary["waiting_for"]["held"], 50, "{summary}");
    }
}

on_both_databases! {
    async fn stop_switches_hold_over_runs_and_only_their_own_command_lets_go(database) {
        let vendor = Vendor::begin(quick(Outcome::Answered)).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 5, "");
        json(folder, &["apply", "spring.toml", "--yes", "--json"]).await;
        json(folder, &["pause", "spring", "--reason", "lunch", "--json"]).await;
        let paused = output(folder, &["run", "spring.toml", "--until", "done", "--json"]).await;
        assert_eq!(paused.status.code(), Some(4), "{}", text(&paused));
        let summary: serde_json::Value = serde_json::from_slice(&paused.stdout).expect("JSON");
        assert_eq!((&summary["state"], &summary["held_by"]), (&"paused".into(), &"pause: lunch".into()), "{summary}");
        let stopped = json(folder, &["stop", "--reason", "fire", "--json"]).await;
        assert_eq!(stopped["stopped"], true);
        json(folder, &["stop", "--json"]).await;
        let status = json(folder, &["status", "spring", "--json"]).await;
        assert_eq!(status["held_by"], "stop: fire", "the first reason stays");
        json(folder, &["resume", "spring", "--json"]).await;
        let held = output(folder, &["run", "spring.toml", "--until", "done", "--json"]).await;
        assert_eq!(held.status.code(), Some(4), "{}", text(&held));
        json(folder, &["start", "--json"]).await;
        std::fs::write(folder.join("STOP"), "").expect("written");
        let held = output(folder, &["run", "spring.toml", "--until", "done", "--json"]).await;
        assert_eq!(held.status.code(), Some(4), "{}", text(&held));
        assert!(vendor.simulator.tape().is_empty());
        std::fs::remove_file(folder.join("STOP")).expect("removed");
        let run = json(folder, &["run", "spring.toml", "--until", "done", "--json"]).await;
        assert_eq!(run["state"], "done", "{run}");

        let cancelled = output(folder, &["cancel", "spring"]).await;
        assert_eq!(cancelled.status.code(), Some(4), "nobody is there to say yes");
        json(folder, &["cancel", "spring", "--yes", "--json"]).await;
        let again = output(folder, &["run", "spring.toml"]).await;
        assert_eq!(again.status.code(), Some(1), "{}", text(&again));
        assert!(text(&again).contains("was cancelled, which is final"), "{}", text(&again));
    }
}

on_both_databases! {
    async fn a_stop_switch_needs_no_credentials(database) {
        let vendor = Vendor::begin(quick(Outcome::Answered)).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 5, "");
        json(folder, &["apply", "spring.toml", "--yes", "--json"]).await;
        for args in [&["stop"][..], &["start"], &["pause", "spring"], &["status", "spring"], &["lanes"], &["migrate"], &["review"], &["import", "spring", "contacts.csv"]] {
            let done = ringfence(folder, args).env_remove("TWENTY2_API_KEY").output().await.expect("it runs");
            assert!(done.status.success(), "{args:?}: {}", text(&done));
        }
        let run = ringfence(folder, &["run", "spring.toml"]).env_remove("TWENTY2_API_KEY").output().await;
        let told = text(&run.expect("it runs"));
        assert!(told.contains("`TWENTY2_API_KEY` is not set"), "who needs the lane is told: {told}");
    }
}

on_both_databases! {
    async fn a_fresh_run_calls_everyone_again_once_for_its_key(database) {
        let vendor = Vendor::begin(quick(Outcome::Answered)).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 4, "");
        let run = |key: &'static str| ["run", "spring.toml", "--until", "done", "--json", "--fresh", key];
        json(folder, &run("monday")).await;
        let again = json(folder, &run("monday")).await;
        assert_eq!((&again["run"]["number"], &again["run"]["key"]), (&2.into(), &"monday".into()), "{again}");
        assert_eq!(vendor.simulator.tape().len(), 4);
        let tuesday = json(folder, &run("tuesday")).await;
        assert_eq!(tuesday["contacts"]["done"], 4, "{tuesday}");
        assert_eq!(vendor.simulator.tape().len(), 8);
    }
}

on_both_databases! {
    async fn a_plan_tells_what_apply_then_does(database) {
        let vendor = Vendor::begin(quick(Outcome::Answered)).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 4, "");
        let plan = json(folder, &["plan", "spring.toml", "--json"]).await;
        assert_eq!(plan["change"], "new", "{plan}");
        let draft = json(folder, &["apply", "spring.toml", "--draft", "--yes", "--json"]).await;
        assert_eq!(draft["state"], "draft", "{draft}");
        json(folder, &["import", "spring", "contacts.csv", "--json"]).await;
        let path = folder.join("spring.toml");
        let campaign = std::fs::read_to_string(&path).expect("read");
        std::fs::write(&path, campaign.replace("24/7", "Mo-Sa 09:00-20:00")).expect("written");
        let plan = json(folder, &["plan", "spring.toml", "--json"]).await;
        assert_eq!((&plan["change"], &plan["contacts"]["waiting"]), (&"changed".into(), &4.into()), "{plan}");
        let keys: Vec<&str> = plan["differences"].as_array().expect("a list").iter().filter_map(|d| d["key"].as_str()).collect();
        assert_eq!(keys, ["calling.guard", "calling.hours"], "{plan}");
        json(folder, &["apply", "spring.toml", "--yes", "--json"]).await;
        assert_eq!(json(folder, &["plan", "spring.toml", "--json"]).await["change"], "unchanged");
        assert!(vendor.simulator.tape().is_empty());
    }
}

on_both_databases! {
    async fn calls_of_unknown_fate_are_settled_by_a_word(database) {
        let mut lossy = quick(Outcome::Answered);
        lossy.faults = vec![(ringfence_sandbox::Fault::ErrorBefore, 100.0)];
        let vendor = Vendor::begin(lossy).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 1, "[on_unknown]\nask_for = \"1s\"");
        let run = output(folder, &["run", "spring.toml", "--until", "idle"]).await;
        assert_eq!(run.status.code(), Some(3), "{}", text(&run));
        let review = json(folder, &["review", "--json"]).await;
        assert_eq!(review.as_array().map(Vec::len), Some(1), "{review}");
        assert_eq!(review[0]["attempt_state"], "unknown");
        let id = review[0]["contact"].to_string();
        assert_eq!(output(folder, &["review", "settle", "999", "placed"]).await.status.code(), Some(1));
        let settled = json(folder, &["review", "settle", &id, "not-placed", "--json"]).await;
        assert_eq!(settled["settled"], 1, "{settled}");
        vendor.simulator.change(|behaviour| behaviour.faults.clear());
        json(folder, &["lanes", "resume", "main", "--json"]).await;
        let done = json(folder, &["run", "spring.toml", "--until", "done", "--json"]).await;
        assert_eq!(done["contacts"]["done"], 1, "{done}");
    }
}

on_both_databases! {
    async fn attempts_are_exported_and_expired_links_refreshed(database) {
        let vendor = Vendor::begin(quick(Outcome::Answered)).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 2, "");
        json(folder, &["run", "spring.toml", "--until", "done", "--json"]).await;
        let lines = text(&output(folder, &["export", "spring", "--attempts", "--format", "json"]).await);
        let attempts: Vec<serde_json::Value> =
            lines.lines().filter(|line| line.starts_with('{')).map(|line| serde_json::from_str(line).expect("JSON")).collect();
        let ended: Vec<_> = attempts.iter().filter(|attempt| attempt["state"] == "ended").collect();
        assert_eq!(ended.len(), 2, "{lines}");
        assert!(ended.iter().any(|attempt| attempt["phone"] == sample::number(0).e164()), "{lines}");
        assert!(ended[0]["recording_url"].is_string(), "{lines}");
        let statement = "UPDATE attempts SET recording_expires_at = 1, recording_url = 'https://gone.invalid/x' WHERE state = 'ended'";
        ringfence_tests::database::execute(&database.url, statement).await;
        let refreshed = output(folder, &["export", "spring", "--refresh"]).await;
        assert!(text(&refreshed).contains("2 expired links were refreshed"), "{}", text(&refreshed));
        assert!(!text(&refreshed).contains("gone.invalid"), "{}", text(&refreshed));
    }
}
