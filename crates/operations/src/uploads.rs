//! Contact files that came over the network. Each is kept on disk, with what is to be done with it,
//! before the client is told that it is there; a process that dies finds it again when it starts.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ringfence_crash as crash;
use ringfence_domain::{ImportId, Moment, Span};
use ringfence_store::Actor;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::error::{Error, ErrorKind};
use crate::imports::{TakenIn, of_upload};
use crate::input_file::InputFile;
use crate::workspace::{Workspace, folder_of};

/// What is to be done with an upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UploadOrder {
    /// The campaign that it is for.
    pub campaign: String,
    /// Whether it is only a part of a list: then nobody is missing from it.
    pub partial: bool,
    /// Where it came from, for people.
    pub source: String,
    /// Who sent it.
    pub who: String,
    /// From where.
    pub origin: String,
    /// When it was whole.
    pub received_at: Moment,
}

/// An upload that is kept.
#[derive(Debug)]
pub struct Upload {
    /// Its file.
    pub path: PathBuf,
    /// What is to be done with it.
    pub order: UploadOrder,
    /// Locked for as long as this process works at it.
    _lock: File,
}

/// What could not be taken in for so long is set aside.
const TRIED: Span = Span::from_hours(24);

/// Parts of files older than this are nobody's any more.
const PART_KEPT: Duration = Duration::from_hours(24);

/// The folder of uploads: beside the SQLite file, else where systemd keeps the state of the
/// service, else beside the configuration.
pub fn folder(workspace: &Workspace) -> Result<PathBuf, Error> {
    let beside = workspace.store.file_beside("uploads");
    let state = || std::env::var_os("STATE_DIRECTORY").map(|folder| PathBuf::from(folder).join("uploads"));
    let own = || folder_of(&workspace.config).map(|folder| folder.join("ringfence.uploads"));
    let folder = beside.or_else(state).or_else(own).unwrap_or_else(|| std::env::temp_dir().join("ringfence.uploads"));
    std::fs::create_dir_all(&folder).map_err(|error| unwritable(&folder, &error))?;
    Ok(folder)
}

fn unwritable(folder: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::work(format!("uploads cannot be kept in {}: {error}", folder.display()))
        .with_hint("let the process write there")
}

/// Begins a file in the folder of uploads. It is gone when it is dropped before it is kept.
pub fn begin(folder: &Path) -> Result<NamedTempFile, Error> {
    tempfile::Builder::new().prefix("part-").tempfile_in(folder).map_err(|error| unwritable(folder, &error))
}

/// Keeps a whole upload: after it returns both the file and its order are on disk.
pub fn keep(folder: &Path, file: NamedTempFile, order: UploadOrder) -> Result<Upload, Error> {
    let name = uuid::Uuid::new_v4().simple().to_string();
    let (path, beside) = (folder.join(format!("{name}.csv")), folder.join(format!("{name}.json")));
    let kept = || -> std::io::Result<File> {
        file.as_file().sync_all()?;
        let lock = file.persist(&path).map_err(|error| error.error)?;
        lock.lock()?;
        let mut written = tempfile::Builder::new().prefix("part-").tempfile_in(folder)?;
        written.write_all(&serde_json::to_vec(&order)?)?;
        written.as_file().sync_all()?;
        written.persist(&beside).map_err(|error| error.error)?;
        File::open(folder)?.sync_all()?;
        Ok(lock)
    };
    let lock = kept().map_err(|error| unwritable(folder, &error))?;
    crash::point("upload", "kept");
    Ok(Upload { path, order, _lock: lock })
}

/// The uploads that were kept and not finished, the oldest first; what somebody works at is locked.
/// Parts of files that never became whole are removed in the end.
pub fn left_over(folder: &Path) -> Vec<Upload> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.path()) {
        let is_part = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("part-"));
        if is_part {
            let age = path.metadata().and_then(|data| data.modified()).ok().and_then(|at| at.elapsed().ok());
            if age.is_some_and(|age| age > PART_KEPT) {
                drop(std::fs::remove_file(&path));
            }
        } else if path.extension().is_some_and(|end| end == "json") {
            let order = std::fs::read(&path).ok().and_then(|text| serde_json::from_slice(&text).ok());
            let file = path.with_extension("csv");
            let lock = File::open(&file).ok().filter(|lock| lock.try_lock().is_ok());
            if let Some((order, lock)) = order.zip(lock) {
                found.push(Upload { path: file, order, _lock: lock });
            }
        }
    }
    found.sort_by_key(|upload| upload.order.received_at);
    found
}

impl Upload {
    /// The one who sent it.
    pub fn actor(&self) -> Actor {
        Actor::person(self.order.who.clone(), self.order.origin.clone())
    }

    /// Tells whether another list of the campaign came meanwhile.
    async fn is_overtaken(&self, workspace: &Workspace) -> Result<bool, Error> {
        let run = workspace.campaign(&self.order.campaign).await?.run;
        let imports = workspace.store.imports(run).await?;
        // What is not complete may be its own beginning.
        let complete = imports.iter().filter(|import| import.completed_at.is_some());
        Ok(complete.into_iter().any(|import| import.started_at > self.order.received_at))
    }

    /// Takes it into the campaign's current run. The file is gone afterwards, unless the database
    /// could not be used: then it is tried again, for a day, and set aside in the end.
    ///
    /// Nobody is missing from a list after which another one came: who is only in the other one
    /// stays.
    pub async fn take_in(
        &self,
        workspace: &mut Workspace,
        begun: &(dyn Fn(ImportId) + Sync),
    ) -> Result<TakenIn, Error> {
        let UploadOrder { campaign, partial, source, .. } = &self.order;
        let partial = *partial || self.is_overtaken(workspace).await?;
        let file = InputFile::Uploaded { path: self.path.clone(), source: source.clone() };
        let taken = of_upload(workspace, campaign, &file, partial, begun).await.map_err(|error| file.named(error));
        match taken {
            Err(error) if error.kind == ErrorKind::Work => {
                let is_old = workspace.now().since(self.order.received_at) >= TRIED;
                Err(if is_old { self.set_aside(error) } else { error })
            }
            taken => {
                crash::point("upload", "taken_in");
                self.discard();
                taken
            }
        }
    }

    /// Leaves its file to a person: nobody of it is lost.
    fn set_aside(&self, error: Error) -> Error {
        let beside = self.path.with_extension("json");
        if let Err(why) = std::fs::rename(&beside, self.path.with_extension("set-aside")) {
            return Error { message: format!("{}; nor can it be set aside: {why}", error.message), ..error };
        }
        let hint = format!("mend that, then ringfence import {} {}", self.order.campaign, self.path.display());
        Error { message: format!("{}; it is not tried again", error.message), ..error }.with_hint(hint)
    }

    /// Removes it.
    pub fn discard(&self) {
        drop(std::fs::remove_file(self.path.with_extension("json")));
        drop(std::fs::remove_file(&self.path));
    }
}
