//! What was done with a campaign, and what happened to it.

use askama::Template;
use axum::extract::{Path, Query};
use ringfence_store::EventFilter;
use serde::Deserialize;

use super::super::feed::{self, FeedLine};
use super::super::frame::Frame;
use super::super::visitor::Visitor;
use super::super::{Page, shown};
use super::{Head, Looked, look};

/// Lines of a page.
const LINES: u32 = 50;

#[derive(Template)]
#[template(path = "pages/campaign/changes.html")]
struct ChangesPage {
    frame: Frame,
    head: Head,
    feed: Vec<FeedLine>,
    /// Where older ones begin.
    older: String,
}

/// From where.
#[derive(Debug, Deserialize)]
pub(crate) struct ChangesQuery {
    #[serde(default)]
    before: Option<i64>,
}

/// Shows it.
pub(crate) async fn changes(visitor: Visitor, Path(name): Path<String>, Query(query): Query<ChangesQuery>) -> Page {
    let Looked { frame, head, zone, .. } = look(&visitor, &name, "/changes").await?;
    let filter = EventFilter { campaign: Some(name), ..EventFilter::default() };
    let now = visitor.workspace.now();
    let feed = feed::latest(&visitor, filter, (query.before, LINES), (now, zone)).await?;
    let older = feed::older(&feed, LINES, &format!("/campaigns/{}/changes?", head.path));
    Ok(shown(&ChangesPage { frame, head, feed, older }))
}
