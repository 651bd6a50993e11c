//! What vendors said and the database has not taken yet.
//!
//! A receipt that is lost leaves a call of unknown fate. So what a vendor said is kept here until the database has it, and
//! while it does not take it in a file too, which the next process of the same configuration reads.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use ringfence_domain::{AttemptId, Moment};
use serde::{Deserialize, Serialize};

use crate::{Database, Sent, Store, StoreError};

/// The receipts of one database that this process keeps.
#[derive(Debug)]
pub struct Receipts {
    installation: Arc<str>,
    path: Option<PathBuf>,
    kept: Mutex<BTreeMap<AttemptId, Kept>>,
}

#[derive(Debug)]
struct Kept {
    line: Line,
    in_file: bool,
}

/// One line of the file, as JSON.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Line {
    /// The database that it belongs to.
    installation: String,
    /// What the attempt is called: its id may be another one's in a database that was put back.
    reference: String,
    sent: Sent,
}

/// What came of reading the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TakenBack {
    /// Receipts that the database has now.
    pub taken: usize,
    /// Lines that stay: of another database, of attempts that this one does not know, or unreadable.
    pub left: usize,
}

impl Receipts {
    /// Receipts of this database, written down in this file if need be.
    pub(crate) fn new(installation: Arc<str>, path: Option<PathBuf>) -> Self {
        Self { installation, path, kept: Mutex::default() }
    }

    /// The file, where there is a place for one.
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Keeps what a vendor said about an attempt, which is called `reference`.
    pub fn keep(&self, reference: &str, sent: &Sent) {
        let line =
            Line { installation: self.installation.to_string(), reference: reference.to_owned(), sent: sent.clone() };
        self.kept().insert(sent.attempt, Kept { line, in_file: false });
    }

    /// The attempts whose receipts are kept here.
    pub fn attempts(&self) -> BTreeSet<AttemptId> {
        self.kept().keys().copied().collect()
    }

    /// The database has these.
    pub fn taken(&self, attempts: &[AttemptId]) {
        let done: Vec<Kept> = {
            let mut kept = self.kept();
            attempts.iter().filter_map(|attempt| kept.remove(attempt)).collect()
        };
        if let Some(path) = self.path.as_deref().filter(|_| done.iter().any(|one| one.in_file)) {
            let lines: Vec<Line> = done.into_iter().map(|one| one.line).collect();
            if let Err(error) = strike(path, &lines) {
                // The next start finds them recorded already.
                tracing::warn!(%error, "{} keeps receipts that the database has: {error}", path.display());
            }
        }
    }

    /// Writes into the file what is not there yet. Returns how many receipts are kept.
    pub fn write_down(&self) -> std::io::Result<usize> {
        let mut kept = self.kept();
        let new: Vec<&Line> = kept.values().filter(|one| !one.in_file).map(|one| &one.line).collect();
        if !new.is_empty() {
            let path = self.path.as_deref().ok_or_else(|| {
                std::io::Error::new(ErrorKind::NotFound, "there is no ringfence.toml beside which they could be kept")
            })?;
            append(path, &new)?;
            kept.values_mut().for_each(|one| one.in_file = true);
        }
        Ok(kept.len())
    }

    /// One line about each that is kept: what is lost when there is no place for it.
    pub fn told(&self) -> Vec<String> {
        self.kept().values().map(|one| text(&one.line).trim_end().to_owned()).collect()
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<AttemptId, Kept>> {
        self.kept.lock().expect("never held over a panic")
    }
}

impl Database {
    /// Records what an earlier process of this configuration could not, and takes it out of the file.
    pub async fn take_back_receipts(&self, now: Moment) -> Result<TakenBack, StoreError> {
        let Some(path) = self.receipts().path().map(Path::to_owned) else { return Ok(TakenBack::default()) };
        let (lines, unreadable) = match read(&path) {
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(TakenBack::default()),
            Err(error) => {
                tracing::error!(%error, "receipts in {} cannot be read: {error}", path.display());
                return Ok(TakenBack::default());
            }
        };
        let own = lines.iter().filter(|line| line.installation == self.installation());
        let attempts = own.clone().map(|line| line.sent.attempt).collect();
        let references = self.references(attempts).await?;
        let mut taken = Vec::new();
        for line in own {
            if references.get(&line.sent.attempt) != Some(&line.reference) {
                continue;
            }
            match self.record(vec![line.sent.clone()], now).await {
                Ok(_) => taken.push(line.clone()),
                Err(error @ StoreError::Unavailable(_)) => return Err(error),
                Err(error) => tracing::error!(%error, "the receipt of {} is refused: {error}", line.sent.attempt),
            }
        }
        let left = lines.len() + unreadable - taken.len();
        if left > 0 {
            tracing::error!(
                "{}: {left} lines stay: they are of another database, or cannot be read; what they say of calls is not in this one",
                path.display()
            );
        }
        if !taken.is_empty() {
            tracing::warn!("{} receipts of an earlier process were read from {}", taken.len(), path.display());
            if let Err(error) = strike(&path, &taken) {
                tracing::warn!(%error, "{} keeps receipts that the database has: {error}", path.display());
            }
        }
        Ok(TakenBack { taken: taken.len(), left })
    }
}

fn text(line: &Line) -> String {
    let mut text = serde_json::to_string(line).expect("receipts are always JSON");
    text.push('\n');
    text
}

/// Adds lines, all of them or none.
fn append(path: &Path, lines: &[&Line]) -> std::io::Result<()> {
    let Some(mut file) = locked(path, true)? else { return Err(ErrorKind::NotFound.into()) };
    let before = file.metadata()?.len();
    let text: String = lines.iter().map(|line| text(line)).collect();
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        drop(file.set_len(before));
    } else if let Some(folder) = path.parent() {
        // The name of a new file must outlast a power cut too.
        File::open(if folder.as_os_str().is_empty() { Path::new(".") } else { folder })?.sync_all()?;
    }
    written
}

/// Takes lines out, and removes the file with the last of them.
fn strike(path: &Path, done: &[Line]) -> std::io::Result<()> {
    let Some(mut file) = locked(path, false)? else { return Ok(()) };
    let done: BTreeSet<(&str, &str)> =
        done.iter().map(|line| (line.installation.as_str(), line.reference.as_str())).collect();
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let stays = |line: &&str| {
        let read = serde_json::from_str::<Line>(line);
        read.map_or(true, |line| !done.contains(&(line.installation.as_str(), line.reference.as_str())))
    };
    let left: String = text.lines().filter(stays).flat_map(|line| [line, "\n"]).collect();
    if left.is_empty() {
        return std::fs::remove_file(path);
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let mut new = private().create(true).write(true).truncate(true).open(&beside)?;
    new.write_all(left.as_bytes())?;
    new.sync_all()?;
    std::fs::rename(&beside, path)
}

/// The readable lines, and how many others there are.
fn read(path: &Path) -> std::io::Result<(Vec<Line>, usize)> {
    let Some(mut file) = locked(path, false)? else { return Ok((Vec::new(), 0)) };
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    let (read, unreadable): (Vec<_>, Vec<_>) =
        text.lines().filter(|line| !line.is_empty()).map(serde_json::from_str::<Line>).partition(Result::is_ok);
    Ok((read.into_iter().filter_map(Result::ok).collect(), unreadable.len()))
}

/// The file, locked against other processes; none when it is not there and is not to be made.
fn locked(path: &Path, make: bool) -> std::io::Result<Option<File>> {
    use std::os::unix::fs::MetadataExt;
    loop {
        let file = match private().read(true).append(true).create(make).open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound && !make => return Ok(None),
            Err(error) => return Err(error),
        };
        file.lock()?;
        // Whoever had the lock before may have put another file in its place, or removed it.
        match std::fs::metadata(path) {
            Ok(now) if now.ino() == file.metadata()?.ino() => return Ok(Some(file)),
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
}

/// Numbers that were called stand in it: its owner alone may read it.
fn private() -> std::fs::OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = File::options();
    options.mode(0o600);
    options
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use ringfence_domain::LaneId;

    use super::*;
    use crate::{LaneEffect, SentResult};

    fn sent(attempt: i64) -> Sent {
        let result = SentResult::Accepted { call_id: format!("c{attempt}"), overdue_at: Moment::from_secs(9) };
        Sent { attempt: AttemptId(attempt), lane: LaneId(1), result, effect: LaneEffect::Fine }
    }

    #[test]
    fn the_file_holds_what_the_database_has_not_and_is_gone_when_it_has_all() {
        let folder = std::env::temp_dir().join(format!("receipts-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("ringfence.receipts");
        let receipts = |installation: &str| Receipts::new(Arc::from(installation), Some(path.clone()));
        let (here, other) = (receipts("here"), receipts("other"));
        here.keep("a", &sent(1));
        here.keep("b", &sent(2));
        other.keep("c", &sent(1));
        assert!(!path.exists(), "nothing is written while nothing fails");
        assert_eq!(here.write_down().expect("written"), 2);
        assert_eq!(here.write_down().expect("written"), 2);
        assert_eq!(other.write_down().expect("written"), 1);
        let mode = path.metadata().expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let (lines, unreadable) = read(&path).expect("lines");
        assert_eq!((lines.len(), unreadable), (3, 0), "each line once");
        assert_eq!(lines[0].sent.result, sent(1).result);
        here.taken(&[AttemptId(1)]);
        assert_eq!(read(&path).expect("lines").0.len(), 2, "the other database's attempt 1 stays");
        here.taken(&[AttemptId(2)]);
        other.taken(&[AttemptId(1)]);
        assert!(!path.exists());
        std::fs::remove_dir_all(folder).expect("removed");
    }
}
