//! `serve` owns the lane; `run` from cron hands its contacts over, follows, and leaves when they
//! are finished.

use std::time::Duration;

use ringfence_domain::{Outcome, Span};
use ringfence_sandbox::Behaviour;
use ringfence_tests::binary::{Vendor, json, ringfence, text, write_project};
use ringfence_tests::on_both_databases;

on_both_databases! {
    async fn nobody_is_called_twice_and_both_end_well(database) {
        let behaviour = Behaviour {
            outcomes: vec![(Outcome::Answered, 1)], talk: Span::from_millis(200), ring: Span::from_millis(20),
            ..Behaviour::default()
        };
        let vendor = Vendor::begin(behaviour).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 100, "");
        let serve = ringfence(folder, &["serve"]).spawn().expect("it starts");
        let owned = async {
            loop {
                let lanes = database.store.lanes().await.expect("lanes");
                if lanes.iter().any(|lane| lane.owner.is_some()) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), owned).await.expect("serve owns the lane");
        let run = json(folder, &["run", "spring.toml", "--until", "done", "--json"]).await;
        assert_eq!((&run["state"], &run["contacts"]["done"]), (&"done".into(), &100.into()), "{run}");
        assert_eq!(vendor.simulator.tape().len(), 100);
        // An import needs nobody but the serve.
        let more = "name,phone\nNew,9820098200\n";
        std::fs::write(folder.join("more.csv"), more).expect("written");
        json(folder, &["import", "spring", "more.csv", "--json"]).await;
        let dialled = async { while vendor.simulator.tape().len() < 101 { tokio::time::sleep(Duration::from_millis(20)).await } };
        tokio::time::timeout(Duration::from_secs(20), dialled).await.expect("the serve dials it");
        let id = serve.id().expect("it runs").to_string();
        assert!(tokio::process::Command::new("kill").args(["-TERM", &id]).status().await.expect("kill").success());
        let ended = tokio::time::timeout(Duration::from_secs(20), serve.wait_with_output()).await.expect("it ends").expect("it ends");
        assert_eq!(ended.status.code(), Some(143), "{}", text(&ended));
        assert!(text(&ended).contains("serving main on"), "{}", text(&ended));
    }
}
