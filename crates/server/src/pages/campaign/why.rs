//! For which reasons the contacts of a campaign wait.

use askama::Template;
use axum::extract::Path;
use ringfence_operations::why;

use super::super::frame::{Frame, moment};
use super::super::visitor::Visitor;
use super::super::{Page, shown};
use super::{Head, Looked, look};

#[derive(Template)]
#[template(path = "pages/campaign/why.html")]
struct WhyPage {
    frame: Frame,
    head: Head,
    because: String,
    waiting: i64,
    reasons: Vec<Line>,
    on_dnc: Option<String>,
}

struct Line {
    says: String,
    contacts: i64,
    from: String,
}

/// Shows them.
pub(crate) async fn why_page(visitor: Visitor, Path(name): Path<String>) -> Page {
    let Looked { frame, head, .. } = look(&visitor, &name, "/why").await?;
    let why = why::campaign(&visitor.workspace, &name).await?;
    let line = |reason: &why::Reason| Line {
        says: visitor.seen(&reason.says),
        contacts: reason.contacts,
        from: reason.from.map(|at| moment(at, why.clock)).unwrap_or_default(),
    };
    let reasons = why.reasons.iter().map(line).collect();
    let because = visitor.seen(why.because.as_deref().unwrap_or_default());
    Ok(shown(&WhyPage { frame, head, because, waiting: why.waiting, reasons, on_dnc: why.dnc_says() }))
}
