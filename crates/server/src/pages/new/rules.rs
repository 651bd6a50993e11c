//! When and how often people are called; and, beside the rules, when the next calls would be.

use askama::Template;
use axum::extract::{Path, Query};
use ringfence_operations::new_campaign::{self, Form, Outlook};
use ringfence_operations::presets;

use super::super::frame::{Frame, moment};
use super::super::visitor::Operator;
use super::super::{Page, shown};
use super::{Step, chosen, hidden, links, list, query, steps};

/// The fields of this page.
const FIELDS: [&str; 11] = [
    "agent",
    "caller_ids",
    "hours",
    "zone",
    "rules",
    "per_number",
    "max_attempts",
    "busy",
    "no_answer",
    "opt_out",
    "canary",
];

#[derive(Template)]
#[template(path = "pages/new/rules.html")]
struct RulesPage {
    frame: Frame,
    steps: Vec<Step>,
    id: String,
    form: Form,
    presets: Vec<PresetLine>,
    outlook: Vec<OutlookLine>,
    first: String,
    can: i64,
    wrong: String,
    hint: String,
    file: String,
    back: String,
    hidden: Vec<(String, String)>,
}

struct PresetLine {
    name: String,
    says: String,
}

struct OutlookLine {
    zones: String,
    people: i64,
    from: String,
}

/// Shows them.
pub(crate) async fn rules(Operator(visitor): Operator, Path(id): Path<String>, asked: Query<Form>) -> Page {
    let list = list(&visitor, &id)?;
    let (form, _) = chosen(&visitor, asked).await?;
    let form = new_campaign::look(&list, &form).await?.guess.with_usual_rules();
    let found = new_campaign::verdict(&visitor.workspace, &list, &form).await;
    let frame = Frame::of(&visitor, "New campaign", "/campaigns").await?;
    let (found, wrong, hint) = match found {
        Ok(found) => (Some(found), String::new(), String::new()),
        Err(error) => (None, without_place(&error.message), error.hint.unwrap_or_default()),
    };
    let (can, outlook) = found.map_or((0, Outlook::default()), |found| (found.rows.accepted, found.outlook));
    let preset = |preset: presets::PresetRules| PresetLine {
        says: format!("{}, as of {}", preset.hours.map(|hours| hours.to_string()).unwrap_or_default(), preset.version),
        name: preset.name,
    };
    let page = RulesPage {
        presets: presets::list()?.into_iter().map(preset).collect(),
        outlook: outlook
            .zones
            .iter()
            .map(|zone| OutlookLine {
                zones: zone.zones.clone(),
                people: zone.people,
                from: zone.from.map_or("never".to_owned(), |at| moment(at, frame.zone)),
            })
            .collect(),
        first: outlook.first.map(|at| moment(at, frame.zone)).unwrap_or_default(),
        can,
        wrong,
        hint,
        file: form.file()?,
        back: format!("/new/{id}/verdict?{}", query(&form)),
        hidden: hidden(&form, &FIELDS),
        steps: steps(4, &links(&id, &form)),
        id,
        form,
        frame,
    };
    Ok(shown(&page))
}

/// What is wrong with the file that the form makes, without the places in a file that nobody has.
fn without_place(message: &str) -> String {
    let lines = message.lines().map(|line| {
        let place = line.split_once(".toml:").and_then(|(_, rest)| rest.split_once(": "));
        place.map_or(line, |(_, says)| says)
    });
    lines.collect::<Vec<_>>().join("\n")
}
