//! Campaigns: made, changed, run, paused, resumed, cancelled, tried out.

use axum::extract::Path;
use axum::http::HeaderMap;
use bytes::Bytes;
use ringfence_domain::summary::Summary;
use ringfence_domain::{ContactId, Span};
use ringfence_operations::campaigns::{
    self, AppliedCampaign, CancelledCampaign, Listed, PausedCampaign, Plan, Proposal, ResumedCampaign, Shown,
    StartedCampaign,
};
use ringfence_operations::preview::{self, Previewed, PreviewedRequest};
use ringfence_operations::runs::{self, ListedRun};
use ringfence_operations::test_call::{self, Called, Values};
use ringfence_store::{Begin, Expected};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

use super::call::{Answer, Asked, Call, Sent, content_type, if_match, with_revision, wrong};
use super::paging::{Page, Wanted};
use crate::problem::{Problem, ProblemKind, WrongPlace};

/// Which campaigns.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct CampaignQuery {
    /// Rows of the page, 1 to 1000; 50 without.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// Where the page begins, as the page before said.
    cursor: Option<String>,
    /// Only campaigns in this state.
    #[param(inline)]
    state: Option<StateName>,
}

/// The state of a campaign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum StateName {
    Draft,
    Running,
    Idle,
    Held,
    Paused,
    Done,
    Cancelled,
}

/// Lists the campaigns by name.
#[utoipa::path(get, path = "/campaigns", tag = "campaigns", params(CampaignQuery), security(("token" = ["viewer"])),
    responses((status = 200, description = "The campaigns.", body = Page<Listed>)))]
pub(crate) async fn list_campaigns(call: Call, Asked(query): Asked<CampaignQuery>) -> Answer {
    let wanted = Wanted::of(query.limit, query.cursor.as_deref(), query.state)?;
    let state = query.state.map(|state| serde_json::to_value(state).unwrap_or_default());
    let mut rows = campaigns::list(&call.workspace).await?;
    rows.sort_by(|a, b| a.campaign.cmp(&b.campaign));
    rows.retain(|row| {
        state.as_ref().is_none_or(|state| state == row.state)
            && wanted.after.as_ref().is_none_or(|after| row.campaign > *after)
    });
    call.answer(&wanted.page(rows, |row| row.campaign.clone()))
}

/// A campaign that was made or changed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Applied {
    #[serde(flatten)]
    applied: AppliedCampaign,
    /// What will surprise somebody.
    cautions: Vec<String>,
}

/// Makes a campaign from a campaign file.
///
/// The body is the file as TOML (`application/toml`), or the same keys as JSON. It becomes a draft:
/// it dials nobody before `POST /campaigns/{name}/run`. A contact file that it names must be below
/// the folder of the configuration.
#[utoipa::path(post, path = "/campaigns", tag = "campaigns", security(("token" = ["operator"])),
    request_body(content((serde_json::Value = "application/json"), (String = "application/toml")), description = "A campaign file."),
    responses((status = 201, description = "It is a draft.", body = Applied)))]
pub(crate) async fn create_campaign(call: Call, headers: HeaderMap, body: Bytes) -> Answer {
    let proposal = Proposal::of_text(&call.workspace, &campaign_file(&headers, &body)?).await?;
    let name = proposal.name().to_owned();
    let applied = proposal.apply(Begin::Draft, Expected::New).await?;
    let revision = applied.revision;
    let response =
        call.created(&Applied { applied, cautions: call.notices() }, &format!("/api/v1/campaigns/{name}"))?;
    Ok(with_revision(response, revision))
}

/// The text of a campaign file, as TOML.
pub(crate) fn campaign_file(headers: &HeaderMap, body: &Bytes) -> Answer<String> {
    match content_type(headers).as_str() {
        "application/toml" | "text/toml" | "text/plain" => String::from_utf8(body.to_vec())
            .map_err(|_| Problem::new(ProblemKind::Malformed, "the campaign file is not UTF-8")),
        "application/json" => {
            let value: serde_json::Value = super::call::parse(body)?;
            let table = toml::Table::try_from(value).map_err(|error| {
                let place = WrongPlace { pointer: String::new(), detail: error.to_string(), hint: None };
                Problem::new(ProblemKind::Invalid, format!("the campaign cannot be written as TOML: {error}"))
                    .hint("leave keys without a value out instead of null")
                    .places(vec![place])
            })?;
            toml::to_string(&table).map_err(|error| Problem::new(ProblemKind::Invalid, error.to_string()))
        }
        _ => Err(Problem::new(ProblemKind::Unsupported, "the body is neither TOML nor JSON")
            .hint("send Content-Type: application/toml, or application/json")),
    }
}

/// Shows a campaign: how it stands, and its file with every default.
#[utoipa::path(get, path = "/campaigns/{name}", tag = "campaigns", params(("name" = String, Path, description = "The campaign.")),
    security(("token" = ["viewer"])),
    responses((status = 200, description = "The campaign.", body = Shown,
        headers(("ETag" = String, description = "Its revision, for If-Match.")))))]
pub(crate) async fn get_campaign(call: Call, Path(name): Path<String>) -> Answer {
    let shown = campaigns::show(&call.workspace, &name).await?;
    let revision = shown.revision;
    Ok(with_revision(call.answer(&shown)?, revision))
}

/// Changes a campaign: its new rules hold from the very next call.
///
/// The body is the whole campaign file. `If-Match` names the revision that you read.
#[utoipa::path(put, path = "/campaigns/{name}", tag = "campaigns", security(("token" = ["operator"])),
    params(("name" = String, Path, description = "The campaign."),
        ("If-Match" = String, Header, description = "The ETag that came with the campaign.")),
    request_body(content((serde_json::Value = "application/json"), (String = "application/toml")), description = "A campaign file."),
    responses((status = 200, description = "It is changed.", body = Applied)))]
pub(crate) async fn change_campaign(call: Call, Path(name): Path<String>, headers: HeaderMap, body: Bytes) -> Answer {
    call.workspace.campaign(&name).await?;
    let expected = if_match(&headers)?;
    let proposal = Proposal::of_text(&call.workspace, &campaign_file(&headers, &body)?).await?;
    if proposal.name() != name {
        let detail = format!("the file is of {}, and the address of {name}", proposal.name());
        let place = WrongPlace { pointer: "/name".to_owned(), detail: detail.clone(), hint: None };
        return Err(Problem::new(ProblemKind::Invalid, detail).places(vec![place]));
    }
    // A draft stays one.
    let applied = proposal.apply(Begin::Draft, Expected::Revision(expected)).await?;
    let revision = applied.revision;
    Ok(with_revision(call.answer(&Applied { applied, cautions: call.notices() })?, revision))
}

/// Says what changing a campaign would change. Changes nothing.
#[utoipa::path(post, path = "/campaigns/{name}/plan", tag = "campaigns", params(("name" = String, Path, description = "The campaign.")),
    security(("token" = ["viewer"])),
    request_body(content((serde_json::Value = "application/json"), (String = "application/toml")), description = "A campaign file."),
    responses((status = 200, description = "What would change, for how many contacts.", body = Plan)))]
pub(crate) async fn plan_campaign(call: Call, Path(name): Path<String>, headers: HeaderMap, body: Bytes) -> Answer {
    let proposal = Proposal::of_text(&call.workspace, &campaign_file(&headers, &body)?).await?;
    if proposal.name() != name {
        return Err(wrong("name", format!("the file is of {}, and the address of {name}", proposal.name())));
    }
    call.answer(&proposal.plan)
}

/// How to run a campaign.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RunRequest {
    /// Begins a fresh run over everyone, unless this key began one before.
    #[serde(default)]
    fresh: Option<String>,
}

/// Starts a campaign: a draft may dial, and the contact file that it names is taken in.
///
/// It is dialled where `ringfence serve` dials its lane. Neither a stop nor a pause is lifted.
#[utoipa::path(post, path = "/campaigns/{name}/run", tag = "campaigns", params(("name" = String, Path, description = "The campaign.")),
    security(("token" = ["operator"])), request_body = RunRequest,
    responses((status = 200, description = "It is started.", body = StartedCampaign)))]
pub(crate) async fn run_campaign(mut call: Call, Path(name): Path<String>, Sent(run): Sent<RunRequest>) -> Answer {
    if run.fresh.as_deref().is_some_and(|key| key.trim().is_empty() || key.len() > 200) {
        return Err(wrong("/fresh", "a key has 1 to 200 letters"));
    }
    let started = campaigns::start(&mut call.workspace, &name, run.fresh.as_deref()).await?;
    call.answer(&started)
}

/// Letters of a reason.
const LONGEST_REASON: usize = 1_000;

/// Why something is done, for the record.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReasonRequest {
    /// Why.
    #[serde(default)]
    #[schema(max_length = 1000)]
    pub(crate) reason: Option<String>,
}

impl ReasonRequest {
    /// The reason, or who asked.
    pub(crate) fn or_caller(self, call: &Call) -> Answer<String> {
        let given = self.reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
        if given.as_ref().is_some_and(|reason| reason.chars().count() > LONGEST_REASON) {
            return Err(wrong("/reason", format!("it is longer than {LONGEST_REASON} letters")));
        }
        Ok(given.unwrap_or_else(|| format!("by {}", call.caller.name())))
    }
}

/// Stops new calls of a campaign. Calls that are out go on.
#[utoipa::path(post, path = "/campaigns/{name}/pause", tag = "campaigns", params(("name" = String, Path, description = "The campaign.")),
    security(("token" = ["operator"])), request_body = ReasonRequest,
    responses((status = 200, description = "It is paused.", body = PausedCampaign)))]
pub(crate) async fn pause_campaign(call: Call, Path(name): Path<String>, Sent(sent): Sent<ReasonRequest>) -> Answer {
    let reason = sent.or_caller(&call)?;
    call.answer(&campaigns::pause(&call.workspace, &name, &reason).await?)
}

/// How to resume a campaign.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResumeRequest {
    /// What a safety rail holds is released, too.
    #[serde(default)]
    accept: bool,
}

/// Lets a campaign dial again.
#[utoipa::path(post, path = "/campaigns/{name}/resume", tag = "campaigns", params(("name" = String, Path, description = "The campaign.")),
    security(("token" = ["operator"])), request_body = ResumeRequest,
    responses((status = 200, description = "It may dial.", body = ResumedCampaign)))]
pub(crate) async fn resume_campaign(call: Call, Path(name): Path<String>, Sent(sent): Sent<ResumeRequest>) -> Answer {
    call.answer(&campaigns::resume(&call.workspace, &name, sent.accept).await?)
}

/// Ends a campaign for good: its waiting contacts are never called.
#[utoipa::path(post, path = "/campaigns/{name}/cancel", tag = "campaigns", params(("name" = String, Path, description = "The campaign.")),
    security(("token" = ["operator"])), request_body = ReasonRequest,
    responses((status = 200, description = "It is cancelled.", body = CancelledCampaign)))]
pub(crate) async fn cancel_campaign(call: Call, Path(name): Path<String>, Sent(sent): Sent<ReasonRequest>) -> Answer {
    let reason = sent.or_caller(&call)?;
    call.answer(&campaigns::cancel(&call.workspace, &name, &reason).await?)
}

/// Whose requests to show: of a row of the contact file, or of a contact.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PreviewRequest {
    /// The row, counted from 1 without the header; 1 without.
    #[serde(default)]
    #[schema(minimum = 1)]
    row: Option<i64>,
    /// The contact.
    #[serde(default)]
    contact: Option<ContactId>,
}

/// Shows the exact requests that would be sent, secrets masked. Sends nothing.
#[utoipa::path(post, path = "/campaigns/{name}/preview", tag = "campaigns", params(("name" = String, Path, description = "The campaign.")),
    security(("token" = ["viewer"])), request_body = PreviewRequest,
    responses((status = 200, description = "One request for each number of the person.", body = Vec<PreviewedRequest>)))]
pub(crate) async fn preview_campaign(
    mut call: Call,
    Path(name): Path<String>,
    Sent(sent): Sent<PreviewRequest>,
) -> Answer {
    let whose = match (sent.contact, sent.row) {
        (Some(_), Some(_)) => return Err(wrong("/row", "name a row or a contact, not both")),
        (Some(contact), None) => Previewed::Contact(contact),
        (None, row) => Previewed::Row(row.unwrap_or(1)),
    };
    let shown = preview::of_campaign(&mut call.workspace, &name, whose).await?;
    call.answer(&shown)
}

/// One real call to one number.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestCallRequest {
    /// The number, with + and country code unless the campaign names a country.
    phone: String,
    /// The values that the agent gets; without them those of a row.
    #[serde(default)]
    fields: Option<BTreeMap<String, String>>,
    /// The row of the contact file whose values are taken, counted from 1; 1 without.
    #[serde(default)]
    #[schema(minimum = 1)]
    row: Option<i64>,
    /// It is made although the window is closed.
    #[serde(default)]
    ignore_window: bool,
    /// Its outcome is waited for no longer than this; 2 minutes without, at most 10.
    #[serde(default)]
    max_time: Option<Span>,
}

/// The longest wait for the outcome of a test call.
const LONGEST_TEST: Span = Span::from_minutes(10);

/// Makes one real call, outside the campaign's counts and inside its caps, and waits for its
/// outcome.
#[utoipa::path(post, path = "/campaigns/{name}/test-call", tag = "campaigns", params(("name" = String, Path, description = "The campaign.")),
    security(("token" = ["operator"])), request_body = TestCallRequest,
    responses((status = 200, description = "The call was made; its outcome may not be known yet.", body = Called)))]
pub(crate) async fn test_call(call: Call, Path(name): Path<String>, Sent(sent): Sent<TestCallRequest>) -> Answer {
    let max_time = sent.max_time.unwrap_or(Span::from_minutes(2)).min(LONGEST_TEST);
    let values = match sent.fields {
        Some(fields) => Values::These(fields),
        None => Values::Row(sent.row.unwrap_or(1)),
    };
    let prepared =
        test_call::Prepared::of_campaign(&call.workspace, &name, (&sent.phone, values), sent.ignore_window, max_time);
    let prepared = prepared.await?;
    let stop = call.server.stop.clone();
    let leave = async move {
        stop.cancelled_owned().await;
        Ok(143)
    };
    let mut leave = std::pin::pin!(leave);
    match prepared.call_on(&call.workspace.store, leave.as_mut()).await? {
        test_call::Ended::Called(called) => call.answer(&called),
        test_call::Ended::Signal(_) => {
            Err(Problem::new(ProblemKind::Failed, "the process is stopping; the call goes on and is recorded"))
        }
    }
}

/// How a campaign stands.
#[utoipa::path(get, path = "/campaigns/{name}/summary", tag = "campaigns", params(("name" = String, Path, description = "The campaign.")),
    security(("token" = ["viewer"])), responses((status = 200, description = "Its numbers.", body = Summary)))]
pub(crate) async fn campaign_summary(call: Call, Path(name): Path<String>) -> Answer {
    call.workspace.campaign(&name).await?;
    let found = ringfence_operations::status::summaries(&call.workspace, Some(&name)).await?.into_iter().next();
    let (summary, _) =
        found.ok_or_else(|| Problem::new(ProblemKind::Missing, format!("there is no campaign `{name}`")))?;
    call.answer(&summary)
}

/// Lists the runs of a campaign, the first one first.
#[utoipa::path(get, path = "/campaigns/{name}/runs", tag = "campaigns", params(("name" = String, Path, description = "The campaign.")),
    security(("token" = ["viewer"])), responses((status = 200, description = "Its runs.", body = Vec<ListedRun>)))]
pub(crate) async fn campaign_runs(call: Call, Path(name): Path<String>) -> Answer {
    call.answer(&runs::list(&call.workspace, &name).await?.0)
}
