//! Proof that a process lives: a lock on a file, which its death lets go of however it dies.
//!
//! A lane's lease runs out by itself after seconds. On one machine the next process need not wait
//! for that: when it can take the lock of the owner's file, the owner is dead.

use crate::events::Actor;
use std::fs::{File, TryLockError};
use std::path::PathBuf;
use std::sync::PoisonError;

use ringfence_domain::Moment;

use super::Database;

/// This process' name towards the others, and the locked file behind it.
#[derive(Debug)]
pub struct ProcessLock {
    name: String,
    _file: Option<File>,
    path: PathBuf,
}

impl ProcessLock {
    /// Takes a new name, as of `now`, and locks its file: beside a SQLite database, else in the
    /// temporary folder of the machine.
    pub fn begin(database: &Database, now: Moment) -> Self {
        let id = uuid::Uuid::new_v4().simple().to_string();
        let path = folder(database).join(format!("{id}.lock"));
        let file = std::fs::create_dir_all(folder(database))
            .and_then(|()| File::create(&path))
            .and_then(|file| file.lock().map(|()| file));
        let file = match file {
            Ok(file) => Some(file),
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "no lock file: a restart waits for the lease to run out");
                None
            }
        };
        let (host, process) = (host(), std::process::id());
        Self { name: format!("{}/{id}/{process}/{}/{host}", machine(), now.millis()), _file: file, path }
    }

    /// Returns the database for what this process does itself, as `command`: its events name the
    /// process, and not the person who began it.
    pub fn works_on(&self, database: &Database, command: &str) -> Database {
        database.clone().changed_by(Actor::process(format!("{command} {}@{}", std::process::id(), host())))
    }

    /// The name: machine and process, and what people know them by.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the process of that name is known to be dead. False when that cannot be told from
    /// here.
    pub fn is_dead(database: &Database, name: &str) -> bool {
        let Some((machine_of, rest)) = name.split_once('/') else { return false };
        let id = rest.split('/').next().unwrap_or_default();
        if machine_of != machine() || machine_of == UNKNOWN || id.contains('.') {
            return false;
        }
        let mut dead = database.dead.lock().unwrap_or_else(PoisonError::into_inner);
        if dead.contains(id) {
            return true;
        }
        let path = folder(database).join(format!("{id}.lock"));
        match File::open(&path).map(|file| file.try_lock()) {
            Ok(Ok(())) => {
                // The next question finds no file, and a missing file proves nothing.
                drop(std::fs::remove_file(&path));
                dead.insert(id.to_owned())
            }
            // A lock that is held proves life. A missing file proves nothing: containers on one
            // machine share its name but not its folders. A clean exit gives its lanes back itself.
            Err(_) | Ok(Err(TryLockError::WouldBlock | TryLockError::Error(_))) => false,
        }
    }
}

/// What people know a process by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownAs {
    /// The name of its machine.
    pub host: String,
    /// Its number there.
    pub process: u32,
    /// Since when it has its name.
    pub since: Moment,
}

impl KnownAs {
    /// Returns what people know this very process by.
    pub fn this() -> Self {
        Self { host: host(), process: std::process::id(), since: Moment::default() }
    }

    /// Out of a process' name; none for names of another form.
    pub fn of(name: &str) -> Option<Self> {
        let mut parts = name.splitn(5, '/').skip(2);
        let (process, since) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Self { host: parts.next()?.to_owned(), process, since: Moment::from_millis(since) })
    }
}

impl Drop for ProcessLock {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.path));
    }
}

fn folder(database: &Database) -> PathBuf {
    match database.sqlite_path() {
        Some(path) => crate::database::sqlite::lock_folder(path),
        None => std::env::temp_dir().join(format!("ringfence-{}", rustix::process::getuid().as_raw())),
    }
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

const UNKNOWN: &str = "unknown";

/// This machine since its last start: lock files of an earlier start, or of a shared disk, prove
/// nothing.
fn machine() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let boot = boot.trim();
    if boot.is_empty() { UNKNOWN.to_owned() } else { boot.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_people_which_process_it_is() {
        let known = KnownAs::of("boot/0af3/4711/1795161600000/db1/rack").expect("a name");
        assert_eq!((known.host.as_str(), known.process), ("db1/rack", 4711));
        assert_eq!(known.since, Moment::from_millis(1_795_161_600_000));
        assert_eq!(KnownAs::of("boot/0af3"), None, "of an earlier version");
        assert_eq!(KnownAs::of("tests"), None);
    }
}
