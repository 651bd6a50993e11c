//! The witness beside a SQLite database cannot be written for a while: nothing is dialled, nobody
//! goes to review, whoever must mend it is told, and then it goes on. A process that cannot write
//! it for a minute ends.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use ringfence_domain::{Clock, Outcome, Span};
use ringfence_sandbox::Behaviour;
use ringfence_store::Guarded;
use ringfence_tests::TestDatabase;
use ringfence_tests::binary::{Vendor, path, ringfence, text, write_project};
use ringfence_tests::sample::{lane_settings, noon, rules};
use ringfence_tests::virtual_time::{Dialer, VirtualClock};
use tokio::process::{Child, Command};

const CONTACTS: usize = 120;
/// Whoever has no rights of their own: root may write everything.
const NOBODY: u32 = 65_534;

fn behaviour() -> Behaviour {
    Behaviour {
        outcomes: vec![(Outcome::Answered, 1)],
        talk: Span::from_millis(200),
        ring: Span::from_millis(50),
        ..Behaviour::default()
    }
}

/// A folder with a campaign, which a user without special rights works in.
struct Place {
    _database: TestDatabase,
    folder: PathBuf,
    vendor: Vendor,
}

impl Place {
    async fn begin() -> Self {
        let database = TestDatabase::sqlite().await;
        let folder = database.folder().to_owned();
        let vendor = Vendor::begin(behaviour()).await;
        write_project(&folder, "sqlite://calls.db", &vendor, CONTACTS, "[on_unknown]\nask_for = \"1s\"");
        let config = folder.join("ringfence.toml");
        let slower = std::fs::read_to_string(&config).expect("read").replace("200/s", "20/s");
        std::fs::write(&config, slower).expect("written");
        if is_root() {
            // The binary may stand where nobody else can read.
            std::fs::copy(path(), folder.join("ringfence")).expect("copied");
            for entry in std::fs::read_dir(&folder).expect("a folder") {
                give(&entry.expect("an entry").path());
            }
            give(&folder);
        }
        Self { _database: database, folder, vendor }
    }

    fn command(&self, args: &[&str]) -> Command {
        let known = ringfence(&self.folder, args);
        if !is_root() {
            return known;
        }
        let known = known.into_std();
        let mut own = std::process::Command::new(self.folder.join("ringfence"));
        own.args(known.get_args()).current_dir(&self.folder);
        own.envs(known.get_envs().filter_map(|(name, value)| Some((name, value?))));
        std::os::unix::process::CommandExt::uid(&mut own, NOBODY);
        let mut own = Command::from(own);
        own.stdin(std::process::Stdio::null());
        own.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).kill_on_drop(true);
        own
    }

    async fn output(&self, args: &[&str]) -> Output {
        self.command(args).output().await.expect("it starts")
    }

    async fn dial_some(&self) -> Child {
        let run = self.command(&["run", "spring.toml", "--json"]).spawn().expect("it starts");
        let some = async {
            while self.calls() < 20 {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), some).await.expect("it dials");
        run
    }

    fn calls(&self) -> usize {
        self.vendor.simulator.tape().len()
    }

    /// Whether the witness can be written.
    fn writable(&self, writable: bool) {
        let mode = if writable { 0o600 } else { 0o400 };
        let witness = self.folder.join("calls.db.witness");
        std::fs::set_permissions(witness, std::fs::Permissions::from_mode(mode)).expect("set");
    }

    /// `status`, once it names the witness.
    async fn until_named(&self) -> String {
        let named = async {
            loop {
                let status = String::from_utf8(self.output(&["status", "spring"]).await.stdout).expect("text");
                let words = status.split_whitespace().filter(|word| !"│┆".contains(word)).collect::<Vec<_>>().join(" ");
                if words.contains("the witness beside it cannot be written") {
                    return words;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), named).await.expect("status names it")
    }

    /// Everybody was called once, and nobody is left for a person to look at.
    fn everybody_once(&self, output: &Output) {
        let said = String::from_utf8_lossy(&output.stderr);
        let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{said}"));
        assert_eq!(output.status.code(), Some(0), "{summary}\n{said}");
        assert_eq!(summary["contacts"]["done"], CONTACTS, "{summary}\n{said}");
        assert_eq!(summary["contacts"]["review"], 0, "{summary}\n{said}");
        let callees: std::collections::BTreeSet<_> =
            self.vendor.simulator.tape().calls().into_iter().map(|call| call.callee).collect();
        assert_eq!((callees.len(), self.calls()), (CONTACTS, CONTACTS), "everyone once");
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn give(path: &Path) {
    std::os::unix::fs::chown(path, Some(NOBODY), None).expect("given");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_process_goes_on_when_it_can_be_written_again() {
    let place = Place::begin().await;
    let run = place.dial_some().await;
    place.writable(false);
    let status = place.until_named().await;
    assert!(status.contains("calls.db.witness") && status.contains("let this user write that file"), "{status}");
    let before = place.calls();
    assert!(before < CONTACTS, "it was slow enough: {before}");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(place.calls(), before, "without its witness nobody is called");
    // A stop switch works all the same.
    let stopped = place.output(&["stop", "--reason", "drill"]).await;
    assert_eq!(stopped.status.code(), Some(0), "{}", text(&stopped));
    assert_eq!(place.output(&["start"]).await.status.code(), Some(0));
    place.writable(true);
    let ended = tokio::time::timeout(Duration::from_mins(1), run.wait_with_output()).await;
    let ended = ended.expect("in time").expect("it ends");
    place.everybody_once(&ended);
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains("the witness beside it cannot be written") && said.contains("let this user write"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_cannot_write_it_for_a_minute_ends_and_the_next_one_goes_on() {
    let place = Place::begin().await;
    let run = place.dial_some().await;
    place.writable(false);
    let ended = tokio::time::timeout(Duration::from_secs(100), run.wait_with_output()).await;
    let ended = ended.expect("it ends by itself").expect("it ends");
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(2), "{said}");
    let last: Vec<&str> = said.lines().rev().take(2).collect();
    assert!(last[1].contains("calls.db.witness") && last[1].ends_with("s now; this process ends"), "{said}");
    assert!(
        last[0].starts_with("hint: let this user write that file") && last[0].ends_with("then start again"),
        "{said}"
    );
    place.writable(true);
    place.everybody_once(&place.output(&["run", "spring.toml", "--json"]).await);
}

/// A disk that takes nothing more when it is written to.
#[tokio::test]
async fn what_was_claimed_when_the_write_fails_is_not_sent_and_is_called_later() {
    let database = TestDatabase::sqlite_in_virtual_time().await;
    let clock = VirtualClock::at(noon());
    let mut settings = lane_settings("main");
    settings.limits.calls = "5/s".parse().expect("a rate");
    let rules = rules("spring", "main");
    let mut dialer = Dialer::set(database.store.clone(), clock.clone(), settings, rules, behaviour(), CONTACTS).await;
    assert_eq!(database.store.guard(None, false).await.expect("an answer"), Guarded::Trusted);
    dialer.start();
    dialer.until("some calls", |count| count("contact:done") > 20).await;
    let (witness, kept) = (database.folder().join("test.db.witness"), database.folder().join("kept"));
    std::fs::rename(&witness, &kept).expect("moved");
    std::os::unix::fs::symlink("/dev/full", &witness).expect("a link");
    dialer.until("calls that are not sent", |count| count("attempt:not_sent") > 0).await;
    let before = dialer.simulator.tape().len();
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert_eq!(dialer.simulator.tape().len(), before, "without its witness nobody is called");
    let lane = dialer.store.lanes().await.expect("lanes").remove(0);
    assert!(lane.backoff_until > clock.read().now, "the lane rests");
    let why = lane.backoff_reason.unwrap_or_default();
    assert!(why.contains("test.db.witness") && why.contains("No space left"), "{why}");
    std::fs::remove_file(&witness).expect("removed");
    std::fs::rename(&kept, &witness).expect("moved back");
    dialer.until_finished().await;
    dialer.stop().await;
    assert_eq!(dialer.count("contact:done").await, CONTACTS as i64);
    dialer.check_tape(1);
    dialer.check_counts().await;
}
