//! HTTP inwards: the API, the stream of events, metrics, health, and what vendors report.
//!
//! Every request passes the front door (`front/`). Routes of the API are in `api/`; each names the
//! scope that it needs, and calls one operation. Adding a route: see `api/mod.rs`.

mod access;
mod api;
mod callbacks;
mod download;
mod front;
mod health;
mod idempotency;
mod listen;
mod masked;
mod metrics;
mod pages;
mod problem;
mod stream;
mod tending;
mod upload;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use ringfence_domain::Clock;
use ringfence_intake::Config;
use ringfence_operations::{Notices, Workspace};
use ringfence_store::{Actor, Database};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::api::document::Document;
use crate::front::hosts::Hosts;
use crate::front::limits::Limits;
use crate::stream::Streams;

pub use crate::listen::{Door, ListenError, listen};

/// Exports at the same time: each has a thread for as long as its client reads.
const EXPORTS: usize = 16;

/// The things that every handler may use.
#[derive(Debug, Clone)]
pub struct Server {
    config: Arc<Config>,
    store: Arc<Database>,
    clock: Arc<dyn Clock>,
    hosts: Arc<Hosts>,
    limits: Limits,
    streams: Streams,
    document: Arc<Document>,
    stop: CancellationToken,
    process: Arc<str>,
    exports: Arc<Semaphore>,
    backups: Arc<Semaphore>,
    answers: metrics::Answers,
    changes: pages::live::Changes,
}

impl Server {
    /// Makes the server of a process. `stop` ends its streams.
    pub fn new(config: Arc<Config>, store: Arc<Database>, clock: Arc<dyn Clock>, stop: CancellationToken) -> Self {
        let hosts = Arc::new(Hosts::of(&config.http));
        let document = Arc::new(Document::of(&api::routes().into_openapi()));
        let (limits, streams, answers) = (Limits::new(), Streams::default(), metrics::Answers::default());
        Self {
            config,
            store,
            clock,
            hosts,
            limits,
            streams,
            document,
            stop,
            process: Arc::from(""),
            exports: Arc::new(Semaphore::new(EXPORTS)),
            backups: Arc::new(Semaphore::new(1)),
            answers,
            changes: pages::live::Changes::default(),
        }
    }

    /// Names the process, which tells in its metrics of the lanes that it dials.
    #[must_use]
    pub fn of_process(mut self, name: impl Into<Arc<str>>) -> Self {
        self.process = name.into();
        self
    }

    /// The workspace of somebody who changes something.
    fn workspace(&self, actor: Actor) -> Workspace {
        let store = Arc::new((*self.store).clone().changed_by(actor));
        Workspace::of(self.config.clone(), store, self.clock.clone(), Notices::default())
    }

    /// Its configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The document of its API, OpenAPI 3.1.
    pub fn openapi(&self) -> &serde_json::Value {
        &self.document.value
    }

    /// Every operation of its API: path, method, and the scope that it needs.
    pub fn operations(&self) -> impl Iterator<Item = (&str, &str, ringfence_domain::Scope)> {
        self.document.operations()
    }
}

/// Every route.
pub fn router(server: &Server) -> Router {
    let (api, _) = api::routes().split_for_parts();
    let api = api
        .layer(DefaultBodyLimit::disable())
        .route_layer(from_fn_with_state(server.clone(), idempotency::once))
        .route_layer(from_fn_with_state(server.clone(), access::admit));
    // No page says how vendors send their reports: as GET, POST or PUT.
    let report = post(callbacks::receive).get(callbacks::receive).put(callbacks::receive);
    let router = Router::new()
        .merge(api)
        .merge(pages::routes(server))
        .route("/api/openapi.json", get(api::page::document))
        .route("/api", get(api::page::page))
        .route("/api/problems", get(api::page::problems))
        .route("/api/page.css", get(api::page::style))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::scrape))
        .route("/callbacks/{lane}/{secret}", report)
        .fallback(front::no_route)
        .with_state(server.clone());
    front::before(router, server)
}
