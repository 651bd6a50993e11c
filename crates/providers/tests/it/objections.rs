//! What each vendor lacks in a campaign is told before anybody is called.

use std::collections::BTreeMap;

use ringfence_domain::template::Template;
use ringfence_providers::{CampaignFacts, LaneSetup};
use ringfence_samples::lane_settings;
use ringfence_samples::vendors::{setup, vendor};

/// The keys that the vendor objects to, of a campaign with these.
fn objections(
    lane: &LaneSetup,
    agent: Option<&str>,
    caller_ids: &[&str],
    variable: &str,
    own: &[(&str, &str)],
) -> Vec<&'static str> {
    let template = |text: &str| text.parse::<Template>().expect("a template");
    let caller_ids: Vec<String> = caller_ids.iter().map(ToString::to_string).collect();
    let variables = BTreeMap::from([(variable.to_owned(), template("{name}"))]);
    let own = own.iter().map(|(name, value)| ((*name).to_owned(), template(value))).collect();
    let facts = CampaignFacts {
        agent,
        caller_ids: &caller_ids,
        variables: &variables,
        metadata: &BTreeMap::new(),
        vendor: &own,
    };
    (vendor(&lane.settings.kind).check)(lane, &facts).into_iter().map(|objection| objection.key).collect()
}

fn lane(kind: &str, values: &[(&str, &str)]) -> LaneSetup {
    let settings = ringfence_domain::lane::LaneSettings { kind: kind.to_owned(), ..lane_settings("main") };
    let mut setup = setup(vendor(kind), &settings, "https://vendor.invalid");
    setup.values.extend(values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    setup
}

#[test]
fn knovvu_wants_a_scenario_a_number_to_show_and_its_own_two_names() {
    let plain = lane("knovvu", &[]);
    assert_eq!(objections(&plain, Some("due.xml"), &["200"], "name", &[]), [""; 0]);
    assert_eq!(objections(&plain, None, &[], "_Destination", &[]), ["agent", "caller_ids", "variables"]);
    assert_eq!(objections(&plain, Some("due.xml"), &["200"], "_DisplayNumber", &[]), ["variables"]);
    let of_lane = lane("knovvu", &[("scenario_path", "due.xml")]);
    assert_eq!(objections(&of_lane, None, &["200"], "name", &[]), [""; 0]);
    assert_eq!(objections(&lane("knovvu", &[("scenario_path", " ")]), None, &["200"], "name", &[]), ["agent"]);
}

#[test]
fn iqra_wants_what_its_dialect_takes() {
    let docs = lane("iqra", &[("dialect", "docs")]);
    assert_eq!(objections(&docs, Some("agent"), &["42"], "name", &[]), [""; 0]);
    assert_eq!(objections(&docs, None, &[], "name", &[]), ["agent", "caller_ids"]);
    let config = lane("iqra", &[("dialect", "config")]);
    assert_eq!(objections(&config, None, &[], "name", &[("campaign_id", "7")]), [""; 0]);
    assert_eq!(objections(&config, None, &[], "name", &[]), ["campaign_id"]);
    let wait = |text| objections(&config, None, &[], "name", &[("campaign_id", "7"), ("max_wait", text)]);
    assert_eq!((wait("10m"), wait("11m")), (vec![], vec!["max_wait"]));
}
