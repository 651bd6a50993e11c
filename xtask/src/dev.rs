//! A whole installation to try things on: nobody's phone rings, and all of it ends with Ctrl-C.

use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::Duration;

use signal_hook::consts::{SIGINT, SIGTERM};

use crate::postgres::Postgres;
use crate::run::{built, cargo, output, root};

/// How often the processes and the signal are looked at.
const LOOK: Duration = Duration::from_millis(100);
/// The processes end within this many looks: requests under way are answered first.
const LOOKS_TO_END: u32 = 250;
/// The simulated provider listens within this many looks.
const LOOKS_TO_BEGIN: u32 = 100;

/// Builds the binary, starts a simulated provider, a database and `ringfence serve`, and waits for
/// Ctrl-C.
pub(crate) fn dev(args: &[String]) -> Result<(), String> {
    let postgres = match args {
        [] => false,
        [server] if server == "sqlite" => false,
        [server] if server == "postgres" => true,
        _ => return Err("cargo xtask dev [sqlite|postgres]".to_owned()),
    };
    // Before anything is started, so that whatever is started is also ended.
    let ended = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, ended.clone()).map_err(|error| format!("Ctrl-C: {error}"))?;
    }
    // The same features as for the tests, so that nothing is compiled twice.
    cargo(&["build", "--workspace", "--bins"], &[])?;
    let binary = built("debug", "ringfence")?;
    let folder = root().join("target/dev");
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let server = if postgres { Some(Postgres::start(&std::env::temp_dir())?) } else { None };
    let database = match &server {
        Some(server) => format!("{}/postgres", server.url),
        None => "sqlite://dev.db".to_owned(),
    };
    let (vendor, http) = (free_port()?, free_port()?);
    write_project(&folder, &database, vendor).map_err(|error| format!("{}: {error}", folder.display()))?;

    let mut processes = Processes { binary: binary.clone(), folder: folder.clone(), running: Vec::new() };
    let listen = format!("127.0.0.1:{vendor}");
    let ends = ["--outcomes", "answered=58,no_answer=20,busy=12,voicemail=10", "--tape", "tape.jsonl"];
    processes.start("sandbox", &[&["sandbox", "--listen", &listen][..], &ends].concat())?;
    until_listening(vendor, &ended)?;
    processes.finish(&["apply", "sample.toml", "--yes"])?;
    processes.finish(&["import", "sample", "contacts.csv"])?;
    processes.start("serve", &["serve", "--listen", &format!("127.0.0.1:{http}")])?;
    println!(
        "\nsimulated provider  http://{listen}, its requests in {folder}/tape.jsonl\n\
         database            {database}{beside}\n\
         ringfence serve     http://127.0.0.1:{http}\n\
         campaign            {folder}/sample.toml, 200 contacts\n\
         \n\
         look on with        cd {folder} && {binary} status sample --watch\n\
         end everything with Ctrl-C\n",
        folder = folder.display(),
        beside = if postgres { "" } else { " in that folder" },
        binary = binary.display(),
    );
    processes.wait(&ended)
}

/// What was started, in its order. It is ended when this is dropped.
struct Processes {
    binary: PathBuf,
    folder: PathBuf,
    running: Vec<(&'static str, Child)>,
}

impl Processes {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .args(args)
            .current_dir(&self.folder)
            .env_remove("RINGFENCE_CONFIG")
            .env_remove("RINGFENCE_DATABASE_URL")
            .env("TWENTY2_API_KEY", "key")
            .env("TWENTY2_API_SECRET", "secret");
        command
    }

    /// Starts a command that goes on until it is told to end.
    fn start(&mut self, name: &'static str, args: &[&str]) -> Result<(), String> {
        let child = self.command(args).spawn().map_err(|error| format!("{name} cannot be started: {error}"))?;
        self.running.push((name, child));
        Ok(())
    }

    /// Runs a command to its end.
    fn finish(&self, args: &[&str]) -> Result<(), String> {
        let status = self.command(args).status().map_err(|error| format!("ringfence cannot be started: {error}"))?;
        if status.success() { Ok(()) } else { Err(format!("ringfence {} failed", args.join(" "))) }
    }

    /// Waits for Ctrl-C, or for a process that ends by itself.
    fn wait(&mut self, ended: &AtomicBool) -> Result<(), String> {
        while !ended.load(Ordering::SeqCst) {
            for (name, child) in &mut self.running {
                if let Ok(Some(status)) = child.try_wait() {
                    // A Ctrl-C reaches everyone at once.
                    sleep(LOOK);
                    let alone = !ended.load(Ordering::SeqCst);
                    return if alone { Err(format!("{name} ended by itself: {status}")) } else { Ok(()) };
                }
            }
            sleep(LOOK);
        }
        Ok(())
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        // `serve` asks the provider what became of its calls, so it ends first.
        for (name, child) in self.running.iter_mut().rev() {
            drop(output("kill", &["-INT", &child.id().to_string()]));
            let gone = (0..LOOKS_TO_END).any(|_| {
                sleep(LOOK);
                child.try_wait().is_ok_and(|status| status.is_some())
            });
            if !gone {
                eprintln!("{name} does not end and is killed");
                drop(child.kill());
                drop(child.wait());
            }
        }
    }
}

fn free_port() -> Result<u16, String> {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr());
    free.map(|address| address.port()).map_err(|error| format!("no free port: {error}"))
}

fn until_listening(port: u16, ended: &AtomicBool) -> Result<(), String> {
    for _ in 0..LOOKS_TO_BEGIN {
        if ended.load(Ordering::SeqCst) {
            return Err("ended before it began".to_owned());
        }
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return Ok(());
        }
        sleep(LOOK);
    }
    Err(format!("the simulated provider does not listen on port {port}"))
}

/// A configuration, a campaign that is open all day, and 200 contacts.
fn write_project(folder: &Path, database: &str, vendor: u16) -> std::io::Result<()> {
    let config = format!(
        r#"[database]
url = "{database}"

[provider.main]
kind = "twenty2"
base_url = "http://127.0.0.1:{vendor}/api"
workspace_id = "dev"
api_key = {{ env = "TWENTY2_API_KEY" }}
api_secret = {{ env = "TWENTY2_API_SECRET" }}
limits = {{ calls = "2/s", requests = "50/s", concurrent = 10 }}
"#
    );
    let mut contacts = "name,phone\n".to_owned();
    for n in 0..200 {
        contacts.push_str(&format!("Person {n},98{:08}\n", 20_000_000 + n * 37));
    }
    std::fs::write(folder.join("ringfence.toml"), config)?;
    std::fs::write(folder.join("sample.toml"), CAMPAIGN)?;
    std::fs::write(folder.join("contacts.csv"), contacts)
}

const CAMPAIGN: &str = r#"name = "sample"
provider = "main"
agent = "69de483c68b23495c853b43a"
caller_ids = ["9876500000"]

[contacts]
file = "contacts.csv"
phone = "phone"
country = "IN"

[variables]
customerName = "{name}"

[calling]
hours = "24/7"

[retry]
busy = "10s"
no_answer = ["15s", "30s"]
"#;
