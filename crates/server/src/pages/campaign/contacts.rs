//! The contacts of a campaign, narrowed down; and a file that is added to them.

use askama::Template;
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use ringfence_domain::{ContactId, ContactState, Outcome};
use ringfence_operations::search::{self, Narrow};
use ringfence_operations::uploads::{self, UploadOrder};
use ringfence_store::ContactFilter;
use serde::Deserialize;

use super::super::frame::Frame;
use super::super::people::ContactLine;
use super::super::visitor::{Operator, Visitor};
use super::super::{Page, PageError, shown, to};
use super::{Head, Looked, look};
use crate::Server;
use crate::upload::{self, Begun, receive};

/// Rows of a page.
const ROWS: u32 = 50;

#[derive(Template)]
#[template(path = "pages/campaign/contacts.html")]
struct ContactsPage {
    frame: Frame,
    head: Head,
    query: ContactsQuery,
    states: Vec<(&'static str, bool)>,
    outcomes: Vec<(&'static str, String, bool)>,
    contacts: Vec<ContactLine>,
    looked: u32,
    next: String,
    is_narrowed: bool,
}

/// Which contacts.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct ContactsQuery {
    #[serde(default)]
    pub(super) state: String,
    #[serde(default)]
    pub(super) outcome: String,
    #[serde(default)]
    pub(super) calls: String,
    #[serde(default)]
    pub(super) zone: String,
    #[serde(default)]
    pub(super) text: String,
    #[serde(default)]
    after: i64,
}

impl ContactsQuery {
    /// What is asked for. A word that is none is told, and lets nobody through.
    pub(crate) fn filters(&self, visitor: &Visitor) -> Result<(ContactFilter, Narrow), PageError> {
        let wrong = |says: String| PageError::new(StatusCode::UNPROCESSABLE_ENTITY, says);
        let state = word::<ContactState>(&self.state).map_err(|()| wrong(format!("`{}` is no state", self.state)))?;
        let outcome =
            word::<Outcome>(&self.outcome).map_err(|()| wrong(format!("`{}` is no outcome", self.outcome)))?;
        let calls = match self.calls.trim() {
            "" => 0,
            calls => calls.parse().map_err(|_| wrong(format!("`{calls}` is no number of calls")))?,
        };
        let (zone, text) = (self.zone.trim().to_owned(), self.text.trim().to_owned());
        let narrow = Narrow { calls, zone, text, seen: visitor.sight() };
        Ok((ContactFilter { state, outcome, reached: None }, narrow))
    }

    /// The same question in an address, without where it begins.
    pub(crate) fn address(&self) -> String {
        let mut text = form_urlencoded::Serializer::new(String::new());
        for (name, value) in [
            ("state", &self.state),
            ("outcome", &self.outcome),
            ("calls", &self.calls),
            ("zone", &self.zone),
            ("text", &self.text),
        ] {
            if !value.is_empty() {
                text.append_pair(name, value);
            }
        }
        text.finish()
    }
}

fn word<T: std::str::FromStr>(text: &str) -> Result<Option<T>, ()> {
    if text.is_empty() { Ok(None) } else { text.parse().map(Some).map_err(|_| ()) }
}

/// Shows them.
pub(crate) async fn contacts(visitor: Visitor, Path(name): Path<String>, Query(query): Query<ContactsQuery>) -> Page {
    let (filter, narrow) = query.filters(&visitor)?;
    let Looked { frame, head, zone, .. } = look(&visitor, &name, "/contacts").await?;
    let after = ContactId(query.after);
    let found = search::narrowed(&visitor.workspace, &name, (filter, &narrow), after, ROWS).await?;
    let base = format!("/campaigns/{}/contacts?{}", head.path, query.address());
    let now = visitor.workspace.now();
    let page = ContactsPage {
        states: ContactState::ALL.iter().map(|state| (state.as_str(), filter.state == Some(*state))).collect(),
        outcomes: Outcome::ALL
            .iter()
            .map(|outcome| (outcome.as_str(), outcome.as_str().replace('_', " "), filter.outcome == Some(*outcome)))
            .collect(),
        contacts: found.contacts.iter().map(|contact| ContactLine::of(&visitor, contact, (now, zone))).collect(),
        looked: found.looked,
        next: found.next.map(|next| format!("{base}&after={next}")).unwrap_or_default(),
        is_narrowed: !narrow.is_empty() || filter.state.is_some() && filter.outcome.is_some(),
        query,
        head,
        frame,
    };
    Ok(shown(&page))
}

/// Takes in a contact file that a form sent.
pub(crate) async fn add(
    State(server): State<Server>,
    Operator(visitor): Operator,
    Path(name): Path<String>,
    request: Request,
) -> Page {
    visitor.workspace.campaign(&name).await?;
    let folder = uploads::folder(&visitor.workspace)?;
    let received = receive::receive(request, &folder, &server.config.http).await?;
    let source = received.name.clone().unwrap_or_else(|| format!("upload by {}", visitor.name()));
    let (who, origin, received_at) = (visitor.name(), visitor.origin.clone(), visitor.workspace.now());
    let order = UploadOrder { campaign: name, partial: false, source, who, origin, received_at };
    let import = match upload::begin(visitor.workspace.clone(), order, received, folder).await? {
        Begun::Done(taken) => taken.import.id,
        Begun::GoesOn(import) => import,
    };
    Ok(to(&format!("/imports/{import}")))
}
