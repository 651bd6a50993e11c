//! `GET /events`: what happens, as it happens. Each stream reads the outbox after its own place, so
//! that a slow client loses nothing and costs no memory.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream::{self, Stream};
use ringfence_domain::event::EventKind;
use ringfence_domain::{LoginId, TokenId};
use ringfence_operations::outbox::{self, Message};
use ringfence_store::{EventFilter, EventScope};
use serde::Deserialize;
use std::str::FromStr;
use tokio::time::Instant;
use utoipa::IntoParams;

use crate::api::call::{Answer, Asked, Call, wrong};
use crate::problem::{Problem, ProblemKind};

/// Streams of one token, of one login, and of all.
const OF_TOKEN: usize = 4;
const OF_LOGIN: usize = 16;
const OF_ALL: usize = 128;
/// How often the outbox is looked at.
const LOOK: Duration = Duration::from_millis(500);
/// How often it is asked whether the token still holds.
const TOKENS: Duration = Duration::from_secs(5);
/// Events that are read at once.
const PAGE: i64 = 500;
/// Whoever is further behind is told to read everything anew.
const FURTHEST: i64 = 10_000;
/// How long a client waits before it comes again.
const RETRY: Duration = Duration::from_secs(2);

/// Which events.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct StreamQuery {
    /// Only these kinds, with commas between them: `call.ended,campaign.held`.
    types: Option<String>,
    /// Only events of this campaign.
    campaign: Option<String>,
    /// The last event that the client has; the header of the same name counts first.
    last_event_id: Option<i64>,
}

/// Sends what happens, as it happens: server-sent events.
///
/// Each has an id. A client that comes again with `Last-Event-ID` gets what it missed; when that is
/// more than is kept, it gets `event: resync` and must read what it needs anew.
#[utoipa::path(get, path = "/events", tag = "everything", security(("token" = ["viewer"])),
    params(StreamQuery, ("Last-Event-ID" = Option<i64>, Header, description = "The last event that the client has.")),
    responses((status = 200, description = "A stream; each event's data is a message.", content((Message = "text/event-stream")))))]
pub(crate) async fn stream_events(call: Call, headers: HeaderMap, Asked(query): Asked<StreamQuery>) -> Answer {
    let kinds = query.types.as_deref().map(kinds).transpose()?;
    if let Some(name) = &query.campaign {
        call.workspace.campaign(name).await?;
    }
    let place = call.server.streams.take(Who::Token(call.caller.token.id))?;
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()?.trim().parse().ok());
    let (oldest, newest) = call.workspace.store.event_horizon().await?;
    let asked: Option<i64> = last.or(query.last_event_id);
    let lost = asked.is_some_and(|last| last > newest || newest - last > FURTHEST || last < oldest - 1);
    let after = if lost { newest } else { asked.unwrap_or(newest) };
    let reader = Reader {
        call,
        kinds,
        campaign: query.campaign,
        after,
        asked: Instant::now(),
        ready: Vec::new(),
        _place: place,
    };
    let first = lost.then(|| Event::default().event("resync").id(newest.to_string()).data("{}"));
    let begin = Event::default().retry(RETRY).comment("ringfence");
    let head = std::iter::once(begin).chain(first).map(Ok::<_, Infallible>);
    let events = futures::StreamExt::chain(stream::iter(head), reader.events());
    let keep_alive = KeepAlive::new().interval(Duration::from_secs(15));
    let mut response: Response = Sse::new(events).keep_alive(keep_alive).into_response();
    let no_buffer = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response.headers_mut().insert(no_buffer.0, no_buffer.1);
    Ok(response)
}

fn kinds(text: &str) -> Answer<Vec<EventKind>> {
    text.split(',')
        .map(|word| EventKind::from_str(word.trim()).map_err(|error| wrong("types", error.to_string())))
        .collect()
}

/// One stream and its place.
struct Reader {
    call: Call,
    kinds: Option<Vec<EventKind>>,
    campaign: Option<String>,
    after: i64,
    /// When the token was asked for last.
    asked: Instant,
    /// What was read and is not sent yet, the next last.
    ready: Vec<Event>,
    _place: Place,
}

impl Reader {
    fn events(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut reader| async move {
            loop {
                if let Some(event) = reader.ready.pop() {
                    return Some((Ok(event), reader));
                }
                if !reader.may_go_on().await {
                    return None;
                }
                if !reader.read().await {
                    let stop = reader.call.server.stop.clone();
                    tokio::select! {
                        // The end of the process comes first: a stream never ends by itself.
                        biased;
                        () = stop.cancelled() => return None,
                        () = tokio::time::sleep(LOOK) => {}
                    }
                }
            }
        })
    }

    /// Whether the token still holds; asked now and then.
    async fn may_go_on(&mut self) -> bool {
        if self.asked.elapsed() < TOKENS {
            return true;
        }
        self.asked = Instant::now();
        let (own, now) = (self.call.caller.token.id, self.call.workspace.now());
        match self.call.workspace.store.tokens().await {
            Ok(tokens) => tokens.iter().any(|token| token.id == own && token.holds(now)),
            // A database that cannot be asked now can be asked later.
            Err(_) => true,
        }
    }

    /// Reads the next events; false when there are none for now.
    async fn read(&mut self) -> bool {
        let (campaign, scope) = (self.campaign.clone(), EventScope::WithCalls);
        let filter = EventFilter { after: self.after, campaign, scope, ..EventFilter::default() };
        let store = &self.call.workspace.store;
        // A database that cannot be asked now can be asked later.
        let later = |error: &dyn std::fmt::Display| tracing::debug!("a stream of events waits: {error}");
        let mut page = match store.events(filter, PAGE).await {
            Ok(page) => page,
            Err(error) => {
                later(&error);
                return false;
            }
        };
        let Some(last) = page.last().map(|event| event.id) else { return false };
        page.retain(|event| self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&event.kind)));
        let messages = match outbox::messages(store, &page, false).await {
            Ok(messages) => messages,
            Err(error) => {
                later(&error);
                return false;
            }
        };
        self.after = last;
        self.ready = messages.iter().rev().filter_map(|message| self.shown(message)).collect();
        true
    }

    fn shown(&self, message: &Message) -> Option<Event> {
        let data = self.call.seen(message).ok()?;
        let event = Event::default().event(message.kind.as_str()).id(message.event.to_string());
        Some(event.data(data.to_string()))
    }
}

/// The streams that are open.
#[derive(Debug, Clone, Default)]
pub(crate) struct Streams(Arc<Mutex<BTreeMap<Who, usize>>>);

/// Whose a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// A program's.
    Token(TokenId),
    /// A browser's: one for each open page.
    Login(LoginId),
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Place {
    streams: Streams,
    who: Who,
}

impl Streams {
    /// How many are open.
    pub(crate) fn open(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().sum()
    }

    /// Takes a place, when there is one.
    pub(crate) fn take(&self, who: Who) -> Answer<Place> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (all, own) = (open.values().sum::<usize>(), open.entry(who).or_default());
        let (most, whose) = match who {
            Who::Token(_) => (OF_TOKEN, "token"),
            Who::Login(_) => (OF_LOGIN, "login"),
        };
        if *own >= most || all >= OF_ALL {
            let detail = format!("{most} streams of one {whose}, and {OF_ALL} of all, may be open");
            return Err(Problem::new(ProblemKind::TooMany, detail).retry_after(10));
        }
        *own += 1;
        Ok(Place { streams: self.clone(), who })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.streams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(own) = open.get_mut(&self.who) {
            *own -= 1;
            if *own == 0 {
                open.remove(&self.who);
            }
        }
    }
}
