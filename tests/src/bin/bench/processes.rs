//! What several processes on one Postgres do that one does not: each dials lanes of its own, as fast as a slow vendor lets
//! it; one that comes takes its share, one that is killed leaves it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use ringfence_domain::{Outcome, Span};
use ringfence_sandbox::Behaviour;
use ringfence_store::{Database, Location};
use ringfence_tests::TestDatabase;
use ringfence_tests::binary::{Vendor, json, start};
use ringfence_tests::project;
use tempfile::TempDir;
use tokio::process::Child;

/// Lanes, and processes at most.
const LANES: usize = 4;
/// Calls at the same time on each lane: with calls of two seconds, what limits it.
const CONCURRENT: u32 = 60;
/// Calls a second that a lane may make: never reached.
const CALLS: u32 = 200;
/// People of each lane: more than are called while it is measured.
const CONTACTS: usize = 20_000;
/// How long is counted.
const COUNTED: Duration = Duration::from_secs(20);
/// How often owners are looked at.
const LOOK: Duration = Duration::from_millis(20);

/// Measures it, and prints what came out.
pub(crate) async fn measure() {
    let one = rate_of(1, 1).await;
    println!("one process, one lane: {one:.1} calls a second");
    let one_of_four = rate_of(LANES, 1).await;
    println!("one process, {LANES} lanes: {one_of_four:.1} calls a second, {:.2} times one lane", one_of_four / one);
    let four = rate_of(LANES, LANES).await;
    println!("{LANES} processes, {LANES} lanes: {four:.1} calls a second, {:.2} times one lane", four / one);
}

/// Counts the calls a second of some processes on some lanes. Prints when each process had its share and, of several, when
/// another one had the lane of one that was killed.
async fn rate_of(lanes: usize, processes: usize) -> f64 {
    let folder = TempDir::new().expect("a folder");
    let url = TestDatabase::empty_postgres().await;
    let behaviour = Behaviour {
        outcomes: vec![(Outcome::Answered, 1)],
        ring: Span::from_millis(500),
        talk: Span::from_millis(1_500),
        latency: Span::from_millis(200),
        ..Behaviour::default()
    };
    let mut vendors = Vec::new();
    for _ in 0..lanes {
        vendors.push(Vendor::begin(behaviour.clone()).await);
    }
    write(folder.path(), &url, &vendors, CONCURRENT);
    for lane in 0..lanes {
        json(folder.path(), &["apply", &format!("c{lane}.toml"), "--yes", "--json"]).await;
        json(folder.path(), &["import", &format!("c{lane}"), &format!("c{lane}.csv"), "--json"]).await;
    }
    let store = Database::open(&Location::Postgres(url), false).await.expect("the database");
    let mut serving: Vec<Child> = Vec::new();
    for n in 1..=processes {
        let begun = Instant::now();
        serving.push(start(folder.path(), &["serve", "--roles", "engine"]));
        owned(&store, |owners| owners.len() == n && owners.values().max() <= Some(&lanes.div_ceil(n))).await;
        println!("  process {n} of {processes} has its share after {:.1?}", begun.elapsed());
    }
    tokio::time::sleep(Duration::from_secs(5)).await;
    let calls = || vendors.iter().map(|vendor| vendor.simulator.tape().calls().len()).sum::<usize>();
    let (before, begun) = (calls(), Instant::now());
    tokio::time::sleep(COUNTED).await;
    let rate = (calls() - before) as f64 / begun.elapsed().as_secs_f64();
    if processes > 1 {
        let begun = Instant::now();
        let mut killed = serving.remove(0);
        killed.kill().await.expect("it is killed");
        owned(&store, |owners| owners.len() == processes - 1).await;
        println!("  the lane of one that was killed is with another after {:.1?}", begun.elapsed());
    }
    for mut process in serving {
        process.kill().await.expect("it is killed");
    }
    called_once(&vendors);
    rate
}

/// Waits until every lane has an owner, and the owners' lanes are like this.
async fn owned(store: &Database, are_so: impl Fn(&BTreeMap<String, usize>) -> bool) {
    loop {
        let lanes = store.lanes().await.expect("lanes");
        let mut owners = BTreeMap::<String, usize>::new();
        for owner in lanes.iter().filter_map(|lane| lane.owner.clone()) {
            *owners.entry(owner).or_default() += 1;
        }
        if owners.values().sum::<usize>() == lanes.len() && are_so(&owners) {
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Fails when somebody was called twice.
pub(crate) fn called_once(vendors: &[Vendor]) {
    for vendor in vendors {
        let calls = vendor.simulator.tape().calls();
        let people: std::collections::BTreeSet<&str> = calls.iter().map(|call| call.callee.as_str()).collect();
        assert_eq!(people.len(), calls.len(), "somebody was called twice");
    }
}

/// Writes a configuration with a lane for each vendor, and a campaign with a list for each lane.
pub(crate) fn write(folder: &Path, url: &str, vendors: &[Vendor], concurrent: u32) {
    let mut config = project::database(url);
    for (lane, vendor) in vendors.iter().enumerate() {
        config.push_str(&project::lane(&format!("l{lane}"), vendor.address, CALLS, concurrent));
        let campaign = project::campaign(&format!("c{lane}"), &format!("l{lane}"), None, "");
        let people = project::contacts(lane * CONTACTS..(lane + 1) * CONTACTS);
        std::fs::write(folder.join(format!("c{lane}.toml")), campaign).expect("written");
        std::fs::write(folder.join(format!("c{lane}.csv")), people).expect("written");
    }
    std::fs::write(folder.join("ringfence.toml"), config).expect("written");
}
