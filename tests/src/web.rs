//! A server over HTTP for the length of a test, and clients of it.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use ringfence_domain::token::Token;
use ringfence_domain::{Clock, Moment, Scope};
use ringfence_intake::{Config, Http};
use ringfence_providers::{HttpTransport, Transport};
use ringfence_sandbox::MachineClock;
use ringfence_server::Server;
use ringfence_store::{Database, NewToken};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

/// A server that vendors reach as `dialer.invalid`, and that nobody listens for.
pub fn server(store: Arc<Database>, clock: Arc<dyn Clock>) -> Server {
    let mut config = Config::default();
    config.http = Http { public_url: Some("https://dialer.invalid".to_owned()), ..Http::default() };
    Server::new(Arc::new(config), store, clock, CancellationToken::new())
}

/// The configuration of a lane of the sandbox, which is written into `folder`.
pub fn config(folder: &Path) -> Config {
    let (file, text) = (folder.join("ringfence.toml"), "[provider.main]\nkind = \"sandbox\"\n");
    std::fs::write(&file, text).expect("written");
    Config::parse(&file, text, &ringfence_operations::configuration::vendors(), &|_| None).expect("a configuration")
}

/// A server that listens.
#[derive(Debug)]
pub struct Web {
    /// Where.
    pub base: String,
    /// Its database.
    pub store: Arc<Database>,
    /// What it serves.
    pub server: Server,
    /// Ends it.
    pub stop: CancellationToken,
    client: Arc<HttpTransport>,
}

impl Web {
    /// Serves a database.
    #[expect(clippy::unused_async, reason = "it spawns, and so needs a runtime")]
    pub async fn begin(store: &Arc<Database>, config: Config) -> Self {
        Self::begin_at(store, config, Arc::new(MachineClock), "")
    }

    /// Serves a database by a clock, in the name of a process.
    pub fn begin_at(store: &Arc<Database>, config: Config, clock: Arc<dyn Clock>, process: &str) -> Self {
        let door = ringfence_server::listen("127.0.0.1:0".parse().expect("an address"), &config.http).expect("a port");
        let (base, stop) = (door.url(), CancellationToken::new());
        let server = Server::new(Arc::new(config), store.clone(), clock, stop.clone()).of_process(process);
        let serving = server.clone();
        tokio::spawn(async move { door.serve(serving).await.expect("it is served") });
        let client = HttpTransport::new(None).expect("a client");
        Self { base, store: store.clone(), server, stop, client }
    }

    /// Makes a token of this scope.
    pub async fn token(&self, scope: Scope) -> String {
        token(&self.store, scope, None).await
    }

    /// Sends a request as somebody.
    pub async fn send(&self, method: &str, path: &str, token: Option<&str>, sent: Sent<'_>) -> Reply {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in &sent.headers {
            request = request.header(*name, *value);
        }
        let request = request.body(sent.body).expect("a request");
        let answer = self.client.send(request).await.expect("an answer");
        let (parts, body) = answer.into_parts();
        Reply { status: parts.status, headers: parts.headers, body }
    }

    /// Asks for something.
    pub async fn get(&self, path: &str, token: &str) -> Reply {
        self.send("GET", path, Some(token), Sent::default()).await
    }

    /// Sends JSON.
    pub async fn post(&self, path: &str, token: &str, body: &Value) -> Reply {
        self.send("POST", path, Some(token), Sent::json(body)).await
    }

    /// Opens a connection, for a client that behaves badly, or that reads a stream.
    pub async fn connect(&self) -> Wire {
        let address = self.base.trim_start_matches("http://");
        Wire { stream: TcpStream::connect(address).await.expect("a connection"), heard: Vec::new() }
    }
}

impl Drop for Web {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Makes a token, with a moment at which it ends.
pub async fn token(store: &Database, scope: Scope, expires_at: Option<Moment>) -> String {
    let token = Token::new(scope, std::array::from_fn(|_| fastrand::u8(..)));
    let new = NewToken {
        name: format!("test {scope}"),
        scope,
        digest: token.digest(),
        shown: token.shown().to_owned(),
        expires_at,
        created_by: "test".to_owned(),
    };
    store.create_token(new, MachineClock.read().now).await.expect("a token");
    token.reveal().to_owned()
}

/// What is sent beside method and path.
#[derive(Debug, Clone, Default)]
pub struct Sent<'s> {
    /// Headers.
    pub headers: Vec<(&'s str, &'s str)>,
    /// The body.
    pub body: Bytes,
}

impl<'s> Sent<'s> {
    /// A JSON document.
    pub fn json(body: &Value) -> Self {
        Self { headers: vec![("content-type", "application/json")], body: body.to_string().into() }
    }

    /// A body of some type.
    pub fn of(kind: &'s str, body: impl Into<Bytes>) -> Self {
        Self { headers: vec![("content-type", kind)], body: body.into() }
    }

    /// One more header.
    #[must_use]
    pub fn with(mut self, name: &'s str, value: &'s str) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: http::HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Reply {
    /// Its body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Its body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// A header.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The same, which must have this status.
    #[must_use]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }

    /// The end of its problem's type.
    pub fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text());
        let kind = self.json()["type"].as_str().unwrap_or_default().to_owned();
        kind.rsplit('#').next().unwrap_or_default().to_owned()
    }
}

/// Nothing that a test waits for takes longer.
const SILENCE: Duration = Duration::from_secs(40);

/// A connection of which every byte is the test's.
#[derive(Debug)]
pub struct Wire {
    stream: TcpStream,
    heard: Vec<u8>,
}

impl Wire {
    /// Sends bytes.
    pub async fn send(&mut self, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        self.stream.write_all(bytes.as_ref()).await
    }

    /// Reads until the text comes; false when the connection ends before.
    pub async fn hear(&mut self, text: &str) -> bool {
        let heard = tokio::time::timeout(SILENCE, self.listen(text)).await;
        heard.unwrap_or_else(|_| panic!("`{text}` did not come; {:?}", String::from_utf8_lossy(&self.heard)))
    }

    async fn listen(&mut self, text: &str) -> bool {
        let wanted = text.as_bytes();
        loop {
            if let Some(place) = self.heard.windows(wanted.len()).position(|part| part == wanted) {
                self.heard.drain(..place + wanted.len());
                return true;
            }
            let mut buffer = vec![0; 8192];
            match self.stream.read(&mut buffer).await {
                Ok(0) | Err(_) => return false,
                Ok(read) => self.heard.extend_from_slice(&buffer[..read]),
            }
        }
    }

    /// Reads to the end. Returns everything that came and was not looked for.
    pub async fn rest(mut self) -> String {
        drop(self.stream.read_to_end(&mut self.heard).await);
        String::from_utf8_lossy(&self.heard).into_owned()
    }
}
