//! Requests to the HTTP API.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::Body;
use http::{Method, Request, StatusCode, Uri};
use ringfence_domain::token::Token;
use ringfence_domain::{Moment, Scope};
use ringfence_operations::configuration::vendors;
use ringfence_samples::{HandClock, lane_settings, noon, rules};
use ringfence_server::Server;
use ringfence_store::{Begin, Database, Location, NewToken};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::text;

/// The most of an answer that is read, in bytes.
const MOST: usize = 64 * 1024 * 1024;

/// A request: `POST /api/stop application/json` in the first line, and the body after it. Nothing
/// that somebody sends is a fault of the server.
pub(crate) fn read(input: &[u8]) {
    let Some(end) = input.iter().position(|byte| *byte == b'\n') else { return };
    let Some(head) = text(&input[..end]) else { return };
    let mut words = head.split(' ');
    let method = words.next().and_then(|word| word.parse::<Method>().ok());
    let path = words.next().filter(|path| path.starts_with('/')).and_then(|path| path.parse::<Uri>().ok());
    let (Some(method), Some(path)) = (method, path) else { return };
    // What is sent for ever is not read, and a copy of the database is not made for each request.
    if path.path().contains("/events") || path.path().contains("/backup") {
        return;
    }
    let world = &*WORLD;
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "dialer.invalid")
        .header("authorization", format!("Bearer {}", world.token))
        .header("content-type", words.next().unwrap_or("application/json"))
        .header("idempotency-key", format!("key-{}", world.requests.fetch_add(1, Ordering::Relaxed)));
    let Ok(request) = request.body(Body::from(input[end + 1..].to_vec())) else { return };
    world.runtime.block_on(async {
        let answer = world.router.clone().oneshot(request).await.unwrap_or_else(|never| match never {});
        let (status, body) = (answer.status(), axum::body::to_bytes(answer.into_body(), MOST).await);
        let is_fine = !status.is_server_error() || status == StatusCode::SERVICE_UNAVAILABLE;
        assert!(is_fine, "{head} was answered {status}: {body:?}");
    });
}

struct World {
    runtime: Runtime,
    router: Router,
    token: String,
    requests: AtomicU64,
    _folder: TempDir,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let runtime = Runtime::new().expect("a runtime");
    let folder = TempDir::new().expect("a temporary folder");
    let (router, token) = runtime.block_on(served(&folder));
    World { runtime, router, token, requests: AtomicU64::new(0), _folder: folder }
});

/// A server with a lane and a campaign, and a token that may do everything.
async fn served(folder: &TempDir) -> (Router, String) {
    let file = folder.path().join("ringfence.toml");
    let text = "[http]\npublic_url = \"https://dialer.invalid\"\n\n[provider.main]\nkind = \"sandbox\"\n";
    std::fs::write(&file, text).expect("written");
    let config = ringfence_intake::Config::parse(&file, text, &vendors(), &|_| None).expect("a configuration");
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    let location = Location::parse(&url, folder.path()).expect("an address");
    let store = Arc::new(Database::open(&location, true).await.expect("a database"));
    let lane = store.register_lane(lane_settings("main"), noon()).await.expect("a lane").id;
    store.apply(rules("spring", "main"), lane, Begin::Running, noon()).await.expect("a campaign");
    let token = Token::new(Scope::Admin, [7; _]);
    let new = NewToken {
        name: "fuzz".to_owned(),
        scope: Scope::Admin,
        digest: token.digest(),
        shown: token.shown().to_owned(),
        expires_at: None::<Moment>,
        created_by: "fuzz".to_owned(),
    };
    store.create_token(new, noon()).await.expect("a token");
    let server = Server::new(Arc::new(config), store, HandClock::at(noon()), CancellationToken::new());
    (ringfence_server::router(&server), token.reveal().to_owned())
}

/// Every operation of the API: method and path.
pub fn operations() -> Vec<(String, String)> {
    let (config, folder) = (ringfence_intake::Config::default(), TempDir::new().expect("a temporary folder"));
    let url = format!("sqlite://{}", folder.path().join("test.db").display());
    let location = Location::parse(&url, folder.path()).expect("an address");
    let runtime = Runtime::new().expect("a runtime");
    let store = runtime.block_on(Database::open(&location, true)).expect("a database");
    let server = Server::new(Arc::new(config), Arc::new(store), HandClock::at(noon()), CancellationToken::new());
    server.operations().map(|(path, method, _)| (method.to_uppercase(), path.to_owned())).collect()
}
