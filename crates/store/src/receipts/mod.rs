//! What vendors said and the database has not taken yet.
//!
//! A receipt that is lost leaves a call of unknown fate. So what a vendor said is kept here until
//! the database has it, and while it does not take it in a file too, which the next process of the
//! same configuration reads.

pub(crate) mod file;
pub(crate) mod sent;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use ringfence_domain::AttemptId;

use self::file::Line;
use self::sent::Sent;

/// The receipts of one database that this process keeps.
#[derive(Debug)]
pub struct Receipts {
    installation: Arc<str>,
    /// Where they are written down, the best place first.
    pub(crate) places: Vec<PathBuf>,
    kept: Mutex<BTreeMap<AttemptId, Kept>>,
}

#[derive(Debug)]
struct Kept {
    line: Line,
    /// The place where it is written down.
    at: Option<usize>,
}

/// What is written down.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WrittenDown {
    /// Receipts that are kept, all of them in a file.
    pub kept: usize,
    /// The files.
    pub files: Vec<PathBuf>,
}

impl Receipts {
    /// Receipts of this database, written down in the first of these places that can be written, if
    /// need be.
    pub(crate) fn new(installation: Arc<str>, places: Vec<PathBuf>) -> Self {
        Self { installation, places, kept: Mutex::default() }
    }

    /// The same with a better place.
    pub(crate) fn first_in(&self, place: PathBuf) -> Self {
        let places = std::iter::once(place).chain(self.places.iter().cloned()).collect();
        Self::new(self.installation.clone(), places)
    }

    /// Keeps what a vendor said about an attempt, which is called `reference`.
    pub fn add(&self, reference: &str, sent: &Sent) {
        let line =
            Line { installation: self.installation.to_string(), reference: reference.to_owned(), sent: sent.clone() };
        self.kept().insert(sent.attempt, Kept { line, at: None });
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
        for (at, place) in self.places.iter().enumerate() {
            let lines: Vec<Line> = done.iter().filter(|one| one.at == Some(at)).map(|one| one.line.clone()).collect();
            if !lines.is_empty() {
                strike_or_warn(place, &lines);
            }
        }
    }

    /// Writes down what is not in a file yet, in the first place that can be written. An error when
    /// there is none.
    pub fn write_down(&self) -> std::io::Result<WrittenDown> {
        let mut kept = self.kept();
        let new: Vec<&Line> = kept.values().filter(|one| one.at.is_none()).map(|one| &one.line).collect();
        if !new.is_empty() {
            let mut failed = Vec::new();
            let tried = self.places.iter().enumerate().find(|(_, place)| match file::append(place, &new) {
                Ok(()) => true,
                Err(error) => {
                    failed.push(format!("{}: {error}", place.display()));
                    false
                }
            });
            let Some((at, place)) = tried else {
                return Err(std::io::Error::other(failed.join("; ")));
            };
            if !failed.is_empty() {
                tracing::warn!(
                    "what providers said is written to {}, because it cannot be written elsewhere ({})",
                    place.display(),
                    failed.join("; ")
                );
            }
            kept.values_mut().for_each(|one| one.at = one.at.or(Some(at)));
        }
        let used: BTreeSet<usize> = kept.values().filter_map(|one| one.at).collect();
        Ok(WrittenDown { kept: kept.len(), files: used.into_iter().map(|at| self.places[at].clone()).collect() })
    }

    /// One line about each that is kept: what is lost when there is no place for it.
    pub fn told(&self) -> Vec<String> {
        self.kept().values().map(|one| file::text(&one.line).trim_end().to_owned()).collect()
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<AttemptId, Kept>> {
        self.kept.lock().expect("never held over a panic")
    }
}

/// Takes lines out of a file. The next start finds those that stay recorded already.
pub(crate) fn strike_or_warn(place: &Path, lines: &[Line]) {
    if let Err(error) = file::strike(place, lines) {
        tracing::warn!(%error, "{} keeps receipts that the database has: {error}", place.display());
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use ringfence_domain::{LaneEffect, LaneId, Moment, Placement};

    use super::*;

    fn sent(attempt: i64) -> Sent {
        Sent {
            attempt: AttemptId(attempt),
            lane: LaneId(1),
            placement: Placement::Accepted { call_id: format!("c{attempt}") },
            answered_at: Moment::from_secs(8),
            overdue_at: Moment::from_secs(9),
            effect: LaneEffect::Fine,
        }
    }

    #[test]
    fn the_file_holds_what_the_database_has_not_and_is_gone_when_it_has_all() {
        let folder = std::env::temp_dir().join(format!("receipts-{}", uuid::Uuid::new_v4().simple()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("ringfence.receipts");
        let receipts = |installation: &str| Receipts::new(Arc::from(installation), vec![path.clone()]);
        let read = file::read;
        let (here, other) = (receipts("here"), receipts("other"));
        here.add("a", &sent(1));
        here.add("b", &sent(2));
        other.add("c", &sent(1));
        assert!(!path.exists(), "nothing is written while nothing fails");
        assert_eq!(here.write_down().expect("written").kept, 2);
        assert_eq!(here.write_down().expect("written").kept, 2);
        assert_eq!(other.write_down().expect("written").kept, 1);
        let mode = path.metadata().expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let (lines, unreadable) = read(&path).expect("lines");
        assert_eq!((lines.len(), unreadable), (3, 0), "each line once");
        assert_eq!(lines[0].sent.placement, sent(1).placement);
        here.taken(&[AttemptId(1)]);
        assert_eq!(read(&path).expect("lines").0.len(), 2, "the other database's attempt 1 stays");
        here.taken(&[AttemptId(2)]);
        other.taken(&[AttemptId(1)]);
        assert!(!path.exists());
        std::fs::remove_dir_all(folder).expect("removed");
    }

    #[test]
    fn a_place_that_cannot_be_written_is_passed_over_and_each_line_is_struck_where_it_stands() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let (first, second) = (folder.path().join("gone/ringfence.receipts"), folder.path().join("calls.db.receipts"));
        let receipts = Receipts::new(Arc::from("here"), vec![first.clone(), second.clone()]);
        receipts.add("a", &sent(1));
        let written = receipts.write_down().expect("written");
        assert_eq!(written, WrittenDown { kept: 1, files: vec![second.clone()] });
        std::fs::create_dir(first.parent().expect("a folder")).expect("made");
        receipts.add("b", &sent(2));
        assert_eq!(receipts.write_down().expect("written").files, [first.clone(), second.clone()]);
        assert_eq!(file::read(&second).expect("lines").0.len(), 1, "each line once");
        receipts.taken(&[AttemptId(1)]);
        assert!(first.exists() && !second.exists());
        receipts.taken(&[AttemptId(2)]);
        assert!(!first.exists());
        std::fs::remove_dir(first.parent().expect("a folder")).expect("removed");
        std::fs::create_dir(&second).expect("a folder in its way");
        receipts.add("c", &sent(3));
        let error = receipts.write_down().expect_err("no place").to_string();
        assert!(error.contains("gone/ringfence.receipts") && error.contains("calls.db.receipts"), "{error}");
    }

    #[test]
    fn a_link_in_a_folder_of_all_is_not_followed() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let (link, target) = (folder.path().join("ringfence.receipts"), folder.path().join("target"));
        std::fs::write(&target, "").expect("written");
        std::os::unix::fs::symlink(&target, &link).expect("a link");
        let receipts = Receipts::new(Arc::from("here"), vec![link]);
        receipts.add("a", &sent(1));
        receipts.write_down().expect_err("a link");
        assert_eq!(std::fs::read(&target).expect("read"), b"");
    }
}
