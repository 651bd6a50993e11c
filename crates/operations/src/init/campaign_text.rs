//! The campaign file that `init` writes.

use std::collections::BTreeMap;
use std::path::Path;

use ringfence_domain::lane::LaneSettings;
use ringfence_providers::{CampaignFacts, LaneSetup, Vendor};

use super::config_text::commented;
use super::guess::Columns;

/// The keys that the vendor asks of a campaign on a lane with its default settings.
fn needs(vendor: &Vendor) -> Vec<&'static str> {
    let defaults = vendor.settings.iter().filter_map(|key| Some((key.name.to_owned(), key.default?.to_owned())));
    let setup = LaneSetup {
        settings: LaneSettings {
            name: "main".to_owned(),
            kind: vendor.kind.to_owned(),
            limits: (vendor.limits)(),
            hours: None,
            timezone: ringfence_domain::Zone::utc(),
            lower_priorities: LaneSettings::LOWER_PRIORITIES,
        },
        base_url: String::new(),
        values: defaults.collect(),
        secrets: BTreeMap::new(),
        status_map: BTreeMap::new(),
    };
    let none = BTreeMap::new();
    let facts = CampaignFacts { agent: None, caller_ids: &[], variables: &none, metadata: &none, vendor: &none };
    (vendor.check)(&setup, &facts).into_iter().map(|objection| objection.key).collect()
}

pub(super) fn campaign_text(name: &str, vendor: &Vendor, contacts: &Path, columns: &Columns) -> String {
    // A simulated account takes any agent.
    let trial = vendor.kind == "sandbox";
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let file = std::path::absolute(contacts).unwrap_or_else(|_| contacts.to_owned());
    let beside = std::env::current_dir().ok().and_then(|folder| file.strip_prefix(folder).ok().map(Path::to_owned));
    let file = beside.unwrap_or(file).display().to_string();
    let mut text = format!("name = {}\nprovider = \"main\"\n", quoted(name));
    let mut line = |text_of: String, comment: &str| text.push_str(&commented(&text_of, comment));
    let needs = needs(vendor);
    if needs.contains(&"agent") {
        let agent = if trial { "sandbox-agent" } else { "" };
        line(format!("agent = {}", quoted(agent)), "the vendor's id of the agent");
    }
    if needs.contains(&"caller_ids") {
        let from = if trial { "9876500000" } else { "" };
        line(format!("caller_ids = [{}]", quoted(from)), "your numbers there, rotated");
    }
    line("\n[contacts]".to_owned(), "");
    line(format!("file = {}", quoted(&file)), "or \"list-{date}.csv\"");
    line(format!("phone = {}", quoted(&columns.phone)), "");
    if !columns.more_phones.is_empty() {
        let all = [&columns.phone].into_iter().chain(&columns.more_phones).map(|column| quoted(column));
        let all = all.collect::<Vec<_>>().join(", ");
        line(format!("# phones = [{all}]"), "instead of phone: in turn, if they are one person's");
    }
    match columns.country {
        Some(country) => {
            line(format!("country = {}", quoted(&String::from(country))), "of numbers without a +");
        }
        None => line("# country = \"..\"".to_owned(), "of numbers without a +; without it they are rejected"),
    }
    if let Some(column) = &columns.timezone {
        line(format!("timezone = {}", quoted(column)), "everyone's own zone");
    }
    if let Some(column) = &columns.id {
        line(format!("id = {}", quoted(column)), "recognises a person again");
    }
    line("# optional = [\"column\"]".to_owned(), "of variables; rows with others empty are rejected");
    line("\n[variables]".to_owned(), "");
    for (place, (key, column)) in columns.variables().into_iter().enumerate() {
        let comment = if place == 0 { "what the agent gets to know" } else { "" };
        line(format!("{key} = {}", quoted(&format!("{{{column}}}"))), comment);
    }
    for column in &columns.refusals {
        let comment =
            "left out: does it say who must not be called? Take those rows out, or `ringfence dnc import` them";
        line(format!("# {}", quoted(column)), comment);
    }
    let zone = columns.calling_zone();
    line("\n[calling]".to_owned(), "");
    line(format!("hours = {}", quoted(if trial { "24/7" } else { "Mo-Sa 09:00-20:00" })), "");
    line(
        format!("timezone = {}", quoted(zone)),
        if zone == "contact" {
            "their own clocks; or one zone for all: \"Asia/Kolkata\""
        } else {
            "or \"contact\": their own clocks"
        },
    );
    if let Some((holidays, preset)) = columns.laws() {
        line(format!("# holidays = {}", quoted(holidays)), "nobody is called on these");
        line(format!("# rules = [{}]", quoted(preset)), "a preset; the narrowest wins");
    }
    line("\n[retry]".to_owned(), "");
    line("max_attempts = 3".to_owned(), "calls placed, over all outcomes");
    line("busy = \"15m\"".to_owned(), "");
    line("no_answer = [\"1h\", \"4h\"]".to_owned(), "the last repeats");
    line("\n[results]".to_owned(), "");
    line("opt_out = { when = { opted_out = \"yes\" } }".to_owned(), "your agent's output: who wants no more calls");
    line("\n[safety]".to_owned(), "");
    line("canary = 10".to_owned(), "these first; the rest waits for how they end");
    text
}
