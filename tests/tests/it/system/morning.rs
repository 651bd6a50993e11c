//! Five minutes past nine on a bad morning: one command says what stands still, why, since when and
//! what to type.

use std::sync::Arc;

use ringfence_domain::event::EventKind;
use ringfence_domain::schedule::Schedule;
use ringfence_domain::{Moment, Placement, Span};
use ringfence_operations::workspace::wall_clock;
use ringfence_store::{Acquired, Database, Owner, Settlement};
use ringfence_tests::binary::{Vendor, json, output, text, write_project};
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{Stage, lane_settings, rules};

/// A campaign on a lane of its own, which a process owns for so long from now on.
async fn stage(store: &Database, lane: &str, campaign: &str, priority: u8, owned_for: Span) -> Stage {
    let mut settings = lane_settings(lane);
    settings.limits.concurrent = 3;
    let mut rules = rules(campaign, lane);
    rules.priority = priority;
    let mut stage = Stage::set_with(store, settings.clone(), rules, 5).await;
    let now = wall_clock();
    let owner = Owner { name: format!("boot/0af3/4711/{}/dialer-1", now.millis()), lease: owned_for };
    let taken = store.take_lane(stage.lane, settings, owner, Some("tests".into()), now).await.expect("taken");
    if let Acquired::Ours { epoch, .. } = taken {
        stage.epoch = epoch;
    }
    stage
}

/// Five things are wrong at once.
async fn morning(store: &Arc<Database>, now: Moment) {
    // Nobody dials this lane: its process ended ten minutes ago.
    let alone = stage(store, "first", "reminders", 5, Span::from_secs(9)).await;
    let ago = now - Span::from_minutes(10);
    store.release_lane(alone.lane, alone.epoch, None, ago).await.expect("given back");
    // This one was paused for its credentials.
    let refused = stage(store, "second", "surveys", 5, Span::from_hours(1)).await;
    store.pause_lane(refused.lane, "HTTP 401 from the vendor: bad token".into(), ago).await.expect("paused");
    // A list did not come.
    let mut daily = rules("daily", "second");
    daily.schedule = Schedule { cron: Some("0 9 * * *".parse().expect("a line")), ..Schedule::default() };
    let (_, daily) = store
        .apply(daily, refused.lane, ringfence_store::Begin::Running, ago - Span::from_days(1))
        .await
        .expect("applied");
    let due = store.schedules().await.expect("schedules")[0].next_at.expect("a moment");
    let failed = (EventKind::ScheduleFailed, "there is no file leads-2026-11-26.csv".to_owned());
    store.finish_moment(daily.id, due, Some(now + Span::from_days(1)), failed, now).await.expect("over");
    // All slots of this lane are taken by calls of unknown fate, which wait for a person.
    let stuck = stage(store, "third", "collections", 5, Span::from_hours(1)).await;
    let sending = stuck.claim(store, 3, now).await;
    let unknown = |id: &_| ringfence_store::Sent {
        answered_at: now,
        overdue_at: now + Span::from_hours(1),
        ..stuck.sent(*id, Placement::Unknown { cause: "no answer within 15 s".into() })
    };
    store.record(sending.iter().map(unknown).collect(), now).await.expect("recorded");
    store.settle(sending.iter().map(|id| (*id, Settlement::Review)).collect(), now).await.expect("in review");
    // A campaign of a higher priority has the lane.
    stage(store, "fourth", "urgent", 1, Span::from_hours(1)).await;
    let lane = store.lanes().await.expect("lanes").into_iter().find(|lane| lane.settings.name == "fourth");
    let lane = lane.expect("a lane").id;
    let mut patient = rules("patient", "fourth");
    patient.priority = 7;
    let (_, patient) = store.apply(patient, lane, ringfence_store::Begin::Running, now).await.expect("applied");
    ringfence_tests::sample::import(store, patient.run, 100..105, now).await;
}

on_both_databases! {
    async fn one_command_says_what_stands_still_why_since_when_and_what_to_type(database) {
        let vendor = Vendor::begin(ringfence_sandbox::Behaviour::default()).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 0, "");
        let now = wall_clock();
        // As every process that dials does: the database is the one that it was.
        database.store.guard(None, false).await.expect("guarded");
        morning(&database.store, now).await;

        let shown = text(&output(folder, &["status"]).await);
        for says in [
            "CRITICAL: lane first: no process dials it; dialer-1 did, and 5 people are due",
            "to mend it: ringfence serve",
            "CRITICAL: lane second: it is paused: HTTP 401 from the vendor: bad token",
            "to mend it: mend that, then ringfence lanes resume second",
            "CRITICAL: daily: its list did not come: there is no file leads-2026-11-26.csv",
            "to mend it: ringfence import daily FILE",
            "CRITICAL: lane third: all 3 slots are taken by calls of unknown fate",
            "WARNING: collections: 3 contacts in review wait for a person",
            "to mend it: ringfence review --campaign collections",
            "WARNING: patient: it waits behind urgent (priority 1)",
        ] {
            assert!(shown.contains(says), "{says}\n{shown}");
        }
        assert!(shown.find("CRITICAL").expect("one") < shown.find("WARNING").expect("one"), "the worst first");
        assert!(shown.matches("since ").count() >= 3, "{shown}");

        let probe = output(folder, &["status", "--check"]).await;
        assert_eq!(probe.status.code(), Some(2), "{}", text(&probe));
        let line = String::from_utf8_lossy(&probe.stdout).into_owned();
        assert!(line.starts_with("CRITICAL: ") && line.trim_end().lines().count() == 1, "{line}");
        let patient = output(folder, &["status", "patient", "--check"]).await;
        assert_eq!(patient.status.code(), Some(1), "{}", text(&patient));
        let urgent = output(folder, &["status", "urgent", "--check"]).await;
        assert_eq!((urgent.status.code(), text(&urgent).contains("OK: 1 campaign")), (Some(0), true), "{}", text(&urgent));

        let status = json(folder, &["status", "patient", "--json"]).await;
        let limited = status["limited_by"].as_str().expect("a sentence");
        assert!(limited.contains("urgent (priority 1) comes first") && limited.contains("10% of the lane"), "{limited}");
        let lanes = text(&output(folder, &["lanes"]).await);
        assert!(lanes.contains("nobody; process 4711 on dialer-1 did until"), "{lanes}");
        assert!(lanes.contains("HTTP 401 from the vendor"), "{lanes}");
        let number = ringfence_tests::sample::number(0);
        let why = text(&output(folder, &["why", number.e164(), "--campaign", "reminders"]).await);
        assert!(why.contains("no process dials lane first (dialer-1 did until"), "{why}");
        let number = ringfence_tests::sample::number(4);
        let why = text(&output(folder, &["why", number.e164(), "--campaign", "reminders"]).await);
        assert!(why.contains("it would be dialled now, but:") && !why.contains("it may be dialled now"), "{why}");
        for command in [&["campaigns"][..], &["imports", "daily"]] {
            let shown = text(&output(folder, command).await);
            assert!(shown.contains("the list of daily did not come at "), "{command:?}: {shown}");
        }
        let events = text(&output(folder, &["events", "--since", "1h"]).await);
        assert!(events.contains("lane second was paused: HTTP 401 from the vendor: bad token"), "{events}");
        assert!(events.contains("campaign daily could not begin at its scheduled moment"), "{events}");
    }
}

#[tokio::test]
async fn a_probe_that_cannot_ask_is_critical() {
    let folder = tempfile::TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("ringfence.toml"), "[database]\nurl = \"sqlite://nowhere.db\"\n")
        .expect("written");
    let probe = output(folder.path(), &["status", "--check"]).await;
    assert_eq!(probe.status.code(), Some(2), "{}", text(&probe));
    assert!(String::from_utf8_lossy(&probe.stdout).starts_with("CRITICAL: "), "{}", text(&probe));
    let told = output(folder.path(), &["status", "--check", "--json"]).await;
    let told: serde_json::Value = serde_json::from_slice(&told.stdout).expect("JSON");
    assert_eq!((&told["level"], &told["findings"][0]["about"]), (&"critical".into(), &"everything".into()), "{told}");
}

#[tokio::test]
async fn status_needs_no_name_where_there_is_one_campaign() {
    let vendor = Vendor::begin(ringfence_sandbox::Behaviour::default()).await;
    let folder = tempfile::TempDir::new().expect("a folder");
    let folder = folder.path();
    write_project(folder, "sqlite://test.db", &vendor, 3, "");
    json(folder, &["apply", "spring.toml", "--yes", "--json"]).await;
    assert_eq!(json(folder, &["status", "--json"]).await["campaign"], "spring");
    let other = std::fs::read_to_string(folder.join("spring.toml")).expect("read").replace("\"spring\"", "\"summer\"");
    std::fs::write(folder.join("summer.toml"), other).expect("written");
    json(folder, &["apply", "summer.toml", "--yes", "--json"]).await;
    let shown = text(&output(folder, &["status"]).await);
    assert!(shown.contains("spring") && shown.contains("summer"), "{shown}");
    let asked = output(folder, &["status", "--json"]).await;
    assert_eq!(asked.status.code(), Some(1), "{}", text(&asked));
    assert!(text(&asked).contains("name one of spring, summer, or use --all"), "{}", text(&asked));
}

#[tokio::test]
async fn a_process_that_stands_by_says_for_whom_and_its_signs_are_seen() {
    let vendor = Vendor::begin(ringfence_sandbox::Behaviour::default()).await;
    let folder = tempfile::TempDir::new().expect("a folder");
    let folder = folder.path();
    write_project(folder, "sqlite://test.db", &vendor, 0, "");
    let first = ringfence_tests::binary::start(folder, &["serve"]);
    let owner = async || {
        let lanes = output(folder, &["lanes", "--json"]).await;
        let lanes: serde_json::Value = serde_json::from_slice(&lanes.stdout).unwrap_or_default();
        lanes[0]["owner"].as_str().map(str::to_owned)
    };
    while owner().await.is_none() {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let pid = first.id().expect("it runs");
    assert!(owner().await.expect("an owner").starts_with(&format!("process {pid} on ")));
    let mut second = ringfence_tests::binary::ringfence(folder, &["serve"]).spawn().expect("it starts");
    let mut said = tokio::io::BufReader::new(second.stderr.take().expect("stderr"));
    let mut line = String::new();
    while !line.contains("this process stands by") {
        line.clear();
        let read = tokio::io::AsyncBufReadExt::read_line(&mut said, &mut line);
        let read =
            tokio::time::timeout(std::time::Duration::from_mins(1), read).await.expect("in time").expect("a line");
        assert!(read > 0, "it ended");
    }
    assert!(line.contains(&format!("lane main: process {pid} on ")), "{line}");
    let events = text(&output(folder, &["events"]).await);
    assert_eq!(events.matches("a process started: serve").count(), 2, "{events}");
}
