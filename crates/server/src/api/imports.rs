//! Imports: what came of a contact file.

use axum::extract::Path;
use ringfence_domain::ImportId;
use ringfence_operations::imports::{self, Import, ListedImport, RejectedRow, UndoneImport};
use serde::Deserialize;
use utoipa::IntoParams;

use super::call::{Answer, Asked, Call};
use super::paging::{Page, Wanted};

/// Lists the imports of a campaign's current run, oldest first.
#[utoipa::path(get, path = "/campaigns/{name}/imports", tag = "imports", params(("name" = String, Path, description = "The campaign.")),
    security(("token" = ["viewer"])), responses((status = 200, description = "The imports.", body = Vec<ListedImport>)))]
pub(crate) async fn campaign_imports(call: Call, Path(name): Path<String>) -> Answer {
    call.answer(&imports::list(&call.workspace, Some(&name)).await?)
}

/// Shows an import: how far it is, and what came of its rows.
#[utoipa::path(get, path = "/imports/{id}", tag = "imports", params(("id" = i64, Path, description = "The import.")),
    security(("token" = ["viewer"])), responses((status = 200, description = "The import.", body = Import)))]
pub(crate) async fn get_import(call: Call, Path(id): Path<i64>) -> Answer {
    call.answer(&imports::one(&call.workspace, ImportId(id)).await?)
}

/// Which rejected rows.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct RejectQuery {
    /// Rows of the page, 1 to 1000; 50 without.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// Where the page begins, as the page before said.
    cursor: Option<String>,
}

/// Lists the rows that were not taken in, in the order of the file, each with its reason.
#[utoipa::path(get, path = "/imports/{id}/rejects", tag = "imports", security(("token" = ["viewer"])),
    params(("id" = i64, Path, description = "The import."), RejectQuery),
    responses((status = 200, description = "The rows.", body = Page<RejectedRow>)))]
pub(crate) async fn import_rejects(call: Call, Path(id): Path<i64>, Asked(query): Asked<RejectQuery>) -> Answer {
    let wanted = Wanted::of(query.limit, query.cursor.as_deref(), id)?;
    let after = wanted.after_number()?.unwrap_or_default();
    let rows = imports::rejects_page(&call.workspace, ImportId(id), after, wanted.limit + 1).await?;
    call.answer(&wanted.page(rows, |row| row.row.to_string()))
}

/// Stops the contacts of an import that were not dialled yet.
#[utoipa::path(post, path = "/imports/{id}/undo", tag = "imports", params(("id" = i64, Path, description = "The import.")),
    security(("token" = ["operator"])), responses((status = 200, description = "It is undone.", body = UndoneImport)))]
pub(crate) async fn undo_import(call: Call, Path(id): Path<i64>) -> Answer {
    call.answer(&imports::undo(&call.workspace, ImportId(id)).await?)
}
