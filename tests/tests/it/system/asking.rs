//! `hours`, `status`, `why`, `lanes`, `export`, `migrate`.

use ringfence_domain::{Outcome, Span};
use ringfence_sandbox::Behaviour;
use ringfence_tests::binary::{Vendor, json, output, ringfence, text, write_project};
use ringfence_tests::{on_both_databases, sample};
use tempfile::TempDir;

#[tokio::test]
async fn hours_are_evaluated_without_any_campaign() {
    let folder = TempDir::new().expect("a folder");
    let base = ["hours", "Mo-Sa 09:00-21:00", "--timezone", "Asia/Kolkata", "--json", "--at"];
    let at = |moment: &'static str| [&base[..], &[moment]].concat();
    let open = json(folder.path(), &at("2026-11-20T15:29:59Z")).await;
    assert_eq!(open, serde_json::json!({ "open": true, "next_change": "2026-11-20T15:30:00Z" }));
    let sunday = json(folder.path(), &at("2026-11-22T06:00:00Z")).await;
    assert_eq!(sunday, serde_json::json!({ "open": false, "next_change": "2026-11-23T03:30:00Z" }));
    let args = [&at("2026-11-20T12:00:00Z")[..], &["--until", "2026-11-21T12:00:00Z"]].concat();
    let listed = output(folder.path(), &args).await;
    let lines: Vec<&str> = std::str::from_utf8(&listed.stdout).expect("text").lines().collect();
    assert_eq!(
        lines[1..],
        ["{\"at\":\"2026-11-20T15:30:00Z\",\"open\":false}", "{\"at\":\"2026-11-21T03:30:00Z\",\"open\":true}",]
    );
    let wrong = output(folder.path(), &["hours", "Mo-Fr 22:00-02:00", "--timezone", "Asia/Kolkata"]).await;
    assert_eq!(wrong.status.code(), Some(1));
    assert!(text(&wrong).contains("22:00-26:00"), "{}", text(&wrong));
    let never = json(folder.path(), &["hours", "24/7", "--timezone", "UTC", "--json"]).await;
    assert_eq!(never, serde_json::json!({ "open": true, "next_change": null }));
}

on_both_databases! {
    async fn a_run_can_be_asked_about_afterwards(database) {
        let behaviour = Behaviour {
            outcomes: vec![(Outcome::Answered, 1)], talk: Span::from_millis(200), ring: Span::from_millis(20),
            ..Behaviour::default()
        };
        let vendor = Vendor::begin(behaviour).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 12, "");
        let csv = std::fs::read_to_string(folder.join("contacts.csv")).expect("read");
        std::fs::write(folder.join("contacts.csv"), format!("{csv}=HYPERLINK(1),+919810000999\nbad,123\n")).expect("written");
        let run = output(folder, &["run", "spring.toml", "--until", "idle", "--rejects", "rejects.csv"]).await;
        assert!(run.status.success(), "{}", text(&run));
        assert!(text(&run).contains("1 of 14 rows were rejected; see rejects.csv"), "{}", text(&run));
        let rejects = std::fs::read_to_string(folder.join("rejects.csv")).expect("read");
        assert_eq!(rejects, "line,reason,name,phone\n15,`123`: no such number exists in its country's numbering plan,bad,123\n");
        assert!(!text(&run).contains("canary-secret"));

        let status = json(folder, &["status", "spring", "--json"]).await;
        assert_eq!((&status["state"], &status["reached"]), (&"done".into(), &13.into()), "{status}");
        assert_eq!(status["last_import"]["rejected"], 1);
        assert!(status["finished_at"].is_string());
        let all = json(folder, &["status", "--all", "--json"]).await;
        assert_eq!(all.as_array().map(Vec::len), Some(1));

        let phone = sample::number(3);
        let why = json(folder, &["why", phone.e164(), "--json"]).await;
        assert_eq!((&why["state"], &why["may_dial_now"]), (&"done".into(), &false.into()), "{why}");
        assert_eq!(why["history"][0]["outcome"], "answered");
        assert_eq!(why["zone_source"], "the number's prefix");

        let lanes = json(folder, &["lanes", "--json"]).await;
        assert_eq!((&lanes[0]["name"], &lanes[0]["state"], &lanes[0]["live"]), (&"main".into(), &"open".into(), &0.into()));
        let checked = json(folder, &["lanes", "--check", "--json"]).await;
        assert_eq!(checked[0]["ok"], true, "{checked}");

        let export = output(folder, &["export", "spring"]).await;
        let mut table = csv_rows(&export.stdout);
        let header = table.remove(0);
        let place = |name: &str| header.iter().position(|column| column == name).unwrap_or_else(|| panic!("{name} in {header:?}"));
        assert_eq!(table.len(), 13);
        assert_eq!(table[0][place("phone")], sample::number(0).e164(), "the + is kept");
        assert_eq!(table[0][place("out.interested")], "yes");
        assert_eq!(table[12][place("in.name")], "'=HYPERLINK(1)", "no formula");
        assert_eq!(table[0][place("currency")], "INR");
        let unreached = output(folder, &["export", "spring", "--only", "unreached", "--format", "json"]).await;
        assert!(unreached.stdout.is_empty());

        let migrated = json(folder, &["migrate", "--json"]).await;
        let steps = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/sqlite");
        let steps = std::fs::read_dir(steps).expect("the migrations").count();
        assert_eq!(migrated["migrations"].as_array().map(Vec::len), Some(steps));
    }
}

fn csv_rows(text: &[u8]) -> Vec<Vec<String>> {
    // The exports of this test have no quoted commas or line ends.
    let text = std::str::from_utf8(text).expect("text");
    text.lines().map(|line| line.split(',').map(|value| value.trim_matches('"').to_owned()).collect()).collect()
}

#[tokio::test]
async fn the_sandbox_command_speaks_twenty2_and_keeps_a_tape() {
    let folder = TempDir::new().expect("a folder");
    let mut child = ringfence(
        folder.path(),
        &["sandbox", "--listen", "127.0.0.1:0", "--tape", "tape.jsonl", "--ring", "10ms", "--talk", "50ms"],
    )
    .spawn()
    .expect("it starts");
    let mut lines = tokio::io::BufReader::new(child.stdout.take().expect("its output"));
    let mut line = String::new();
    tokio::io::AsyncBufReadExt::read_line(&mut lines, &mut line).await.expect("a line");
    let address = line.trim().rsplit("http://").next().expect("an address").parse().expect("an address");
    let vendor = Vendor { simulator: Vendor::begin(Behaviour::default()).await.simulator, address };
    write_project(folder.path(), "sqlite://test.db", &vendor, 8, "[retry]\nmax_attempts = 1");
    let run = json(folder.path(), &["run", "spring.toml", "--until", "done", "--json"]).await;
    assert_eq!(run["state"], "done", "{run}");
    let tape = std::fs::read_to_string(folder.path().join("tape.jsonl")).expect("the tape");
    assert_eq!(tape.lines().count(), 8);
    child.kill().await.expect("it ends");
}
