//! How much of its slots a lane uses while there is work: a slot is used from the moment that a request comes to the
//! vendor until its call is over there.

use std::time::Duration;

use ringfence_domain::{Clock, Moment, Outcome, Span};
use ringfence_sandbox::{Behaviour, MachineClock, TapeEntry};
use ringfence_tests::TestDatabase;
use ringfence_tests::binary::{Vendor, json, start};
use tempfile::TempDir;

use crate::processes::{called_once, write};

/// Calls at the same time.
const SLOTS: u32 = 100;
/// How long each phone rings.
const RING: Duration = Duration::from_secs(2);
/// It is counted after three calls on each slot, when slots become free at all moments, and while three more are made.
const LENGTHS: u32 = 3;

/// Measures it with calls of this length on the average, and prints what came out.
pub(crate) async fn measure(length: Duration) {
    let folder = TempDir::new().expect("a folder");
    let span = |length: Duration| Span::from_millis(length.as_millis() as i64);
    let behaviour = Behaviour {
        outcomes: vec![(Outcome::Answered, 1)],
        ring: span(RING),
        talk: span(length.saturating_sub(RING)),
        latency: Span::from_millis(200),
        ..Behaviour::default()
    };
    let vendors = [Vendor::begin(behaviour).await];
    write(folder.path(), &TestDatabase::empty_postgres().await, &vendors, SLOTS);
    json(folder.path(), &["apply", "c0.toml", "--yes", "--json"]).await;
    json(folder.path(), &["import", "c0", "c0.csv", "--json"]).await;
    let mut serving = start(folder.path(), &["serve", "--roles", "engine"]);
    tokio::time::sleep(length * LENGTHS).await;
    let from = MachineClock.read().now;
    tokio::time::sleep(length * LENGTHS).await;
    let until = MachineClock.read().now;
    serving.kill().await.expect("it is killed");
    called_once(&vendors);
    let used: f64 = vendors[0].simulator.tape().calls().iter().map(|call| within(call, from, until)).sum();
    let share = used / (f64::from(SLOTS) * until.since(from).duration().as_secs_f64());
    println!("calls of {} s: {:.1} % of {SLOTS} slots are used", length.as_secs(), 100.0 * share);
}

/// The seconds of a call between two moments.
fn within(call: &TapeEntry, from: Moment, until: Moment) -> f64 {
    let ends_at = call.ends_at.unwrap_or(until).min(until);
    let begins_at = call.at.max(from);
    if ends_at > begins_at { ends_at.since(begins_at).duration().as_secs_f64() } else { 0.0 }
}
