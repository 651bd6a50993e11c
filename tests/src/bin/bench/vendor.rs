//! Vendors to measure against: the simulated one in this process, and one that answers at once in a
//! process of its own, for everybody who is compared.

use std::collections::HashSet;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use axum::Router;
use axum::routing::post;
use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_TYPE, HeaderName};
use ringfence_domain::{AttemptId, CallStatus, Moment, Outcome, PhoneNumber, Placement, Span};
use ringfence_providers::{
    AskError, Budget, CallRequest, Checked, Findings, HttpTransport, LostCall, OutCall, Provider, Transport,
};
use ringfence_sandbox::{Behaviour, MachineClock, Simulator, Tape, router, serve};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

/// Serves the simulated vendor. Returns where.
pub(crate) async fn simulated() -> String {
    let behaviour = Behaviour {
        outcomes: vec![(Outcome::Answered, 1)],
        ring: Span::ZERO,
        talk: Span::ZERO,
        latency: Span::ZERO,
        ..Behaviour::default()
    };
    let simulator = Simulator::new(behaviour, Arc::new(MachineClock), Arc::new(Tape::default()));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/api", listener.local_addr().expect("an address"));
    tokio::spawn(async move { serve(router(&simulator), listener).await.expect("it listens") });
    url
}

/// A vendor that answers at once. It ends when this is dropped.
pub(crate) struct Quick {
    pub(crate) url: String,
    _process: Child,
}

impl Quick {
    /// Starts it: this program again, which says where it listens.
    pub(crate) async fn start() -> Self {
        let program = std::env::current_exe().expect("this program");
        let mut process =
            Command::new(program).arg("vendor").stdout(Stdio::piped()).kill_on_drop(true).spawn().expect("it starts");
        let mut lines = BufReader::new(process.stdout.take().expect("its words")).lines();
        let url = lines.next_line().await.expect("its words").expect("where it listens");
        Self { url, _process: process }
    }
}

/// Is the vendor that answers at once, in a process of its own: every call is taken, and is over when
/// it is asked about. `POST /api/ended` tells of many calls which are over.
pub(crate) async fn be_quick() {
    static CALLS: AtomicU64 = AtomicU64::new(1);
    async fn take(_: Bytes) -> ([(HeaderName, &'static str); 1], String) {
        let call = CALLS.fetch_add(1, Ordering::Relaxed);
        let answer = format!("{{\"success\":true,\"call_id\":\"call_{call}\",\"status\":\"initiated\"}}");
        ([(CONTENT_TYPE, "application/json")], answer)
    }
    async fn tell(asked: Bytes) -> ([(HeaderName, &'static str); 1], Bytes) {
        ([(CONTENT_TYPE, "application/json")], asked)
    }
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    println!("http://{}/api", listener.local_addr().expect("an address"));
    let routes = Router::new().route("/api/agent/trigger-outbound-call", post(take)).route("/api/ended", post(tell));
    axum::serve(listener, routes).await.expect("it serves");
}

/// Asks which of these calls are over, with one request.
pub(crate) async fn ended(client: &impl Transport, vendor: &str, calls: &[String]) -> Vec<String> {
    let body = serde_json::to_vec(calls).expect("JSON");
    let request = Request::post(format!("{vendor}/ended"))
        .header(CONTENT_TYPE, "application/json")
        .body(Bytes::from(body))
        .expect("a request");
    let answer = client.send(request).await.expect("an answer");
    serde_json::from_slice(answer.body()).expect("a list of calls")
}

/// The account at the quick vendor: calls are placed as at Twenty2, and asked about together.
#[derive(Debug)]
pub(crate) struct QuickAccount {
    pub(crate) placing: Arc<dyn Provider>,
    pub(crate) client: Arc<HttpTransport>,
    pub(crate) vendor: String,
}

#[async_trait]
impl Provider for QuickAccount {
    fn can_call(&self, number: &PhoneNumber) -> Result<(), String> {
        self.placing.can_call(number)
    }

    fn written(&self, call: &CallRequest) -> Result<Request<Bytes>, String> {
        self.placing.written(call)
    }

    async fn place(&self, call: &CallRequest) -> Placement {
        self.placing.place(call).await
    }

    async fn ask(&self, calls: &[OutCall], budget: &dyn Budget) -> Result<Vec<(AttemptId, CallStatus)>, AskError> {
        budget.take().await;
        let ids: Vec<String> = calls.iter().map(|call| call.call_id.clone()).collect();
        let ended: HashSet<String> = ended(&*self.client, &self.vendor, &ids).await.into_iter().collect();
        let over = calls.iter().filter(|call| ended.contains(&call.call_id));
        Ok(over.map(|call| (call.attempt, CallStatus::Ended(Outcome::Answered, Box::default()))).collect())
    }

    fn asks_together(&self) -> usize {
        1_000
    }

    async fn find(&self, lost: &[LostCall], now: Moment, budget: &dyn Budget) -> Result<Findings, AskError> {
        self.placing.find(lost, now, budget).await
    }

    fn reported(&self, report: &[u8]) -> Option<String> {
        self.placing.reported(report)
    }

    async fn check(&self) -> Result<Checked, AskError> {
        self.placing.check().await
    }
}
