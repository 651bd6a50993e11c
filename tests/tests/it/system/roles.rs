//! `serve --roles`: one process serves HTTP and dials nobody, another dials and listens nowhere.

use std::path::Path;
use std::time::Duration;

use ringfence_tests::binary;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const CONFIG: &str =
    "[database]\nurl = \"sqlite://roles.db\"\n\n[provider.main]\nkind = \"sandbox\"\nring = \"0s\"\ntalk = \"0s\"\n";

const CAMPAIGN: &str = "name = \"spring\"\nprovider = \"main\"\nagent = \"a\"\ncaller_ids = [\"9876500000\"]\n\
    [calling]\nhours = \"24/7\"\n[retry]\nmax_attempts = 1\n[contacts]\nphone = \"mobile\"\ncountry = \"IN\"\n";

async fn ask(address: &str, path: &str, token: &str) -> String {
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    let head =
        format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer
}

async fn state(folder: &Path) -> String {
    let status = binary::json(folder, &["status", "spring", "--json"]).await;
    status["state"].as_str().expect("a state").to_owned()
}

#[tokio::test]
async fn one_process_serves_and_another_dials() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("ringfence.toml"), CONFIG).expect("written");
    std::fs::write(folder.path().join("spring.toml"), CAMPAIGN).expect("written");
    std::fs::write(folder.path().join("list.csv"), "mobile\n7000000001\n").expect("written");
    for args in [&["apply", "spring.toml"][..], &["import", "spring", "list.csv"]] {
        let done = binary::output(folder.path(), args).await;
        assert!(done.status.success(), "{args:?}: {}", binary::text(&done));
    }
    let made = binary::json(folder.path(), &["token", "create", "--scope", "viewer", "--json"]).await;
    let token = made["token"].as_str().expect("a token");
    let mut web = binary::ringfence(folder.path(), &["serve", "--roles", "web", "--listen", "127.0.0.1:0"])
        .spawn()
        .expect("it starts");
    let address = binary::listening(&mut web).await.expect("it listens");
    let lanes = ask(&address, "/api/v1/lanes", token).await;
    assert!(lanes.starts_with("HTTP/1.1 200") && lanes.contains("\"owner\":null"), "nobody dials it: {lanes}");
    assert_eq!(state(folder.path()).await, "running", "who waits is not dialled");
    // The address is taken: a process that only dials does not ask for it.
    let engine = ["serve", "--roles", "engine", "--listen", &address];
    let mut engine = binary::ringfence(folder.path(), &engine).spawn().expect("it starts");
    let dialling = async { while state(folder.path()).await != "done" {} };
    tokio::time::timeout(Duration::from_mins(1), dialling).await.expect("it is dialled");
    assert!(engine.try_wait().expect("asked").is_none() && web.try_wait().expect("asked").is_none(), "both live");
    let summary = ask(&address, "/api/v1/campaigns/spring/summary", token).await;
    assert!(summary.contains("\"state\":\"done\""), "{summary}");
}

#[tokio::test]
async fn who_only_serves_needs_an_address_and_no_lane() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("ringfence.toml"), "[database]\nurl = \"sqlite://roles.db\"\n").expect("written");
    let refused = binary::output(folder.path(), &["serve", "--roles", "web"]).await;
    assert_eq!(refused.status.code(), Some(1));
    assert!(binary::text(&refused).contains("there is no address to serve HTTP at"), "{}", binary::text(&refused));
    let refused = binary::output(folder.path(), &["serve", "--roles", "cook"]).await;
    assert_eq!(refused.status.code(), Some(1), "{}", binary::text(&refused));
    let refused = binary::output(folder.path(), &["serve", "--roles", "engine"]).await;
    assert!(binary::text(&refused).contains("has no [provider.…] section"), "{}", binary::text(&refused));
    let mut web = binary::ringfence(folder.path(), &["serve", "--roles", "web", "--listen", "127.0.0.1:0"])
        .spawn()
        .expect("it starts");
    let address = binary::listening(&mut web).await.expect("it listens");
    assert!(ask(&address, "/healthz", "").await.starts_with("HTTP/1.1 200"));
}
