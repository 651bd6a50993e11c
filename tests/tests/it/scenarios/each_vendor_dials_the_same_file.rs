//! One file of a thousand people through each vendor, with 2% lost answers and 2% errors: nobody
//! twice at a time, nobody lost, and how calls ended is what the tape says.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_domain::campaign::Redial;
use ringfence_domain::{AttemptId, AttemptState, Outcome, Percent, ReportAddress, Span};
use ringfence_operations::{InputFile, importing};
use ringfence_providers::{Finds, Vendor};
use ringfence_sandbox::{Behaviour, Fault, InProcess};
use ringfence_store::AttemptRow;
use ringfence_tests::TestDatabase;
use ringfence_tests::sample::{lane_settings, noon, number, rules};
use ringfence_tests::vendors;
use ringfence_tests::virtual_time::{Dialer, VirtualClock};
use ringfence_tests::web;

const PEOPLE: usize = 1_000;
const MOST: u32 = 3;

fn behaviour() -> Behaviour {
    Behaviour {
        outcomes: vec![(Outcome::Answered, 60), (Outcome::NoAnswer, 20), (Outcome::Busy, 15), (Outcome::Failed, 5)],
        faults: vec![(Fault::LostAnswer, 2.0), (Fault::ErrorAfter, 1.0), (Fault::ErrorBefore, 1.0)],
        ..Behaviour::default()
    }
}

async fn dial(vendor: &'static Vendor, database: TestDatabase, reports: bool) {
    let file = database.folder().join("people.csv");
    let rows: String = (0..PEOPLE).map(|n| format!("Person {n},{}\n", number(n).e164())).collect();
    std::fs::write(&file, format!("name,phone\n{rows}")).expect("written");
    let mut settings = lane_settings("main");
    settings.kind = vendor.kind.to_owned();
    let mut rules = vendors::suited(vendor, &settings, rules("spring", "main"));
    rules.variables = [("name".to_owned(), "{name}".parse().expect("a template"))].into();
    rules.retry.max_attempts = MOST;
    for redial in rules.retry.after.values_mut().filter(|redial| **redial != Redial::Never) {
        *redial = Redial::After(vec![Span::from_minutes(2)]);
    }
    rules.safety.stop_at_failures = Percent::new(100);
    let clock = VirtualClock::at(noon());
    let adapter = |settings: &_, line| vendors::provider(vendor, settings, line);
    let store = database.store.clone();
    let mut dialer = Dialer::set_with(store.clone(), clock.clone(), settings, rules, behaviour(), 0, adapter).await;
    if reports {
        let public_url = "https://dialer.invalid".to_owned();
        dialer.reports = Some(ReportAddress { public_url, key: store.report_key().clone() });
        let server = web::server(store.clone(), clock);
        dialer.simulator.report_by(InProcess::new(ringfence_server::router(&server)));
    }
    let provider = dialer.provider().clone();
    let input = InputFile::Named(file);
    let import = importing::import(&store, &dialer.clock, &dialer.campaign, &provider, &input, false).await;
    assert_eq!(import.expect("an import").row.counts.accepted, PEOPLE as i64);
    dialer.start();
    let certain = vendor.can.finds == Finds::ByReference;
    let over = |count: &dyn Fn(&str) -> i64| {
        count("contact:waiting") + count("contact:active") == 0 && !(certain && count("contact:review") > 0)
    };
    dialer.until("everyone being done, stopped, or a person's to decide", over).await;
    dialer.stop().await;
    check(vendor, &dialer, reports).await;
}

async fn check(vendor: &Vendor, dialer: &Dialer, reports: bool) {
    let store = &dialer.store;
    dialer.check_counts().await;
    dialer.check_tape(MOST as usize);
    let tape = dialer.simulator.tape().calls();
    let by_id: BTreeMap<String, Outcome> = tape
        .iter()
        .enumerate()
        // UnleashX's rows without a call's id are known by their number.
        .flat_map(|(place, entry)| {
            let outcome = entry.outcome.expect("it ends");
            [(entry.call_id.clone().expect("an id"), outcome), ((place + 1).to_string(), outcome)]
        })
        .collect();
    let attempts = store
        .attempts(dialer.campaign.run, ringfence_store::ContactFilter::default(), AttemptId(0), 100_000)
        .await
        .expect("attempts");
    let (mut known, mut in_doubt) = (BTreeSet::new(), 0);
    for attempt in &attempts {
        let AttemptRow { call_id, outcome, state, .. } = attempt;
        match (call_id, outcome) {
            (Some(call_id), Some(outcome)) => {
                assert_eq!(Some(outcome), by_id.get(call_id), "{}: {call_id}", vendor.kind);
                assert!(known.insert(call_id.clone()), "{}: {call_id} is two attempts'", vendor.kind);
            }
            (None, None) if *state == AttemptState::Unknown => in_doubt += 1,
            (call_id, outcome) => assert!(!state.is_live(), "{}: {call_id:?}, {outcome:?}: {state}", vendor.kind),
        }
    }
    let review = dialer.count("contact:review").await;
    assert_eq!(review, in_doubt, "{}: everyone in doubt is a person's to decide", vendor.kind);
    let done = dialer.count("contact:done").await + dialer.count("contact:stopped").await;
    assert_eq!(done + review, PEOPLE as i64, "{}: nobody is lost", vendor.kind);
    let unasked = dialer.simulator.tape().entries().len() - tape.len();
    let lost = tape.len() - known.len();
    assert!(unasked > 3, "{}: the faults came", vendor.kind);
    match vendor.can.finds {
        Finds::ByReference => assert_eq!((lost, in_doubt), (0, 0), "{}: every fate is known", vendor.kind),
        Finds::ByNumber => assert_eq!(lost, 0, "{}: every call is found", vendor.kind),
        Finds::Never if reports => assert_eq!(lost, 0, "{}: every call was reported", vendor.kind),
        Finds::Never => assert!(lost > 10, "{}: nothing tells of them", vendor.kind),
    }
}

macro_rules! through {
    ($($name:ident: $kind:literal, $reports:literal;)+) => {$(
        mod $name {
            use super::*;

            #[tokio::test]
            async fn sqlite() {
                dial(vendors::vendor($kind), TestDatabase::sqlite_in_virtual_time().await, $reports).await;
            }

            #[tokio::test]
            async fn postgres() {
                dial(vendors::vendor($kind), TestDatabase::postgres_in_virtual_time().await, $reports).await;
            }
        }
    )+};
}

through! {
    twenty2: "twenty2", false;
    unleashx: "unleashx", false;
    iqra: "iqra", false;
    knovvu: "knovvu", false;
    knovvu_with_reports: "knovvu", true;
}

#[test]
fn no_vendor_is_left_out() {
    let kinds: Vec<&str> = ringfence_providers::registry::VENDORS.iter().map(|vendor| vendor.kind).collect();
    assert_eq!(kinds, ["twenty2", "unleashx", "iqra", "knovvu"], "add a line above");
}
