//! Exports: contacts or attempts as lines, as many as there are, without holding them in memory.

use std::io::Write;

use axum::extract::Path;
use ringfence_domain::Scope;
use ringfence_operations::export::{self, ExportOrder, Format, Only};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::call::{Answer, Asked, Call};
use crate::download::{Pieces, download};
use crate::masked::mask;
use crate::problem::{Problem, ProblemKind};

/// What to export, and how.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportQuery {
    /// The form of the lines; `json` without: one object a line.
    #[serde(default)]
    #[param(inline)]
    format: FormatName,
    /// Only these contacts.
    #[serde(default)]
    #[param(inline)]
    only: Option<OnlyName>,
    /// A line for each attempt instead of each contact.
    #[serde(default)]
    attempts: bool,
    /// One of the campaign's runs, counted from 1; the current one without.
    #[param(minimum = 1)]
    run: Option<i64>,
}

/// The form of an export.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum FormatName {
    /// One object a line.
    #[default]
    Json,
    /// Comma-separated values with a header.
    Csv,
}

/// Which contacts are exported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnlyName {
    Reached,
    Unreached,
    Review,
}

/// Exports the contacts of a campaign, or the attempts at them.
///
/// The last line is `#complete` and the number of lines before it, without the header: a file that
/// does not end so was cut off.
#[utoipa::path(get, path = "/campaigns/{name}/export", tag = "contacts", security(("token" = ["viewer"])),
    params(("name" = String, Path, description = "The campaign."), ExportQuery),
    responses((status = 200, description = "The lines.", content((String = "application/x-ndjson"), (String = "text/csv")))))]
pub(crate) async fn export_campaign(call: Call, Path(name): Path<String>, Asked(query): Asked<ExportQuery>) -> Answer {
    let viewer = call.caller.token.scope == Scope::Viewer;
    if viewer && query.format == FormatName::Csv {
        return Err(Problem::new(
            ProblemKind::Forbidden,
            "a viewer's export has its numbers masked, which only JSON lines have",
        )
        .hint("ask for format=json, or use a token of scope operator"));
    }
    let format = match query.format {
        FormatName::Json => Format::Json,
        FormatName::Csv => Format::Csv,
    };
    let only = query.only.map(|only| match only {
        OnlyName::Reached => Only::Reached,
        OnlyName::Unreached => Only::Unreached,
        OnlyName::Review => Only::Review,
    });
    let order =
        ExportOrder { campaign: name.clone(), run: query.run, attempts: query.attempts, only, format, bom: false };
    export::find(&call.workspace, &order).await?;
    let (kind, end) = match query.format {
        FormatName::Json => ("application/x-ndjson", "jsonl"),
        FormatName::Csv => ("text/csv; charset=utf-8", "csv"),
    };
    let server = call.server.clone();
    download(&server, (kind, &format!("{name}.{end}")), move |mut out| {
        Box::pin(async move {
            let lines = if viewer {
                export::write(&call.workspace, &order, Masked { out: &mut out, line: Vec::new() }).await?
            } else {
                export::write(&call.workspace, &order, &mut out).await?
            };
            writeln!(out, "#complete {lines}")?;
            Ok(out.flush()?)
        })
    })
}

/// Masks the numbers of each JSON line.
struct Masked<'o> {
    out: &'o mut Pieces,
    line: Vec<u8>,
}

impl Write for Masked<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                let mut line: serde_json::Value = serde_json::from_slice(&self.line)?;
                mask(&mut line);
                writeln!(self.out, "{line}")?;
                self.line.clear();
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}
