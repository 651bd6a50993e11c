//! The log of a SQLite file that is not the one that it was written for.
//!
//! After a kill the log (`-wal`) holds what the file does not have yet. SQLite applies it to whatever file stands there then: a
//! copy that was put back beside it becomes a mixture of two states, which nobody notices. So the witness remembers when the file
//! itself was written last, which only SQLite does, and a file with another time is not opened beside a log.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ringfence_domain::quarantine::Testimony;

use crate::StoreError;
use crate::witness_file::WitnessFile;

/// When a file was written last, in nanoseconds; none when it cannot be looked at.
pub(crate) fn written(file: &Path) -> Option<i64> {
    let file = std::fs::metadata(file).ok()?;
    file.mtime().checked_mul(1_000_000_000)?.checked_add(file.mtime_nsec())
}

/// Refuses a database file that stands beside the log of another one. While any process has it open, it is its own.
pub(crate) fn check(database: &Path, address: &str, witness: &WitnessFile) -> Result<(), StoreError> {
    let log = beside(database, "-wal");
    let left = std::fs::metadata(&log).is_ok_and(|log| log.len() > 0);
    let Testimony::Says(seen) = witness.testimony() else { return Ok(()) };
    let changed = seen.written.is_some() && seen.written != written(database);
    if left && changed && seen.location == address && !is_open(database) {
        return Err(StoreError::OtherLog { database: database.to_owned(), log });
    }
    Ok(())
}

fn beside(database: &Path, end: &str) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push(end);
    PathBuf::from(path)
}

/// Whether a process has the database open: each holds a lock on its index. True when that cannot be told.
fn is_open(database: &Path) -> bool {
    let Ok(index) = std::fs::metadata(beside(database, "-shm")) else { return false };
    let Ok(locks) = std::fs::read_to_string("/proc/locks") else { return true };
    let number = format!(":{}", index.ino());
    locks.lines().any(|line| line.split_whitespace().any(|field| field.ends_with(&number)))
}
