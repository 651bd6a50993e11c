//! The draft: tried out, and started by somebody who types how many people will be called.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use ringfence_domain::{ContactId, ImportState, PausedBy, Span};
use ringfence_operations::new_campaign::{self, Form};
use ringfence_operations::preview::{self, Previewed};
use ringfence_operations::test_call::{Ended, Prepared, Values};
use ringfence_operations::uploads::{self, UploadOrder};
use ringfence_operations::{Error, campaigns, contacts, status};
use ringfence_store::{CampaignRow, ContactFilter};
use serde::Deserialize;

use super::super::campaigns::part;
use super::super::frame::Frame;
use super::super::sent::Sent;
use super::super::visitor::{Operator, Visitor};
use super::super::{Page, PageError, shown, to};
use super::{Step, links_of_draft, list, steps};
use crate::Server;
use crate::upload;
use crate::upload::receive::Received;

/// The outcome of a test call is waited for no longer than this.
const LONGEST: Span = Span::from_minutes(2);

/// Makes the draft, and takes the list in. Nobody of it is called.
pub(crate) async fn make(Operator(visitor): Operator, Path(id): Path<String>, Sent(form): Sent<Form>) -> Page {
    let list = list(&visitor, &id)?;
    let form = new_campaign::look(&list, &form).await?.guess;
    let made = new_campaign::make(&visitor.workspace, &form).await?;
    let (folder, source) = (uploads::folder(&visitor.workspace)?, list.facts.source.clone());
    let file = list.take().map_err(|error| Error::work(format!("the list cannot be handed on: {error}")))?;
    let received = Received { file, name: Some(source.clone()), digest: Vec::new() };
    let (who, origin, received_at) = (visitor.name(), visitor.origin.clone(), visitor.workspace.now());
    let campaign = made.plan.campaign.clone();
    let order = UploadOrder { campaign: campaign.clone(), partial: false, source, who, origin, received_at };
    upload::begin(visitor.workspace.clone(), order, received, folder).await?;
    Ok(to(&format!("/campaigns/{}/try", part(&campaign))))
}

#[derive(Template)]
#[template(path = "pages/new/try.html")]
struct TryPage {
    frame: Frame,
    steps: Vec<Step>,
    path: String,
    contact: i64,
    /// No phone rings.
    is_simulated: bool,
    requests: Vec<RequestLines>,
    wrong: String,
    called: Option<CalledLines>,
}

struct RequestLines {
    line: String,
    headers: Vec<(String, String)>,
    body: String,
}

/// What came of a test call.
struct CalledLines {
    says: String,
    outputs: Vec<(String, String)>,
}

/// Whose request is shown.
#[derive(Debug, Deserialize)]
pub(crate) struct TryQuery {
    #[serde(default)]
    contact: Option<i64>,
}

/// Shows the exact request of one contact, and asks for a number to call.
pub(crate) async fn ask(Operator(visitor): Operator, Path(name): Path<String>, Query(query): Query<TryQuery>) -> Page {
    Ok(shown(&page(visitor, &name, query.contact, None).await?))
}

async fn page(
    mut visitor: Visitor,
    name: &str,
    contact: Option<i64>,
    called: Option<CalledLines>,
) -> Result<TryPage, PageError> {
    let lane = visitor.workspace.campaign(name).await?.rules.provider;
    let is_simulated =
        visitor.workspace.config.lanes.get(&lane).is_some_and(|lane| lane.setup.settings.kind == "sandbox");
    let first = contacts::page(&visitor.workspace, name, ContactFilter::default(), ContactId(0), 1).await?;
    let contact = contact.or(first.first().map(|contact| contact.id.0));
    let previewed = match contact {
        Some(contact) => {
            preview::of_campaign(&mut visitor.workspace, name, Previewed::Contact(ContactId(contact))).await
        }
        None => Err(Error::input("nobody is in it yet", "the list is being taken in: look again")),
    };
    let (requests, wrong) = match previewed {
        Ok(requests) => (requests, String::new()),
        Err(error) => (Vec::new(), format!("{}: {}", error.message, error.hint.unwrap_or_default())),
    };
    let lines = |request: preview::PreviewedRequest| RequestLines {
        line: format!("{} {}", request.method, request.url),
        headers: request.headers,
        body: request.body_text,
    };
    let frame = Frame::of(&visitor, &format!("Try {name}"), "/campaigns").await?;
    Ok(TryPage {
        frame,
        steps: steps(5, &links_of_draft(&part(name))),
        path: part(name),
        contact: contact.unwrap_or_default(),
        is_simulated,
        requests: requests.into_iter().map(lines).collect(),
        wrong,
        called,
    })
}

/// A number to call, and whose values the agent gets.
#[derive(Debug, Deserialize)]
pub(crate) struct TestForm {
    phone: String,
    #[serde(default)]
    contact: i64,
    #[serde(default)]
    ignore_window: Option<String>,
}

/// Makes one real call, and waits for its outcome.
pub(crate) async fn test(
    State(server): State<Server>,
    Operator(visitor): Operator,
    Path(name): Path<String>,
    Sent(form): Sent<TestForm>,
) -> Page {
    let contact = contacts::one(&visitor.workspace, ContactId(form.contact)).await?;
    let values = Values::These(contact.fields);
    let ignore = form.ignore_window.is_some();
    let prepared = Prepared::of_campaign(&visitor.workspace, &name, (&form.phone, values), ignore, LONGEST).await?;
    let stop = server.stop.clone();
    let leave = async move {
        stop.cancelled_owned().await;
        Ok(143)
    };
    let mut leave = std::pin::pin!(leave);
    let called = match prepared.call_on(&visitor.workspace.store, leave.as_mut()).await? {
        Ended::Called(called) => called,
        Ended::Signal(_) => {
            let says = "the process is stopping; the call goes on and is recorded";
            return Err(PageError::new(StatusCode::SERVICE_UNAVAILABLE, says));
        }
    };
    let outcome = called.outcome.map_or(called.attempt_state.to_string(), |outcome| outcome.as_str().replace('_', " "));
    let cause = called.cause.as_deref().map(|cause| format!(": {cause}")).unwrap_or_default();
    let talk = called.talk_seconds.map(|seconds| format!(", {seconds} s")).unwrap_or_default();
    let cost =
        called.cost.as_deref().map(|cost| format!(", {cost} {}", called.currency.as_deref().unwrap_or_default()));
    let lines = CalledLines {
        says: format!("{outcome}{talk}{}{cause}", cost.unwrap_or_default()),
        outputs: called.outputs.iter().map(|(name, value)| (name.clone(), value.to_string())).collect(),
    };
    Ok(shown(&page(visitor, &name, Some(form.contact), Some(lines)).await?))
}

#[derive(Template)]
#[template(path = "pages/new/start.html")]
struct StartPage {
    frame: Frame,
    steps: Vec<Step>,
    path: String,
    people: i64,
    canary: String,
    /// Why it cannot be started yet, and the import that says more.
    unready: Option<(String, i64)>,
    is_draft: bool,
    file: String,
}

/// Says how many people will be called, and asks for that number.
pub(crate) async fn confirm(Operator(visitor): Operator, Path(name): Path<String>) -> Page {
    let campaign = visitor.workspace.campaign(&name).await?;
    let unready = unready(&visitor, &campaign).await?;
    let shown_campaign = campaigns::show(&visitor.workspace, &name).await?;
    let frame = Frame::of(&visitor, &format!("Start {name}"), "/campaigns").await?;
    let page = StartPage {
        steps: steps(6, &links_of_draft(&part(&name))),
        path: part(&name),
        people: shown_campaign.summary.contacts.waiting,
        canary: campaign.rules.safety.canary.map(|canary| canary.to_string()).unwrap_or_default(),
        unready,
        is_draft: campaign.paused_by == Some(PausedBy::Draft),
        file: shown_campaign.file,
        frame,
    };
    Ok(shown(&page))
}

/// Why a draft cannot be started yet: its list is not in, or is held.
async fn unready(visitor: &Visitor, campaign: &CampaignRow) -> Result<Option<(String, i64)>, Error> {
    let imports = visitor.workspace.store.imports(campaign.run).await?;
    let Some(last) = imports.iter().rev().find(|import| import.state != ImportState::Undone) else { return Ok(None) };
    let says = match last.state {
        ImportState::Loading => "its list is still being taken in".to_owned(),
        ImportState::Held => format!("its list is held: {}", last.held_for.clone().unwrap_or_default()),
        _ => return Ok(None),
    };
    Ok(Some((says, last.id.0)))
}

/// The number that was typed.
#[derive(Debug, Deserialize)]
pub(crate) struct StartForm {
    people: String,
}

/// Lets the draft dial, when the number is right.
pub(crate) async fn start(
    Operator(mut visitor): Operator,
    Path(name): Path<String>,
    Sent(form): Sent<StartForm>,
) -> Page {
    let campaign = visitor.workspace.campaign(&name).await?;
    if let Some((says, _)) = unready(&visitor, &campaign).await? {
        return Err(PageError::new(StatusCode::CONFLICT, format!("nobody is called: {says}")));
    }
    let found = status::summaries(&visitor.workspace, Some(&name)).await?.into_iter().next();
    let people = found.map(|(summary, _)| summary.contacts.waiting).unwrap_or_default();
    if form.people.trim().parse() != Ok(people) {
        let says = format!("nobody is called: {people} people would be, and `{}` was typed", form.people.trim());
        return Err(PageError::new(StatusCode::UNPROCESSABLE_ENTITY, says));
    }
    campaigns::start(&mut visitor.workspace, &name, None).await?;
    Ok(to(&format!("/campaigns/{}", part(&name))))
}
