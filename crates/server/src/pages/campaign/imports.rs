//! The contact files of a campaign.

use askama::Template;
use axum::extract::Path;
use ringfence_operations::imports;

use super::super::frame::Frame;
use super::super::imports::ImportLine;
use super::super::visitor::Visitor;
use super::super::{Page, shown};
use super::{Head, Looked, look};

#[derive(Template)]
#[template(path = "pages/campaign/imports.html")]
struct ImportsPage {
    frame: Frame,
    head: Head,
    imports: Vec<ImportLine>,
}

/// Shows them.
pub(crate) async fn imports_page(visitor: Visitor, Path(name): Path<String>) -> Page {
    let Looked { frame, head, zone, .. } = look(&visitor, &name, "/imports").await?;
    let list = imports::list(&visitor.workspace, Some(&name)).await?;
    let imports = list.iter().map(|one| ImportLine::of(&visitor, &one.import, &one.campaign, zone)).collect();
    Ok(shown(&ImportsPage { frame, head, imports }))
}
