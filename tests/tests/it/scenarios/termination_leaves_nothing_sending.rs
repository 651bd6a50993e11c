//! SIGTERM while requests are out: they are finished and recorded, and it is over within 20 s.

use std::time::Duration;

use ringfence_domain::{Outcome, Span};
use ringfence_sandbox::Behaviour;
use ringfence_tests::binary::{Vendor, ringfence, write_project};
use ringfence_tests::on_both_databases;

on_both_databases! {
    async fn requests_under_way_are_finished(database) {
        let behaviour = Behaviour {
            outcomes: vec![(Outcome::Answered, 1)], talk: Span::from_secs(60), latency: Span::from_secs(2),
            ..Behaviour::default()
        };
        let vendor = Vendor::begin(behaviour).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, 200, "");
        let run = ringfence(folder, &["run", "spring.toml", "--json"]).spawn().expect("it starts");
        let id = run.id().expect("it runs");
        let sending = || async {
            let numbers = database.store.numbers("spring".into(), ringfence_domain::Moment::default()).await.expect("numbers");
            numbers.map(|numbers| numbers.counts.get("attempt:sending").copied().unwrap_or_default()).unwrap_or_default()
        };
        let patience = std::time::Duration::from_secs(30);
        tokio::time::timeout(patience, async { while sending().await < 5 { tokio::time::sleep(Duration::from_millis(20)).await } })
            .await.expect("requests are under way");
        let killed = tokio::process::Command::new("kill").args(["-TERM", &id.to_string()]).status().await.expect("kill");
        assert!(killed.success());
        let output = tokio::time::timeout(Duration::from_secs(20), run.wait_with_output()).await.expect("within 20 s").expect("it ends");
        assert_eq!(output.status.code(), Some(143));
        let summary: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a summary");
        assert_eq!(sending().await, 0);
        assert_eq!(summary["attempts"]["unknown"], 0, "{summary}");
        assert_eq!(summary["attempts"]["placed"], vendor.simulator.tape().calls().len(), "{summary}");
        let lane = database.store.lanes().await.expect("lanes").remove(0);
        assert_eq!(lane.owner, None, "the lane was given back; the process said: {}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(database.store.recount(database.store.campaign("spring".into()).await.expect("a campaign").expect("there").run).await.expect("a recount"), []);
    }
}
