//! `GET /live`: tells an open page that something has changed. It says no more than that: the page
//! asks for itself again, so that roles and masks are applied in one place.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderName, HeaderValue};
use axum::response::sse::{Event, Sse};
use axum::response::{IntoResponse, Response};
use futures::stream;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Page;
use super::visitor::Visitor;
use crate::Server;
use crate::stream::{Place, Who};

/// How often somebody looks for changes.
const LOOK: Duration = Duration::from_secs(1);
/// A page hears of changes no more often than this: a browser that shows them all the time is to need
/// a small part of one core.
const DIGEST: Duration = Duration::from_secs(2);
/// And no less often than this: windows open, and retries come due, without an event.
const REST: Duration = Duration::from_secs(15);
/// How often it is asked whether the visitor is still logged in.
const LOGINS: Duration = Duration::from_secs(5);

/// The newest event, as the open pages know it.
#[derive(Debug, Clone)]
pub(crate) struct Changes(watch::Sender<i64>);

impl Default for Changes {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

/// Looks for new events, for all open pages at once, and only while there are any.
pub(crate) async fn watch(server: &Server) {
    loop {
        tokio::time::sleep(LOOK).await;
        if server.changes.0.receiver_count() == 0 {
            continue;
        }
        match server.store.event_horizon().await {
            Ok((_, newest)) => {
                server.changes.0.send_if_modified(|known| std::mem::replace(known, newest) != newest);
            }
            // The pages are told every few seconds in any case.
            Err(error) => tracing::debug!(%error, "open pages are not told of changes: {error}"),
        }
    }
}

/// One open page.
struct Open {
    server: Server,
    visitor: Visitor,
    changes: watch::Receiver<i64>,
    asked: Instant,
    told: Option<Instant>,
    is_first: bool,
    _place: Place,
}

/// Tells of changes until the page is closed or the login is over.
pub(crate) async fn live(State(server): State<Server>, visitor: Visitor) -> Page {
    let place = match server.streams.take(Who::Login(visitor.login.id)) {
        Ok(place) => place,
        Err(problem) => return Ok(problem.into_response()),
    };
    let changes = server.changes.0.subscribe();
    let open = Open { server, visitor, changes, asked: Instant::now(), told: None, is_first: true, _place: place };
    let mut response: Response = Sse::new(stream::unfold(open, next)).into_response();
    response.headers_mut().insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    Ok(response)
}

async fn next(mut open: Open) -> Option<(Result<Event, Infallible>, Open)> {
    if std::mem::take(&mut open.is_first) {
        return Some((Ok(Event::default().comment("ringfence")), open));
    }
    let stop = open.server.stop.clone();
    tokio::select! {
        // The end of the process comes first: a stream never ends by itself.
        biased;
        () = stop.cancelled() => return None,
        changed = open.changes.changed() => changed.ok()?,
        () = tokio::time::sleep(REST) => {}
    }
    if let Some(told) = open.told {
        tokio::select! {
            biased;
            () = stop.cancelled() => return None,
            () = tokio::time::sleep_until(told + DIGEST) => open.changes.mark_unchanged(),
        }
    }
    open.told = Some(Instant::now());
    if open.asked.elapsed() >= LOGINS {
        open.asked = Instant::now();
        if !open.visitor.stays().await {
            return None;
        }
    }
    Some((Ok(Event::default().event("changed").data("{}")), open))
}
