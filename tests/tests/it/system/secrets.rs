//! Secrets: who calls nobody needs none, and those that calls need are read again when they may
//! have changed.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use ringfence_domain::{Outcome, Span};
use ringfence_sandbox::{Behaviour, Fault};
use ringfence_tests::binary::{Vendor, json, output, ringfence, text, write_project};
use tempfile::TempDir;

async fn without(folder: &Path, args: &[&str]) -> std::process::Output {
    let mut command = ringfence(folder, args);
    command.env_remove("TWENTY2_API_KEY").env_remove("TWENTY2_API_SECRET");
    command.output().await.expect("it starts")
}

#[tokio::test]
async fn commands_that_call_nobody_need_no_secrets() {
    let (folder, vendor) = (TempDir::new().expect("a folder"), Vendor::begin(Behaviour::default()).await);
    let folder = folder.path();
    write_project(folder, "sqlite://test.db", &vendor, 3, "");
    for args in [
        &["plan", "spring.toml"][..],
        &["apply", "spring.toml", "--yes"],
        &["import", "spring", "contacts.csv"],
        &["run", "spring.toml", "--dry-run"],
        &["preview", "spring.toml"],
        &["status"],
        &["lanes"],
        &["why", "--campaign", "spring"],
        &["pause", "spring"],
        &["stop"],
        &["start"],
    ] {
        let done = without(folder, args).await;
        assert_eq!(done.status.code(), Some(0), "{args:?}: {}", text(&done));
    }
    for args in [&["check"][..], &["run", "spring.toml"], &["serve"]] {
        let refused = without(folder, args).await;
        assert_eq!(refused.status.code(), Some(1), "{args:?}: {}", text(&refused));
        assert!(text(&refused).contains("`TWENTY2_API_KEY` is not set"), "{args:?}: {}", text(&refused));
    }
}

#[tokio::test]
async fn a_secret_that_was_mended_in_its_file_is_read_at_resume_and_on_hangup() {
    let behaviour = Behaviour {
        outcomes: vec![(Outcome::Answered, 1)],
        talk: Span::from_millis(50),
        ring: Span::from_millis(10),
        ..Behaviour::default()
    };
    let (folder, vendor) = (TempDir::new().expect("a folder"), Vendor::begin(behaviour).await);
    let folder = folder.path();
    write_project(folder, "sqlite://test.db", &vendor, 3, "");
    let config = std::fs::read_to_string(folder.join("ringfence.toml")).expect("read");
    let config = config.replace("{ env = \"TWENTY2_API_SECRET\" }", "{ file = \"secret\" }");
    std::fs::write(folder.join("ringfence.toml"), config).expect("written");
    let write = |secret: &str| {
        std::fs::write(folder.join("secret"), secret).expect("written");
        std::fs::set_permissions(folder.join("secret"), std::fs::Permissions::from_mode(0o600)).expect("private");
    };
    write("old");
    vendor.simulator.change(|behaviour| behaviour.faults = vec![(Fault::Unauthorized, 100.0)]);
    json(folder, &["apply", "spring.toml", "--yes", "--json"]).await;
    json(folder, &["import", "spring", "contacts.csv", "--json"]).await;
    let mut serve = ringfence_tests::binary::start(folder, &["serve"]);
    let until = async |wanted: &dyn Fn(&serde_json::Value) -> bool| {
        let mut lanes = serde_json::Value::Null;
        for _ in 0..600 {
            lanes = json(folder, &["lanes", "--json"]).await;
            if wanted(&lanes[0]) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{lanes}");
    };
    until(&|lane| lane["state"] == "paused").await;
    write("new");
    vendor.simulator.change(|behaviour| behaviour.faults.clear());
    json(folder, &["lanes", "resume", "main", "--json"]).await;
    let finished = async || {
        let status = json(folder, &["status", "spring", "--json"]).await;
        status["contacts"]["done"] == 3
    };
    for _ in 0..600 {
        if finished().await {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(finished().await, "{}", text(&output(folder, &["status"]).await));
    let used = vendor.simulator.tape().calls();
    assert_eq!(used.iter().filter(|call| call.outcome.is_some()).count(), 3, "{used:?}");
    let opened = |events: &str| events.matches("lane main is dialled by this process").count();
    let before = opened(&text(&output(folder, &["events"]).await));
    assert!(before >= 2, "it was opened again after the pause");
    let pid = rustix::process::Pid::from_raw(serve.id().expect("it runs") as i32).expect("a process");
    rustix::process::kill_process(pid, rustix::process::Signal::HUP).expect("told");
    for _ in 0..600 {
        if opened(&text(&output(folder, &["events"]).await)) > before {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(opened(&text(&output(folder, &["events"]).await)) > before, "and on hangup");
    assert!(serve.try_wait().expect("an answer").is_none(), "it goes on");
}
