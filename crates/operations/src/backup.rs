//! A consistent copy of a SQLite database in use.

use std::path::Path;

use ringfence_domain::event::EventKind;
use ringfence_store::Subject;
use serde::Serialize;

use crate::error::Error;
use crate::workspace::Workspace;

/// Free room on the disk that is left to dialling. In bytes.
const LEFT_FREE: u64 = 256 << 20;

/// A copy that was written.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Copied {
    /// Where it is.
    pub file: String,
    /// How long it is.
    pub bytes: u64,
    /// How many contacts are in it.
    pub contacts: i64,
}

/// Writes a copy into the folder of backups, which is beside the database.
pub async fn write_beside(workspace: &Workspace) -> Result<Copied, Error> {
    let Some(folder) = workspace.store.file_beside("backups") else { return Err(on_postgres()) };
    let unusable = |error: &dyn std::fmt::Display| Error::work(format!("{}: {error}", folder.display()));
    std::fs::create_dir_all(&folder).map_err(|error| unusable(&error))?;
    let size = std::fs::metadata(folder.with_extension("")).map_or(0, |database| database.len());
    let disk = rustix::fs::statvfs(&folder).map_err(|error| unusable(&error))?;
    if disk.f_bavail * disk.f_frsize < size + LEFT_FREE {
        let hint = "make room, or write the copy elsewhere: ringfence backup FILE";
        return Err(Error::work("the disk of the database has too little room for a copy of it").with_hint(hint));
    }
    let at = workspace.now().to_string().replace(':', "");
    write(workspace, &folder.join(format!("{at}.db"))).await
}

fn on_postgres() -> Error {
    Error::input(
        "this database is on Postgres, which has backups of its own",
        "use pg_dump or pg_basebackup; a restored database dials nobody before `ringfence quarantine lift`",
    )
}

/// Writes a copy of the database to `file`, which must not exist.
pub async fn write(workspace: &Workspace, file: &Path) -> Result<Copied, Error> {
    if file.exists() {
        let message = format!("{} exists; a backup never writes over a file", file.display());
        return Err(Error::input(message, "name another file, such as ringfence-2026-11-25.db"));
    }
    let done = workspace.store.backup(file).await.map_err(|error| {
        Error::work(format!("{} could not be written: {error}", file.display()))
            .with_hint("look for room and permission there; the database itself was not touched")
    })?;
    let done = done.ok_or_else(on_postgres)?;
    let file = std::path::absolute(file)?.display().to_string();
    let told = format!("{file}, {} contacts", done.contacts);
    workspace.store.note_event(EventKind::BackupWritten, Subject::All, Some(told), workspace.now()).await?;
    Ok(Copied { file, bytes: done.bytes, contacts: done.contacts })
}
