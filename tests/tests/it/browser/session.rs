//! One browser for the length of a test, logged in.

use std::sync::Arc;
use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::{Client, Locator};
use ringfence_domain::Scope;
use ringfence_intake::Config;
use ringfence_store::Database;
use ringfence_tests::browser::{Browser, Setup};
use ringfence_tests::web::{Sent, Web};

/// Nothing that a test waits for takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A browser, where it looks, and the driver between a test and it.
pub(super) struct Session {
    pub(super) browser: Client,
    base: String,
    web: Option<Web>,
    kept: Browser,
}

impl Session {
    /// Begins with a browser that is logged in with this scope.
    pub(super) async fn begin(store: &Arc<Database>, scope: Scope) -> Self {
        Self::begin_with(store, scope, Setup::default()).await
    }

    /// The same with a browser that is set up so.
    pub(super) async fn begin_with(store: &Arc<Database>, scope: Scope, setup: Setup) -> Self {
        Self::log_in(Web::begin(store, Config::default()).await, scope, setup).await
    }

    /// Begins at this server, with a browser that is logged in with this scope.
    pub(super) async fn log_in(web: Web, scope: Scope, setup: Setup) -> Self {
        let token = web.token(scope).await;
        let browser = Browser::begin(setup).await;
        let base = web.base.clone();
        let session = Self { browser: browser.driver.clone(), base, web: Some(web), kept: browser };
        session.go("/login").await;
        session.field("#secret").await.send_keys(&token).await.expect("typed");
        session.click("button.main").await;
        session.until_there("#live").await;
        session
    }

    /// Begins at a server that runs by itself. Nobody is logged in.
    pub(super) async fn at(base: String) -> Self {
        let browser = Browser::begin(Setup::default()).await;
        Self { browser: browser.driver.clone(), base, web: None, kept: browser }
    }

    /// Waits until the server has so many open event streams.
    pub(super) async fn until_streams(&self, wanted: usize) {
        let web = self.web.as_ref().expect("a server of this test");
        let line = format!("\nringfence_event_streams {wanted}\n");
        let until = tokio::time::Instant::now() + PATIENCE;
        loop {
            let metrics = web.send("GET", "/metrics", None, Sent::default()).await.text();
            if metrics.contains(&line) {
                break;
            }
            let open = metrics.lines().find(|line| line.starts_with("ringfence_event_streams"));
            assert!(tokio::time::Instant::now() < until, "there are not {wanted} streams: {open:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(super) async fn go(&self, path: &str) {
        self.browser.goto(&format!("{}{path}", self.base)).await.expect("a page");
    }

    /// Puts a text where another one may stand.
    pub(super) async fn fill(&self, selector: &str, text: &str) {
        let field = self.field(selector).await;
        field.clear().await.unwrap_or_else(|error| panic!("{selector}: {error}"));
        field.send_keys(text).await.unwrap_or_else(|error| panic!("{selector}: {error}"));
    }

    pub(super) async fn field(&self, selector: &str) -> Element {
        self.browser.find(Locator::Css(selector)).await.unwrap_or_else(|error| panic!("{selector}: {error}"))
    }

    /// Clicks an element. One that the page replaced between looking and clicking is looked for again.
    pub(super) async fn click(&self, selector: &str) {
        let until = tokio::time::Instant::now() + PATIENCE;
        while let Err(error) = self.field(selector).await.click().await {
            let is_late = tokio::time::Instant::now() > until;
            assert!(error.is_stale_element_reference() && !is_late, "{selector}: {error}");
        }
    }

    /// The text that a person reads on the page; none between two pages.
    pub(super) async fn text(&self) -> String {
        match self.browser.find(Locator::Css("body")).await {
            Ok(body) => body.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        }
    }

    /// What a script says on the page.
    pub(super) async fn ask(&self, script: &str) -> serde_json::Value {
        self.browser.execute(script, Vec::new()).await.unwrap_or_else(|error| panic!("{script}: {error}"))
    }

    /// Waits until an element is there.
    pub(super) async fn until_there(&self, selector: &str) {
        let there = self.browser.wait().at_most(PATIENCE).for_element(Locator::Css(selector)).await;
        if let Err(error) = there {
            panic!("{selector} never came: {error}: {}", self.text().await);
        }
    }

    /// Waits until the page says something.
    pub(super) async fn until_said(&self, words: &str) {
        let until = tokio::time::Instant::now() + PATIENCE;
        while !self.text().await.contains(words) {
            assert!(tokio::time::Instant::now() < until, "`{words}` never came: {}", self.text().await);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What the browser complained of since it was asked last.
    pub(super) async fn complaints(&self) -> Vec<String> {
        self.kept.complaints().await
    }

    /// Ends the browser.
    pub(super) async fn end(self) {
        self.browser.close().await.expect("it ends");
    }
}
