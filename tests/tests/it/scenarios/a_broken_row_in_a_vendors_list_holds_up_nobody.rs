//! A vendor's list has a row with half a letter in it, one without an id and one of a wrong type,
//! and calls that cost more than there is money: every call is settled, every slot comes free, and
//! `status` can say so.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use ringfence_domain::{Outcome, Span};
use ringfence_sandbox::{Behaviour, MachineClock, Simulator, Tape, router, serve};
use ringfence_tests::binary::{Vendor, json, output, text, write_project};
use ringfence_tests::on_both_databases;

const CONTACTS: usize = 40;
/// Rows as they stand in no document: a lone surrogate, no id, no object.
const BROKEN: &str = r#"{"call_id":"call_x","status":"comp\ud800leted","callee_phone":"98\ud83d","started_at":"\udfff"},{"status":"completed"},17,"#;

/// The simulated vendor, with broken rows before its own and the cost of every call far too high.
async fn broken_vendor() -> Vendor {
    let behaviour = Behaviour {
        outcomes: vec![(Outcome::Answered, 3), (Outcome::Busy, 1)],
        talk: Span::from_millis(300),
        ring: Span::from_millis(50),
        ..Behaviour::default()
    };
    let simulator = Simulator::new(behaviour, Arc::new(MachineClock), Arc::new(Tape::default()));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    let router = router(&simulator).layer(from_fn(breaking));
    tokio::spawn(async move { serve(router, listener).await.expect("it listens") });
    Vendor { simulator, address }
}

async fn breaking(request: Request, next: Next) -> Response {
    let path = request.uri().path().to_owned();
    let (mut head, body) = next.run(request).await.into_parts();
    let body = to_bytes(body, 1 << 26).await.expect("a body");
    let text = String::from_utf8(body.to_vec()).expect("text");
    let broken = if path.ends_with("/call/logs") {
        text.replacen("\"calls\":[", &format!("\"calls\":[{BROKEN}"), 1)
    } else if path.ends_with("/call/detail") {
        text.replace(" INR\"", "e14 INR\"").replacen("\"success\":true", "\"success\":true,\"odd\":\"\\udc00\"", 1)
    } else {
        text
    };
    head.headers.remove("content-length");
    Response::from_parts(head, Body::from(broken))
}

on_both_databases! {
    async fn everybody_is_called_and_every_call_settled(database) {
        let vendor = broken_vendor().await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, CONTACTS, "[retry]\nbusy = \"never\"");
        let config = std::fs::read_to_string(folder.join("ringfence.toml")).expect("read");
        std::fs::write(folder.join("ringfence.toml"), config.replace("concurrent = 40", "concurrent = 5")).expect("written");
        let done = output(folder, &["run", "spring.toml", "--until", "done", "--max-time", "90s", "--json"]).await;
        assert_eq!(done.status.code(), Some(0), "{}", text(&done));
        let summary = json(folder, &["status", "spring", "--json"]).await;
        assert_eq!(summary["contacts"]["done"].as_i64().zip(summary["contacts"]["stopped"].as_i64()).map(|(a, b)| a + b),
            Some(CONTACTS as i64), "{summary}");
        assert_eq!(vendor.simulator.tape().calls().len(), CONTACTS);
        let exported = output(folder, &["export", "spring", "--format", "json"]).await;
        assert!(exported.status.success(), "{}", text(&exported));
    }
}
