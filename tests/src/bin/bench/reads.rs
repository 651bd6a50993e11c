//! How long the reads of the HTTP API, and the pages of the dashboard, take while calls are dialled and
//! very many people wait.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ringfence_domain::{Rate, Scope};
use ringfence_engine::LaneEngine;
use ringfence_operations::{InputFile, importing};
use ringfence_providers::{HttpTransport, Provider};
use ringfence_store::{Begin, Database};
use ringfence_tests::sample::{lane_settings, number};
use ringfence_tests::virtual_time::twenty2_at;
use ringfence_tests::web::{Sent, Web, config};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::Bench;
use crate::dials::bench_rules;
use crate::multiply::multiply;
use crate::times::Spread;

/// Calls a second that are allowed meanwhile: a little more than the 500 that are wanted.
const CALLS: u32 = 560;
/// Requests a second.
const REQUESTS: u32 = 25;
/// Requests of each read.
const TIMES: usize = 40;

/// The pages of the dashboard.
const PAGES: &[&str] = &[
    "/",
    "/campaigns",
    "/campaigns/bench",
    "/campaigns/bench/contacts",
    "/campaigns/bench/contacts?state=done",
    "/campaigns/bench/contacts?text=nobody-has-this",
    "/campaigns/bench/why",
    "/campaigns/bench/imports",
    "/campaigns/bench/runs",
    "/campaigns/bench/changes",
    "/campaigns/bench/rules",
    "/contacts/1",
    "/contacts?q=nobody-has-this",
    "/imports/1",
    "/lanes",
    "/review",
    "/dnc",
    "/schedules",
    "/changes",
    "/settings",
];

/// One read.
enum Read {
    /// A GET of the API.
    Get,
    /// A POST of the API that changes nothing.
    Post(Value),
    /// A page, for a browser with this cookie.
    Page(String),
}

/// Asks every read of the API, and every page, in turns, and prints what they took.
pub(crate) async fn measure(bench: &Bench, database: &str, list: &Path, times: usize) {
    let location = bench.location(database, "reads").await;
    let store = Arc::new(Database::open(&location, true).await.expect("a database"));
    let mut settings = lane_settings("main");
    settings.limits.calls = Rate::per_second(CALLS);
    settings.limits.requests = Rate::per_second(1_000_000);
    settings.limits.concurrent = 100_000;
    let clock = store.clock().await.expect("a clock");
    let now = clock.read().now;
    let lane = store.register_lane(settings.clone(), now).await.expect("a lane").id;
    let (_, campaign) = store.apply(bench_rules(), lane, Begin::Running, now).await.expect("a campaign");
    let provider: Arc<dyn Provider> =
        twenty2_at(&bench.vendor, &settings, "national", HttpTransport::new(None).expect("a client"));
    importing::import(&store, &clock, &campaign, &provider, &InputFile::Named(list.to_owned()), false)
        .await
        .expect("imported");
    if times > 1 {
        multiply(&location, times).await;
    }
    let waiting = store.numbers("bench".into(), clock.read().now).await.expect("asked").expect("there");
    println!("{database}: {} contacts wait", waiting.counts["contact:waiting"]);
    let stop = CancellationToken::new();
    let engine = LaneEngine::new(store.clone(), clock.clone(), "bench/1".into(), lane, settings, provider);
    let running = tokio::spawn(engine.run(stop.clone()));
    let web = Web::begin(&store, config(bench.folder.path())).await;
    let token = web.token(Scope::Admin).await;
    // The first calls are over once their attempts can be asked about.
    while count(&web, &token).await < 2_000 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let reads = reads(&web, &token).await;
    let (before, begun) = (count(&web, &token).await, Instant::now());
    let took = ask(&web, &token, &reads).await;
    let dialled = f64::from(count(&web, &token).await - before) / begun.elapsed().as_secs_f64();
    println!(
        "{database}: {dialled:.0} calls a second, of {CALLS} allowed, while {REQUESTS} reads a second were answered"
    );
    print(database, took);
    stop.cancel();
    running.await.expect("the engine ends");
    let took = ask(&web, &token, &reads).await;
    println!("{database}: nobody is dialled, while {REQUESTS} reads a second were answered");
    print(database, took);
}

/// Prints what each read took, and all of them.
fn print(database: &str, took: BTreeMap<String, Vec<Duration>>) {
    let all: Vec<Duration> = took.values().flatten().copied().collect();
    for (read, times) in took {
        println!("{database}: {read}: {}", Spread::of(times));
    }
    println!("{database}: all reads: {}", Spread::of(all));
}

/// The calls that were placed so far.
async fn count(web: &Web, token: &str) -> u32 {
    let summary = web.get("/api/v1/campaigns/bench/summary", token).await.expect(200).json();
    let attempts = summary["attempts"].as_object().expect("attempts").iter();
    let placed = attempts.filter(|(state, _)| ["placed", "ended"].contains(&state.as_str()));
    placed.filter_map(|(_, count)| count.as_u64()).sum::<u64>().try_into().expect("a count")
}

/// Every read of the document whose answer ends, the question why, and every page.
async fn reads(web: &Web, token: &str) -> Vec<(String, Read)> {
    let document = web.get("/api/openapi.json", token).await.expect(200).json();
    let paths = document["paths"].as_object().expect("paths");
    let asked = paths.iter().filter(|(path, operations)| {
        let endless = path.ends_with("/events") || path.ends_with("/export");
        operations.get("get").is_some() && !endless
    });
    let mut reads: Vec<_> = asked.map(|(path, _)| (path.clone(), Read::Get)).collect();
    for list in ["contacts", "attempts"] {
        reads.push((format!("/api/v1/campaigns/{{name}}/{list}?updated_since=0"), Read::Get));
    }
    reads.push(("/api/v1/campaigns/{name}/contacts?state=done".to_owned(), Read::Get));
    let phone = number(1).e164().to_owned();
    reads.push(("/api/v1/why".to_owned(), Read::Post(json!({ "phone": phone }))));
    let cookie = cookie(web, token).await;
    reads.extend(PAGES.iter().map(|path| ((*path).to_owned(), Read::Page(cookie.clone()))));
    reads
}

/// Logs a browser in.
async fn cookie(web: &Web, token: &str) -> String {
    let form = Sent::of("application/x-www-form-urlencoded", format!("secret={token}&to=%2F"))
        .with("origin", &web.base)
        .with("sec-fetch-site", "same-origin");
    let reply = web.send("POST", "/login", None, form).await.expect(303);
    reply.header("set-cookie").split(';').next().expect("a cookie").to_owned()
}

async fn ask(web: &Web, token: &str, reads: &[(String, Read)]) -> BTreeMap<String, Vec<Duration>> {
    let mut took: BTreeMap<String, Vec<Duration>> = BTreeMap::new();
    let mut pace = tokio::time::interval(Duration::from_secs(1) / REQUESTS);
    for _ in 0..TIMES {
        for (read, how) in reads {
            pace.tick().await;
            let path = read.replace("{name}", "bench").replace("{lane}", "main").replace("{id}", "1");
            let begun = Instant::now();
            let reply = match how {
                Read::Post(body) => web.post(&path, token, body).await,
                Read::Get => web.get(&path, token).await,
                Read::Page(cookie) => web.send("GET", &path, None, Sent::default().with("cookie", cookie)).await,
            };
            took.entry(read.clone()).or_default().push(begun.elapsed());
            assert!(reply.status.is_success() || reply.status == 404, "{path}: {}", reply.text());
        }
    }
    took
}
