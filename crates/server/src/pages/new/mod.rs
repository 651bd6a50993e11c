//! A new campaign, step by step: file, columns, verdict, rules; then, of the draft, try and start.
//! Each step is an address with all that was chosen in it.

pub(super) mod columns;
pub(super) mod draft;
pub(super) mod file;
pub(super) mod rules;
pub(super) mod verdict;

use axum::extract::Query;
use ringfence_operations::new_campaign::{self, Form, KeptList};
use ringfence_operations::{Error, lanes, uploads};

use super::visitor::Visitor;

/// The steps, by name.
const STEPS: [&str; 6] = ["File", "Columns", "Verdict", "Rules", "Try", "Start"];

/// One step, and whether it is the present one.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) is_here: bool,
    /// Where it is, when one may go back to it; else empty.
    pub(crate) link: String,
}

/// All steps, of which `here` is the present one, counted from 1. `links`: where earlier ones are.
pub(crate) fn steps(here: usize, links: &[String]) -> Vec<Step> {
    let step = |(place, name): (usize, &&'static str)| {
        let link = links.get(place).filter(|_| place + 1 < here).cloned().unwrap_or_default();
        Step { name, is_here: place + 1 == here, link }
    };
    STEPS.iter().enumerate().map(step).collect()
}

/// Where the steps of a list that was sent are, with what was chosen.
fn links(id: &str, form: &Form) -> Vec<String> {
    let query = query(form);
    let of_list = ["", "/verdict", "/rules"].map(|step| format!("/new/{id}{step}?{query}"));
    std::iter::once("/new".to_owned()).chain(of_list).collect()
}

/// Where the steps of a draft are: its list and rules are its campaign's since it was made.
fn links_of_draft(path: &str) -> Vec<String> {
    let pages = ["imports", "imports", "imports", "rules", "try", "start"];
    pages.iter().map(|page| format!("/campaigns/{path}/{page}")).collect()
}

/// The list that is meant.
fn list(visitor: &Visitor, id: &str) -> Result<KeptList, Error> {
    new_campaign::open(&uploads::folder(&visitor.workspace)?, id)
}

/// The choices in an address, with a lane when there is only one to choose.
async fn chosen(visitor: &Visitor, Query(mut form): Query<Form>) -> Result<(Form, Vec<String>), Error> {
    let known: Vec<String> = visitor.workspace.config.lanes.keys().cloned().collect();
    let lanes = if known.is_empty() {
        lanes::list(&visitor.workspace).await?.into_iter().map(|lane| lane.name).collect()
    } else {
        known
    };
    if form.lane.is_empty() {
        form.lane = lanes.first().cloned().unwrap_or_default();
    }
    Ok((form, lanes))
}

/// The choices as a part of an address.
fn query(form: &Form) -> String {
    let value = serde_json::to_value(form).unwrap_or_default();
    let mut text = form_urlencoded::Serializer::new(String::new());
    for (name, value) in value.as_object().into_iter().flatten() {
        if let Some(value) = value.as_str().filter(|value| !value.is_empty()) {
            text.append_pair(name, value);
        }
    }
    text.finish()
}

/// The choices as hidden fields, but for those that a page has fields for.
fn hidden(form: &Form, shown: &[&str]) -> Vec<(String, String)> {
    let value = serde_json::to_value(form).unwrap_or_default();
    let fields = value.as_object().into_iter().flatten();
    let kept = fields.filter(|(name, _)| !shown.contains(&name.as_str()));
    kept.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
}
