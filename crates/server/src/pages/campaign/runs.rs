//! The runs of a campaign.

use askama::Template;
use axum::extract::Path;
use ringfence_domain::Zone;
use ringfence_operations::runs::{self, ListedRun};

use super::super::frame::{Frame, moment};
use super::super::visitor::Visitor;
use super::super::{Page, shown};
use super::{Head, Looked, look};

#[derive(Template)]
#[template(path = "pages/campaign/runs.html")]
struct RunsPage {
    frame: Frame,
    head: Head,
    runs: Vec<Line>,
}

struct Line {
    number: i64,
    key: String,
    is_current: bool,
    erased: Option<String>,
    began: String,
    last: String,
    total: i64,
    done: i64,
    reached: i64,
    calls: i64,
}

/// Shows them.
pub(crate) async fn runs_page(visitor: Visitor, Path(name): Path<String>) -> Page {
    let Looked { frame, head, .. } = look(&visitor, &name, "/runs").await?;
    let (runs, zone) = runs::list(&visitor.workspace, &name).await?;
    let runs = runs.into_iter().map(|run| line(run, zone)).collect();
    Ok(shown(&RunsPage { frame, head, runs }))
}

fn line(run: ListedRun, zone: Zone) -> Line {
    Line {
        number: run.number,
        key: run.key.unwrap_or_default(),
        is_current: run.current,
        erased: run.erased_at.map(|at| moment(at, zone)),
        began: moment(run.started_at, zone),
        last: run.last_dial_at.map(|at| moment(at, zone)).unwrap_or_default(),
        total: run.contacts.total,
        done: run.contacts.done,
        reached: run.reached,
        calls: run.calls,
    }
}
