//! `cargo xtask screenshots`: pictures of the terminal and of the dashboard over the demo, for the
//! documentation.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use fantoccini::Locator;
use ringfence_tests::binary;
use ringfence_tests::browser::{Browser, Setup};
use tokio::io::{AsyncBufReadExt, BufReader};

/// The pictures: their names, their pages, how wide they are and whether they are dark.
const PICTURES: &[(&str, &str, u32, bool)] = &[
    ("overview", "/", 1200, false),
    ("overview-dark", "/", 1200, true),
    ("campaign", "/campaigns/diwali", 1200, false),
    ("campaign-phone", "/campaigns/diwali", 390, false),
    ("contact", "/contacts/1", 1200, false),
    ("review", "/review", 1200, false),
];
/// The demo lives so long before it is shown.
const LIFE: Duration = Duration::from_secs(90);
/// The highest picture.
const HIGHEST: i64 = 1_400;

#[tokio::main]
async fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/screenshots");
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut demo = binary::ringfence(&folder, &["demo", "--serve", "--listen", "127.0.0.1:0"]);
    let mut demo = demo.stdout(Stdio::null()).spawn().expect("the demo");
    let mut lines = BufReader::new(demo.stderr.take().expect("its words")).lines();
    let (mut token, mut files, mut address) = (None, None, None);
    while token.is_none() || files.is_none() || address.is_none() {
        let line = lines.next_line().await.expect("it speaks").expect("it begins");
        let said = |what: &str| line.trim().strip_prefix(what).map(|rest| rest.trim().to_owned());
        token = token.or_else(|| said("token "));
        files = files.or_else(|| said("files "));
        address = address.or_else(|| line.strip_prefix("listening on ").map(str::to_owned));
    }
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    let (token, address) = (token.unwrap_or_default(), address.unwrap_or_default());
    tokio::time::sleep(LIFE).await;
    let terminal = terminal(Path::new(&files.unwrap_or_default())).await;
    std::fs::write(folder.join("terminal.svg"), terminal).expect("written");
    let kept = Browser::begin(Setup::default()).await;
    let browser = &kept.driver;
    browser.goto(&format!("{address}/login")).await.expect("a page");
    browser.find(Locator::Id("secret")).await.expect("a field").send_keys(&token).await.expect("typed");
    browser.find(Locator::Css("button.main")).await.expect("a button").click().await.expect("pressed");
    for (name, path, width, is_dark) in PICTURES {
        browser.set_window_rect(0, 0, *width, 900).await.expect("a size");
        browser.goto(&format!("{address}{path}")).await.expect("a page");
        let colours = if *is_dark { "dark" } else { "light" };
        let wear = format!(
            "document.documentElement.dataset.colours = '{colours}'; return document.documentElement.scrollHeight"
        );
        let height = browser.execute(&wear, Vec::new()).await.expect("its height").as_i64().unwrap_or(900);
        browser.set_window_rect(0, 0, *width, height.clamp(600, HIGHEST) as u32).await.expect("a size");
        let picture = browser.screenshot().await.expect("a picture");
        std::fs::write(folder.join(format!("{name}.png")), picture).expect("written");
    }
    browser.clone().close().await.expect("it ends");
    demo.kill().await.expect("it ends");
}

/// A picture of a terminal in the folder of the demo: a campaign, and why one person is not called
/// now.
async fn terminal(demo: &Path) -> String {
    let list = std::fs::read_to_string(demo.join("worldwide.csv")).expect("its list");
    let mut text = shown(demo, &["status", "diwali"]).await;
    // It is night for some of them, whenever the picture is made.
    for row in list.lines().skip(1).take(20) {
        let number = format!("+91{}", row.split(',').nth(2).expect("a number"));
        let why = shown(demo, &["why", &number]).await;
        if why.contains("it may be dialled from") {
            text.push_str(&why);
            break;
        }
    }
    anstyle_svg::Term::new().render_svg(text.trim_end())
}

/// A command as it is typed, and what it prints.
async fn shown(demo: &Path, args: &[&str]) -> String {
    let said = binary::output(demo, args).await;
    assert!(said.status.success(), "{args:?}: {}", binary::text(&said));
    format!("\x1b[1m$ ringfence {}\x1b[0m\n{}\n", args.join(" "), String::from_utf8_lossy(&said.stdout))
}
