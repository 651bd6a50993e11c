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
}

/// All steps, of which `here` is the present one, counted from 1.
pub(crate) fn steps(here: usize) -> Vec<Step> {
    STEPS.iter().enumerate().map(|(place, name)| Step { name, is_here: place + 1 == here }).collect()
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
