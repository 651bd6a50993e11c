//! `POST /campaigns/{name}/contacts`: contact files of any honest size.
//!
//! The body goes to disk as it comes. Only when it is whole and on disk is anything answered or
//! taken in; a client that leaves before leaves nothing behind, and one that leaves after stops
//! nothing.

mod pace;
pub(crate) mod receive;

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use ringfence_domain::ImportId;
use ringfence_operations::importing::DryRun;
use ringfence_operations::imports::{self, TakenIn};
use ringfence_operations::uploads::{self, Upload, UploadOrder};
use ringfence_operations::{Error, ErrorKind, Workspace};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;
use utoipa::{IntoParams, ToSchema};

use self::receive::Received;
use crate::Server;
use crate::access::Caller;
use crate::api::call::{Answer, Asked, Call};
use crate::idempotency;
use crate::problem::{Problem, ProblemKind};

/// An import that is not over after this time is answered with 202 and its address.
const AT_ONCE: Duration = Duration::from_secs(5);

/// How to take contacts in.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct UploadQuery {
    /// Says what would become of the file, and stores nothing.
    #[serde(default)]
    dry_run: bool,
    /// The file is a part of a list: nobody is missing from it.
    #[serde(default)]
    partial: bool,
    /// Where the list comes from, for people.
    #[serde(default)]
    source: Option<String>,
}

/// An import that goes on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Accepted {
    /// Its id.
    import: ImportId,
    /// How far it is, and what comes of it.
    address: String,
}

/// Takes contacts into a campaign's current run.
///
/// The body is a contact file: CSV as it is, as the file of a form, an array of JSON objects, or
/// one JSON object a line. It may have a million rows. Nobody of it is dialled before all of it is
/// in. A large file is answered with 202 once it is on disk; its import tells how far it is.
#[utoipa::path(post, path = "/campaigns/{name}/contacts", tag = "contacts", security(("token" = ["operator"])),
    params(("name" = String, Path, description = "The campaign."), UploadQuery),
    request_body(content((String = "text/csv"), (FormFile = "multipart/form-data"), (Vec<serde_json::Value> = "application/json"), (String = "application/x-ndjson")), description = "The contacts."),
    responses((status = 200, description = "A dry run.", body = DryRun), (status = 201, description = "They are in.", body = TakenIn),
        (status = 202, description = "They are on disk, and are taken in.", body = Accepted)))]
pub(crate) async fn add_contacts(
    State(server): State<Server>,
    axum::Extension(caller): axum::Extension<Caller>,
    Path(name): Path<String>,
    Asked(query): Asked<UploadQuery>,
    request: Request,
) -> Answer {
    let call = Call::of(&server, caller.clone(), None);
    // Before a long file is sent in vain.
    call.workspace.campaign(&name).await?;
    let key = idempotency::key(request.headers())?;
    let path = request.uri().path_and_query().map_or("", |path| path.as_str()).to_owned();
    let folder = uploads::folder(&call.workspace)?;
    let received = receive::receive(request, &folder, &server.config.http).await?;
    let source = query.source.clone().or_else(|| received.name.clone());
    let source =
        source.map_or_else(|| format!("upload by {}", caller.name()), |source| source.chars().take(200).collect());
    let (token, body) = (caller.token.id, (path, received.digest.clone()));
    let change = Box::pin(take_in(call, name, query, source, received, folder));
    idempotency::once_received(server, token, key, body, change).await
}

/// The file of a form.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "it is only described")]
pub(crate) struct FormFile {
    /// The contact file.
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: String,
}

async fn take_in(
    mut call: Call,
    name: String,
    query: UploadQuery,
    source: String,
    received: Received,
    folder: std::path::PathBuf,
) -> Answer {
    if query.dry_run {
        let found = imports::dry_run_of_upload(&mut call.workspace, &name, received.file.path(), &source).await?;
        return call.answer(&found);
    }
    let (who, origin) = (call.caller.name(), call.caller.peer.address.to_string());
    let received_at = call.workspace.now();
    let order = UploadOrder { campaign: name, partial: query.partial, source, who, origin, received_at };
    match begin(call.workspace.clone(), order, received, folder).await? {
        Begun::Done(taken) => call.created(&*taken, &address(taken.import.id)),
        Begun::GoesOn(import) => Ok(accepted(import)),
    }
}

/// A file that is on disk.
pub(crate) enum Begun {
    /// It was taken in.
    Done(Box<TakenIn>),
    /// It is being taken in.
    GoesOn(ImportId),
}

/// Keeps a file that was received, and takes it in whoever leaves meanwhile. Returns after some
/// seconds at the latest.
pub(crate) async fn begin(
    workspace: Workspace,
    order: UploadOrder,
    received: Received,
    folder: std::path::PathBuf,
) -> Result<Begun, Problem> {
    let kept = tokio::task::spawn_blocking(move || uploads::keep(&folder, received.file, order));
    let upload = kept.await.map_err(|error| Problem::new(ProblemKind::Internal, error.to_string()))??;
    let (told, begun) = oneshot::channel();
    let mut importing = tokio::spawn(carry_out(workspace, upload, told));
    let finished = |outcome: Result<Result<TakenIn, Problem>, tokio::task::JoinError>| -> Result<Begun, Problem> {
        let taken = outcome.map_err(|error| Problem::new(ProblemKind::Internal, error.to_string()))?;
        Ok(Begun::Done(Box::new(taken?)))
    };
    tokio::select! {
        outcome = &mut importing => finished(outcome),
        () = tokio::time::sleep(AT_ONCE) => match begun.await {
            Ok(import) => Ok(Begun::GoesOn(import)),
            // It ended before it began: with an error.
            Err(_) => finished(importing.await),
        },
    }
}

fn address(import: ImportId) -> String {
    format!("/api/v1/imports/{import}")
}

fn accepted(import: ImportId) -> Response {
    let address = address(import);
    let location = HeaderValue::from_str(&address);
    let mut response = (StatusCode::ACCEPTED, axum::Json(Accepted { import, address })).into_response();
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

async fn carry_out(
    mut workspace: Workspace,
    upload: Upload,
    told: oneshot::Sender<ImportId>,
) -> Result<TakenIn, Problem> {
    let told = Mutex::new(Some(told));
    let begun = move |import| {
        if let Some(told) = told.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // Who waited may have left.
            let _left = told.send(import);
        }
    };
    upload.take_in(&mut workspace, &begun).await.map_err(said)
}

/// A problem of taking a file in. One that cannot be helped now leaves the file for later.
fn said(error: Error) -> Problem {
    let is_kept = error.kind == ErrorKind::Work;
    let problem = Problem::from(error);
    if is_kept {
        problem.hint("the file is kept, and is taken in once that is mended; to send it again does no harm")
    } else {
        problem
    }
}

/// Takes in what was kept and not finished: by a process that died, or while the database could not
/// be used.
pub(crate) async fn finish_left_over(server: &Server) {
    let workspace = server.workspace(ringfence_store::Actor::process("uploads"));
    let Ok(folder) = uploads::folder(&workspace) else { return };
    for upload in uploads::left_over(&folder) {
        let mut workspace = server.workspace(upload.actor());
        let (campaign, source) = (upload.order.campaign.clone(), upload.order.source.clone());
        match upload.take_in(&mut workspace, &|_| {}).await {
            Ok(taken) => tracing::info!("{campaign}: import {} of {source} was finished", taken.import.id),
            Err(error) => {
                let hint = error.hint.clone().unwrap_or_default();
                tracing::error!(%error, "{campaign}: {source} could not be taken in: {error}; {hint}");
            }
        }
    }
}

/// Removes lists for which nobody made a campaign in time.
pub(crate) async fn forget_lists(server: &Server) {
    let workspace = server.workspace(ringfence_store::Actor::process("uploads"));
    let Ok(folder) = uploads::folder(&workspace) else { return };
    drop(tokio::task::spawn_blocking(move || ringfence_operations::new_campaign::forget_old(&folder)).await);
}

/// Which headers say what the body is.
fn kind(headers: &HeaderMap) -> String {
    crate::api::call::content_type(headers)
}
