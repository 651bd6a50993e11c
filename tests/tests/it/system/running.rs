//! `run` and `demo`: their ends, exit codes and which database they open.

use ringfence_domain::{Outcome, Span};
use ringfence_sandbox::{Behaviour, Fault};
use ringfence_tests::binary::{Vendor, json, output, ringfence, start, text, write_project};
use tempfile::TempDir;

fn quick(outcome: Outcome) -> Behaviour {
    Behaviour {
        outcomes: vec![(outcome, 1)],
        talk: Span::from_millis(100),
        ring: Span::from_millis(20),
        latency: Span::from_millis(2),
        ..Behaviour::default()
    }
}

async fn project(behaviour: Behaviour, contacts: usize, extra: &str) -> (TempDir, Vendor) {
    let folder = TempDir::new().expect("a folder");
    let vendor = Vendor::begin(behaviour).await;
    write_project(folder.path(), "sqlite://test.db", &vendor, contacts, extra);
    (folder, vendor)
}

#[tokio::test]
async fn idle_leaves_when_nobody_may_be_dialled_now() {
    let (folder, vendor) = project(quick(Outcome::Busy), 10, "[retry]\nbusy = \"2h\"").await;
    let summary = json(folder.path(), &["run", "spring.toml", "--until", "idle", "--json"]).await;
    assert_eq!(summary["waiting_for"]["retry"], 10, "{summary}");
    assert_eq!(summary["state"], "idle");
    assert!(summary["next_dial_at"].is_string());
    assert_eq!(vendor.simulator.tape().len(), 10);
}

#[tokio::test]
async fn today_also_waits_for_retries() {
    let (folder, vendor) = project(quick(Outcome::Busy), 10, "[retry]\nbusy = \"1s\"\nmax_attempts = 2").await;
    let summary = json(folder.path(), &["run", "spring.toml", "--json"]).await;
    assert_eq!(summary["stopped_for"]["attempts_used"], 10, "{summary}");
    assert_eq!(vendor.simulator.tape().len(), 20);
}

#[tokio::test]
async fn a_campaign_whose_last_day_is_over_is_ended_before_the_run_leaves() {
    let (folder, vendor) = project(quick(Outcome::Busy), 10, "[retry]\nbusy = \"2h\"").await;
    let run = |until| ["run", "spring.toml", "--until", until, "--json"];
    let summary = json(folder.path(), &run("idle")).await;
    assert_eq!(summary["waiting_for"]["retry"], 10, "{summary}");
    let path = folder.path().join("spring.toml");
    let campaign = std::fs::read_to_string(&path).expect("read");
    std::fs::write(&path, format!("{campaign}\n[schedule]\nends = \"2026-01-01\"\n")).expect("written");
    let summary = json(folder.path(), &run("done")).await;
    assert_eq!(summary["stopped_for"]["campaign_ended"], 10, "{summary}");
    assert_eq!(vendor.simulator.tape().len(), 10, "nobody is called after it");
}

#[tokio::test]
async fn a_closed_window_dials_nobody_and_says_when_it_opens() {
    let (folder, vendor) = project(quick(Outcome::Answered), 5, "").await;
    let path = folder.path().join("spring.toml");
    let campaign = std::fs::read_to_string(&path).expect("read");
    let today = ringfence_operations::workspace::wall_clock().utc_date().strftime("%a").to_string();
    let other = if today == "Mon" || today == "Sun" || today == "Tue" { "Th" } else { "Mo" };
    std::fs::write(&path, campaign.replace("24/7", &format!("{other} 09:00-21:00"))).expect("written");
    let summary = json(folder.path(), &["run", "spring.toml", "--json"]).await;
    assert_eq!(summary["waiting_for"]["window"], 5, "{summary}");
    assert!(vendor.simulator.tape().is_empty());
}

#[tokio::test]
async fn a_paused_lane_is_exit_4_and_calls_in_review_are_exit_3() {
    let mut wrong = quick(Outcome::Answered);
    wrong.faults = vec![(Fault::Unauthorized, 100.0)];
    let (folder, vendor) = project(wrong, 20, "[on_unknown]\nask_for = \"4s\"").await;
    let held = output(folder.path(), &["run", "spring.toml", "--json"]).await;
    assert_eq!(held.status.code(), Some(4), "{}", text(&held));
    let summary: serde_json::Value = serde_json::from_slice(&held.stdout).expect("JSON");
    assert_eq!(summary["state"], "held");
    assert_eq!(summary["waiting_for"]["lane_paused"], 20, "{summary}");
    assert!(text(&output(folder.path(), &["lanes"]).await).contains("UNAUTHORIZED"));

    vendor.simulator.change(|behaviour| behaviour.faults = vec![(Fault::ErrorBefore, 100.0)]);
    assert!(output(folder.path(), &["lanes", "resume", "main"]).await.status.success());
    let run = output(folder.path(), &["run", "spring.toml", "--until", "idle", "--max-time", "12s", "--json"]).await;
    assert_eq!(run.status.code(), Some(3), "{}", text(&run));
}

#[tokio::test]
async fn slots_that_calls_of_unknown_fate_hold_are_not_waited_for() {
    let mut lost = quick(Outcome::Answered);
    lost.faults = vec![(Fault::LostRequest, 100.0)];
    let (folder, _vendor) = project(lost, 20, "[on_unknown]\nask_for = \"1s\"").await;
    let config = folder.path().join("ringfence.toml");
    let text_of = std::fs::read_to_string(&config).expect("read");
    std::fs::write(&config, text_of.replace("concurrent = 40", "concurrent = 2")).expect("written");
    for until in ["idle", "today"] {
        let run = output(folder.path(), &["run", "spring.toml", "--until", until, "--max-time", "60s", "--json"]).await;
        assert_eq!(run.status.code(), Some(3), "{}", text(&run));
        let summary: serde_json::Value = serde_json::from_slice(&run.stdout).expect("JSON");
        assert_eq!(summary["state"], "idle", "{summary}");
        let because = summary["because"].as_str().expect("a reason");
        assert!(because.contains("all 2 slots are taken by calls of unknown fate"), "{because}");
    }
    let shown = text(&output(folder.path(), &["status", "spring"]).await);
    assert!(shown.contains("slots are taken by calls of unknown fate"), "{shown}");
    let lanes = json(folder.path(), &["lanes", "--json"]).await;
    assert_eq!(lanes[0]["slots"]["unknown"], 2, "{lanes}");
    assert!(text(&output(folder.path(), &["lanes"]).await).contains("2 of 2 taken, 2 by calls of unknown"), "{lanes}");
    let number = ringfence_tests::sample::number(15);
    let why = json(folder.path(), &["why", number.e164(), "--json"]).await;
    assert_eq!(why["may_dial_now"], false, "{why}");
    assert_eq!(why["set_by"], "slots", "{why}");
    let whole = text(&output(folder.path(), &["why", "--campaign", "spring"]).await);
    assert!(whole.contains("slots") && whole.contains("18"), "{whole}");
}

#[tokio::test]
async fn a_run_beside_a_run_hands_over_and_leaves() {
    let mut slow = quick(Outcome::Answered);
    slow.talk = Span::from_secs(4);
    let (folder, vendor) = project(slow, 30, "").await;
    let mut first = start(folder.path(), &["run", "spring.toml", "--until", "done"]);
    while vendor.simulator.tape().is_empty() {
        tokio::task::yield_now().await;
    }
    let second = output(folder.path(), &["run", "spring.toml", "--json"]).await;
    assert_eq!(second.status.code(), Some(0), "{}", text(&second));
    let summary: serde_json::Value = serde_json::from_slice(&second.stdout).expect("JSON");
    assert_eq!(summary["already_running"], true, "{summary}");
    let said = String::from_utf8_lossy(&second.stderr);
    let process = format!("spring is already run by process {} on ", first.id().expect("it runs"));
    assert!(said.contains(&process) && said.contains("`ringfence status spring --watch`"), "{said}");
    assert!(first.wait().await.expect("it ends").success());
    assert_eq!(vendor.simulator.tape().len(), 30);
}

#[tokio::test]
async fn another_working_directory_opens_the_same_database() {
    let (folder, vendor) = project(quick(Outcome::Answered), 5, "").await;
    json(folder.path(), &["run", "spring.toml", "--json"]).await;
    let campaign = folder.path().join("spring.toml").display().to_string();
    let elsewhere = TempDir::new().expect("a folder");
    let again = json(elsewhere.path(), &["run", &campaign, "--json", "--no-create"]).await;
    assert_eq!(again["contacts"]["done"], 5, "{again}");
    assert_eq!(vendor.simulator.tape().len(), 5, "nobody was called again");
    assert_eq!(std::fs::read_dir(elsewhere.path()).expect("the folder").count(), 0);
}

#[tokio::test]
async fn a_dry_run_changes_nothing() {
    let (folder, vendor) = project(quick(Outcome::Answered), 5, "").await;
    let found = json(folder.path(), &["run", "spring.toml", "--dry-run", "--json"]).await;
    assert_eq!((&found["rows"], &found["accepted"]), (&5.into(), &5.into()));
    assert!(vendor.simulator.tape().is_empty());
    assert!(!folder.path().join("test.db").exists());
}

#[tokio::test]
async fn contacts_may_come_from_standard_input() {
    let (folder, vendor) = project(quick(Outcome::Answered), 5, "").await;
    let mut run = ringfence(folder.path(), &["run", "spring.toml", "--contacts", "-", "--json"])
        .stdin(std::process::Stdio::piped())
        .spawn()
        .expect("it starts");
    let mut input = run.stdin.take().expect("its input");
    tokio::io::AsyncWriteExt::write_all(&mut input, b"name,phone\nA,9820012345\nB,9820012346\n")
        .await
        .expect("written");
    drop(input);
    let done = run.wait_with_output().await.expect("it ends");
    assert!(done.status.success(), "{}", text(&done));
    assert_eq!(vendor.simulator.tape().len(), 2);
}

#[tokio::test]
async fn the_demo_ends_by_itself_and_its_counts_agree() {
    let folder = TempDir::new().expect("a folder");
    let summary = json(folder.path(), &["demo", "--contacts", "20", "--json"]).await;
    assert_eq!(summary["state"], "done", "{summary}");
    assert_eq!(summary["contacts"]["total"], 20);
    let logs = ringfence(folder.path(), &["demo", "--contacts", "3"])
        .env("RINGFENCE_LOG", "trace")
        .output()
        .await
        .expect("it runs");
    assert!(logs.status.success());
    let said = text(&logs);
    assert!(!said.contains("9820000037"), "numbers are masked in every log");
    let database = said.lines().find_map(|line| line.strip_prefix("database  ")).expect("where its database is");
    let folder = std::path::Path::new(database).parent().expect("its folder");
    let looked = ringfence(folder, &["status", "--database", "sqlite://demo.db"]).output().await.expect("it runs");
    assert!(!text(&looked).contains("quarantine"), "who looks on sees the demo, and no copy: {}", text(&looked));
}

#[tokio::test]
async fn whoever_takes_over_from_a_killed_process_says_how_long_it_waits_for_the_budget() {
    let mut slow = quick(Outcome::Answered);
    slow.talk = Span::from_minutes(5);
    let (folder, vendor) = project(slow, 30, "").await;
    let config = folder.path().join("ringfence.toml");
    let text_of = std::fs::read_to_string(&config).expect("read");
    std::fs::write(&config, text_of.replace("2000/s", "600/min").replace("concurrent = 40", "concurrent = 3"))
        .expect("written");
    let mut first = start(folder.path(), &["run", "spring.toml", "--until", "done"]);
    while vendor.simulator.tape().is_empty() {
        tokio::task::yield_now().await;
    }
    first.kill().await.expect("killed");
    let second = start(folder.path(), &["serve"]);
    let waits = "the lane's last process ended without saying what it had used of these limits; dialling begins at ";
    let patience = std::time::Duration::from_secs(30);
    let status = async {
        loop {
            let status = json(folder.path(), &["status", "spring", "--json"]).await;
            if status["because"].is_string() {
                return status;
            }
        }
    };
    let status = tokio::time::timeout(patience, status).await.expect("it says why nothing is dialled");
    let because = status["because"].as_str().expect("a sentence");
    assert!(because.starts_with(&format!("Nothing is dialled: {waits}")), "{because}");
    assert!(status["next_dial_at"].as_str() > status["as_of"].as_str(), "{status}");
    let lanes = json(folder.path(), &["lanes", "--json"]).await;
    assert!(lanes[0]["backoff_reason"].as_str().is_some_and(|says| says.starts_with(waits)), "{lanes}");
    let number = ringfence_tests::sample::number(29);
    let why = json(folder.path(), &["why", number.e164(), "--json"]).await;
    assert_eq!((&why["set_by"], &why["may_dial_now"]), (&"pace".into(), &false.into()), "{why}");
    assert!(why.to_string().contains(waits), "{why}");
    let whole = json(folder.path(), &["why", "--campaign", "spring", "--json"]).await;
    assert!(whole.to_string().contains(waits), "{whole}");
    drop(second);
}

#[tokio::test]
async fn a_reader_of_its_words_that_stopped_or_went_away_holds_up_nobody() {
    let mut slow = quick(Outcome::Answered);
    slow.talk = Span::from_minutes(5);
    let (folder, vendor) = project(slow, 40, "").await;
    let command = || {
        let mut command = ringfence_tests::binary::ringfence(folder.path(), &["run", "spring.toml", "--until", "done"]);
        command.env("RINGFENCE_LOG", "trace");
        command
    };
    // Its pipes are held open and nobody reads them.
    let mut run = command().spawn().expect("it starts");
    let patience = std::time::Duration::from_mins(1);
    let all = async {
        while vendor.simulator.tape().calls().len() < 40 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(patience, all).await.expect("all are called");
    let id = run.id().expect("it runs").to_string();
    assert!(tokio::process::Command::new("kill").args(["-TERM", &id]).status().await.expect("kill").success());
    let ended = tokio::time::timeout(std::time::Duration::from_secs(25), run.wait()).await.expect("it ends in time");
    assert_eq!(ended.expect("it ends").code(), Some(143));

    let mut gone = command().spawn().expect("it starts");
    drop(gone.stderr.take());
    drop(gone.stdout.take());
    let id = gone.id().expect("it runs").to_string();
    let owned = async { while json(folder.path(), &["lanes", "--json"]).await[0]["owner"].is_null() {} };
    tokio::time::timeout(patience, owned).await.expect("it dials");
    assert!(tokio::process::Command::new("kill").args(["-TERM", &id]).status().await.expect("kill").success());
    let ended = tokio::time::timeout(std::time::Duration::from_secs(25), gone.wait()).await.expect("it ends in time");
    assert_eq!(ended.expect("it ends").code(), Some(143));
}
