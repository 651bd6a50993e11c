//! `cargo xtask bench`: what `BENCHMARKS.md` reports, measured in one run on one machine.
#![expect(clippy::print_stdout, reason = "its output is the result")]
#![expect(clippy::disallowed_methods, reason = "it measures elapsed time on a machine that does not sleep meanwhile")]

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringfence_domain::{Campaign, Outcome, Rate, Span};
use ringfence_engine::LaneEngine;
use ringfence_operations::{InputFile, importing};
use ringfence_providers::{HttpTransport, Provider};
use ringfence_sandbox::{Behaviour, MachineClock, Simulator, Tape, router, serve};
use ringfence_store::{Begin, Database, Location};
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{lane_settings, number, rules};
use ringfence_tests::virtual_time::twenty2_at;
use tokio_util::sync::CancellationToken;

#[tokio::main]
async fn main() {
    let contacts: usize = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(20_000);
    let folder = tempfile::TempDir::new().expect("a folder");
    let million = folder.path().join("million.csv");
    write_csv(&million, 1_000_000);
    let file = folder.path().join("contacts.csv");
    write_csv(&file, contacts);
    let vendor = vendor().await;
    for postgres in [false, true] {
        let name = if postgres { "postgres" } else { "sqlite" };
        dial(name, &open(postgres, folder.path(), "dial").await, &file, contacts, &vendor).await;
        let store = open(postgres, folder.path(), "import").await;
        let took = import(&store, &million).await;
        println!("{name}: {:.0} rows imported per second (1,000,000 rows in {took:.1?})", 1e6 / took.as_secs_f64());
        println!("{name}: peak memory so far with 1,000,000 contacts: {} MiB", peak_mib());
    }
}

/// Where calls go: `BENCH_VENDOR`, a server that answers at once, else the simulated vendor over
/// HTTP.
async fn vendor() -> String {
    if let Ok(url) = std::env::var("BENCH_VENDOR") {
        println!("calls go to {url}");
        return url;
    }
    let behaviour = Behaviour {
        outcomes: vec![(Outcome::Answered, 1)],
        ring: Span::ZERO,
        talk: Span::ZERO,
        latency: Span::ZERO,
        ..Behaviour::default()
    };
    let simulator = Simulator::new(behaviour, Arc::new(MachineClock), Arc::new(Tape::default()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/api", listener.local_addr().expect("an address"));
    tokio::spawn(async move { serve(router(&simulator), listener).await.expect("it listens") });
    println!("calls go to the simulated vendor over HTTP");
    url
}

async fn open(postgres: bool, folder: &Path, name: &str) -> Arc<Database> {
    let location = if postgres {
        Location::Postgres(TestDatabase::empty_postgres().await)
    } else {
        Location::Sqlite(folder.join(format!("{name}.db")))
    };
    Arc::new(Database::open(&location, true).await.expect("a database"))
}

fn bench_rules() -> Campaign {
    let mut rules = rules("bench", "main");
    rules.limits.per_number = vec!["3/day".parse().expect("a cap")];
    rules
}

/// Claim, POST, durable record, with every check of a real call; until the last call is placed.
async fn dial(name: &str, store: &Arc<Database>, file: &Path, contacts: usize, vendor: &str) {
    let mut settings = lane_settings("main");
    settings.limits.calls = Rate::per_second(1_000_000);
    settings.limits.requests = Rate::per_second(1_000_000);
    // As many at once as there are, so that nobody waits for outcomes: what is measured is placing.
    settings.limits.concurrent = 100_000;
    let clock = store.clock().await.expect("a clock");
    let now = clock.read().now;
    let lane = store.register_lane(settings.clone(), now).await.expect("a lane").id;
    let (_, campaign) = store.apply(bench_rules(), lane, Begin::Running, now).await.expect("a campaign");
    let provider: Arc<dyn Provider> =
        twenty2_at(vendor, &settings, "national", HttpTransport::new(None).expect("a client"));
    importing::import(store, &clock, &campaign, &provider, &InputFile::Named(file.to_owned()), false)
        .await
        .expect("imported");
    let stop = CancellationToken::new();
    let engine = LaneEngine::new(store.clone(), clock.clone(), "bench/1".into(), lane, settings, provider);
    let begun = Instant::now();
    let running = tokio::spawn(engine.run(stop.clone()));
    let (placed, took) = loop {
        tokio::time::sleep(Duration::from_millis(20)).await;
        let numbers = store.numbers("bench".into(), clock.read().now).await.expect("numbers").expect("a campaign");
        let count = |name: &str| numbers.counts.get(name).copied().unwrap_or_default() as usize;
        let placed = count("attempt:placed") + count("attempt:ended");
        if placed >= contacts || begun.elapsed() > Duration::from_mins(5) {
            break (placed, begun.elapsed());
        }
    };
    println!("{name}: {:.0} durable dials per second ({placed} in {took:.1?})", placed as f64 / took.as_secs_f64());
    stop.cancel();
    running.await.expect("the engine ends");
    assert_eq!(store.recount(campaign.run).await.expect("a recount"), []);
}

async fn import(store: &Arc<Database>, file: &Path) -> Duration {
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

fn write_csv(path: &Path, rows: usize) {
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).expect("a file"));
    writeln!(file, "phone,name,amount_due").expect("written");
    for n in 0..rows {
        writeln!(file, "{},Person {n},{}", number(n).e164(), n % 5_000).expect("written");
    }
    file.flush().expect("written");
}

fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    peak.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or_default() / 1024
}
