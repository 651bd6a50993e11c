//! What a person does with a campaign: start, pause, go on, cancel.

use axum::Form;
use axum::extract::Path;
use axum::http::StatusCode;
use ringfence_domain::Scope;
use ringfence_operations::campaigns;
use serde::Deserialize;

use super::super::campaigns::part;
use super::super::visitor::Visitor;
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
pub(crate) async fn pause(visitor: Visitor, Path(name): Path<String>) -> Page {
    visitor.needs(Scope::Operator)?;
    campaigns::pause(&visitor.workspace, &name, &format!("by {}", visitor.name())).await?;
    Ok(to(&format!("/campaigns/{}", part(&name))))
}

/// Lets it dial again.
pub(crate) async fn resume(visitor: Visitor, Path(name): Path<String>, Form(form): Form<ResumeForm>) -> Page {
    visitor.needs(Scope::Operator)?;
    campaigns::resume(&visitor.workspace, &name, form.accept.is_some()).await?;
    Ok(to(&format!("/campaigns/{}", part(&name))))
}

/// Ends it for good.
pub(crate) async fn cancel(visitor: Visitor, Path(name): Path<String>, Form(form): Form<CancelForm>) -> Page {
    visitor.needs(Scope::Operator)?;
    if form.name.trim() != name {
        let says = format!("`{}` was typed, and the campaign is `{name}`: it goes on", form.name.trim());
        return Err(PageError::new(StatusCode::UNPROCESSABLE_ENTITY, says));
    }
    campaigns::cancel(&visitor.workspace, &name, &format!("by {}", visitor.name())).await?;
    Ok(to(&format!("/campaigns/{}", part(&name))))
}
