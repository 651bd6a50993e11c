//! No room for the database's file for a while: nothing is dialled, nothing is lost, and the same
//! process goes on.

use std::time::Duration;

use ringfence_domain::{Clock, Outcome, Span};
use ringfence_sandbox::{Behaviour, MachineClock};
use ringfence_tests::TestDatabase;
use ringfence_tests::binary::{Vendor, path, write_project};
use rustix::process::{Pid, Resource, Rlimit, prlimit};

const CONTACTS: usize = 90;

/// The largest file that the process may write: past it every write fails, as on a full disk.
fn limit(id: u32, bytes: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(id).expect("a process id"));
    prlimit(pid, Resource::Fsize, Rlimit { current: bytes, maximum: None }).expect("a limit");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_process_goes_on_when_there_is_room_again() {
    let database = TestDatabase::sqlite().await;
    let behaviour = Behaviour {
        outcomes: vec![(Outcome::Answered, 1)],
        talk: Span::from_millis(200),
        ring: Span::from_millis(50),
        latency: Span::from_millis(150),
        ..Behaviour::default()
    };
    let vendor = Vendor::begin(behaviour).await;
    let folder = database.folder();
    write_project(folder, &database.url, &vendor, CONTACTS, "[on_unknown]\nask_for = \"1s\"");
    // Without the signal, whose default is to end the process, the limit shows as an error of the
    // write.
    let line = format!("trap '' XFSZ; exec {} run spring.toml --json", path().display());
    let mut run = tokio::process::Command::new("sh");
    run.args(["-c", &line])
        .current_dir(folder)
        .env("TWENTY2_API_KEY", "key")
        .env("TWENTY2_API_SECRET", "canary-secret");
    run.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).kill_on_drop(true);
    let run = run.spawn().expect("it starts");
    let id = run.id().expect("it runs");
    let placed = async {
        while vendor.simulator.tape().calls().len() < 20 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), placed).await.expect("it dials");
    limit(id, Some(1));
    let full_at = MachineClock.read().now;
    tokio::time::sleep(Duration::from_secs(8)).await;
    let free_at = MachineClock.read().now;
    limit(id, None);
    let output = tokio::time::timeout(Duration::from_secs(90), run.wait_with_output()).await;
    let output = output.expect("in time").expect("it ends");
    let said = String::from_utf8_lossy(&output.stderr);
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
    assert_eq!(output.status.code(), Some(0), "{summary}\n{said}");
    assert_eq!(summary["contacts"]["done"], CONTACTS, "{summary}\n{said}");
    assert_eq!(summary["contacts"]["review"], 0, "{summary}\n{said}");
    let calls = vendor.simulator.tape().calls();
    assert_eq!(calls.len(), CONTACTS, "everyone once");
    // What was claimed just before may still have been on its way.
    let meanwhile = calls.iter().filter(|call| call.at > full_at + Span::from_secs(2) && call.at < free_at);
    assert_eq!(meanwhile.count(), 0, "without a claim on disk nobody is called");
    assert!(said.contains("the database cannot be used now"), "{said}");
    let run = database.store.campaign("spring".into()).await.expect("a campaign").expect("there").run;
    assert_eq!(database.store.recount(run).await.expect("a recount"), []);
}
