//! The file of the database is deleted or moved while it dials: the last request leaves within a
//! second, the process ends and says so, and whoever starts again dials nobody.

use std::path::Path;
use std::time::Duration;

use ringfence_domain::{Outcome, Span};
use ringfence_sandbox::Behaviour;
use ringfence_tests::TestDatabase;
use ringfence_tests::binary::{Vendor, output, ringfence, text, write_project};

const CONTACTS: usize = 3_000;

async fn loses_its_file(command: &[&str], lose: impl FnOnce(&Path)) {
    let database = TestDatabase::sqlite().await;
    let folder = database.folder();
    let behaviour = Behaviour {
        outcomes: vec![(Outcome::Answered, 1)],
        talk: Span::from_millis(200),
        ring: Span::from_millis(50),
        ..Behaviour::default()
    };
    let vendor = Vendor::begin(behaviour).await;
    write_project(folder, "sqlite://calls.db", &vendor, CONTACTS, "");
    let config = std::fs::read_to_string(folder.join("ringfence.toml")).expect("read");
    std::fs::write(folder.join("ringfence.toml"), config.replace("200/s", "50/s")).expect("written");
    let brought = output(folder, &["run", "spring.toml", "--max-time", "1s"]).await;
    assert_eq!(brought.status.code(), Some(0), "{}", text(&brought));
    let process = ringfence(folder, command).spawn().expect("it starts");
    let full_speed = async {
        while vendor.simulator.tape().len() < 150 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), full_speed).await.expect("it dials");
    let lost = ringfence_operations::workspace::wall_clock();
    lose(folder);
    let ended = tokio::time::timeout(Duration::from_mins(1), process.wait_with_output()).await;
    let ended = ended.expect("it leaves").expect("it ends");
    assert_eq!(ended.status.code(), Some(2), "{}", text(&ended));
    assert!(text(&ended).contains("calls.db is gone"), "{}", text(&ended));
    let calls = vendor.simulator.tape().calls();
    let last = calls.iter().map(|call| call.at).max().expect("calls");
    assert!(last < lost + Span::from_secs(1), "the last call began {:?} after", last.since(lost));
    let again = output(folder, &["run", "spring.toml", "--until", "idle"]).await;
    assert_eq!(again.status.code(), Some(4), "{}", text(&again));
    assert_eq!(vendor.simulator.tape().len(), calls.len(), "nobody is dialled from a new database");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleted_under_a_run() {
    loses_its_file(&["run", "spring.toml", "--until", "done"], |folder| {
        std::fs::remove_file(folder.join("calls.db")).expect("deleted");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn moved_under_a_serve() {
    loses_its_file(&["serve"], |folder| {
        std::fs::rename(folder.join("calls.db"), folder.join("elsewhere.db")).expect("moved");
    })
    .await;
}
