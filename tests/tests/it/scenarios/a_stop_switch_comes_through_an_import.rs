//! While a large file of people who are known comes in, whoever forbids calls need not wait for
//! it.

use std::time::Duration;

use ringfence_sandbox::Behaviour;
use ringfence_tests::binary::{Vendor, output, ringfence, text, write_project};
use ringfence_tests::on_both_databases;
use tokio::time::Instant;

const CONTACTS: usize = 15_000;
/// Most of it is the start of the process, on a busy machine.
const SOON: Duration = Duration::from_secs(5);

on_both_databases! {
    async fn stop_pause_and_the_do_not_call_list_succeed_at_once(database) {
        let vendor = Vendor::begin(Behaviour::default()).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, CONTACTS, "");
        let applied = output(folder, &["apply", "spring.toml", "--draft", "--yes"]).await;
        assert!(matches!(applied.status.code(), Some(0 | 4)), "{}", text(&applied));
        let first = output(folder, &["import", "spring", "contacts.csv"]).await;
        assert!(matches!(first.status.code(), Some(0 | 4)), "{}", text(&first));
        let changed = std::fs::read_to_string(folder.join("contacts.csv")).expect("the file").replace("Person", "Someone");
        std::fs::write(folder.join("changed.csv"), changed).expect("written");
        let began = Instant::now();
        let mut import = ringfence(folder, &["import", "spring", "changed.csv", "--json"]).spawn().expect("it starts");
        let (mut stops, mut slowest) = (0, Duration::ZERO);
        while import.try_wait().expect("asked").is_none() {
            for stop_switch in [
                &["stop", "--reason", "wrong list"][..],
                &["dnc", "add", "+919820012345", "--reason", "asked"],
                &["pause", "spring"],
            ] {
                let asked = Instant::now();
                let done = output(folder, stop_switch).await;
                assert!(done.status.success(), "{stop_switch:?}: {}", text(&done));
                slowest = slowest.max(asked.elapsed());
                stops += 1;
            }
        }
        assert!(stops > 3, "it was over too soon to see anything: {:?}", began.elapsed());
        assert!(slowest < SOON, "a stop switch took {slowest:?}");
        let import = import.wait_with_output().await.expect("it ends");
        let row: serde_json::Value = serde_json::from_slice(&import.stdout).unwrap_or_else(|_| panic!("{}", text(&import)));
        assert_eq!(row["updated"], CONTACTS, "{row}");
    }
}
