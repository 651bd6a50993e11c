//! What came of a campaign's contacts, as a file for a spreadsheet.

use axum::extract::{Path, State};
use ringfence_operations::export::{self, ExportOrder, Format};

use super::super::Page;
use super::super::visitor::Operator;
use crate::Server;
use crate::download::download;

/// Sends a line for each contact of the current run. Its numbers are whole.
pub(crate) async fn results(
    State(server): State<Server>,
    Operator(visitor): Operator,
    Path(name): Path<String>,
) -> Page {
    let order =
        ExportOrder { campaign: name.clone(), run: None, attempts: false, only: None, format: Format::Csv, bom: true };
    export::find(&visitor.workspace, &order).await?;
    let file = download(&server, ("text/csv; charset=utf-8", &format!("{name}.csv")), move |mut out| {
        Box::pin(async move { export::write(&visitor.workspace, &order, &mut out).await.map(drop) })
    });
    Ok(file?)
}
