//! What a person does with a campaign: start, pause, go on, cancel.

use axum::extract::Path;
use axum::http::StatusCode;
use ringfence_domain::PausedBy;
use ringfence_operations::campaigns;
use serde::Deserialize;

use super::super::campaigns::part;
use super::super::sent::Sent;
use super::super::visitor::Operator;
use super::super::{Page, PageError, to};

/// How to go on.
#[derive(Debug, Deserialize)]
pub(crate) struct ResumeForm {
    /// What a safety rail holds is released, too.
    #[serde(default)]
    accept: Option<String>,
}

/// What is to be cancelled.
#[derive(Debug, Deserialize)]
pub(crate) struct CancelForm {
    /// Its name, typed by hand.
    name: String,
}

/// Lets no new call begin.
pub(crate) async fn pause(Operator(visitor): Operator, Path(name): Path<String>) -> Page {
    campaigns::pause(&visitor.workspace, &name, &format!("by {}", visitor.name())).await?;
    Ok(to(&format!("/campaigns/{}", part(&name))))
}

/// Lets it dial again.
pub(crate) async fn resume(
    Operator(visitor): Operator,
    Path(name): Path<String>,
    Sent(form): Sent<ResumeForm>,
) -> Page {
    let campaign = visitor.workspace.campaign(&name).await?;
    if campaign.paused_by == Some(PausedBy::Draft) {
        let says = format!("{name} is a draft: it is started by typing how many people will be called");
        return Err(PageError::new(StatusCode::CONFLICT, says));
    }
    campaigns::resume(&visitor.workspace, &name, form.accept.is_some()).await?;
    Ok(to(&format!("/campaigns/{}", part(&name))))
}

/// Ends it for good.
pub(crate) async fn cancel(
    Operator(visitor): Operator,
    Path(name): Path<String>,
    Sent(form): Sent<CancelForm>,
) -> Page {
    if form.name.trim() != name {
        let says = format!("`{}` was typed, and the campaign is `{name}`: it goes on", form.name.trim());
        return Err(PageError::new(StatusCode::UNPROCESSABLE_ENTITY, says));
    }
    campaigns::cancel(&visitor.workspace, &name, &format!("by {}", visitor.name())).await?;
    Ok(to(&format!("/campaigns/{}", part(&name))))
}
