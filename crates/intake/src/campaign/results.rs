//! `[results]` and `[callback]`: the meaning of a call's outcome, and of what the agent collected
//! in it.

use std::collections::BTreeMap;

use ringfence_domain::Span;
use ringfence_domain::callback::Callback;
use ringfence_domain::campaign::Reached;
use ringfence_domain::condition::Condition;

use crate::Mistake;
use crate::section::Section;

/// The content of `[results]`.
#[derive(Default)]
pub(super) struct Results {
    pub(super) reached: Reached,
    pub(super) opt_out: Option<Condition>,
    pub(super) refusal: Option<Condition>,
}

pub(super) fn results(mut section: Section<'_>) -> Results {
    let mut results = Results::default();
    if let Some(mut inner) = section.section("reached") {
        if let Some(texts) = inner.texts("outcome") {
            results.reached.outcome = texts.iter().filter_map(|text| inner.parse(text)).collect();
        }
        results.reached.min_seconds = inner.integer("min_seconds", 0..=86_400).unwrap_or_default();
        inner.finish();
    }
    for (key, condition) in [("opt_out", &mut results.opt_out), ("refusal", &mut results.refusal)] {
        let Some(mut inner) = section.section(key) else { continue };
        *condition = when(&mut inner);
        if condition.is_none() && inner.place_of("when").is_none() {
            inner.missing("when", "name an output and its value: when = { opted_out = \"yes\" }");
        }
        inner.finish();
    }
    section.finish();
    results
}

/// The delay after which somebody is called again who asks for a callback without a time that can
/// be understood.
const OTHERWISE: Span = Span::from_hours(2);

pub(super) fn callback(mut section: Section<'_>) -> Option<Callback> {
    let from = section.required_text("from", "name the output that holds the time: from = \"callback_time\"");
    let when = when(&mut section);
    let otherwise = section.span("otherwise").unwrap_or(OTHERWISE);
    section.finish();
    Some(Callback { from: from?.value, when, otherwise })
}

/// Reads `when = { name = "value" }`, with a list where several values will do.
fn when(section: &mut Section<'_>) -> Option<Condition> {
    let mut inner = section.section("when")?;
    let mut wanted = BTreeMap::new();
    for key in inner.keys() {
        let texts = inner.flag_or_texts(&key.value)?;
        if texts.is_empty() {
            inner
                .found()
                .add(Mistake::new(key.at.clone(), format!("`{}` has no value", key.value)).hint("write \"yes\""));
        }
        wanted.insert(key.value, texts);
    }
    if wanted.is_empty() {
        let mistake = Mistake::new(inner.at(), "`when` names no output");
        inner.found().add(mistake.hint("write when = { opted_out = \"yes\" }"));
        return None;
    }
    Some(Condition(wanted))
}
