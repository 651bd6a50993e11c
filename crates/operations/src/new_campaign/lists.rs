//! Lists that somebody sent for a campaign that is not there yet. They are kept for a day.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ringfence_domain::Moment;
use ringfence_intake::Table;
use ringfence_intake::contacts::digest;
use ringfence_store::ImportRow;
use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::error::Error;
use crate::input_file::{in_background, until_left};
use crate::workspace::Workspace;

/// Lists without a campaign are forgotten after this time.
const KEPT: Duration = Duration::from_hours(24);

/// What is known of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListFacts {
    /// What the sender calls it.
    pub source: String,
    /// When it was whole.
    pub received_at: Moment,
    /// How many rows it has.
    pub rows: i64,
    /// Its size in bytes.
    pub bytes: u64,
    /// How long it took to read all of it. In milliseconds.
    pub read_ms: u64,
    /// The campaigns that took in the same list, read as they read it; and by which import.
    pub known_as: Vec<(String, i64)>,
}

/// A list that is kept.
#[derive(Debug, Clone)]
pub struct KeptList {
    /// What it is called in addresses.
    pub id: String,
    /// Its file.
    pub path: PathBuf,
    /// What is known of it.
    pub facts: ListFacts,
}

fn path_of(folder: &Path, id: &str) -> PathBuf {
    folder.join(format!("list-{id}.csv"))
}

/// Reads a list to its end, and keeps it in the folder of uploads.
pub async fn keep(
    workspace: &Workspace,
    folder: &Path,
    file: NamedTempFile,
    source: String,
) -> Result<KeptList, Error> {
    let campaigns = workspace.store.campaigns().await?;
    let (folder, received_at, clock) = (folder.to_owned(), workspace.now(), workspace.clock.clone());
    let bytes = file.as_file().metadata()?.len();
    let (mut list, digests) = in_background(move |left| -> Result<_, Error> {
        let began = clock.boot();
        let looked = Table::open(file.path())?.read_while(until_left(left)).look_through()?;
        let read_ms = clock.boot().saturating_sub(began).as_millis() as u64;
        let digests: Vec<String> =
            campaigns.iter().map(|campaign| digest(looked.hash.clone(), &campaign.rules)).collect();
        let id = uuid::Uuid::new_v4().simple().to_string();
        let path = path_of(&folder, &id);
        file.as_file().sync_all()?;
        file.persist(&path).map_err(|error| error.error)?;
        let facts = ListFacts { source, received_at, rows: looked.rows, bytes, read_ms, known_as: Vec::new() };
        Ok((KeptList { id, path, facts }, digests))
    })
    .await??;
    let known: Vec<ImportRow> = workspace.store.imports_of_digests(digests).await?;
    for import in known {
        let run = workspace.store.run(import.run).await?;
        let campaign = workspace.store.campaign_by_id(run.campaign).await?;
        list.facts.known_as.push((campaign.rules.name, import.id.0));
    }
    let beside = list.path.with_extension("facts");
    let mut written = File::create(&beside)?;
    written.write_all(&serde_json::to_vec(&list.facts).map_err(std::io::Error::other)?)?;
    Ok(list)
}

/// Finds a list again. One that was not kept, or is forgotten, is an error.
pub fn open(folder: &Path, id: &str) -> Result<KeptList, Error> {
    let missing = || Error::missing("the list is not kept any more", "send it again: New campaign");
    // An id is what we made; anything else might lead out of the folder.
    if id.len() != 32 || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(missing());
    }
    let path = path_of(folder, id);
    let facts = std::fs::read(path.with_extension("facts")).map_err(|_| missing())?;
    let facts = serde_json::from_slice(&facts).map_err(|_| missing())?;
    if !path.is_file() {
        return Err(missing());
    }
    Ok(KeptList { id: id.to_owned(), path, facts })
}

/// Removes lists for which nobody made a campaign in a day.
pub fn forget_old(folder: &Path) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let is_list = entry.file_name().to_string_lossy().starts_with("list-");
        let age = entry.metadata().and_then(|data| data.modified()).ok().and_then(|at| at.elapsed().ok());
        if is_list && age.is_some_and(|age| age > KEPT) {
            drop(std::fs::remove_file(entry.path()));
        }
    }
}

impl KeptList {
    /// Its file, to be handed on.
    pub fn take(self) -> std::io::Result<NamedTempFile> {
        let folder = self.path.parent().unwrap_or(Path::new(".")).to_owned();
        let file = tempfile::Builder::new().prefix("part-").tempfile_in(folder)?;
        std::fs::rename(&self.path, file.path())?;
        drop(std::fs::remove_file(self.path.with_extension("facts")));
        Ok(file)
    }
}
