//! The real binary, as its users start it.

use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::sync::Arc;

use ringfence_sandbox::{Behaviour, MachineClock, Simulator, Tape, TapeEntry, router, serve};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use crate::project;

/// Where `cargo xtask test` tells the tests the binary is.
pub const BINARY_VARIABLE: &str = "RINGFENCE_TEST_BINARY";

/// Where the binary is.
pub fn path() -> PathBuf {
    let named = std::env::var_os(BINARY_VARIABLE).map(PathBuf::from);
    let beside = || {
        let own = std::env::current_exe().expect("this test has a path");
        own.parent().and_then(Path::parent).map(|folder| folder.join("ringfence"))
    };
    let path = named.or_else(beside).expect("a path");
    assert!(path.is_file(), "{} is not built; run the tests with `cargo xtask test`", path.display());
    path
}

/// A command with a clean environment, in `folder`.
pub fn ringfence(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(path());
    command
        .args(args)
        .current_dir(folder)
        .env_remove("RINGFENCE_CONFIG")
        .env_remove("RINGFENCE_DATABASE_URL")
        // What is printed is compared.
        .env_remove("COLUMNS")
        .env("TWENTY2_API_KEY", "key")
        .env("TWENTY2_API_SECRET", "canary-secret")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Runs a command to its end.
pub async fn output(folder: &Path, args: &[&str]) -> Output {
    ringfence(folder, args).output().await.expect("the binary starts")
}

/// Runs a command that must succeed, and reads what it printed as JSON.
pub async fn json(folder: &Path, args: &[&str]) -> serde_json::Value {
    let output = output(folder, args).await;
    assert!(output.status.success(), "{args:?}: {}", text(&output));
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{args:?}: {error}: {}", text(&output)))
}

/// Runs a command that must succeed, and returns the most memory that it had, in KiB.
pub async fn peak_memory(folder: &Path, args: &[&str]) -> u64 {
    let mut child = ringfence(folder, args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it starts");
    let status = format!("/proc/{}/status", child.id().expect("it runs"));
    let mut peak = 0;
    loop {
        let known = std::fs::read_to_string(&status).unwrap_or_default();
        let most = known.lines().find_map(|line| line.strip_prefix("VmHWM:")?.split_whitespace().next()?.parse().ok());
        peak = most.unwrap_or(peak);
        if let Ok(ended) = tokio::time::timeout(std::time::Duration::from_millis(5), child.wait()).await {
            assert!(ended.expect("it ends").success(), "{args:?}");
            return peak;
        }
    }
}

/// Waits until a `serve` listens. Returns where; what it says from then on is lost. One that ends
/// before is an error, with what it said.
pub async fn listening(serve: &mut Child) -> Result<String, Vec<String>> {
    let mut lines = BufReader::new(serve.stderr.take().expect("its words")).lines();
    let mut said = Vec::new();
    let address = loop {
        let Some(line) = lines.next_line().await.expect("it speaks") else { return Err(said) };
        if let Some(address) = line.strip_prefix("listening on http://") {
            break address.to_owned();
        }
        said.push(line);
    };
    // A pipe that nobody reads fills up, and then it hangs.
    tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
    Ok(address)
}

/// Everything that a command printed.
pub fn text(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// Starts a command and leaves it running.
pub fn start(folder: &Path, args: &[&str]) -> Child {
    ringfence(folder, args).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts")
}

/// A simulated vendor over HTTP for the length of a test.
#[derive(Debug)]
pub struct Vendor {
    /// The account.
    pub simulator: Arc<Simulator>,
    /// Where it listens.
    pub address: std::net::SocketAddr,
}

impl Vendor {
    /// Begins to listen.
    pub async fn begin(behaviour: Behaviour) -> Self {
        let simulator = Simulator::new(behaviour, Arc::new(MachineClock), Arc::new(Tape::default()));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let router = router(&simulator);
        tokio::spawn(async move { serve(router, listener).await.expect("it listens") });
        Self { simulator, address }
    }
}

/// Writes a tape as `ringfence sandbox --tape` does.
pub fn write_tape(file: &Path, entries: &[TapeEntry]) {
    let lines: Vec<String> = entries.iter().map(|entry| serde_json::to_string(entry).expect("a line")).collect();
    std::fs::write(file, lines.join("\n")).expect("written");
}

/// Writes `ringfence.toml`, a campaign and its contacts; the campaign is `spring`, open all day.
pub fn write_project(folder: &Path, database: &str, vendor: &Vendor, contacts: usize, extra: &str) {
    let config = [project::database(database), project::lane("main", vendor.address, 200, 40)].concat();
    let campaign = project::campaign("spring", "main", Some("contacts.csv"), extra);
    let csv = project::contacts(0..contacts);
    std::fs::write(folder.join("ringfence.toml"), config).expect("written");
    std::fs::write(folder.join("spring.toml"), campaign).expect("written");
    std::fs::write(folder.join("contacts.csv"), csv).expect("written");
}
