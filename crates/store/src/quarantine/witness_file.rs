//! A witness: a small file outside the database that remembers how far the database had come.
//!
//! It is written in place after every commit and before anything that the commit allows leaves the
//! machine, and is never ahead of the database. Several processes write one file: each locks it,
//! and only a later position is written.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ringfence_domain::quarantine::{Testimony, Witnessed};

use super::leftover_log;
use crate::error::trouble::Trouble;

/// The name of the witness beside the configuration.
const BESIDE_CONFIGURATION: &str = "ringfence.witness";

/// What is put behind the name of a SQLite file.
const BESIDE_DATABASE: &str = ".witness";

/// One line of JSON is padded to this length, so that writing it again needs no room on a full
/// disk.
const LENGTH: usize = 2048;

/// How often a lock is tried, a millisecond apart.
const TRIES: u32 = 100;

/// One witness file.
#[derive(Debug)]
pub(crate) struct WitnessFile {
    path: PathBuf,
    /// The SQLite file that it stands beside.
    database: Option<PathBuf>,
}

/// A witness file that is open for writing.
#[derive(Debug)]
pub(crate) struct Opened {
    file: File,
    existed: bool,
}

impl WitnessFile {
    /// The one of this name in a folder.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self { path: folder.join(BESIDE_CONFIGURATION), database: None }
    }

    /// The one beside a SQLite file.
    pub(crate) fn beside(database: &Path) -> Self {
        let mut name = database.as_os_str().to_owned();
        name.push(BESIDE_DATABASE);
        Self { path: PathBuf::from(name), database: Some(database.to_owned()) }
    }

    /// What it says. A file that cannot be opened says nothing that can be understood.
    pub(crate) fn testimony(&self) -> Testimony {
        let file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Testimony::Missing,
            Err(error) => return self.unreadable(&error),
        };
        wait_for(|| file.try_lock_shared());
        match read(&file) {
            Ok(witnessed) => Testimony::Says(witnessed),
            // Its maker died before writing it.
            Err(_) if file.metadata().is_ok_and(|file| file.len() == 0) => Testimony::Missing,
            Err(error) => self.unreadable(&error),
        }
    }

    fn unreadable(&self, error: &std::io::Error) -> Testimony {
        Testimony::Unreadable(format!("{}: {error}", self.path.display()))
    }

    /// Whether it is there, or can be made.
    pub(crate) fn can_be_kept(&self) -> bool {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        OpenOptions::new().append(true).open(&self.path).is_ok()
            || (!self.path.exists() && tempfile::tempfile_in(folder).is_ok())
    }

    /// Opens it for writing, or makes it. A process that has it open before a commit can write it
    /// after the commit.
    pub(crate) fn open(&self) -> Result<Opened, Trouble> {
        let existed = self.path.exists();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&self.path).map_err(|error| Trouble::witness(&self.path, &error))?;
        Ok(Opened { file, existed })
    }

    /// The same when it is there; a witness that is missing stays so.
    pub(crate) fn open_if_there(&self) -> Result<Option<Opened>, Trouble> {
        if self.path.exists() { self.open().map(Some) } else { Ok(None) }
    }

    /// Remembers a later position of the database that it knows. Another database takes its place
    /// only with `whatever` it says.
    pub(crate) fn remember(&self, opened: Opened, present: &Witnessed, whatever: bool) -> Result<(), Trouble> {
        self.change(opened, present.position, |known| {
            let known = known.filter(|known| !whatever || known.installation == present.installation);
            let mut next = present.clone();
            let Some(known) = known else { return Some(next) };
            if known.installation != present.installation {
                return None;
            }
            // At another place positions count something else.
            if known.place == present.place {
                next.position = next.position.max(known.position);
            }
            next.dialled |= known.dialled;
            next.since = known.since.or(present.since);
            Some(next)
        })
    }

    /// Remembers this database as it is now, further back than it was perhaps: an operator said
    /// that it is right.
    pub(crate) fn follow(&self, opened: Opened, present: &Witnessed) -> Result<(), Trouble> {
        self.change(opened, present.position, |known| {
            let known = known.filter(|known| known.installation == present.installation);
            let (dialled, since) = known.map_or((false, None), |known| (known.dialled, known.since));
            let since = since.or(present.since);
            Some(Witnessed { dialled: present.dialled || dialled, since, ..present.clone() })
        })
    }

    /// Remembers where the log of the database begins, and nothing else.
    pub(crate) fn remember_log(&self, opened: Opened, position: i64) -> Result<(), Trouble> {
        self.change(opened, position, |known| known)
    }

    /// An operator who is root must not make a file that the service cannot read.
    fn give_to_owner(&self, file: &File) {
        use std::os::unix::fs::MetadataExt;
        let beside = self.database.as_deref().or_else(|| self.path.parent());
        if let Some(owner) = beside.and_then(|beside| std::fs::metadata(beside).ok()) {
            // Only root can, and only root need.
            drop(std::os::unix::fs::fchown(file, Some(owner.uid()), Some(owner.gid())));
        }
    }

    /// Writes what becomes of what it knows; nothing when that is none.
    fn change(
        &self,
        opened: Opened,
        position: i64,
        next: impl FnOnce(Option<Witnessed>) -> Option<Witnessed>,
    ) -> Result<(), Trouble> {
        self.write(opened, position, next).map_err(|error| Trouble::witness(&self.path, &error))
    }

    fn write(
        &self,
        Opened { mut file, existed }: Opened,
        position: i64,
        next: impl FnOnce(Option<Witnessed>) -> Option<Witnessed>,
    ) -> std::io::Result<()> {
        wait_for(|| file.try_lock());
        let known = read(&file).ok();
        let log = self.database.as_deref().and_then(|database| leftover_log::begin(database, known.as_ref(), position));
        let Some(mut next) = next(known) else { return Ok(()) };
        next.log = log;
        let mut line = serde_json::to_vec(&next)?;
        line.resize(LENGTH.max(line.len() + 1), b' ');
        if let Some(last) = line.last_mut() {
            *last = b'\n';
        }
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&line)?;
        if !existed {
            self.give_to_owner(&file);
            file.sync_all()?;
            sync_folder(&self.path);
        }
        Ok(())
    }
}

/// Waits for a lock that others hold for microseconds. A process that is frozen with it must not
/// freeze everybody: without the lock a position may be one too early, which the next commit mends.
fn wait_for(lock: impl Fn() -> Result<(), TryLockError>) {
    for _ in 0..TRIES {
        if lock().is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn read(mut file: &File) -> std::io::Result<Witnessed> {
    let mut text = String::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(1 << 16).read_to_string(&mut text)?;
    serde_json::from_str(text.trim_end()).map_err(|error| std::io::Error::new(ErrorKind::InvalidData, error))
}

/// A new name is on disk once its folder is.
fn sync_folder(path: &Path) {
    if let Some(folder) = path.parent().and_then(|folder| File::open(folder).ok()) {
        drop(folder.sync_all());
    }
}
