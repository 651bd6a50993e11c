//! Many processes that find no database at the same moment: one makes it, the others wait, and all
//! of them do their work.

use ringfence_sandbox::Behaviour;
use ringfence_tests::TestDatabase;
use ringfence_tests::binary::{Vendor, json, ringfence, text, write_project};

const PROCESSES: usize = 18;

async fn all_succeed(url: &str, folder: &std::path::Path) {
    let vendor = Vendor::begin(Behaviour::default()).await;
    write_project(folder, url, &vendor, 3, "");
    let begun: Vec<_> = (0..PROCESSES)
        .map(|place| {
            let args: &[&str] =
                if place % 2 == 0 { &["migrate"] } else { &["apply", "spring.toml", "--draft", "--yes"] };
            ringfence(folder, args).spawn().expect("it starts")
        })
        .collect();
    for process in begun {
        let output = process.wait_with_output().await.expect("it ends");
        assert!(output.status.code().is_some_and(|code| code == 0 || code == 4), "{}", text(&output));
    }
    let campaigns = json(folder, &["status", "spring", "--json"]).await;
    assert_eq!(campaigns["campaign"], "spring", "{campaigns}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    for _ in 0..3 {
        let folder = tempfile::TempDir::new().expect("a folder");
        all_succeed("sqlite://new.db", folder.path()).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    let folder = tempfile::TempDir::new().expect("a folder");
    all_succeed(&TestDatabase::empty_postgres().await, folder.path()).await;
}
