//! A campaign in the form of its file: with every default filled in, or what differs between two.

use std::collections::BTreeMap;

use ringfence_domain::campaign::{CallingZone, Redial, UnknownPolicy};
use ringfence_domain::condition::Condition;
use ringfence_domain::template::Template;
use ringfence_domain::{Campaign, Span};
use toml::{Table, Value};

/// The campaign as a file that says everything. Reading it again gives the same campaign.
pub fn of(campaign: &Campaign) -> Table {
    let mut root = Table::new();
    let sections: [fn(&mut Table, &Campaign); 10] =
        [head, contacts, texts, calling, limits, retry, results, on_unknown, schedule, safety];
    for write in sections {
        write(&mut root, campaign);
    }
    drop_empty(&mut root);
    root
}

fn head(root: &mut Table, campaign: &Campaign) {
    put(root, "name", &campaign.name);
    put(root, "provider", &campaign.provider);
    put_if(root, "agent", Some(&campaign.agent).filter(|agent| !agent.is_empty()));
    if !campaign.caller_ids.is_empty() {
        put_list(root, "caller_ids", &campaign.caller_ids);
    }
    root.insert("priority".to_owned(), Value::Integer(campaign.priority.into()));
}

fn contacts(root: &mut Table, campaign: &Campaign) {
    let source = &campaign.contacts;
    let contacts = section(root, "contacts");
    put_if(contacts, "file", source.file.as_ref());
    match source.phones.as_slice() {
        [only] => put(contacts, "phone", only),
        several => put_list(contacts, "phones", several),
    }
    put_if(contacts, "country", source.country.map(String::from));
    if !source.countries.is_empty() {
        put_list(contacts, "countries", &source.countries);
    }
    if !source.allow.is_empty() {
        put_list(contacts, "allow", &source.allow);
    }
    put_if(contacts, "timezone", source.timezone.as_ref());
    put_if(contacts, "id", source.id.as_ref());
    put(contacts, "missing", source.missing);
    put_list(contacts, "empty_words", source.empty_words.words());
}

fn texts(root: &mut Table, campaign: &Campaign) {
    templates(root, "variables", campaign.variables.iter());
    if !campaign.metadata.is_empty() {
        templates(root, "metadata", campaign.metadata.iter());
    }
    if !campaign.vendor.is_empty() {
        vendor(section(root, "vendor"), &campaign.vendor);
    }
}

fn calling(root: &mut Table, campaign: &Campaign) {
    let calling = section(root, "calling");
    put(calling, "hours", &campaign.calling.hours);
    match campaign.calling.timezone {
        CallingZone::Fixed(zone) => put(calling, "timezone", zone.name()),
        CallingZone::Contact => put(calling, "timezone", "contact"),
    }
    let closures = &campaign.calling.closures;
    if !closures.holidays.is_empty() {
        put_list(calling, "holidays", &closures.holidays.iter().map(|holidays| &holidays.name).collect::<Vec<_>>());
    }
    if !closures.days.is_empty() {
        put_list(calling, "closed", &closures.days.iter().collect::<Vec<_>>());
    }
    if !campaign.calling.presets.is_empty() {
        put_list(calling, "rules", &campaign.calling.presets.iter().map(|preset| &preset.name).collect::<Vec<_>>());
    }
    put(calling, "guard", campaign.calling.guard);
}

fn limits(root: &mut Table, campaign: &Campaign) {
    let limits = section(root, "limits");
    put_if(limits, "calls", campaign.limits.calls);
    put_number(limits, "concurrent", campaign.limits.concurrent);
    put_list(limits, "per_number", &campaign.limits.per_number);
    let cool_off = section(limits, "cool_off");
    put_if(cool_off, "after_answered", campaign.limits.cool_off.after_answered);
    put_if(cool_off, "after_refusal", campaign.limits.cool_off.after_refusal);
}

fn retry(root: &mut Table, campaign: &Campaign) {
    let retry = section(root, "retry");
    put_number(retry, "max_attempts", Some(campaign.retry.max_attempts));
    retry.insert("avoid_same_hour".to_owned(), Value::Boolean(campaign.retry.avoid_same_hour));
    put(retry, "jitter", format!("{}%", campaign.retry.jitter));
    for (outcome, redial) in &campaign.retry.after {
        match redial {
            Redial::Never => put(retry, outcome.as_str(), "never"),
            Redial::After(delays) if delays.len() == 1 => put(retry, outcome.as_str(), delays[0]),
            Redial::After(delays) => put_list::<Span>(retry, outcome.as_str(), delays),
        }
    }
}

fn results(root: &mut Table, campaign: &Campaign) {
    let results = section(root, "results");
    let reached = section(results, "reached");
    put_list(reached, "outcome", &campaign.reached.outcome);
    put_number(reached, "min_seconds", Some(campaign.reached.min_seconds));
    for (key, when) in [("opt_out", &campaign.opt_out), ("refusal", &campaign.refusal)] {
        if let Some(when) = when {
            condition(section(results, key), when);
        }
    }
    if let Some(rule) = &campaign.callback {
        let callback = section(root, "callback");
        put(callback, "from", &rule.from);
        put(callback, "otherwise", rule.otherwise);
        if let Some(when) = &rule.when {
            condition(callback, when);
        }
    }
}

fn on_unknown(root: &mut Table, campaign: &Campaign) {
    let unknown = section(root, "on_unknown");
    let policy = match campaign.on_unknown.policy {
        UnknownPolicy::Hold => "hold",
        UnknownPolicy::AssumePlaced => "assume-placed",
        UnknownPolicy::Redial => "redial",
    };
    put(unknown, "policy", policy);
    put(unknown, "ask_for", campaign.on_unknown.ask_for);
}

fn schedule(root: &mut Table, campaign: &Campaign) {
    let schedule = section(root, "schedule");
    put_if(schedule, "cron", campaign.schedule.cron.as_ref());
    put(schedule, "mode", campaign.schedule.mode);
    put(schedule, "missed", campaign.schedule.missed);
    put_if(schedule, "starts", campaign.schedule.starts);
    put_if(schedule, "ends", campaign.schedule.ends);
}

fn safety(root: &mut Table, campaign: &Campaign) {
    let safety = section(root, "safety");
    put_number(safety, "min_contacts", campaign.safety.min_contacts);
    put_number(safety, "max_contacts", campaign.safety.max_contacts);
    put(safety, "max_rejected", campaign.safety.max_rejected);
    put(safety, "max_missing", campaign.safety.max_missing);
    put_if(safety, "max_file_age", campaign.safety.max_file_age);
    put_number(safety, "canary", campaign.safety.canary);
    put(safety, "stop_at_failures", campaign.safety.stop_at_failures);
}

/// One key whose value differs.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// The key, as in `calling.hours`.
    pub key: String,
    /// What it says now, if anything.
    pub from: Option<String>,
    /// What it would say.
    pub to: Option<String>,
}

/// What differs between two campaigns, by key.
pub fn differences(from: &Campaign, to: &Campaign) -> Vec<Difference> {
    let (from, to) = (said(from), said(to));
    let keys: std::collections::BTreeSet<&String> = from.keys().chain(to.keys()).collect();
    keys.into_iter()
        .filter(|key| from.get(*key) != to.get(*key))
        .map(|key| Difference { key: key.clone(), from: from.get(key).cloned(), to: to.get(key).cloned() })
        .collect()
}

/// What a campaign says, with the versions of the data that its file only names.
fn said(campaign: &Campaign) -> BTreeMap<String, String> {
    let mut said = flat(&of(campaign));
    for preset in &campaign.calling.presets {
        said.insert(format!("calling.rules {}", preset.name), format!("version {}", preset.version));
    }
    let presets = campaign.calling.presets.iter().flat_map(|preset| &preset.closures.holidays);
    for holidays in campaign.calling.closures.holidays.iter().chain(presets) {
        let days = format!("{} days of {}-{}", holidays.days.len(), holidays.first, holidays.last);
        said.insert(format!("calling.holidays {}", holidays.name), days);
    }
    said
}

fn flat(table: &Table) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for (key, value) in table {
        if let Value::Table(inner) = value {
            all.extend(flat(inner).into_iter().map(|(name, value)| (format!("{key}.{name}"), value)));
        } else {
            all.insert(key.clone(), value.to_string());
        }
    }
    all
}

#[expect(clippy::needless_pass_by_value, reason = "words, spans and names are written alike, owned or not")]
fn put(table: &mut Table, key: &str, value: impl ToString) {
    table.insert(key.to_owned(), Value::String(value.to_string()));
}

fn condition(table: &mut Table, when: &Condition) {
    let table = section(table, "when");
    for (name, wanted) in &when.0 {
        match wanted.as_slice() {
            [only] => put(table, name, only),
            several => put_list(table, name, several),
        }
    }
}

fn drop_empty(table: &mut Table) {
    table.iter_mut().for_each(|(_, value)| value.as_table_mut().into_iter().for_each(drop_empty));
    table.retain(|_, value| value.as_table().is_none_or(|table| !table.is_empty()));
}

fn put_if(table: &mut Table, key: &str, value: Option<impl ToString>) {
    if let Some(value) = value {
        put(table, key, value);
    }
}

fn put_number(table: &mut Table, key: &str, value: Option<u32>) {
    if let Some(value) = value {
        table.insert(key.to_owned(), Value::Integer(value.into()));
    }
}

fn put_list<T: ToString>(table: &mut Table, key: &str, values: &[T]) {
    let values = values.iter().map(|value| Value::String(value.to_string())).collect();
    table.insert(key.to_owned(), Value::Array(values));
}

fn templates<'a>(root: &mut Table, name: &str, pairs: impl Iterator<Item = (&'a String, impl ToString)>) {
    let table = section(root, name);
    pairs.for_each(|(key, value)| put(table, key, value));
}

/// Settings of tables are named `table.key`; flags are written as such.
fn vendor(table: &mut Table, settings: &BTreeMap<String, Template>) {
    for (name, template) in settings {
        match (name.split_once('.'), template.to_string().as_str()) {
            (Some((inner, key)), text) => put(section(table, inner), key, text),
            (None, flag @ ("true" | "false")) => drop(table.insert(name.clone(), Value::Boolean(flag == "true"))),
            (None, text) => put(table, name, text),
        }
    }
}

fn section<'t>(table: &'t mut Table, name: &str) -> &'t mut Table {
    let value = table.entry(name).or_insert_with(|| Value::Table(Table::new()));
    match value {
        Value::Table(table) => table,
        _ => unreachable!("sections are tables"),
    }
}
