//! Every sample of `campaigns/` is read and dialled to its end, in virtual time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use ringfence_domain::{Clock, Moment, Outcome};
use ringfence_engine::LaneEngine;
use ringfence_intake::{Config, campaign};
use ringfence_operations::{InputFile, importing, workspace};
use ringfence_providers::registry::VENDORS;
use ringfence_sandbox::{Behaviour, InProcess, Simulator, Tape, router};
use ringfence_tests::TestDatabase;
use ringfence_tests::vendors::build;
use ringfence_tests::virtual_time::{VirtualClock, twenty2};
use tokio_util::sync::CancellationToken;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the project").to_owned()
}

/// Office hours in every zone of the samples, from London to Singapore.
fn daytime() -> Moment {
    "2026-11-20T10:00:00Z".parse().expect("a moment")
}

fn environment(name: &str) -> Option<String> {
    Some(format!("value of {name}"))
}

#[test]
fn what_operators_copy_is_read_without_a_mistake() {
    for file in ["deploy/ringfence.toml", "campaigns/ringfence.toml", "campaigns/vendors/ringfence.toml"] {
        Config::load(&root().join(file), &workspace::vendors(), &environment)
            .unwrap_or_else(|mistakes| panic!("{mistakes}"));
    }
}

#[test]
fn no_sample_is_left_out() {
    let names = |folder: &str| {
        let entries = std::fs::read_dir(root().join(folder)).expect("the samples");
        let names = entries.map(|entry| entry.expect("a file").file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> =
            names.filter(|name| Path::new(name).extension().is_some_and(|end| end == "toml")).collect();
        names.sort();
        names
    };
    assert_eq!(names("campaigns"), ["customer-survey.toml", "payment-reminder.toml", "ringfence.toml"]);
    let mut kinds: Vec<String> = VENDORS.iter().map(|vendor| format!("{}.toml", vendor.kind)).collect();
    kinds.push("ringfence.toml".to_owned());
    kinds.sort();
    assert_eq!(names("campaigns/vendors"), kinds, "one for each vendor");
}

#[tokio::test]
async fn the_customer_survey_is_dialled_to_its_end() {
    dial_to_the_end("campaigns", "customer-survey").await;
}

#[tokio::test]
async fn the_payment_reminder_is_dialled_to_its_end() {
    dial_to_the_end("campaigns", "payment-reminder").await;
}

macro_rules! samples_of {
    ($($kind:ident)+) => {
        mod of_vendors {
            $(#[tokio::test]
            async fn $kind() {
                super::dial_to_the_end("campaigns/vendors", stringify!($kind)).await;
            })+
        }
    };
}

samples_of! { twenty2 unleashx iqra knovvu }

async fn dial_to_the_end(folder: &str, name: &str) {
    let config = root().join(folder).join("ringfence.toml");
    let config =
        Config::load(&config, &workspace::vendors(), &environment).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let file = root().join(folder).join(format!("{name}.toml"));
    let rules = campaign::load(&file, &config, daytime()).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let clock: Arc<dyn Clock> = VirtualClock::at(daytime());
    let settings = config.lanes[&rules.provider].setup.settings.clone();
    let answered = Behaviour { outcomes: vec![(Outcome::Answered, 1)], ..Behaviour::default() };
    let simulator = Simulator::new(answered, clock.clone(), Arc::new(Tape::default()));
    let line = InProcess::new(router(&simulator));
    let lane = &config.lanes[&rules.provider];
    // The sandbox within the process has a simulator of its own, and no tape to look at.
    let provider = if lane.vendor.kind == "sandbox" {
        twenty2(&settings, "e164", line)
    } else {
        build(lane.vendor, lane.setup.clone(), line)
    };
    let store = database.store.clone();
    let lane = store.register_lane(settings.clone(), daytime()).await.expect("a lane").id;
    let (_, row) =
        store.apply(rules.clone(), lane, ringfence_store::Begin::Running, daytime()).await.expect("a campaign");
    let contacts = rules.contacts.file.clone().expect("a sample has contacts");
    let import = importing::import(&store, &clock, &row, &provider, &InputFile::Named(contacts.into()), false).await;
    let import = import.unwrap_or_else(|failure| panic!("{}: {failure:?}", file.display())).row;
    assert!(import.counts.accepted >= 5 && import.counts.rejected == 0, "{}: {import:?}", file.display());
    let stop = CancellationToken::new();
    let engine = LaneEngine::new(store.clone(), clock.clone(), "tests/samples".into(), lane, settings, provider);
    let running = tokio::spawn(engine.run(stop.clone()));
    for _ in 0..200 {
        let numbers = store.numbers(rules.name.clone(), clock.read().now).await.expect("numbers").expect("there");
        let count = |name: &str| numbers.counts.get(name).copied().unwrap_or_default();
        if count("contact:waiting") + count("contact:active") == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    stop.cancel();
    running.await.expect("the engine ends");
    assert_eq!(simulator.tape().calls().len() as i64, import.counts.accepted, "{}", file.display());
    assert_eq!(store.recount(row.run).await.expect("a recount"), []);
}
