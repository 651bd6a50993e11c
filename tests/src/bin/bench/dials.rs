//! Dials and imported rows a second.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringfence_domain::{Campaign, Rate, RunId};
use ringfence_engine::LaneEngine;
use ringfence_operations::{InputFile, importing};
use ringfence_providers::{HttpTransport, Provider};
use ringfence_store::{Begin, Database};
use ringfence_tests::sample::{lane_settings, rules};
use ringfence_tests::virtual_time::twenty2_at;
use tokio_util::sync::CancellationToken;

use crate::vendor::QuickAccount;

/// The rules of a campaign whose numbers are called three times a day at most.
pub(crate) fn bench_rules() -> Campaign {
    let mut rules = rules("bench", "main");
    rules.limits.per_number = vec!["3/day".parse().expect("a cap")];
    rules
}

/// Everything is ready to dial.
pub(crate) struct Prepared {
    engine: LaneEngine,
    run: RunId,
}

/// Takes in a list that is to be dialled.
pub(crate) async fn prepare(store: &Arc<Database>, file: &Path, vendor: &str) -> Prepared {
    let mut settings = lane_settings("main");
    settings.limits.calls = Rate::per_second(1_000_000);
    settings.limits.requests = Rate::per_second(1_000_000);
    // As many at once as there are, so that nobody waits for outcomes: what is measured is placing.
    settings.limits.concurrent = 100_000;
    let clock = store.clock().await.expect("a clock");
    let now = clock.read().now;
    let lane = store.register_lane(settings.clone(), now).await.expect("a lane").id;
    let (_, campaign) = store.apply(bench_rules(), lane, Begin::Running, now).await.expect("a campaign");
    let client = HttpTransport::new(None).expect("a client");
    let placing: Arc<dyn Provider> = twenty2_at(vendor, &settings, "national", client.clone());
    let provider: Arc<dyn Provider> = Arc::new(QuickAccount { placing, client, vendor: vendor.to_owned() });
    importing::import(store, &clock, &campaign, &provider, &InputFile::Named(file.to_owned()), false)
        .await
        .expect("imported");
    let engine = LaneEngine::new(store.clone(), clock.clone(), "bench/1".into(), lane, settings, provider);
    Prepared { engine, run: campaign.run }
}

/// Returns how many dials a second: claim, POST, durable record, with every check of a real call;
/// until the last call is over.
pub(crate) async fn dial(store: &Arc<Database>, prepared: Prepared, contacts: usize) -> f64 {
    let Prepared { engine, run } = prepared;
    let stop = CancellationToken::new();
    let begun = Instant::now();
    let running = tokio::spawn(engine.run(stop.clone()));
    let (ended, took) = loop {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let counts = store.run_counts(run).await.expect("counts");
        let ended = counts.get("attempt:ended").copied().unwrap_or_default() as usize;
        if ended >= contacts || begun.elapsed() > Duration::from_mins(5) {
            break (ended, begun.elapsed());
        }
    };
    assert!(ended >= contacts, "{ended} ended");
    stop.cancel();
    running.await.expect("the engine ends");
    assert_eq!(store.recount(run).await.expect("a recount"), []);
    ended as f64 / took.as_secs_f64()
}

/// Imports 1,000,000 rows. Returns how long it took.
pub(crate) async fn import(store: &Arc<Database>, file: &Path) -> Duration {
    let settings = lane_settings("main");
    let clock = store.clock().await.expect("a clock");
    let now = clock.read().now;
    let lane = store.register_lane(settings.clone(), now).await.expect("a lane").id;
    let (_, campaign) = store.apply(bench_rules(), lane, Begin::Running, now).await.expect("a campaign");
    let provider: Arc<dyn Provider> =
        twenty2_at("http://127.0.0.1:1", &settings, "national", HttpTransport::new(None).expect("a client"));
    let begun = Instant::now();
    let done = importing::import(store, &clock, &campaign, &provider, &InputFile::Named(file.to_owned()), false)
        .await
        .expect("imported");
    assert_eq!(done.row.counts.accepted, 1_000_000);
    begun.elapsed()
}
