//! A database that takes nothing for a while: calls that were accepted meanwhile stay known, in
//! the process and beyond its end.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use ringfence_domain::{Outcome, Span};
use ringfence_engine::outage::outlasts;
use ringfence_operations::{Error, ErrorKind};
use ringfence_sandbox::Behaviour;
use ringfence_tests::binary::{Vendor, json, ringfence, write_project};
use ringfence_tests::{TestDatabase, on_both_databases};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, SqliteConnection};

const CONTACTS: usize = 80;

fn behaviour() -> Behaviour {
    Behaviour {
        outcomes: vec![(Outcome::Answered, 1)],
        talk: Span::from_millis(200),
        ring: Span::from_millis(50),
        latency: Span::from_millis(200),
        ..Behaviour::default()
    }
}

/// A database that can be read and not written to: a server that became a standby, a file that
/// another program has locked.
enum Shut {
    Server { admin: PgConnection, name: String },
    File(SqliteConnection),
}

impl Shut {
    async fn shut(database: &TestDatabase) -> Self {
        if let Some(path) = database.url.strip_prefix("sqlite://") {
            let mut lock = SqliteConnection::connect(path).await.expect("the file");
            while lock.execute("BEGIN IMMEDIATE").await.is_err() {}
            return Self::File(lock);
        }
        let (server, name) = database.url.rsplit_once('/').expect("an address");
        let admin = PgConnection::connect(&format!("{server}/postgres")).await.expect("the server");
        let mut shut = Self::Server { admin, name: name.to_owned() };
        shut.read_only("on").await;
        shut
    }

    async fn read_only(&mut self, how: &str) {
        let Self::Server { admin, name } = self else { return };
        let set = format!("ALTER DATABASE {name} SET default_transaction_read_only = {how}");
        admin.execute(AssertSqlSafe(set)).await.expect("set");
        if how == "on" {
            // As in a fail-over: the connections break, and the server that answers then takes no
            // writes.
            let cut = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
            admin.execute(AssertSqlSafe(cut)).await.expect("cut");
        }
    }

    async fn open(mut self) {
        self.read_only("off").await;
        if let Self::File(mut lock) = self {
            lock.execute("ROLLBACK").await.expect("unlocked");
        }
    }
}

async fn count(database: &TestDatabase, name: &str) -> i64 {
    let numbers = database.store.numbers("spring".into(), ringfence_domain::Moment::default()).await.ok().flatten();
    numbers.and_then(|numbers| numbers.counts.get(name).copied()).unwrap_or_default()
}

async fn until_sending(database: &TestDatabase, at_least: i64) {
    let enough = async {
        while count(database, "attempt:sending").await < at_least {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), enough).await.expect("requests are under way");
}

on_both_databases! {
    async fn a_database_that_takes_nothing_for_six_seconds_sends_nobody_to_review(database) {
        let vendor = Vendor::begin(behaviour()).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, CONTACTS, "[on_unknown]\nask_for = \"1s\"");
        let run = ringfence(folder, &["run", "spring.toml", "--json"]).spawn().expect("it starts");
        until_sending(&database, 5).await;
        let shut = Shut::shut(&database).await;
        tokio::time::sleep(Duration::from_secs(6)).await;
        shut.open().await;
        let output = tokio::time::timeout(Duration::from_secs(90), run.wait_with_output()).await.expect("in time").expect("it ends");
        let summary: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a summary");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(0), "{summary}\n{said}");
        assert_eq!(summary["contacts"]["review"], 0, "{summary}\n{said}");
        assert_eq!(summary["contacts"]["done"], CONTACTS, "{summary}");
        assert_eq!(vendor.simulator.tape().calls().len(), CONTACTS, "everyone once");
        assert!(!folder.join("ringfence.receipts").exists());
        let run = database.store.campaign("spring".into()).await.expect("a campaign").expect("there").run;
        assert_eq!(database.store.recount(run).await.expect("a recount"), []);
    }
}

on_both_databases! {
    async fn a_process_that_must_end_first_leaves_a_file_that_the_next_one_reads(database) {
        let vendor = Vendor::begin(behaviour()).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, CONTACTS, "[on_unknown]\nask_for = \"1s\"");
        let run = ringfence(folder, &["run", "spring.toml", "--json"]).spawn().expect("it starts");
        let id = run.id().expect("it runs").to_string();
        until_sending(&database, 5).await;
        let shut = Shut::shut(&database).await;
        let file = folder.join("ringfence.receipts");
        let written = async { while !file.exists() { tokio::time::sleep(Duration::from_millis(20)).await } };
        tokio::time::timeout(Duration::from_secs(20), written).await.expect("a file");
        let killed = tokio::process::Command::new("kill").args(["-TERM", &id]).status().await.expect("kill");
        assert!(killed.success());
        let output = tokio::time::timeout(Duration::from_secs(30), run.wait_with_output()).await.expect("in time").expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("answers of providers could not be recorded; they stand in"), "{said}");
        let lines = std::fs::read_to_string(&file).expect("the file").lines().count() as i64;
        assert!(lines >= 5, "{lines} of at least 5 requests\n{said}");
        assert_eq!(std::fs::metadata(&file).expect("the file").permissions().mode() & 0o777, 0o600);
        shut.open().await;
        // Any command of this configuration records them.
        let before = count(&database, "attempt:placed").await;
        json(folder, &["lanes", "--json"]).await;
        assert_eq!(count(&database, "attempt:placed").await, before + lines, "{said}");
        assert!(!file.exists(), "it is gone with the last line");
        let summary = json(folder, &["run", "spring.toml", "--json"]).await;
        assert_eq!(summary["contacts"]["done"], CONTACTS, "{summary}");
        assert_eq!(summary["contacts"]["review"], 0, "{summary}");
        assert_eq!(vendor.simulator.tape().calls().len(), CONTACTS, "everyone once");
    }
}

on_both_databases! {
    async fn a_file_that_cannot_stand_beside_the_configuration_stands_elsewhere(database) {
        let vendor = Vendor::begin(behaviour()).await;
        let folder = database.folder();
        write_project(folder, &database.url, &vendor, CONTACTS, "[on_unknown]\nask_for = \"1s\"");
        // Nobody can write a file where a folder is.
        std::fs::create_dir(folder.join("ringfence.receipts")).expect("a folder in its way");
        let temporary = folder.join("tmp");
        std::fs::create_dir(&temporary).expect("a folder");
        let command = |args: &[&str]| {
            let mut command = ringfence(folder, args);
            command.env("TMPDIR", &temporary).env_remove("STATE_DIRECTORY");
            command
        };
        let elsewhere = match database.url.strip_prefix("sqlite://") {
            Some(path) => std::path::PathBuf::from(format!("{path}.receipts")),
            None => temporary.join(format!("ringfence-{}.receipts", database.store.installation())),
        };
        let run = command(&["run", "spring.toml", "--json"]).spawn().expect("it starts");
        let id = run.id().expect("it runs").to_string();
        until_sending(&database, 5).await;
        let shut = Shut::shut(&database).await;
        let written = async { while !elsewhere.exists() { tokio::time::sleep(Duration::from_millis(20)).await } };
        tokio::time::timeout(Duration::from_secs(20), written).await.expect("a file");
        let killed = tokio::process::Command::new("kill").args(["-TERM", &id]).status().await.expect("kill");
        assert!(killed.success());
        let output = tokio::time::timeout(Duration::from_mins(1), run.wait_with_output()).await.expect("in time").expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains(&format!("they stand in {}, and the next start", elsewhere.display())), "{said}");
        let lines = std::fs::read_to_string(&elsewhere).expect("the file").lines().count() as i64;
        assert!(lines >= 5, "{lines} of at least 5 requests\n{said}");
        assert_eq!(std::fs::metadata(&elsewhere).expect("the file").permissions().mode() & 0o777, 0o600);
        shut.open().await;
        let output = command(&["run", "spring.toml", "--json"]).output().await.expect("it starts");
        let summary: serde_json::Value = serde_json::from_slice(&output.stdout).expect("a summary");
        assert_eq!(summary["contacts"]["done"], CONTACTS, "{summary}");
        assert_eq!(summary["contacts"]["review"], 0, "{summary}");
        assert_eq!(vendor.simulator.tape().calls().len(), CONTACTS, "everyone once");
        assert!(!elsewhere.exists(), "it is gone with the last line");
    }
}

on_both_databases! {
    async fn a_process_that_could_not_write_for_too_long_says_what_to_mend_and_ends(database) {
        let store = &database.store;
        let patience = Duration::from_secs(3);
        let shut = Shut::shut(&database).await;
        let began = tokio::time::Instant::now();
        let trying = async {
            loop {
                drop(store.start_all(ringfence_domain::Moment::default()).await);
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        let ending = outlasts(store, patience);
        let failure = tokio::select! {
            outage = tokio::time::timeout(Duration::from_mins(2), ending) => Error::from(outage.expect("it ends")),
            () = trying => unreachable!("it tries for ever"),
        };
        assert!(began.elapsed() >= patience, "it ended after {:?}", began.elapsed());
        let Error { kind: ErrorKind::Work, message, hint, .. } = failure else { panic!("{failure:?}") };
        let (what, mend) = if database.url.starts_with("sqlite") {
            ("it is locked", "end the process that holds the lock")
        } else {
            ("it is read-only", "name the server that takes writes")
        };
        assert!(message.contains(what) && message.contains(" s now; this process ends"), "{message}");
        let hint = hint.expect("a hint");
        assert!(hint.contains(mend) && hint.ends_with("; then start again"), "{hint}");
        shut.open().await;
        // A database that can be written again is waited for no longer, and ends nobody.
        let written = async { while store.start_all(ringfence_domain::Moment::default()).await.is_err() {} };
        tokio::time::timeout(Duration::from_mins(1), written).await.expect("written");
        assert!(store.outage().is_none());
    }
}
