//! Processes on one Postgres share the lanes: one that comes takes over its share, unless it is stopped by a file on its
//! machine, and when one is killed the others have its lanes within ten seconds.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::time::Duration;

use ringfence_domain::{Outcome, Span};
use ringfence_sandbox::Behaviour;
use ringfence_tests::TestDatabase;
use ringfence_tests::binary::{Vendor, json, start};
use ringfence_tests::sample::number;
use tempfile::TempDir;

const LANES: usize = 4;
const CONTACTS: usize = 400;
/// Calls a second that each lane may make.
const RATE: usize = 25;
/// A lane is given back within a second or two when no answer is awaited, and asked for once a second;
/// the lease of a process that was killed lasts 9 s at most.
const MOVED_WITHIN: Duration = Duration::from_secs(10);

#[tokio::test]
async fn one_that_comes_gets_its_share_and_the_lanes_of_one_that_is_killed_go_to_the_rest() {
    let database = TestDatabase::postgres().await;
    let folder = database.folder();
    let behaviour = Behaviour {
        outcomes: vec![(Outcome::Answered, 1)],
        talk: Span::from_millis(300),
        ring: Span::from_millis(50),
        latency: Span::from_millis(15),
        ..Behaviour::default()
    };
    let mut vendors = Vec::new();
    for _ in 0..LANES {
        vendors.push(Vendor::begin(behaviour.clone()).await);
    }
    write_lanes(folder, &database.url, &vendors);
    for lane in 0..LANES {
        json(folder, &["apply", &format!("c{lane}.toml"), "--yes", "--json"]).await;
        json(folder, &["import", &format!("c{lane}"), &format!("c{lane}.csv"), "--json"]).await;
    }

    let mut first = start(folder, &["serve"]);
    let one = owners_once(&database, |owners| owners.len() == 1 && owners.values().all(|lanes| *lanes == LANES)).await;
    // On another machine, where nobody is to be called for now.
    let elsewhere = TempDir::new().expect("a folder");
    std::fs::copy(folder.join("ringfence.toml"), elsewhere.path().join("ringfence.toml")).expect("copied");
    std::fs::write(elsewhere.path().join("STOP"), "").expect("written");
    let mut stopped = start(elsewhere.path(), &["serve"]);
    let mut second = start(folder, &["serve"]);
    let two = owners_once(&database, |owners| owners.len() == 2 && owners.values().all(|lanes| *lanes == 2)).await;
    let mut third = start(folder, &["serve"]);
    let three = owners_once(&database, |owners| owners.len() == 3).await;
    assert!([&one, &two].into_iter().flatten().all(|owner| three.contains(owner)), "{one:?}, {two:?}, {three:?}");
    let process = format!("/{}/", stopped.id().expect("it runs"));
    assert!(!three.iter().any(|owner| owner.contains(&process)), "the stopped one has a lane: {three:?}");
    std::fs::remove_file(elsewhere.path().join("STOP")).expect("removed");
    let four = owners_once(&database, |owners| owners.len() == 4).await;
    assert!(four.iter().any(|owner| owner.contains(&process)), "{four:?}");
    for killed in [&mut second, &mut third, &mut stopped] {
        killed.kill().await.expect("it is killed");
    }
    let left = owners_once(&database, |owners| owners.len() == 1 && owners.values().all(|lanes| *lanes == LANES)).await;
    assert_eq!(left, one);

    let done = async {
        loop {
            let mut waiting = 0;
            for lane in 0..LANES {
                let status = json(folder, &["status", &format!("c{lane}"), "--json"]).await;
                let of = |state: &str| status["contacts"][state].as_u64().unwrap_or_default();
                waiting += of("waiting") + of("active");
            }
            if waiting == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(2), done).await.expect("all are done");
    first.kill().await.expect("it is killed");
    for (lane, vendor) in vendors.iter().enumerate() {
        let calls = vendor.simulator.tape().calls();
        let people: BTreeSet<&str> = calls.iter().map(|call| call.callee.as_str()).collect();
        assert_eq!(people.len(), calls.len(), "lane {lane}: somebody was called twice");
        let status = json(folder, &["status", &format!("c{lane}"), "--json"]).await;
        let review = status["contacts"]["review"].as_u64().unwrap_or_default() as usize;
        assert!(people.len() + review >= CONTACTS, "lane {lane}: {} called, {review} in review", people.len());
        let most = calls.iter().map(|one| {
            let within = |at| at >= one.at && at < one.at + Span::from_secs(1);
            calls.iter().filter(|other| within(other.at)).count()
        });
        // Requests that leave in time may arrive a little later, and closer together.
        assert!(most.max().unwrap_or_default() <= RATE + 3, "lane {lane}: two processes dialled at once");
    }
}

/// Waits until the lanes are owned like this. Returns the names of the owners.
async fn owners_once(database: &TestDatabase, are_so: impl Fn(&BTreeMap<String, usize>) -> bool) -> Vec<String> {
    let begun = tokio::time::Instant::now();
    loop {
        let lanes = database.store.lanes().await.expect("lanes");
        let free = lanes.iter().filter(|lane| lane.owner.is_none()).count();
        let mut owners = BTreeMap::<String, usize>::new();
        for owner in lanes.into_iter().filter_map(|lane| lane.owner) {
            *owners.entry(owner).or_default() += 1;
        }
        if free == 0 && are_so(&owners) {
            return owners.into_keys().collect();
        }
        assert!(begun.elapsed() < MOVED_WITHIN, "{owners:?}, {free} free");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Writes a configuration of four lanes, and for each a campaign with contacts of its own.
fn write_lanes(folder: &std::path::Path, database: &str, vendors: &[Vendor]) {
    let mut config = format!("[database]\nurl = \"{database}\"\n");
    for (lane, vendor) in vendors.iter().enumerate() {
        write!(
            config,
            "[provider.l{lane}]\nkind = \"twenty2\"\nbase_url = \"http://{}/api\"\nworkspace_id = \"tests\"\n\
             api_key = {{ env = \"TWENTY2_API_KEY\" }}\napi_secret = {{ env = \"TWENTY2_API_SECRET\" }}\n\
             limits = {{ calls = \"{RATE}/s\", requests = \"2000/s\", concurrent = 40 }}\n",
            vendor.address
        )
        .expect("written");
        let campaign = format!(
            "name = \"c{lane}\"\nprovider = \"l{lane}\"\nagent = \"a\"\ncaller_ids = [\"9876500000\"]\n\
             [contacts]\nphone = \"phone\"\ncountry = \"IN\"\n[calling]\nhours = \"24/7\"\n[on_unknown]\nask_for = \"5s\"\n"
        );
        let people = (lane * CONTACTS..(lane + 1) * CONTACTS).map(|n| format!("{}\n", number(n).e164()));
        std::fs::write(folder.join(format!("c{lane}.toml")), campaign).expect("written");
        std::fs::write(folder.join(format!("c{lane}.csv")), format!("phone\n{}", people.collect::<String>()))
            .expect("written");
    }
    std::fs::write(folder.join("ringfence.toml"), config).expect("written");
}
