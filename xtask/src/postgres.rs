//! A throwaway Postgres: its own folder, its own port, gone afterwards.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{output, quietly as run};
use crate::system::{self, is_root};

/// A running server, stopped when it is dropped.
pub(crate) struct Postgres {
    /// Its address without a database.
    pub(crate) url: String,
    folder: PathBuf,
    programs: PathBuf,
    user: Option<&'static str>,
}

impl Postgres {
    /// Starts one in a new folder below `parent`. Its programs are installed from the system's
    /// packages when they are missing.
    pub(crate) fn start(parent: &Path) -> Result<Self, String> {
        let programs = match programs() {
            Some(programs) => programs,
            None => install()?,
        };
        // It refuses to run as root.
        let user = is_root().then(|| if has_user("postgres") { "postgres" } else { "nobody" });
        let port = TcpListener::bind("127.0.0.1:0")
            .and_then(|free| free.local_addr())
            .map_err(|error| format!("no free port: {error}"))?
            .port();
        let folder = parent.join(format!("ringfence-postgres-{port}"));
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let server = Self { url: format!("postgres://postgres@127.0.0.1:{port}"), folder, programs, user };
        if let Some(user) = user {
            run(Command::new("chown").arg(user).arg(&server.folder))?;
        }
        println!("a throwaway Postgres listens on port {port}");
        let data = server.folder.join("data");
        run(server.program("initdb").args(["-A", "trust", "-U", "postgres", "-D"]).arg(&data))?;
        let options =
            format!("-p {port} -k {} -c listen_addresses=127.0.0.1 -c max_connections=1000", server.folder.display());
        let log = server.folder.join("log");
        run(server.program("pg_ctl").args(["-w", "-o", &options, "-l"]).arg(&log).arg("-D").arg(&data).arg("start"))?;
        Ok(server)
    }

    fn program(&self, name: &str) -> Command {
        let path = self.programs.join(name);
        let mut command = match self.user {
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", user, "--"]).arg(path);
                command
            }
            None => Command::new(path),
        };
        command.current_dir(&self.folder);
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let data = self.folder.join("data");
        if let Err(error) = run(self.program("pg_ctl").args(["-m", "immediate", "-D"]).arg(&data).arg("stop")) {
            eprintln!("the throwaway Postgres could not be stopped: {error}");
        }
        drop(std::fs::remove_dir_all(&self.folder));
    }
}

/// A folder in memory with room for all databases of the tests, where waiting for the disk costs
/// nothing.
pub(crate) fn in_memory() -> Option<PathBuf> {
    const ROOM: u64 = 6 << 20;
    let folder = PathBuf::from("/dev/shm");
    let kilobytes = |text: &str| text.split_whitespace().find_map(|word| word.parse::<u64>().ok());
    let free = output("df", &["-k", "--output=avail", "/dev/shm"]).as_deref().and_then(kilobytes)?;
    let memory = std::fs::read_to_string("/proc/meminfo").ok()?;
    let available = memory.lines().find(|line| line.starts_with("MemAvailable:")).and_then(kilobytes)?;
    (free >= ROOM && available >= ROOM).then_some(folder)
}

/// The folder of `pg_ctl` and `initdb`: on the path, or where Debian and Homebrew keep them.
fn programs() -> Option<PathBuf> {
    let on_path =
        std::env::var_os("PATH").into_iter().flat_map(|path| std::env::split_paths(&path).collect::<Vec<_>>());
    let versions = |root: &str| {
        let mut folders: Vec<PathBuf> =
            std::fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path().join("bin")).collect();
        folders.sort();
        folders.reverse();
        folders
    };
    on_path
        .chain(versions("/usr/lib/postgresql"))
        .chain(versions("/opt/homebrew/opt"))
        .find(|folder| folder.join("pg_ctl").is_file() && folder.join("initdb").is_file())
}

fn install() -> Result<PathBuf, String> {
    system::install("postgresql", "PostgreSQL's programs (initdb, pg_ctl)")?;
    programs().ok_or_else(|| "the package `postgresql` brought no pg_ctl".to_owned())
}

fn has_user(name: &str) -> bool {
    output("id", &["-u", name]).is_some()
}
