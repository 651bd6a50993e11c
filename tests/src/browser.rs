//! A real browser, and the driver between it and a program.

use std::process::Stdio;

use fantoccini::wd::WebDriverCompatibleCommand;
use fantoccini::{Client, ClientBuilder};
use http::Method;
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use url::{ParseError, Url};

/// How a browser is set up.
#[derive(Debug, Clone, Copy, Default)]
pub struct Setup {
    /// It runs no scripts.
    pub without_scripts: bool,
    /// It takes a certificate that nobody vouches for.
    pub trusts_every_certificate: bool,
}

/// A browser without a window. It ends with its driver.
#[derive(Debug)]
pub struct Browser {
    /// The way to it.
    pub driver: Client,
    _process: Child,
}

impl Browser {
    /// Begins one, 1200 by 900 pixels.
    pub async fn begin(setup: Setup) -> Self {
        let (process, port) = start_driver().await;
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--window-size=1200,900",
        ];
        let off = json!({ "profile.managed_default_content_settings.javascript": 2 });
        let prefs = if setup.without_scripts { off } else { json!({}) };
        let wanted = json!({
            "browserName": "chrome",
            "acceptInsecureCerts": setup.trusts_every_certificate,
            "goog:chromeOptions": { "args": arguments, "prefs": prefs },
            "goog:loggingPrefs": { "browser": "ALL" },
        });
        let wanted = wanted.as_object().cloned().unwrap_or_default();
        // The driver is on this machine: nothing is encrypted.
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let driver = builder.capabilities(wanted).connect(&format!("http://127.0.0.1:{port}")).await;
        Self { driver: driver.expect("a browser"), _process: process }
    }

    /// What the browser complained of since it was asked last: a policy that was broken, a file that
    /// is missing, a fault of a script.
    pub async fn complaints(&self) -> Vec<String> {
        let found = self.driver.issue_cmd(Log).await.expect("its log");
        let entries = found.as_array().into_iter().flatten();
        entries.filter_map(|entry| entry["message"].as_str().map(str::to_owned)).collect()
    }
}

/// Tries to start the driver. It takes a free port in two address families one after the other, and
/// ends when somebody else was quicker with the second.
const TRIES: usize = 5;

/// Starts the driver. Returns the port that it listens on.
async fn start_driver() -> (Child, String) {
    for _ in 0..TRIES {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("chromedriver; run the tests with `cargo xtask test`");
        let mut lines = BufReader::new(process.stdout.take().expect("its words")).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if let Some(port) = line.split("successfully on port ").nth(1) {
                // A pipe that nobody reads fills up, and then it hangs.
                tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
                return (process, port.trim_end_matches('.').to_owned());
            }
        }
    }
    panic!("chromedriver ended {TRIES} times before it listened");
}

/// The question for the log, which only Chromium's driver knows.
#[derive(Debug)]
struct Log;

impl WebDriverCompatibleCommand for Log {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/se/log", session.unwrap_or_default()))
    }

    fn method_and_body(&self, _: &Url) -> (Method, Option<String>) {
        (Method::POST, Some(json!({ "type": "browser" }).to_string()))
    }
}
