//! What an open page costs, the server that renders it and the browser that shows it, while calls end
//! ten thousand times a minute.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use fantoccini::Locator;
use ringfence_domain::{Outcome, Span};
use ringfence_sandbox::Behaviour;
use ringfence_store::{Database, Location};
use ringfence_tests::binary::{self, Vendor};
use ringfence_tests::browser::{Browser, Setup};

/// Calls a second; each one ends with two events.
const CALLS: u32 = 85;
/// How long it is measured, with the page and without.
const LONG: Duration = Duration::from_secs(40);
/// Ticks of the kernel's clock in a second, on every Linux.
const TICKS: f64 = 100.0;

/// Measures, and prints what it was in parts of one core.
pub(crate) async fn measure(folder: &Path) {
    let quick = Behaviour {
        outcomes: vec![(Outcome::Answered, 1)],
        ring: Span::ZERO,
        talk: Span::from_secs(1),
        latency: Span::ZERO,
        ..Behaviour::default()
    };
    let vendor = Vendor::begin(quick).await;
    let limits = format!("[limits]\ncalls = \"{CALLS}/s\"\n");
    binary::write_project(folder, "sqlite://page.db", &vendor, CALLS as usize * 240, &limits);
    let config = folder.join("ringfence.toml");
    let with_http = std::fs::read_to_string(&config).expect("read") + "[http]\nlisten = \"127.0.0.1:0\"\n";
    std::fs::write(&config, with_http.replace("concurrent = 40", "concurrent = 2000")).expect("written");
    let _engine = binary::start(folder, &["run", "spring.toml", "--until", "done"]);
    let store = store(folder).await;
    let mut web = binary::ringfence(folder, &["serve", "--roles", "web"]).spawn().expect("it starts");
    let base = format!("http://{}", binary::listening(&mut web).await.expect("it listens"));
    let pid = web.id().expect("it runs");
    let token = binary::json(folder, &["token", "create", "--scope", "viewer", "--name", "bench", "--json"]).await;
    let browser = Browser::begin(Setup::default()).await;
    let page = &browser.driver;
    page.goto(&format!("{base}/login")).await.expect("a page");
    let secret = page.find(Locator::Css("#secret")).await.expect("a field");
    secret.send_keys(token["token"].as_str().expect("a token")).await.expect("typed");
    page.find(Locator::Css("button.main")).await.expect("a button").click().await.expect("logged in");
    for path in ["/", "/campaigns/spring"] {
        page.goto(&format!("{base}{path}")).await.expect("a page");
        page.wait().for_element(Locator::Css("#pulse[data-state=live]")).await.expect("it lives");
        let (server, shown, events) = during(pid, &store).await;
        println!("{path}: {events:.0} events a minute; the server {server:.1} % of a core, the browser {shown:.1} %");
    }
    page.goto("about:blank").await.expect("nothing");
    let (server, shown, events) = during(pid, &store).await;
    println!("no page: {events:.0} events a minute; the server {server:.1} % of a core, the browser {shown:.1} %");
    page.clone().close().await.expect("it ends");
}

/// The database of the process that dials, once it is there.
async fn store(folder: &Path) -> Database {
    loop {
        if let Ok(store) = Database::open(&Location::Sqlite(folder.join("page.db")), false).await
            && store.event_horizon().await.is_ok_and(|(_, newest)| newest > 5_000)
        {
            return store;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// What the server and the browser need, in percent of one core, and how many events came in a minute.
async fn during(server: u32, store: &Database) -> (f64, f64, f64) {
    let newest = async || store.event_horizon().await.expect("asked").1;
    let (before, begun, first) = (used(server), std::time::Instant::now(), newest().await);
    tokio::time::sleep(LONG).await;
    let (after, took, last) = (used(server), begun.elapsed().as_secs_f64(), newest().await);
    let percent = |before: f64, after: f64| (after - before) / TICKS / took * 100.0;
    // A process that ended meanwhile is left out.
    let shown =
        after.1.iter().map(|(pid, ticks)| percent(before.1.get(pid).copied().unwrap_or_default(), *ticks)).sum();
    (percent(before.0, after.0), shown, (last - first) as f64 / took * 60.0)
}

/// Ticks that the server has used so far, and those of each process of the browser.
fn used(server: u32) -> (f64, BTreeMap<u32, f64>) {
    let (mut ticks, mut browser) = (0.0, BTreeMap::new());
    for entry in std::fs::read_dir("/proc").expect("it is there").flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
        let Ok(stat) = std::fs::read_to_string(entry.path().join("stat")) else { continue };
        // The name stands in brackets and may have any letter.
        let Some((head, rest)) = stat.rsplit_once(')') else { continue };
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let of = |place: usize| fields.get(place).and_then(|text| text.parse::<f64>().ok()).unwrap_or_default();
        let own = of(11) + of(12);
        if pid == server {
            ticks = own;
        }
        if head.contains("(chrom") {
            browser.insert(pid, own);
        }
    }
    (ticks, browser)
}
