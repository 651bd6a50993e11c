//! The rules of a campaign as a file; and what a changed file would change, before it does.

use askama::Template;
use axum::extract::Path;
use axum::http::StatusCode;
use ringfence_operations::ErrorKind;
use ringfence_operations::campaigns::{self, Plan, Proposal};
use ringfence_store::{Begin, Expected};
use serde::Deserialize;

use super::super::campaigns::part;
use super::super::frame::Frame;
use super::super::sent::Sent;
use super::super::visitor::{Operator, Visitor};
use super::super::{Page, PageError, shown, to};
use super::{Head, Looked, look};

#[derive(Template)]
#[template(path = "pages/campaign/rules.html")]
struct RulesPage {
    frame: Frame,
    head: Head,
    file: String,
    revision: i64,
    wrong: Option<Wrong>,
    plan: Option<PlanLines>,
}

/// Why a file cannot be used.
struct Wrong {
    says: String,
    hint: String,
}

/// What a changed file would change.
struct PlanLines {
    differences: Vec<(String, String, String)>,
    waiting: i64,
    active: i64,
    changes_nothing: bool,
}

/// A changed file.
#[derive(Debug, Deserialize)]
pub(crate) struct RulesForm {
    file: String,
    revision: i64,
}

/// Shows the file.
pub(crate) async fn rules(visitor: Visitor, Path(name): Path<String>) -> Page {
    let Looked { frame, head, .. } = look(&visitor, &name, "/rules").await?;
    let campaign = campaigns::show(&visitor.workspace, &name).await?;
    let (file, revision) = (visitor.seen(&campaign.file), campaign.revision);
    Ok(shown(&RulesPage { frame, head, file, revision, wrong: None, plan: None }))
}

/// Shows what a changed file would change. Changes nothing.
pub(crate) async fn plan(Operator(visitor): Operator, Path(name): Path<String>, Sent(form): Sent<RulesForm>) -> Page {
    let Looked { frame, head, .. } = look(&visitor, &name, "/rules").await?;
    let file = unix_lines(&form.file);
    let (wrong, plan, status) = match Proposal::of_text(&visitor.workspace, &file).await {
        Ok(proposal) if proposal.name() != name => {
            let says = format!("the file is of `{}`, and this is `{name}`", proposal.name());
            let hint = "a campaign keeps its name; New campaign makes another one".to_owned();
            (Some(Wrong { says, hint }), None, StatusCode::UNPROCESSABLE_ENTITY)
        }
        Ok(proposal) => (None, Some(PlanLines::of(&proposal.plan)), StatusCode::OK),
        Err(error) if error.kind == ErrorKind::Input => {
            let wrong = Wrong { says: error.message, hint: error.hint.unwrap_or_default() };
            (Some(wrong), None, StatusCode::UNPROCESSABLE_ENTITY)
        }
        Err(error) => return Err(error.into()),
    };
    let mut response = shown(&RulesPage { frame, head, file, revision: form.revision, wrong, plan });
    *response.status_mut() = status;
    Ok(response)
}

/// Puts a changed file into force, unless somebody changed the campaign meanwhile.
pub(crate) async fn apply(Operator(visitor): Operator, Path(name): Path<String>, Sent(form): Sent<RulesForm>) -> Page {
    let proposal = Proposal::of_text(&visitor.workspace, &unix_lines(&form.file)).await?;
    if proposal.name() != name {
        let says = format!("the file is of `{}`, and this is `{name}`", proposal.name());
        return Err(PageError::new(StatusCode::UNPROCESSABLE_ENTITY, says));
    }
    // A draft stays one.
    proposal.apply(Begin::Draft, Expected::Revision(form.revision)).await?;
    Ok(to(&format!("/campaigns/{}", part(&name))))
}

/// Forms send lines as on paper machines.
fn unix_lines(text: &str) -> String {
    text.replace("\r\n", "\n")
}

impl PlanLines {
    fn of(plan: &Plan) -> Self {
        let said = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".to_owned());
        let line = |one: &ringfence_operations::Difference| (one.key.clone(), said(&one.from), said(&one.to));
        Self {
            differences: plan.differences.iter().map(line).collect(),
            waiting: plan.contacts.waiting,
            active: plan.contacts.active,
            changes_nothing: plan.differences.is_empty() && !plan.lane_differs,
        }
    }
}
