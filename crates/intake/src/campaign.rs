//! Campaign files.

mod calling;
mod contradictions;
pub(crate) mod limits;
mod optional;
pub mod presets;
mod results;
mod safety;
mod schedule;
mod source;
mod vendor;
pub(crate) mod when;

use std::collections::BTreeMap;
use std::path::Path;

use ringfence_domain::campaign::{OnUnknown, Redial, RetryRules, is_name};
use ringfence_domain::safety::Safety;
use ringfence_domain::schedule::Schedule;
use ringfence_domain::template::Template;
use ringfence_domain::{Campaign, Moment, Outcome, Share, Span};
use ringfence_providers::CampaignFacts;
use toml::de::DeTable;

use crate::config::syntax;
use crate::section::{Explain, Found, Placed, Section, closest};
use crate::{Config, Mistake, Mistakes, regular};

impl Explain for ringfence_domain::words::UnknownWord {}

/// Reads a campaign file and checks it against the lanes of the configuration.
pub fn load(path: &Path, config: &Config, now: Moment) -> Result<Campaign, Mistakes> {
    let text = regular::text(path).map_err(|error| contact_file(path).unwrap_or(Mistakes::unreadable(path, &error)))?;
    parse(path, &text, config, now).map_err(|mistakes| contact_file(path).unwrap_or(mistakes))
}

/// Tells somebody who names a contact file in place of a campaign file.
fn contact_file(path: &Path) -> Option<Mistakes> {
    let end = path.extension()?.to_str()?.to_lowercase();
    let is_list = ["csv", "tsv", "txt", "xlsx", "xls", "ods"].contains(&end.as_str());
    is_list.then(|| {
        let message = format!("{} is a contact file, and no campaign file", path.display());
        let hint = format!("name the campaign, and the list beside it: campaign.toml --contacts {}", path.display());
        Mistakes::new(path, "", vec![Mistake::new(0..0, message).hint(hint)])
    })
}

/// Reads the text of a campaign file that is, or would be, at `path`.
pub fn parse(path: &Path, text: &str, config: &Config, now: Moment) -> Result<Campaign, Mistakes> {
    let document = DeTable::parse(text).map_err(|error| syntax(path, text, &error))?;
    let found = Found::default();
    let mut root = Section::root(&document, &found);
    let campaign = campaign(&mut root, path, config, now);
    root.finish();
    let list = found.take();
    match campaign {
        Some(campaign) if list.is_empty() => Ok(campaign),
        _ => Err(Mistakes::new(path, text, list)),
    }
}

fn campaign(root: &mut Section<'_>, path: &Path, config: &Config, now: Moment) -> Option<Campaign> {
    let name = root.required_text("name", "write name = \"my-campaign\"");
    if let Some(name) = name.as_ref().filter(|name| !is_name(&name.value)) {
        let mistake = Mistake::new(name.at.clone(), format!("`{}` is not a campaign name", name.value));
        root.found().add(mistake.hint("use lower-case letters, digits and hyphens"));
    }
    let provider = root.required_text("provider", "name a [provider.…] section of ringfence.toml");
    let lane = provider.as_ref().and_then(|provider| lane(root, provider, config));
    let agent = root.word("agent").map(|agent| agent.value).filter(|agent| !agent.trim().is_empty());
    let caller_ids = caller_ids(root);
    let priority = root.integer("priority", 1..=9).unwrap_or(5);
    let mut optional = Vec::new();
    let contacts = if let Some(mut section) = root.section("contacts") {
        optional = section.texts("optional").unwrap_or_default();
        source::contacts(section, path)
    } else {
        root.missing("contacts", "add [contacts] with phone = \"the column of the number\"");
        None
    };
    let mut variables = root.section("variables").map(templates).unwrap_or_default();
    let mut metadata = metadata(root, lane);
    let mut vendor_settings = vendor::settings(root, lane.map(|lane| lane.vendor));
    optional::apply(root, &optional, [&mut variables, &mut metadata, &mut vendor_settings]);
    if let Some(lane) = lane {
        let facts = CampaignFacts {
            agent: agent.as_deref(),
            caller_ids: caller_ids.as_deref().unwrap_or_default(),
            variables: &variables,
            metadata: &metadata,
            vendor: &vendor_settings,
        };
        // What is wrong with the list itself was told.
        vendor::objections(root, lane, &facts, caller_ids.is_none());
    }
    let calling = calling::calling(
        root.section("calling"),
        &config.holidays,
        lane.and_then(|lane| lane.setup.settings.hours.as_ref()),
    );
    let limits = root.section("limits").map_or_else(limits::default, limits::limits);
    let retry = root.section("retry").map_or_else(RetryRules::default, retry);
    let results = root.section("results").map(results::results).unwrap_or_default();
    let callback = root.section("callback").and_then(results::callback);
    let on_unknown = root.section("on_unknown").map_or_else(OnUnknown::default, on_unknown);
    let schedule = root.section("schedule").map_or_else(Schedule::default, |section| schedule::schedule(section, now));
    let safety = root.section("safety").map_or_else(Safety::default, safety::safety);
    let campaign = Campaign {
        name: name?.value,
        provider: provider?.value,
        agent: agent.unwrap_or_default(),
        caller_ids: caller_ids?,
        priority: priority as u8,
        contacts: contacts?,
        variables,
        metadata,
        vendor: vendor_settings,
        calling,
        limits,
        retry,
        reached: results.reached,
        opt_out: results.opt_out,
        refusal: results.refusal,
        callback,
        on_unknown,
        schedule,
        safety,
    };
    let vendor = lane.and_then(|lane| lane.setup.settings.vendor_hours());
    if let Some(message) = contradictions::never_opens(&campaign, vendor.as_ref(), now) {
        let mistake = Mistake::new(root.key_at("calling").unwrap_or(root.at()), message);
        root.found().add(mistake.hint("widen [calling] hours, or leave a rule out"));
    }
    Some(campaign)
}

fn lane<'c>(root: &Section<'_>, provider: &Placed<String>, config: &'c Config) -> Option<&'c crate::ConfigLane> {
    let lane = config.lanes.get(&provider.value);
    // What is wrong with a lane's own section is told there.
    if lane.is_none() && !config.named.contains(&provider.value) {
        let names: Vec<&str> = config.lanes.keys().map(String::as_str).collect();
        let message = format!("{} has no [provider.{}]", config.path.display(), provider.value);
        let hint = closest(&provider.value, names.iter().copied()).map_or_else(
            || format!("add the section, or use one of: {}", names.join(", ")),
            |close| format!("did you mean `{close}`?"),
        );
        root.found().add(Mistake::new(provider.at.clone(), message).hint(hint));
    }
    lane
}

/// Reads the numbers to call from. None when one of them is empty.
fn caller_ids(root: &mut Section<'_>) -> Option<Vec<String>> {
    let ids = root.texts("caller_ids").unwrap_or_default();
    let empty: Vec<&Placed<String>> = ids.iter().filter(|id| id.value.trim().is_empty()).collect();
    for id in &empty {
        root.found().add(Mistake::new(id.at.clone(), "a caller id is empty").hint("write the number to call from"));
    }
    let broken: Vec<&Placed<String>> = ids.iter().filter(|id| id.value.chars().any(char::is_control)).collect();
    for id in &broken {
        let mistake = Mistake::new(id.at.clone(), "a caller id has a line break or another control character");
        root.found().add(mistake.hint("write the number in digits"));
    }
    (empty.is_empty() && broken.is_empty()).then(|| ids.into_iter().map(|id| id.value).collect())
}

/// Reads the values that the vendor keeps with each call, if it has a place for them.
fn metadata(root: &mut Section<'_>, lane: Option<&crate::ConfigLane>) -> BTreeMap<String, Template> {
    let Some(section) = root.section("metadata") else { return BTreeMap::new() };
    if let Some(lane) = lane.filter(|lane| !lane.vendor.can.takes_metadata) {
        let message = format!("{} has no place for metadata", lane.vendor.kind);
        let hint = "leave [metadata] out; what the agent must know belongs in [variables]";
        root.found().add(Mistake::new(section.at(), message).hint(hint));
    }
    templates(section)
}

fn templates(mut section: Section<'_>) -> BTreeMap<String, Template> {
    let pairs = section.pairs();
    pairs.into_iter().filter_map(|(name, text)| Some((name.value, section.parse(&text)?))).collect()
}

fn retry(mut section: Section<'_>) -> RetryRules {
    let mut rules = RetryRules::default();
    if let Some(attempts) = section.integer("max_attempts", 1..=100) {
        rules.max_attempts = attempts;
    }
    rules.avoid_same_hour = section.flag("avoid_same_hour").unwrap_or_default();
    if let Some(jitter) = section.parsed::<Share>("jitter") {
        rules.jitter = jitter.hundredths();
    }
    for outcome in
        [Outcome::Busy, Outcome::NoAnswer, Outcome::Unreachable, Outcome::Voicemail, Outcome::Failed, Outcome::Rejected]
    {
        let Some(texts) = section.texts(outcome.as_str()) else { continue };
        if let [only] = texts.as_slice()
            && only.value == "never"
        {
            rules.after.insert(outcome, Redial::Never);
            continue;
        }
        let delays: Vec<Span> = texts.iter().filter_map(|text| section.longer_than_nothing(text)).collect();
        if delays.is_empty() && texts.is_empty() {
            section.missing(outcome.as_str(), "write \"never\" or delays: [\"1h\", \"4h\"]");
        }
        if !delays.is_empty() {
            rules.after.insert(outcome, Redial::After(delays));
        }
    }
    section.finish();
    rules
}

fn on_unknown(mut section: Section<'_>) -> OnUnknown {
    let mut rule = OnUnknown::default();
    if let Some(policy) = section.parsed("policy") {
        rule.policy = policy;
    }
    if let Some(span) = section.parsed("ask_for") {
        rule.ask_for = span;
    }
    section.finish();
    rule
}
