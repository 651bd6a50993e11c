//! One contact file: what came of its rows, and what can be done with it.

use askama::Template;
use axum::extract::{Path, Query, State};
use ringfence_domain::{ImportId, ImportState, Zone};
use ringfence_operations::imports::{self, Import};
use ringfence_operations::rejects::{self, Kind};
use ringfence_operations::{Error, campaigns, importing};
use serde::Deserialize;

use super::campaigns::part;
use super::frame::{Frame, moment};
use super::visitor::{Operator, Visitor};
use super::{Page, shown, to};
use crate::Server;
use crate::download::download;

/// Rows of a page.
const ROWS: u32 = 50;

/// One contact file in one line.
pub(crate) struct ImportLine {
    pub(crate) id: i64,
    pub(crate) state: String,
    pub(crate) held_for: String,
    pub(crate) source: String,
    pub(crate) began: String,
    pub(crate) rows: i64,
    pub(crate) accepted: i64,
    pub(crate) updated: i64,
    pub(crate) unchanged: i64,
    pub(crate) duplicate: i64,
    pub(crate) rejected: i64,
    pub(crate) missing: i64,
    pub(crate) campaign: String,
    /// The campaign as a part of an address.
    pub(crate) path: String,
}

impl ImportLine {
    pub(crate) fn of(visitor: &Visitor, import: &Import, campaign: &str, zone: Zone) -> Self {
        let file = std::path::Path::new(&import.source).file_name().map(|name| name.to_string_lossy().into_owned());
        let held = import.held_for.as_deref().filter(|_| import.state == ImportState::Held);
        Self {
            id: import.id.0,
            state: import.state.to_string(),
            held_for: visitor.seen(held.unwrap_or_default()),
            source: visitor.seen(&file.unwrap_or_else(|| import.source.clone())),
            began: moment(import.row.started_at, zone),
            rows: import.rows,
            accepted: import.accepted,
            updated: import.updated,
            unchanged: import.unchanged,
            duplicate: import.duplicate,
            rejected: import.rejected,
            missing: import.missing,
            campaign: campaign.to_owned(),
            path: part(campaign),
        }
    }
}

#[derive(Template)]
#[template(path = "pages/import.html")]
struct ImportPage {
    frame: Frame,
    import: ImportLine,
    says: String,
    reasons: Vec<(String, i64)>,
    is_held: bool,
    may_undo: bool,
    columns: Vec<String>,
    rejects: Vec<RejectLine>,
    next: String,
}

struct RejectLine {
    row: i64,
    line: i64,
    reason: String,
    record: Vec<String>,
}

/// From where.
#[derive(Debug, Deserialize)]
pub(crate) struct ImportQuery {
    #[serde(default)]
    after: i64,
}

/// Shows it.
pub(crate) async fn import(visitor: Visitor, Path(id): Path<i64>, Query(query): Query<ImportQuery>) -> Page {
    let (workspace, id) = (&visitor.workspace, ImportId(id));
    let import = imports::one(workspace, id).await?;
    let campaign = campaign_of(&visitor, &import).await?;
    let mut rows = imports::rejects_page(workspace, id, query.after, ROWS + 1).await?;
    let has_more = rows.len() > ROWS as usize;
    rows.truncate(ROWS as usize);
    let next = rows.last().filter(|_| has_more).map(|row| format!("/imports/{id}?after={}", row.row));
    let reject = |row: imports::RejectedRow| RejectLine {
        row: row.row,
        line: row.line,
        reason: visitor.seen(&row.reason),
        record: row.record.iter().map(|cell| visitor.seen(cell)).collect(),
    };
    let frame = Frame::of(&visitor, &format!("Import {id}"), "/campaigns").await?.live();
    let page = ImportPage {
        says: importing::counts_line(&import.row),
        reasons: import.reasons.iter().map(|(code, n)| (code.replace('_', " "), *n)).collect(),
        is_held: import.state == ImportState::Held,
        may_undo: import.state != ImportState::Undone,
        columns: import.row.columns.iter().map(|column| visitor.seen(column)).collect(),
        rejects: rows.into_iter().map(reject).collect(),
        next: next.unwrap_or_default(),
        import: ImportLine::of(&visitor, &import, &campaign, frame.zone),
        frame,
    };
    Ok(shown(&page))
}

/// Accepts it, and nothing else, though a safety rail holds it.
pub(crate) async fn accept(Operator(visitor): Operator, Path(id): Path<i64>) -> Page {
    campaigns::accept_import(&visitor.workspace, ImportId(id)).await?;
    Ok(to(&format!("/imports/{id}")))
}

/// Stops the contacts of it that were not dialled yet.
pub(crate) async fn undo(Operator(visitor): Operator, Path(id): Path<i64>) -> Page {
    imports::undo(&visitor.workspace, ImportId(id)).await?;
    Ok(to(&format!("/imports/{id}")))
}

/// Sends the rows that cannot be called, with line and reason, as a file that can be mended.
pub(crate) async fn rejects_file(
    State(server): State<Server>,
    Operator(visitor): Operator,
    Path(id): Path<i64>,
) -> Page {
    // The file is to be mended, and so has whole numbers.
    let import = imports::one(&visitor.workspace, ImportId(id)).await?;
    let (store, row) = (visitor.workspace.store.clone(), import.row);
    let name = format!("import-{id}-rejects.csv");
    let file = download(&server, ("text/csv; charset=utf-8", &name), move |mut out| {
        Box::pin(async move { rejects::to(&store, &row, Kind::Rejected, &mut out).await })
    });
    Ok(file?)
}

async fn campaign_of(visitor: &Visitor, import: &Import) -> Result<String, Error> {
    let store = &visitor.workspace.store;
    let run = store.run(import.row.run).await?;
    Ok(store.campaign_by_id(run.campaign).await?.rules.name)
}
