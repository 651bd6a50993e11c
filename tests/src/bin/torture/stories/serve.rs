//! A story over HTTP: a `serve` that dies is started again, and what it did not answer is asked for
//! once more, with the same key.

use std::net::{Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::post;
use ringfence_providers::{HttpTransport, Transport};
use ringfence_sandbox::Reports;
use ringfence_tests::binary::listening;
use ringfence_tests::project;
use ringfence_tests::web::{Reply, Sent};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::Child;

use super::RULES;
use crate::behaviours::Happens;
use crate::stage::Stage;

/// The key that the receiver of events knows.
const HOOK_SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo=";
/// Everybody is called within this time, or something hangs.
const PATIENCE: Duration = Duration::from_mins(2);
const FORM: &str = "application/x-www-form-urlencoded";

/// A `serve`, and the means to ask it.
pub(crate) struct Served {
    child: Child,
    base: String,
    client: Arc<HttpTransport>,
    token: String,
    asked: u32,
}

impl Served {
    /// Starts it, once more if it dies before it listens.
    pub(crate) async fn start(stage: &mut Stage, token: String) -> Result<Self, String> {
        let client = HttpTransport::new(None)?;
        let (child, base) = begin(stage).await?;
        Ok(Self { child, base, client, token, asked: 0 })
    }

    /// Sends a request until it is answered, and answered well.
    pub(crate) async fn ask(
        &mut self,
        stage: &mut Stage,
        method: &str,
        path: &str,
        sent: Sent<'_>,
    ) -> Result<Reply, String> {
        self.asked += 1;
        let mut key = format!("\"k-{}\"", self.asked);
        let mut answer_lost = false;
        for _ in 0..300 {
            let mut request = http::Request::builder().method(method).uri(format!("{}{path}", self.base));
            for (name, value) in &sent.headers {
                request = request.header(*name, *value);
            }
            if path.starts_with("/api") {
                request = request.header("authorization", format!("Bearer {}", self.token));
                if method != "GET" {
                    request = request.header("idempotency-key", &key);
                }
            }
            let request = request.body(sent.body.clone()).map_err(|error| error.to_string())?;
            let Ok(answer) = self.client.send(request).await else {
                self.revive(stage).await?;
                continue;
            };
            let (parts, body) = answer.into_parts();
            let reply = Reply { status: parts.status, headers: parts.headers, body };
            match reply.status.as_u16() {
                200..=399 => return Ok(reply),
                // Some of it was done, and nobody knows how much: it is asked for once more, and may
                // be done already.
                409 if stage.crashed && !answer_lost && reply.text().contains("#answer-lost") => {
                    answer_lost = true;
                    key = format!("\"k-{}-again\"", self.asked);
                }
                409 if answer_lost => return Ok(reply),
                // The first one is still worked at, or nobody can be asked for the moment.
                503 => tokio::time::sleep(Duration::from_millis(100)).await,
                409 if reply.text().contains("#still-running") => tokio::time::sleep(Duration::from_millis(100)).await,
                _ => return Err(format!("{method} {path}: {} {}", reply.status, reply.text())),
            }
        }
        Err(format!("{method} {path} is never answered"))
    }

    pub(super) async fn post(&mut self, stage: &mut Stage, path: &str, body: Value) -> Result<Reply, String> {
        self.ask(stage, "POST", &format!("/api/v1{path}"), Sent::json(&body)).await
    }

    /// Sends a form of the dashboard.
    async fn form(&mut self, stage: &mut Stage, path: &str, cookie: &str, body: &str) -> Result<Reply, String> {
        let base = self.base.clone();
        let sent = Sent::of(FORM, body.to_owned())
            .with("cookie", cookie)
            .with("origin", &base)
            .with("sec-fetch-site", "same-origin");
        self.ask(stage, "POST", path, sent).await
    }

    /// It does not answer: it is dead, and is started again.
    async fn revive(&mut self, stage: &mut Stage) -> Result<(), String> {
        let ended = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await;
        let status = ended.map_err(|_| "it lives and does not answer")?.map_err(|error| error.to_string())?;
        stage.note(status)?;
        if status.code().is_some() {
            return Err(format!("`serve` left with {status}"));
        }
        (self.child, self.base) = begin(stage).await?;
        Ok(())
    }

    /// Waits until everybody in a campaign is finished or in review.
    pub(super) async fn finish(&mut self, stage: &mut Stage, campaign: &str) -> Result<(), String> {
        let until = tokio::time::Instant::now() + PATIENCE;
        let path = format!("/api/v1/campaigns/{campaign}/summary");
        loop {
            let summary = self.ask(stage, "GET", &path, Sent::default()).await?.json();
            let contacts = &summary["contacts"];
            if contacts["total"] != 0 && contacts["waiting"] == 0 && contacts["active"] == 0 {
                return Ok(());
            }
            if tokio::time::Instant::now() > until {
                return Err(format!("somebody is not finished: {summary}"));
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// Ends it in good order.
    pub(super) async fn end(mut self, stage: &mut Stage) -> Result<(), String> {
        for _ in 0..2 {
            let Some(id) = self.child.id() else { break };
            let pid = rustix::process::Pid::from_raw(id.cast_signed()).ok_or("it has no number")?;
            rustix::process::kill_process(pid, rustix::process::Signal::TERM).map_err(|error| error.to_string())?;
            let ended = tokio::time::timeout(Duration::from_secs(30), self.child.wait()).await;
            let status = ended.map_err(|_| "`serve` does not end")?.map_err(|error| error.to_string())?;
            stage.note(status)?;
            if status.code().is_some() {
                return Ok(());
            }
            (self.child, _) = begin(stage).await?;
        }
        Ok(())
    }
}

async fn begin(stage: &mut Stage) -> Result<(Child, String), String> {
    for _ in 0..2 {
        let mut child = stage.command(&["serve"]).stdout(Stdio::null()).spawn().map_err(|error| error.to_string())?;
        match listening(&mut child).await {
            Ok(address) => return Ok((child, format!("http://{address}"))),
            Err(said) => {
                let status = child.wait().await.map_err(|error| error.to_string())?;
                stage.note(status)?;
                if status.code().is_some() {
                    return Err(format!("`serve` left with {status}: {said:#?}"));
                }
            }
        }
    }
    Err("`serve` dies twice".to_owned())
}

/// Somebody who is told what happens.
async fn receiver() -> (Arc<AtomicUsize>, String) {
    let heard = Arc::<AtomicUsize>::default();
    let own = heard.clone();
    let take = move || {
        own.fetch_add(1, Ordering::SeqCst);
        std::future::ready(StatusCode::NO_CONTENT)
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/hook", post(take))).await });
    (heard, url)
}

/// Two campaigns over two vendors, one of which reports its calls when they begin, while they are
/// certainly out, and when they end; all over HTTP.
pub(super) async fn tell(stage: &mut Stage, _: Happens) -> Result<(), String> {
    let (heard, url) = receiver().await;
    write_project(stage, &url).await;
    let way = HttpTransport::new(None)?;
    stage.vendor.simulator.report_by(way);
    stage.vendor.simulator.change(|behaviour| behaviour.reports = Reports::Early);
    let token = admin(stage).await?;
    let mut served = Served::start(stage, token.clone()).await?;
    for (name, numbers) in [("spring", 0..3), ("voice", 100..103)] {
        let rules = std::fs::read_to_string(stage.folder().join(format!("{name}.toml"))).expect("a campaign");
        served.ask(stage, "POST", "/api/v1/campaigns", Sent::of("application/toml", rules)).await?;
        let list = project::contacts(numbers);
        let path = format!("/api/v1/campaigns/{name}/contacts");
        let taken = served.ask(stage, "POST", &path, Sent::of("text/csv", list)).await?;
        // A list that takes long is answered before it is taken in.
        // One that was kept before a crash is taken in at the next start.
        let counts = taken.json();
        let is_in = counts["accepted"] == 3 || counts["unchanged"] == 3;
        if taken.status != StatusCode::ACCEPTED && !is_in {
            return Err(format!("a list is not taken in: {}", taken.text()));
        }
        served.post(stage, &format!("/campaigns/{name}/resume"), json!({})).await?;
    }
    // Nobody may be called at a number that is none: its key is let go.
    let refused = served.post(stage, "/dnc", json!({ "phones": ["12"] })).await;
    if !refused.as_ref().is_err_and(|error| error.contains(": 422")) {
        return Err(format!("a number that is none is taken: {refused:?}"));
    }
    let cookie = log_in(&mut served, stage, &token).await?;
    let invited = stage.insist(&["login", "--json"], &[0]).await?;
    let invited: Value = serde_json::from_slice(&invited.stdout).map_err(|error| error.to_string())?;
    let code = invited["address"].as_str().and_then(|address| address.split("code=").nth(1)).ok_or("no code")?;
    // A code holds once: one that was used when the process died is over.
    let logged_in = log_in(&mut served, stage, code).await;
    if logged_in.is_err() && !stage.crashed {
        return Err(format!("a code does not log in: {logged_in:?}"));
    }
    accept(&mut served, stage, &cookie).await?;
    // Its last request was a while ago.
    stage.change("UPDATE logins SET seen_at = seen_at - 120000").await;
    let id = stage.id("SELECT CAST(id AS TEXT) FROM contacts ORDER BY id LIMIT 1 OFFSET 1").await?;
    served.form(stage, &format!("/contacts/{id}/next"), &cookie, "").await.or_else(tolerated)?;
    let id = stage.id("SELECT CAST(id AS TEXT) FROM contacts ORDER BY id LIMIT 1 OFFSET 2").await?;
    served.form(stage, &format!("/contacts/{id}/stop"), &cookie, "reason=asked").await.or_else(tolerated)?;
    served.post(stage, "/campaigns/spring/pause", json!({ "reason": "a look" })).await?;
    served.post(stage, "/campaigns/spring/resume", json!({})).await?;
    served.post(stage, "/dnc", json!({ "phones": ["+919800000001"] })).await?;
    served.post(stage, "/dnc/remove", json!({ "phones": ["+919800000001"] })).await?;
    served.post(stage, "/lanes/main/pause", json!({ "reason": "a look" })).await?;
    served.post(stage, "/lanes/main/resume", json!({})).await?;
    served.post(stage, "/stop", json!({ "reason": "a look" })).await?;
    served.post(stage, "/start", json!({})).await?;
    served.finish(stage, "spring").await?;
    served.finish(stage, "voice").await?;
    served.post(stage, "/review", json!({ "as": "placed", "all": true })).await?;
    let until = tokio::time::Instant::now() + PATIENCE;
    while heard.load(Ordering::SeqCst) < 6 {
        if tokio::time::Instant::now() > until {
            return Err(format!("{} messages of 6 came", heard.load(Ordering::SeqCst)));
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        served.ask(stage, "GET", "/api/v1/status", Sent::default()).await?;
    }
    let webhook = stage.id("SELECT CAST(id AS TEXT) FROM webhooks").await?;
    for what in ["redeliver", "disable", "enable"] {
        served.post(stage, &format!("/webhooks/{webhook}/{what}"), json!({})).await?;
    }
    served.form(stage, "/logout", &cookie, "").await?;
    served.post(stage, "/campaigns/spring/cancel", json!({})).await?;
    served.end(stage).await
}

/// Accepts the list that is held for its length.
async fn accept(served: &mut Served, stage: &mut Stage, cookie: &str) -> Result<(), String> {
    const HELD: &str = "SELECT CAST(id AS TEXT) FROM imports WHERE state = 'held' ORDER BY id DESC LIMIT 1";
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(id) = stage.find(HELD).await {
            return served.form(stage, &format!("/imports/{id}/accept"), cookie, "").await.or_else(tolerated).map(drop);
        }
        // The one that was kept before a crash is taken in now.
        if tokio::time::Instant::now() > until {
            return Err("no list is held".to_owned());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        served.ask(stage, "GET", "/api/v1/status", Sent::default()).await?;
    }
}

/// A contact may have been called meanwhile; then there is nothing to decide.
fn tolerated(error: String) -> Result<Reply, String> {
    if error.contains(": 409") {
        return Ok(Reply { status: StatusCode::OK, headers: http::HeaderMap::new(), body: bytes::Bytes::new() });
    }
    Err(error)
}

/// A token that may do everything.
pub(super) async fn admin(stage: &mut Stage) -> Result<String, String> {
    let made = stage.insist(&["token", "create", "--scope", "admin", "--name", "tests", "--json"], &[0]).await;
    // A token that was made and not shown is of no use; another name, another token.
    let made = match made {
        Ok(made) => made,
        Err(_) => stage.insist(&["token", "create", "--scope", "admin", "--name", "more", "--json"], &[0]).await?,
    };
    let made: Value = serde_json::from_slice(&made.stdout).map_err(|error| error.to_string())?;
    Ok(made["token"].as_str().ok_or("no token")?.to_owned())
}

async fn log_in(served: &mut Served, stage: &mut Stage, token: &str) -> Result<String, String> {
    let reply = served.form(stage, "/login", "", &format!("secret={token}&to=%2F")).await?;
    Ok(reply.header("set-cookie").split(';').next().unwrap_or_default().to_owned())
}

/// Has `serve` answer over HTTP, with these further sections of its configuration.
pub(super) async fn write_http(stage: &Stage, more: &str) {
    let free = free_address().await;
    let config = std::fs::read_to_string(stage.folder().join("ringfence.toml")).expect("a configuration");
    let http = format!("\n[http]\nlisten = \"{free}\"\npublic_url = \"http://{free}\"\n");
    stage.write("ringfence.toml", &[&config, &http, more].concat());
}

/// An address that stays free while `serve` is dead: below the ports that outgoing connections get,
/// and given again only after all others.
async fn free_address() -> SocketAddr {
    const PORTS: Range<u16> = 10_000..32_000;
    static NEXT: AtomicU16 = AtomicU16::new(PORTS.start);
    for _ in PORTS {
        let following = |port| Some(if port + 1 < PORTS.end { port + 1 } else { PORTS.start });
        let port = NEXT.fetch_update(Ordering::SeqCst, Ordering::SeqCst, following).expect("there is one");
        if let Ok(free) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            return free.local_addr().expect("an address");
        }
    }
    panic!("all ports from {} to {} are taken", PORTS.start, PORTS.end);
}

async fn write_project(stage: &Stage, hook: &str) {
    let more = format!(
        r#"
[provider.voice]
kind = "knovvu"
base_url = "http://{}"
project = "tests"
number_format = "e164"
access_token = {{ env = "TWENTY2_API_KEY" }}
orchestrator_url = "https://orchestrator.example.com"
limits = {{ calls = "50/s", requests = "500/s", concurrent = 10 }}

[[webhook]]
url = "{hook}"
secret = {{ env = "HOOK_SECRET" }}
allow_private = true
events = ["call.ended", "contact.finished", "campaign.finished"]
"#,
        stage.way.address
    );
    write_http(stage, &more).await;
    let long = [RULES, "[safety]\nmin_contacts = 4\n"].concat();
    for (name, lane, rules) in [("spring", "main", RULES), ("voice", "voice", &long)] {
        stage.write(&format!("{name}.toml"), &project::campaign(name, lane, None, rules));
    }
}

/// What every command of this story needs of its environment.
pub(crate) fn environment(command: &mut tokio::process::Command) {
    command.env("HOOK_SECRET", HOOK_SECRET);
}
