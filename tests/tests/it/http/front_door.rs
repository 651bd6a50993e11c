//! The front door: whom it lets in, and what it refuses before it costs anything.

use ringfence_domain::Scope;
use ringfence_intake::{Config, Http};
use ringfence_tests::TestDatabase;
use ringfence_tests::web::{Sent, Web};
use serde_json::json;

async fn web() -> (TestDatabase, Web, String) {
    let database = TestDatabase::sqlite().await;
    let web = Web::begin(&database.store, Config::default()).await;
    let operator = web.token(Scope::Operator).await;
    (database, web, operator)
}

#[tokio::test]
async fn a_strange_host_is_refused_on_every_address() {
    let (_database, web, _) = web().await;
    for path in ["/healthz", "/api", "/api/v1/lanes", "/callbacks/main/x", "/nothing"] {
        let refused = web.send("GET", path, None, Sent::default().with("host", "evil.example:8080")).await.expect(421);
        assert_eq!(refused.problem(), "wrong-host", "{path}");
    }
    let _ = web.send("GET", "/healthz", None, Sent::default().with("host", "localhost:1")).await.expect(200);
}

#[tokio::test]
async fn every_error_is_a_problem() {
    let (_database, web, operator) = web().await;
    let token = Some(operator.as_str());
    let _ = web.send("GET", "/nothing", None, Sent::default()).await.expect(404).problem();
    let _ = web.send("GET", "/api/v1/nothing", token, Sent::default()).await.expect(404).problem();
    let method = web.send("DELETE", "/api/v1/lanes", token, Sent::default()).await.expect(405);
    assert_eq!((method.problem().as_str(), method.header("allow").contains("GET")), ("method-not-allowed", true));
    let _ = web.get("/api/v1/contacts/abc", &operator).await.expect(400).problem();
    let _ = web.get("/api/v1/campaigns?limit=0", &operator).await.expect(422).problem();
    let _ = web.get("/api/v1/campaigns?limits=5", &operator).await.expect(422).problem();
    let encoded = Sent::json(&json!({})).with("content-encoding", "gzip");
    assert_eq!(web.send("POST", "/api/v1/stop", token, encoded).await.expect(415).problem(), "unsupported");
    let large = Sent::of("application/json", vec![b' '; (1 << 20) + 1]);
    assert_eq!(web.send("POST", "/api/v1/stop", token, large).await.expect(413).problem(), "too-large");
    let large = Sent::of("application/toml", vec![b'#'; (1 << 20) + 1]);
    let named = web.send("PUT", "/api/v1/campaigns/contacts", token, large).await.expect(413);
    assert_eq!(named.problem(), "too-large", "a campaign may have any name");
    let deep = format!("{{\"reason\":{}{}}}", "[".repeat(50_000), "]".repeat(50_000));
    let _ = web.send("POST", "/api/v1/stop", token, Sent::of("application/json", deep)).await.expect(422).problem();
    let nul = json!({ "phone": "+91\u{0}9876543210" });
    let _ = web.post("/api/v1/why", &operator, &nul).await.expect(422).problem();
    assert!(database_is_not_stopped(&web).await, "none of these stopped anything");
}

async fn database_is_not_stopped(web: &Web) -> bool {
    web.store.stop().await.expect("asked").is_none()
}

#[tokio::test]
async fn who_guesses_tokens_is_slowed_down() {
    let (_database, web, operator) = web().await;
    let mut statuses = Vec::new();
    for _ in 0..30 {
        statuses.push(web.get("/api/v1/lanes", "rf_ononsense").await.status.as_u16());
    }
    assert_eq!(statuses[0], 401);
    assert_eq!(statuses.last(), Some(&429), "{statuses:?}");
    let _ = web.get("/api/v1/lanes", &operator).await.expect(200);
}

#[tokio::test]
async fn who_is_slow_with_headers_is_cut_off() {
    let (_database, web, operator) = web().await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(web.connect().await);
    }
    let mut slow = web.connect().await;
    slow.send("GET /healthz HTTP/1.1\r\nhost: local").await.expect("sent");
    let _ = web.get("/api/v1/lanes", &operator).await.expect(200);
    // Each connection ends by itself: reading its rest returns.
    slow.rest().await;
    for wire in silent {
        wire.rest().await;
    }
}

#[tokio::test]
async fn nothing_listens_beyond_this_machine_in_the_clear() {
    let address = "0.0.0.0:0".parse().expect("an address");
    let error = ringfence_server::listen(address, &Http::default()).expect_err("in the clear");
    assert!(error.to_string().contains("beyond this machine"), "{error}");
    let behind = Http { behind_tls_proxy: true, ..Http::default() };
    assert!(ringfence_server::listen(address, &behind).is_ok());
}

#[tokio::test]
async fn health_needs_no_token_and_says_when_the_database_is_gone() {
    let (database, web, _) = web().await;
    let _ = web.send("GET", "/healthz", None, Sent::default()).await.expect(200);
    let _ = web.send("GET", "/readyz", None, Sent::default()).await.expect(200);
    database.store.close().await;
    let _ = web.send("GET", "/healthz", None, Sent::default()).await.expect(200);
    assert_eq!(web.send("GET", "/readyz", None, Sent::default()).await.expect(503).problem(), "not-done");
}
