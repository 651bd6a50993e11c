//! Proof that a process lives: a lock on a file, which its death lets go of however it dies.
//!
//! A lane's lease runs out by itself after seconds. On one machine the next process need not wait for that: when it
//! can take the lock of the owner's file, the owner is dead.

use std::fs::{File, TryLockError};
use std::path::PathBuf;

use crate::database::Database;

/// This process' name towards the others, and the locked file behind it.
#[derive(Debug)]
pub struct Lifeline {
    name: String,
    _file: Option<File>,
    path: PathBuf,
}

impl Lifeline {
    /// Takes a new name and locks its file: beside a SQLite database, else in the temporary folder of the machine.
    pub fn begin(database: &Database) -> Self {
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
        Self { name: format!("{}/{id}", machine()), _file: file, path }
    }

    /// The name: machine and process.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the process of that name is known to be dead. False when that cannot be told from here.
    pub fn is_dead(database: &Database, name: &str) -> bool {
        let Some((machine_of, id)) = name.split_once('/') else { return false };
        if machine_of != machine() || machine_of == UNKNOWN || id.contains(['/', '.']) {
            return false;
        }
        let path = folder(database).join(format!("{id}.lock"));
        match File::open(&path).map(|file| file.try_lock()) {
            Ok(Ok(())) => {
                drop(std::fs::remove_file(&path));
                true
            }
            // A lock that is held proves life. A missing file proves nothing: containers on one machine share its name
            // but not its folders. A clean exit gives its lanes back itself.
            Err(_) | Ok(Err(TryLockError::WouldBlock | TryLockError::Error(_))) => false,
        }
    }
}

impl Drop for Lifeline {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.path));
    }
}

fn folder(database: &Database) -> PathBuf {
    match database.sqlite_path() {
        Some(path) => crate::sqlite::lock_folder(path),
        None => std::env::temp_dir().join(format!("ringfence-{}", rustix::process::getuid().as_raw())),
    }
}

const UNKNOWN: &str = "unknown";

/// This machine since its last start: lock files of an earlier start, or of a shared disk, prove nothing.
fn machine() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let boot = boot.trim();
    if boot.is_empty() { UNKNOWN.to_owned() } else { boot.to_owned() }
}
