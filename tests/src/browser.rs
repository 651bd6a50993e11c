//! A real browser, and the driver between it and a program.

use std::process::Stdio;

use thirtyfour::prelude::*;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// How a browser is set up.
#[derive(Debug, Clone, Copy, Default)]
pub struct Setup {
    /// It runs no scripts.
    pub without_scripts: bool,
}

/// A browser without a window. It ends with its driver.
#[derive(Debug)]
pub struct Browser {
    /// The way to it.
    pub driver: WebDriver,
    _process: Child,
}

impl Browser {
    /// Begins one, 1200 by 900 pixels.
    pub async fn begin(setup: Setup) -> Self {
        let mut process = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("chromedriver; run the tests with `cargo xtask test`");
        let mut lines = BufReader::new(process.stdout.take().expect("its words")).lines();
        let port = loop {
            let line = lines.next_line().await.expect("it speaks").expect("it begins");
            if let Some(port) = line.split("successfully on port ").nth(1) {
                break port.trim_end_matches('.').to_owned();
            }
        };
        // A pipe that nobody reads fills up, and then it hangs.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let mut wanted = DesiredCapabilities::chrome();
        for argument in [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--window-size=1200,900",
        ] {
            wanted.add_arg(argument).expect("an argument");
        }
        wanted.set("goog:loggingPrefs", serde_json::json!({ "browser": "ALL" })).expect("a setting");
        if setup.without_scripts {
            let off = serde_json::json!({ "profile.managed_default_content_settings.javascript": 2 });
            wanted.add_experimental_option("prefs", off).expect("a setting");
        }
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), wanted).await.expect("a browser");
        Self { driver, _process: process }
    }
}
