//! The keys of a campaign file, in the order in which its form is written.

use std::collections::BTreeMap;

use ringfence_domain::campaign::{CallingZone, Missing, UnknownPolicy};
use ringfence_domain::condition::Condition;
use ringfence_domain::phone::NumberKind;
use ringfence_domain::schedule::{Missed, ScheduleMode};
use ringfence_domain::template::Template;
use ringfence_domain::{Campaign, Outcome};
use toml::{Table, Value};

use super::retry::RETRY;
use super::{CampaignKey, Holds, Key};

/// Every key of a campaign file, by section.
pub const CAMPAIGN: &[&[CampaignKey]] =
    &[HEAD, CONTACTS, TEXTS, CALLING, LIMITS, RETRY, RESULTS, UNKNOWN, SCHEDULE, SAFETY];

const HEAD: &[CampaignKey] = &[
    key("name", Holds::Text, None, "The campaign's name: lower-case letters, digits and hyphens.", |c| text(&c.name)),
    key("provider", Holds::Text, None, "The lane that dials it: a [provider.NAME] of ringfence.toml.", |c| {
        text(&c.provider)
    }),
    key("agent", Holds::Word, None, "The vendor's name for the agent that calls.", |c| {
        (!c.agent.is_empty()).then(|| Value::String(c.agent.clone()))
    }),
    key("caller_ids", Holds::Texts, None, "Numbers to call from, in rotation.", |c| some(&c.caller_ids)),
    key(
        "priority",
        Holds::Whole(1, 9),
        Some("5"),
        "Campaigns of a lower number are dialled first; equals share the lane.",
        |c| whole(u32::from(c.priority)),
    ),
];

const CONTACTS: &[CampaignKey] = &[
    key(
        "contacts.file",
        Holds::File,
        None,
        "The contact file; its name may hold {date}, or * for the newest of several.",
        |c| c.contacts.file.as_ref().and_then(text),
    ),
    key("contacts.phone", Holds::Column, None, "The column of the number.", |c| match c.contacts.phones.as_slice() {
        [only] => text(only),
        _ => None,
    }),
    key("contacts.phones", Holds::Texts, None, "Columns of several numbers of one person, tried in turn.", |c| {
        if c.contacts.phones.len() == 1 { None } else { some(&c.contacts.phones) }
    }),
    key("contacts.country", Holds::Country, None, "The country of numbers that are written without one.", |c| {
        c.contacts.country.map(String::from).and_then(text)
    }),
    key("contacts.countries", Holds::Countries, None, "Countries whose numbers are called; all when left out.", |c| {
        some(&c.contacts.countries)
    }),
    key(
        "contacts.allow",
        Holds::SomeOf(NumberKind::WORDS),
        None,
        "Kinds of numbers that are called besides the usual ones.",
        |c| some(&c.contacts.allow),
    ),
    key("contacts.timezone", Holds::Column, None, "The column of the contact's time zone.", |c| {
        c.contacts.timezone.as_ref().and_then(text)
    }),
    key("contacts.id", Holds::Column, None, "The column that recognises a person whose number changed.", |c| {
        c.contacts.id.as_ref().and_then(text)
    }),
    // In the form, the templates say it themselves: `{column|}`.
    key("contacts.optional", Holds::Texts, None, "Columns that the agent gets and that may be empty.", |_| None),
    key(
        "contacts.missing",
        Holds::OneOf(Missing::WORDS),
        Some("\"keep\""),
        "What becomes of waiting contacts that a newer file no longer has.",
        |c| text(c.contacts.missing),
    ),
    key(
        "contacts.empty_words",
        Holds::Texts,
        Some("[\"NULL\", \"None\", \"nan\", \"N/A\", \"#N/A\", \"undefined\", \"-\"]"),
        "A cell that is such a word is empty.",
        |c| texts(c.contacts.empty_words.words()),
    ),
];

const TEXTS: &[CampaignKey] = &[
    key("variables", Holds::Templates, None, "What the agent gets to know of the contact.", |c| {
        templates(&c.variables)
    }),
    key("metadata", Holds::Templates, None, "What the vendor keeps with each call for your own systems.", |c| {
        templates(&c.metadata)
    }),
    key("vendor", Holds::Templates, None, "Settings of the vendor for this campaign.", |c| vendor(&c.vendor)),
];

const CALLING: &[CampaignKey] = &[
    key("calling.hours", Holds::Hours, Some("\"09:00-21:00\""), "The hours of calling.", |c| text(&c.calling.hours)),
    key(
        "calling.timezone",
        Holds::Zone,
        Some("\"contact\""),
        "Whose clocks the hours are read on: a zone for everyone, or `contact` for each one's own.",
        |c| match c.calling.timezone {
            CallingZone::Fixed(zone) => text(zone.name()),
            CallingZone::Contact => text("contact"),
        },
    ),
    key("calling.holidays", Holds::Texts, None, "Calendars of holidays, on which nobody is called.", |c| {
        some(&c.calling.closures.holidays.iter().map(|holidays| &holidays.name).collect::<Vec<_>>())
    }),
    key("calling.closed", Holds::Texts, None, "Further days on which nobody is called: 2026-11-08.", |c| {
        some(&c.calling.closures.days.iter().collect::<Vec<_>>())
    }),
    key("calling.rules", Holds::Texts, None, "Presets of laws and codes; `ringfence presets` lists them.", |c| {
        some(&c.calling.presets.iter().map(|preset| &preset.name).collect::<Vec<_>>())
    }),
    key("calling.guard", Holds::Span, Some("\"1m\""), "No new call begins this long before closing.", |c| {
        text(c.calling.guard)
    }),
];

const LIMITS: &[CampaignKey] = &[
    key("limits.calls", Holds::Rate, None, "New calls of this campaign, within the lane's own rate.", |c| {
        c.limits.calls.and_then(text)
    }),
    key("limits.concurrent", Holds::Whole(1, 100_000), None, "Calls of this campaign at the same time.", |c| {
        c.limits.concurrent.and_then(whole)
    }),
    key(
        "limits.per_number",
        Holds::Texts,
        Some("[\"3/day\"]"),
        "Calls to one number, over all campaigns: 3/day, 7/7d.",
        |c| texts(&c.limits.per_number),
    ),
    key(
        "limits.cool_off.after_answered",
        Holds::Span,
        None,
        "How long this campaign leaves a number alone after a conversation in any campaign.",
        |c| c.limits.cool_off.after_answered.and_then(text),
    ),
    key(
        "limits.cool_off.after_refusal",
        Holds::Span,
        None,
        "How long this campaign leaves a number alone after a no in any campaign.",
        |c| c.limits.cool_off.after_refusal.and_then(text),
    ),
];

const RESULTS: &[CampaignKey] = &[
    key(
        "results.reached.outcome",
        Holds::SomeOf(Outcome::WORDS),
        Some("[\"answered\"]"),
        "Outcomes of a contact that counts as reached.",
        |c| texts(&c.reached.outcome),
    ),
    key(
        "results.reached.min_seconds",
        Holds::Whole(0, 86_400),
        Some("0"),
        "Seconds of conversation of a contact that counts as reached.",
        |c| whole(c.reached.min_seconds),
    ),
    key(
        "results.opt_out.when",
        Holds::Condition,
        None,
        "Outputs of a callee who wants no more calls: the number goes onto the do-not-call list.",
        |c| c.opt_out.as_ref().map(condition),
    ),
    key("results.refusal.when", Holds::Condition, None, "Outputs of a callee who said no.", |c| {
        c.refusal.as_ref().map(condition)
    }),
    key("callback.from", Holds::Text, None, "The output that holds the time at which to call back.", |c| {
        c.callback.as_ref().and_then(|rule| text(&rule.from))
    }),
    key(
        "callback.otherwise",
        Holds::Span,
        Some("\"2h\""),
        "The delay when the time is missing or not understood.",
        |c| c.callback.as_ref().and_then(|rule| text(rule.otherwise)),
    ),
    key("callback.when", Holds::Condition, None, "Outputs of a callee who wants to be called back.", |c| {
        c.callback.as_ref()?.when.as_ref().map(condition)
    }),
];

const UNKNOWN: &[CampaignKey] = &[
    key(
        "on_unknown.policy",
        Holds::OneOf(UnknownPolicy::WORDS),
        Some("\"hold\""),
        "What follows when nobody can say whether a call was placed; `redial` may call twice.",
        |c| text(c.on_unknown.policy),
    ),
    key(
        "on_unknown.ask_for",
        Holds::Span,
        Some("\"1m\""),
        "How long the vendor is asked about such a call before a person must decide.",
        |c| text(c.on_unknown.ask_for),
    ),
];

const SCHEDULE: &[CampaignKey] = &[
    key("schedule.cron", Holds::Cron, None, "When the contact file is taken in by itself.", |c| {
        c.schedule.cron.as_ref().and_then(text)
    }),
    key(
        "schedule.mode",
        Holds::OneOf(ScheduleMode::WORDS),
        Some("\"add\""),
        "Whether new rows join the run, or a fresh run over everyone begins.",
        |c| text(c.schedule.mode),
    ),
    key(
        "schedule.missed",
        Holds::OneOf(Missed::WORDS),
        Some("\"once\""),
        "Whether moments that passed while nothing ran are made up for, once.",
        |c| text(c.schedule.missed),
    ),
    key("schedule.starts", Holds::Date, None, "The first day of calling.", |c| c.schedule.starts.and_then(text)),
    key("schedule.ends", Holds::Date, None, "The last day of calling.", |c| c.schedule.ends.and_then(text)),
];

const SAFETY: &[CampaignKey] = &[
    key(
        "safety.min_contacts",
        Holds::Whole(1, u32::MAX),
        None,
        "An import with fewer people who can be called is held.",
        |c| c.safety.min_contacts.and_then(whole),
    ),
    key("safety.max_contacts", Holds::Whole(1, u32::MAX), None, "An import with more contacts is held.", |c| {
        c.safety.max_contacts.and_then(whole)
    }),
    key(
        "safety.max_rejected",
        Holds::Percent,
        Some("\"20%\""),
        "An import with a larger share of rejected rows is held.",
        |c| text(c.safety.max_rejected),
    ),
    key(
        "safety.max_missing",
        Holds::Percent,
        Some("\"50%\""),
        "An import that would stop a larger share of those who wait is held.",
        |c| text(c.safety.max_missing),
    ),
    key("safety.max_file_age", Holds::Span, None, "An import of a file that is older is held.", |c| {
        c.safety.max_file_age.and_then(text)
    }),
    key(
        "safety.canary",
        Holds::Whole(1, 1_000),
        None,
        "Contacts of an import that are dialled first, while the others wait for their outcomes.",
        |c| c.safety.canary.and_then(whole),
    ),
    key(
        "safety.stop_at_failures",
        Holds::Percent,
        Some("\"50%\""),
        "A larger share of failures among the last 20 calls pauses the campaign.",
        |c| text(c.safety.stop_at_failures),
    ),
];

pub(super) const fn key(
    path: &'static str,
    holds: Holds,
    default: Option<&'static str>,
    says: &'static str,
    value: fn(&Campaign) -> Option<Value>,
) -> CampaignKey {
    CampaignKey { key: Key { path, holds, default, says }, value }
}

#[expect(clippy::needless_pass_by_value, reason = "words, spans and names are written alike, owned or not")]
pub(super) fn text(value: impl ToString) -> Option<Value> {
    Some(Value::String(value.to_string()))
}

pub(super) fn texts<T: ToString>(values: &[T]) -> Option<Value> {
    Some(Value::Array(values.iter().map(|value| Value::String(value.to_string())).collect()))
}

/// A list, unless it is empty.
fn some<T: ToString>(values: &[T]) -> Option<Value> {
    if values.is_empty() { None } else { texts(values) }
}

fn whole(number: u32) -> Option<Value> {
    Some(Value::Integer(number.into()))
}

fn condition(when: &Condition) -> Value {
    let values = when.0.iter().filter_map(|(name, wanted)| {
        let value = if let [only] = wanted.as_slice() { text(only) } else { texts(wanted) };
        Some((name.clone(), value?))
    });
    Value::Table(values.collect())
}

fn templates(templates: &BTreeMap<String, Template>) -> Option<Value> {
    let pairs = templates.iter().map(|(name, template)| (name.clone(), Value::String(template.to_string())));
    (!templates.is_empty()).then(|| Value::Table(pairs.collect()))
}

/// Settings of tables are named `table.key`; flags are written as such.
fn vendor(settings: &BTreeMap<String, Template>) -> Option<Value> {
    let mut table = Table::new();
    for (name, template) in settings {
        let text = template.to_string();
        match (name.split_once('.'), text.as_str()) {
            (Some((outer, key)), _) => {
                let inner = table.entry(outer).or_insert_with(|| Value::Table(Table::new()));
                inner.as_table_mut()?.insert(key.to_owned(), Value::String(text));
            }
            (None, flag @ ("true" | "false")) => drop(table.insert(name.clone(), Value::Boolean(flag == "true"))),
            (None, _) => drop(table.insert(name.clone(), Value::String(text))),
        }
    }
    (!table.is_empty()).then_some(Value::Table(table))
}
