//! Metrics: told by who dials the lane, and everything that the dashboard and the alerts ask for.

use std::collections::BTreeSet;
use std::path::Path;

use ringfence_domain::Scope;
use ringfence_intake::Config;
use ringfence_tests::on_both_databases;
use ringfence_tests::sample::{Stage, noon};
use ringfence_tests::virtual_time::VirtualClock;
use ringfence_tests::web::{Sent, Web};
use ringfence_worker::measures::{DENIALS, LATENESS, OfDenial, OfLane};

pub(crate) async fn scrape(web: &Web) -> String {
    web.send("GET", "/metrics", None, Sent::default()).await.expect(200).text()
}

/// A database with a call that ended, the owner of its lane, and one who owns nothing.
pub(crate) async fn scene(store: &std::sync::Arc<ringfence_store::Database>) -> (Web, Web) {
    let stage = Stage::set(store, 5).await;
    let attempt = stage.claim(store, 1, noon()).await[0];
    let accepted = ringfence_domain::Placement::Accepted { call_id: "call-1".into() };
    store.record(vec![stage.sent(attempt, accepted)], noon()).await.expect("recorded");
    let ended = ringfence_store::Settlement::Ended(ringfence_domain::Outcome::Answered, Box::default());
    store.settle(vec![(attempt, ended)], noon()).await.expect("settled");
    store.register_webhook("https://crm.example/hook".into()).await.expect("known");
    let owner = store.lanes().await.expect("lanes")[0].owner.clone().expect("an owner");
    let clock = VirtualClock::at(noon());
    let own = Web::begin_at(store, Config::default(), clock.clone(), &owner);
    (own, Web::begin_at(store, Config::default(), clock, "somebody else"))
}

on_both_databases! {
    async fn what_is_true_of_the_rows_is_told_once(database) {
        let (own, other) = scene(&database.store).await;
        let told = scrape(&own).await;
        for line in [
            "ringfence_dials_total{lane=\"main\"} 1",
            "ringfence_outcomes_total{lane=\"main\",outcome=\"answered\"} 1",
            "ringfence_contacts_finished_total{lane=\"main\",reason=\"done\"} 1",
            "ringfence_queue_contacts{lane=\"main\",class=\"first\"} 4",
            "ringfence_campaign_contacts{campaign=\"spring\",state=\"waiting\"} 4",
            "ringfence_lane_open{lane=\"main\"} 1",
            "ringfence_imports{lane=\"main\",state=\"complete\"} 1",
            "ringfence_webhook_messages{webhook=\"1\",state=\"waiting\"} 0",
        ] {
            assert!(told.contains(line), "{line} is not in\n{told}");
        }
        let told = scrape(&other).await;
        assert!(!told.contains("lane=\"main\",outcome"), "{told}");
        assert!(told.contains("ringfence_process_info"), "{told}");
        assert!(told.ends_with("# EOF\n"));
    }
}

#[tokio::test]
async fn another_machine_needs_a_token() {
    let database = ringfence_tests::TestDatabase::sqlite().await;
    let web = Web::begin(&database.store, Config::default()).await;
    let viewer = web.token(Scope::Viewer).await;
    let passed_on = || Sent::default().with("x-forwarded-for", "192.0.2.9");
    let _ = web.send("GET", "/metrics", None, passed_on()).await.expect(401);
    let _ = web.send("GET", "/metrics", Some(&viewer), passed_on()).await.expect(200);
}

fn deployed(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/monitoring").join(name);
    std::fs::read_to_string(path).expect("it is there")
}

/// The names of metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in text.match_indices("ringfence_") {
        let name: String = text[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        names.insert(name);
    }
    names
}

#[tokio::test]
async fn the_dashboard_and_the_alerts_ask_for_what_there_is() {
    let database = ringfence_tests::TestDatabase::sqlite().await;
    let (own, _other) = scene(&database.store).await;
    // A family of which nothing was measured is not told.
    let lane = || "main".to_owned();
    LATENESS.get_or_create(&OfLane { lane: lane() }).observe(0.01);
    DENIALS.get_or_create(&OfDenial { lane: lane(), reason: "dnc" }).inc();
    drop(scrape(&own).await);
    let told = scrape(&own).await;
    let mut known = names(&told);
    for line in told.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let (name, kind) = line.split_once(' ').expect("a type");
        let ends: &[&str] = match kind {
            "counter" => &["_total"],
            "histogram" => &["_bucket", "_count", "_sum"],
            _ => &[""],
        };
        known.extend(ends.iter().map(|end| format!("{name}{end}")));
    }
    let (alerts, dashboard, runbook) =
        (deployed("alerts.yaml"), deployed("grafana-dashboard.json"), deployed("runbook.md"));
    for (file, text) in [("alerts", &alerts), ("dashboard", &dashboard)] {
        let unknown: Vec<String> = names(text).into_iter().filter(|name| !known.contains(name)).collect();
        assert!(unknown.is_empty(), "the {file} ask for {unknown:?}, which nobody tells; known: {known:#?}");
    }
    let of = |start: &str| {
        alerts.lines().filter_map(|line| line.trim().strip_prefix(start)).map(str::to_owned).collect::<Vec<_>>()
    };
    let (rules, runbooks) = (of("- alert: "), of("runbook: "));
    assert_eq!(rules.len(), runbooks.len());
    for (rule, leads) in rules.iter().zip(runbooks) {
        assert_eq!(leads, format!("\"runbook.md#{}\"", rule.to_lowercase()));
        assert!(runbook.contains(&format!("## {rule}\n")), "{rule} has no entry in the runbook");
    }
    serde_json::from_str::<serde_json::Value>(&dashboard).expect("JSON");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/monitoring/alerts.yaml");
    if let Ok(checked) = std::process::Command::new("promtool").args(["check", "rules"]).arg(path).output() {
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    }
}
