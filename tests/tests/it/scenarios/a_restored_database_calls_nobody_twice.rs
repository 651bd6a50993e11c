//! A database that forgot calls dials nobody; the vendor's list brings them back; after the
//! operator's word nobody is called twice.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use ringfence_domain::{Outcome, Span};
use ringfence_sandbox::Behaviour;
use ringfence_tests::TestDatabase;
use ringfence_tests::binary::{Vendor, json, output, ringfence, text, write_project};
use ringfence_tests::database::execute;
use tokio::process::Command;

const CONTACTS: usize = 300;
const BEFORE: usize = 80;
const RUN: [&str; 5] = ["run", "spring.toml", "--until", "done", "--json"];

/// A folder with a campaign, and the vendor that it calls through.
struct Drill {
    folder: PathBuf,
    vendor: Vendor,
}

impl Drill {
    async fn begin(database: &TestDatabase, url: &str) -> Self {
        let behaviour = Behaviour {
            outcomes: vec![(Outcome::Answered, 8), (Outcome::Busy, 2)],
            talk: Span::from_millis(200),
            ring: Span::from_millis(50),
            ..Behaviour::default()
        };
        let vendor = Vendor::begin(behaviour).await;
        let folder = database.folder().join("project");
        std::fs::create_dir(&folder).expect("a folder");
        write_project(&folder, url, &vendor, CONTACTS, "[retry]\nbusy = \"1s\"\nmax_attempts = 3");
        Self { folder, vendor }
    }

    /// Dials until some people were called, and ends in good order.
    async fn dial_some(&self) {
        let run = self.dial_on().await;
        let pid = run.id().expect("it runs").to_string();
        let killed = Command::new("kill").args(["-TERM", &pid]).status().await.expect("a signal");
        assert!(killed.success());
        let ended = run.wait_with_output().await.expect("it ends");
        assert_eq!(ended.status.code(), Some(143), "{}", text(&ended));
    }

    /// Dials until some people were called, and goes on.
    async fn dial_on(&self) -> tokio::process::Child {
        let run = ringfence(&self.folder, &RUN).spawn().expect("it starts");
        let some = async {
            while self.vendor.simulator.tape().len() < BEFORE {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), some).await.expect("it dials");
        run
    }

    /// Dials the rest.
    async fn dial_all(&self) {
        let done = output(&self.folder, &RUN).await;
        assert_eq!(done.status.code(), Some(0), "{}", text(&done));
        assert_eq!(self.calls().len(), CONTACTS);
    }

    /// Calls by callee.
    fn calls(&self) -> BTreeMap<String, usize> {
        let mut calls = BTreeMap::new();
        for call in self.vendor.simulator.tape().calls() {
            *calls.entry(call.callee).or_default() += 1;
        }
        calls
    }

    /// Nobody who was reached is called again.
    fn nobody_twice(&self) {
        let mut reached = BTreeMap::<String, usize>::new();
        for call in self.vendor.simulator.tape().calls() {
            let before = reached.entry(call.callee.clone()).or_default();
            assert_eq!(*before, 0, "{} was called after it had been reached", call.callee);
            *before += usize::from(call.outcome == Some(Outcome::Answered));
        }
    }

    /// The database is put back now: nobody is dialled, `status` and `quarantine` say why, and
    /// after the operator's word everybody is called who was not, and nobody else.
    async fn recovers(&self, noticed: &str) {
        let before = self.vendor.simulator.tape().len();
        let held = output(&self.folder, &RUN).await;
        assert_eq!(held.status.code(), Some(4), "{}", text(&held));
        assert_eq!(self.vendor.simulator.tape().len(), before, "nobody is dialled in quarantine");
        let status = output(&self.folder, &["status", "spring"]).await;
        assert!(text(&status).contains("quarantine"), "{}", text(&status));
        let shown = output(&self.folder, &["quarantine"]).await;
        assert_eq!(shown.status.code(), Some(4), "{}", text(&shown));
        let words =
            text(&shown).split_whitespace().filter(|word| *word != "│" && *word != "┆").collect::<Vec<_>>().join(" ");
        assert!(words.contains(noticed), "{noticed}: {}", text(&shown));
        let start = output(&self.folder, &["start"]).await;
        assert_eq!(start.status.code(), Some(4), "a start lifts no quarantine: {}", text(&start));
        let mut lifted = output(&self.folder, &["quarantine", "lift", "--reason", "drill"]).await;
        // A copy of a moment with calls under way: those are asked about first, as the hint says.
        for _ in 0..20 {
            if !text(&lifted).contains("can be entered once an earlier one is settled") {
                break;
            }
            let asked = output(&self.folder, &RUN).await;
            assert_eq!(asked.status.code(), Some(4), "{}", text(&asked));
            lifted = output(&self.folder, &["quarantine", "lift", "--reason", "drill"]).await;
        }
        assert_eq!(lifted.status.code(), Some(0), "{}", text(&lifted));
        let done = output(&self.folder, &RUN).await;
        assert_eq!(done.status.code(), Some(0), "{}", text(&done));
        assert_eq!(self.calls().len(), CONTACTS, "everybody is called");
        self.nobody_twice();
        let on_record = json(&self.folder, &["quarantine", "--json"]).await;
        assert_eq!(on_record["quarantine"], serde_json::Value::Null);
        let last = on_record["lifted"].as_array().and_then(|lifted| lifted.last()).expect("it is on record");
        assert_eq!(last["reason"], "drill");
    }
}

/// Puts a copy in the place of the database, as the documentation says.
fn put_back(drill: &Drill, kept: &Path) {
    copy(kept, &drill.folder.join("calls.db"));
    for end in ["-wal", "-shm"] {
        drop(std::fs::remove_file(drill.folder.join(format!("calls.db{end}"))));
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::copy(from, to).unwrap_or_else(|error| panic!("{} to {}: {error}", from.display(), to.display()));
}

async fn sqlite() -> (TestDatabase, Drill) {
    let database = TestDatabase::sqlite().await;
    let drill = Drill::begin(&database, "sqlite://calls.db").await;
    (database, drill)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_the_file_put_back() {
    let (_database, drill) = sqlite().await;
    drill.dial_some().await;
    let (file, kept) = (drill.folder.join("calls.db"), drill.folder.join("kept"));
    copy(&file, &kept);
    drill.dial_all().await;
    put_back(&drill, &kept);
    drill.recovers("an older copy was put in its place").await;
    // The same copy once more is noticed once more.
    put_back(&drill, &kept);
    drill.recovers("an older copy was put in its place").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_made_while_it_dials() {
    let (_database, drill) = sqlite().await;
    let run = drill.dial_on().await;
    let made = json(&drill.folder, &["backup", "kept.db", "--json"]).await;
    assert_eq!(made["contacts"], CONTACTS);
    let ended = run.wait_with_output().await.expect("it ends");
    assert_eq!(ended.status.code(), Some(0), "{}", text(&ended));
    put_back(&drill, &drill.folder.join("kept.db"));
    drill.recovers("it is a backup").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_put_back_beside_the_log_of_a_killed_process() {
    let (_database, drill) = sqlite().await;
    drill.dial_some().await;
    let kept = drill.folder.join("kept");
    copy(&drill.folder.join("calls.db"), &kept);
    // These calls are in the file itself when the log begins anew.
    let earlier = drill.vendor.simulator.tape().len();
    // A machine that is busy calls nobody within so short a time.
    while drill.vendor.simulator.tape().len() < earlier + 5 {
        let more = output(&drill.folder, &["run", "spring.toml", "--max-time", "300ms"]).await;
        assert_eq!(more.status.code(), Some(0), "{}", text(&more));
    }
    let calls = drill.vendor.simulator.tape().len();
    let mut run = ringfence(&drill.folder, &RUN).spawn().expect("it starts");
    let some = async {
        while drill.vendor.simulator.tape().len() < calls + 10 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), some).await.expect("it dials");
    run.kill().await.expect("it is killed");
    copy(&kept, &drill.folder.join("calls.db"));
    let before = drill.vendor.simulator.tape().len();
    let held = output(&drill.folder, &RUN).await;
    assert_ne!(held.status.code(), Some(0), "{}", text(&held));
    // A mixture may be damaged in any way.
    assert!(["beside the log", "damaged"].iter().any(|says| text(&held).contains(says)), "{}", text(&held));
    assert_eq!(drill.vendor.simulator.tape().len(), before, "nobody is dialled from a mixture");
    put_back(&drill, &kept);
    drill.recovers("an older copy was put in its place").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_goes_on_with_its_own_log() {
    let (_database, drill) = sqlite().await;
    let mut run = drill.dial_on().await;
    run.kill().await.expect("it is killed");
    let done = output(&drill.folder, &RUN).await;
    assert!(matches!(done.status.code(), Some(0 | 3)), "{}", text(&done));
    drill.nobody_twice();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_the_file_deleted() {
    let (_database, drill) = sqlite().await;
    // What is in the main file by then is little: the log holds the calls.
    let mut run = drill.dial_on().await;
    run.kill().await.expect("it is killed");
    for end in ["-wal", "-shm"] {
        std::fs::remove_file(drill.folder.join(format!("calls.db{end}"))).expect("it is there");
    }
    // The witness beside the file remembers more than the file, or another database.
    let held = output(&drill.folder, &RUN).await;
    assert_eq!(held.status.code(), Some(4), "{}", text(&held));
    drill.recovers("").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_and_its_witness_deleted() {
    let (_database, drill) = sqlite().await;
    drill.dial_some().await;
    for end in ["", "-wal", "-shm", ".witness"] {
        drop(std::fs::remove_file(drill.folder.join(format!("calls.db{end}"))));
    }
    drill.recovers("this configuration has dialled with another database").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_database_named_in_the_configuration() {
    let (_database, drill) = sqlite().await;
    drill.dial_some().await;
    let config = std::fs::read_to_string(drill.folder.join("ringfence.toml")).expect("read");
    let postgres = TestDatabase::empty_postgres().await;
    std::fs::write(drill.folder.join("ringfence.toml"), config.replace("sqlite://calls.db", &postgres))
        .expect("written");
    drill.recovers("this configuration has dialled with another database").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_database_named_on_the_command_line_is_meant() {
    let (_database, drill) = sqlite().await;
    drill.dial_some().await;
    let other = ["run", "spring.toml", "--until", "done", "--json", "--database", "sqlite://other.db"];
    let meant = output(&drill.folder, &other).await;
    assert_eq!(meant.status.code(), Some(0), "{}", text(&meant));
    assert!(text(&meant).contains("has dialled with another database"), "{}", text(&meant));
    drill.dial_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_folder_copied() {
    let (database, drill) = sqlite().await;
    drill.dial_some().await;
    let elsewhere = database.folder().join("elsewhere");
    std::fs::create_dir(&elsewhere).expect("a folder");
    for entry in std::fs::read_dir(&drill.folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_file() {
            copy(&path, &elsewhere.join(path.file_name().expect("a name")));
        }
    }
    let before = drill.vendor.simulator.tape().len();
    let held = output(&elsewhere, &RUN).await;
    assert_eq!(held.status.code(), Some(4), "{}", text(&held));
    assert!(text(&held).contains("copied or moved here"), "{}", text(&held));
    assert_eq!(drill.vendor.simulator.tape().len(), before);
    drill.dial_all().await;
    drill.nobody_twice();
}

/// Runs one of Postgres' programs; what it printed.
async fn postgres(program: &str, args: &[&str], input: &[u8]) -> Vec<u8> {
    use tokio::io::AsyncWriteExt;
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    let mut stdin = child.stdin.take().expect("an input");
    let fed = input.to_vec();
    let feeding = tokio::spawn(async move { stdin.write_all(&fed).await });
    let output = child.wait_with_output().await.expect("it ends");
    feeding.await.expect("it is fed").expect("it reads");
    assert!(output.status.success(), "{program} {args:?}: {}", text(&output));
    output.stdout
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_restored_into_the_same_database() {
    let database = TestDatabase::postgres().await;
    let drill = Drill::begin(&database, &database.url).await;
    drill.dial_some().await;
    let dump = postgres("pg_dump", &["--clean", &database.url], b"").await;
    drill.dial_all().await;
    database.store.close().await;
    postgres("psql", &["-q", "-v", "ON_ERROR_STOP=1", &database.url], &dump).await;
    drill.recovers("its rows were written by a restore").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_restored_into_a_new_database() {
    let database = TestDatabase::postgres().await;
    let drill = Drill::begin(&database, &database.url).await;
    drill.dial_some().await;
    let dump = postgres("pg_dump", &[&database.url], b"").await;
    drill.dial_all().await;
    let new = TestDatabase::empty_postgres().await;
    postgres("psql", &["-q", "-v", "ON_ERROR_STOP=1", &new], &dump).await;
    let config = std::fs::read_to_string(drill.folder.join("ringfence.toml")).expect("read");
    std::fs::write(drill.folder.join("ringfence.toml"), config.replace(&database.url, &new)).expect("written");
    drill.recovers("the server under it is not the one that it was").await;
}

/// Something happens to the database while a process dials: it dials on no further, and says why.
async fn noticed_while_it_dials(drill: &Drill, happens: impl Future<Output = ()>) {
    let run = drill.dial_on().await;
    happens.await;
    let ended = tokio::time::timeout(Duration::from_mins(1), run.wait_with_output()).await;
    let ended = ended.expect("it leaves").expect("it ends");
    assert_eq!(ended.status.code(), Some(4), "{}", text(&ended));
    assert!(text(&ended).contains("quarantine"), "{}", text(&ended));
    assert!(drill.calls().len() < CONTACTS, "it dials nobody more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_promoted_while_it_is_used() {
    let database = TestDatabase::postgres().await;
    let drill = Drill::begin(&database, &database.url).await;
    database.prepare_server(&[("pg_walfile_name(pg_lsn)", "text", "'0000000900000000000000AB'")]).await;
    noticed_while_it_dials(&drill, async {
        execute(&database.url, "ALTER SCHEMA server_not_yet RENAME TO server").await;
        database.cut_connections().await;
    })
    .await;
    drill.recovers("the server under it is not the one that it was").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_put_back_in_place_while_it_is_used() {
    let (_database, drill) = sqlite().await;
    let url = format!("sqlite://{}", drill.folder.join("calls.db").display());
    // As `.restore` of SQLite's own program: an older state becomes the newest transaction.
    noticed_while_it_dials(&drill, execute(&url, "UPDATE witness SET commits = commits - 9")).await;
    drill.recovers("an older copy was put in its place").await;
}
