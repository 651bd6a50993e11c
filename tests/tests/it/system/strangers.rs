//! Texts of strangers steer no terminal and no log, and people's data stays with its user.

use std::os::unix::fs::PermissionsExt;

use ringfence_tests::binary::{Vendor, json, output, ringfence, text, write_project};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;

/// Colours, a cleared screen, a window's title, a carriage return, marks that turn the order round.
const EVIL: &str = "\u{1b}[31mAsha\u{1b}[2J\u{1b}]0;owned\u{7}\u{9b}1m\u{202e}evil\u{2066}";

fn harmless(shown: &str, of: &str) {
    let steers = |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202e}' | '\u{2066}');
    let found: Vec<String> = shown.chars().filter(|c| steers(*c)).map(|c| c.escape_unicode().to_string()).collect();
    assert!(found.is_empty(), "{of}: {found:?} in {}", shown.escape_debug());
}

async fn project(extra: &str) -> (TempDir, Vendor) {
    let folder = TempDir::new().expect("a folder");
    let vendor = Vendor::begin(ringfence_sandbox::Behaviour::default()).await;
    write_project(folder.path(), "sqlite://test.db", &vendor, 0, extra);
    (folder, vendor)
}

#[tokio::test]
async fn control_characters_of_a_list_are_shown_by_their_numbers_everywhere() {
    let (folder, _vendor) = project("").await;
    let folder = folder.path();
    json(folder, &["apply", "spring.toml", "--yes", "--json"]).await;
    let list = format!("name,phone\n{EVIL},9820000001\n{EVIL},9820000001\n{EVIL},{EVIL}\n");
    std::fs::write(folder.join("evil.csv"), list).expect("written");
    for args in [
        &["import", "spring", "evil.csv"][..],
        &["imports", "spring"],
        &["contacts", "spring"],
        &["contacts", "spring", "--json"],
        &["why", "+919820000001"],
        &["status"],
        &["status", "--json"],
        &["preview", "spring.toml", "--contacts", "evil.csv"],
        &["pause", "spring", "--reason", EVIL],
        &["events"],
        &["events", "--json"],
        &["campaigns"],
        &["check", "spring.toml"],
        &["run", "spring.toml", "--dry-run", "--contacts", "evil.csv"],
    ] {
        let done = ringfence(folder, args).env("RINGFENCE_LOG", "debug").output().await.expect("it starts");
        harmless(&text(&done), &args.join(" "));
    }
    let events = text(&output(folder, &["events", "--json"]).await);
    let paused = events.lines().find(|line| line.contains("campaign.paused")).expect("an event");
    let paused: serde_json::Value = serde_json::from_str(paused).expect("JSON");
    assert_eq!(paused["cause"], format!("person: {EVIL}"), "a program reads what was written");
}

#[tokio::test]
async fn files_with_peoples_data_are_their_users_alone() {
    let (folder, _vendor) = project("").await;
    let folder = folder.path();
    std::fs::write(folder.join("list.csv"), "name,phone\nA,9820000001\nB,junk\n").expect("written");
    json(folder, &["apply", "spring.toml", "--yes", "--json"]).await;
    let serve = ringfence_tests::binary::start(folder, &["serve"]);
    json(folder, &["import", "spring", "list.csv", "--rejects", "rejects.csv", "--json"]).await;
    json(folder, &["backup", "copy.db", "--json"]).await;
    for name in ["test.db", "test.db-wal", "test.db-shm", "test.db.witness", "rejects.csv", "copy.db"] {
        let mode =
            std::fs::metadata(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}")).permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", serve.id().expect("it runs"))).expect("limits");
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).expect("a limit");
    assert_eq!(core.split_whitespace().nth(4), Some("0"), "{core}");
}

#[tokio::test]
async fn standard_input_leaves_no_copy_behind_while_it_is_read() {
    let (folder, _vendor) = project("").await;
    let (folder, scratch) = (folder.path(), TempDir::new().expect("a folder"));
    let mut run = ringfence(folder, &["run", "spring.toml", "--contacts", "-", "--max-time", "1s"]);
    let mut run = run.env("TMPDIR", scratch.path()).stdin(std::process::Stdio::piped()).spawn().expect("it starts");
    let mut input = run.stdin.take().expect("a pipe");
    input.write_all(b"name,phone\nAsha,9820000001\n").await.expect("written");
    // As often as it looks, nobody finds a file with a name.
    for _ in 0..20 {
        let left: Vec<_> =
            std::fs::read_dir(scratch.path()).expect("a folder").flatten().map(|entry| entry.path()).collect();
        assert!(left.iter().all(|path| path.is_dir()), "{left:?}");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    drop(input);
    let ended = run.wait_with_output().await.expect("it ends");
    assert!(text(&ended).contains("1 total"), "{}", text(&ended));
}
