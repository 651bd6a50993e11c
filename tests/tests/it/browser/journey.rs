//! One evening of somebody who never saw a terminal: over the demo as its users start it, from the
//! one-time address to the brake.

use std::process::Stdio;

use ringfence_tests::binary;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;

use super::session::Session;

/// Four people who can be called, one who stands there twice, and one whose number is none.
const LIST: &str = "id,name,mobile\nE1,Asha Rao,9720000001\nE2,Ravi Das,9720000002\nE3,Meera Iyer,9720000003\n\
    E4,Kiran Khan,9720000004\nE5,Kiran again,9720000004\nE6,No Number,12345\n";

/// Starts the demo. Returns where it is, and the path that logs a browser in once.
async fn demo(folder: &std::path::Path) -> (Child, String, String) {
    let args = ["demo", "--serve", "--listen", "127.0.0.1:0"];
    let mut child =
        binary::ringfence(folder, &args).env("TMPDIR", folder).stdout(Stdio::null()).spawn().expect("started");
    let mut lines = BufReader::new(child.stderr.take().expect("its words")).lines();
    let mut login = None;
    loop {
        let line = lines.next_line().await.expect("it speaks").expect("it goes on");
        if let Some(address) = line.trim().strip_prefix("dashboard") {
            login = Some(address.trim().to_owned());
        }
        if line.starts_with("listening on") {
            break;
        }
    }
    // A pipe that nobody reads fills up.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    let login = login.expect("it says where the dashboard is");
    let path = login.find("/login").expect("a page");
    (child, login[..path].to_owned(), login[path..].to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn somebody_uploads_a_list_starts_it_watches_it_and_stops_everything() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_demo, base, login) = demo(folder.path()).await;
    let session = Session::at(base).await;
    session.go(&login).await;
    session.click("button.main").await;
    session.until_said("Needs you").await;
    // What is wrong stands first: a list that is held.
    session.until_said("renewal").await;

    let list = folder.path().join("evening.csv");
    std::fs::write(&list, LIST).expect("written");
    session.go("/new").await;
    session.field("#file").await.send_keys(&list.display().to_string()).await.expect("chosen");
    session.click("button.main").await;
    session.until_said("What are the columns?").await;
    session.until_said("6 rows").await;
    session.click("button.main").await;
    session.until_said("4 people can be called, 1 rows cannot, 1 stood there before").await;
    session.click("button.main").await;
    session.until_said("What would happen").await;
    session.fill("[name=agent]", "demo-agent").await;
    session.fill("[name=caller_ids]", "9876500000").await;
    session.fill("[name=hours]", "24/7").await;
    session.fill("[name=rules]", "").await;
    session.click("button.main").await;
    session.until_said("The exact request").await;
    session.until_said("demo-agent").await;
    session.go("/campaigns/evening/start").await;
    session.until_said("4 people will be called").await;
    session.field("#people").await.send_keys("4").await.expect("typed");
    session.click("button.main").await;

    // The page moves by itself: somebody is in a call, and then calls are over.
    session.until_there("#pulse[data-state=live]").await;
    session.until_said("By caller id").await;

    session.click("form[action$='/pause'] button").await;
    session.until_said("paused").await;
    session.go("/campaigns/evening/rules").await;
    let file = session.ask("return document.getElementById('toml').value").await;
    assert!(file.as_str().is_some_and(|file| file.contains("24/7")), "{file}");
    session.ask("const file = document.getElementById('toml'); file.value = file.value.replace('24/7', 'Mo-Su 00:00-23:00')").await;
    session.click("form[action$='/rules'] button.main").await;
    session.until_said("calling.hours").await;
    session.click("form[action$='/apply'] button.main").await;
    session.go("/campaigns/evening/why").await;
    session.until_said("paused").await;

    // Two calls are doubtful, one after the other.
    session.go("/").await;
    session.until_said("Review 2").await;
    session.go("/review").await;
    session.until_there("input[name=contact]").await;
    session.click("td details summary").await;
    session.until_said("nobody knows whether the vendor took it").await;
    session.click("input[name=contact]").await;
    session.click("button[value=placed]").await;
    // One of them is left.
    session.until_said("Review 1").await;
    session.click("form[action='/stop'] button").await;
    session.until_said("Everything is stopped").await;
    assert_eq!(session.complaints().await, Vec::<String>::new());
    session.end().await;
}
