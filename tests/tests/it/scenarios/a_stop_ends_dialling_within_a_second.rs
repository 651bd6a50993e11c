//! Fifty calls a second, and the stop switch: the last request leaves within a second of it, and no
//! restart begins again.

use std::path::Path;
use std::time::Duration;

use ringfence_domain::{Moment, Outcome, Span};
use ringfence_sandbox::Behaviour;
use ringfence_tests::binary::{Vendor, output, ringfence, text, write_project};
use ringfence_tests::on_both_databases;

const CONTACTS: usize = 3_000;

/// Dials at 50 a second until `stop_switch` is active, and returns when that began and the times of
/// all calls.
async fn dial_until<F: Future<Output = ()>>(
    folder: &Path,
    database: &str,
    stop_switch: impl FnOnce() -> F,
) -> (Moment, Vec<Moment>) {
    let behaviour = Behaviour {
        outcomes: vec![(Outcome::Answered, 1)],
        talk: Span::from_millis(200),
        ring: Span::from_millis(50),
        ..Behaviour::default()
    };
    let vendor = Vendor::begin(behaviour).await;
    write_project(folder, database, &vendor, CONTACTS, "");
    let config = std::fs::read_to_string(folder.join("ringfence.toml")).expect("read");
    let config = config.replace("200/s", "50/s").replace("concurrent = 40", "concurrent = 500");
    std::fs::write(folder.join("ringfence.toml"), config).expect("written");
    let run = ringfence(folder, &["run", "spring.toml", "--until", "done", "--json"]).spawn().expect("it starts");
    let full_speed = async {
        while vendor.simulator.tape().len() < 150 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), full_speed).await.expect("it dials");
    let stopped_at = ringfence_operations::workspace::wall_clock();
    stop_switch().await;
    // The run sees for itself that it is held, and leaves once the calls that are out are over.
    let ended = tokio::time::timeout(Duration::from_mins(1), run.wait_with_output())
        .await
        .expect("it leaves")
        .expect("it ends");
    assert_eq!(ended.status.code(), Some(4), "{}", text(&ended));
    let again = output(folder, &["run", "spring.toml", "--until", "done"]).await;
    assert_eq!(again.status.code(), Some(4), "{}", text(&again));
    (stopped_at, vendor.simulator.tape().calls().iter().map(|call| call.at).collect())
}

fn check(stopped_at: Moment, calls: &[Moment]) {
    let last = calls.iter().max().expect("calls");
    assert!(
        *last < stopped_at + Span::from_secs(1),
        "the last of {} calls began {:?} after the stop switch",
        calls.len(),
        last.since(stopped_at)
    );
    let before = calls.iter().filter(|at| **at <= stopped_at && stopped_at.since(**at) < Span::from_secs(1)).count();
    assert!(before >= 20, "{before} calls in the second before: it was dialling");
    assert!(calls.len() < CONTACTS, "everybody was called before the stop switch");
}

on_both_databases! {
    async fn by_command(database) {
        let folder = database.folder().to_owned();
        let stop = || async move {
            let stopped = output(&folder, &["stop", "--reason", "wrong list"]).await;
            assert!(stopped.status.success(), "{}", text(&stopped));
            assert!(text(&stopped).contains("calls are still out"), "{}", text(&stopped));
        };
        let (stopped_at, calls) = dial_until(database.folder(), &database.url, stop).await;
        check(stopped_at, &calls);
    }
}

on_both_databases! {
    async fn by_the_file(database) {
        let folder = database.folder().to_owned();
        let stop = || async move { std::fs::write(folder.join("STOP"), "").expect("written") };
        let (stopped_at, calls) = dial_until(database.folder(), &database.url, stop).await;
        check(stopped_at, &calls);
    }
}
