//! Mistakes, found before they do harm.

use axum::http::HeaderMap;
use bytes::Bytes;
use ringfence_intake::Mistakes;
use ringfence_operations::campaigns::Proposal;
use ringfence_operations::{ErrorKind, Place, check};
use serde::Serialize;
use utoipa::ToSchema;

use super::call::{Answer, Call};
use super::campaigns::campaign_file;
use crate::problem::{Problem, ProblemKind, WrongPlace, places_of};

/// What was found.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Checked {
    /// Whether nothing is wrong.
    ok: bool,
    /// What is wrong, each with its place.
    mistakes: Vec<WrongPlace>,
    /// What will surprise somebody.
    cautions: Vec<String>,
    /// The campaign as a file, with every default; only of one that is fine.
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
}

/// Finds every mistake in a campaign file; touches nothing.
#[utoipa::path(post, path = "/check", tag = "check", security(("token" = ["operator"])),
    request_body(content((serde_json::Value = "application/json"), (String = "application/toml")), description = "A campaign file."),
    responses((status = 200, description = "What was found.", body = Checked)))]
pub(crate) async fn check_campaign(call: Call, headers: HeaderMap, body: Bytes) -> Answer {
    let checked = Proposal::of_text(&call.workspace, &campaign_file(&headers, &body)?).await;
    let (file, mistakes) = match checked {
        Ok(proposal) => (Some(proposal.file()?), Vec::new()),
        Err(error) if error.kind == ErrorKind::Input => (None, places_of(&error)),
        Err(error) => return Err(error.into()),
    };
    call.answer(&Checked { ok: mistakes.is_empty(), mistakes, cautions: call.notices(), file })
}

/// Finds every mistake in the configuration file as it is on disk now: what `serve` would meet when
/// it starts again.
#[utoipa::path(get, path = "/check", tag = "check", security(("token" = ["operator"])),
    responses((status = 200, description = "What was found.", body = Checked)))]
pub(crate) async fn check_config(call: Call) -> Answer {
    let config = call.workspace.config.path.clone();
    let place = Place { config: Some(config), notices: call.workspace.notices.clone(), ..Place::default() };
    let found = tokio::task::spawn_blocking(move || check::check(&place, &[], false)).await;
    let found = found.map_err(|error| Problem::new(ProblemKind::Internal, error.to_string()))??;
    let mistakes = found.mistakes.iter().flat_map(Mistakes::pointers).map(WrongPlace::from).collect();
    call.answer(&Checked { ok: found.ok, mistakes, cautions: found.cautions, file: None })
}
