//! The files of receipts that the database has not taken: one line of JSON each.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::sent::Sent;

/// What is put behind the name of a SQLite file.
const BESIDE_DATABASE: &str = ".receipts";

/// One line of the file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Line {
    /// The database that it belongs to.
    pub(crate) installation: String,
    /// What the attempt is called: its id may be another one's in a database that was put back.
    pub(crate) reference: String,
    pub(crate) sent: Sent,
}

/// Where receipts of an installation may be written, the best place first: beside a SQLite file,
/// the folder that the service manager gives for state, the system's folder for temporary files.
pub(crate) fn places(installation: &str, sqlite_file: Option<&Path>) -> Vec<PathBuf> {
    let beside = sqlite_file.map(|file| {
        let mut name = file.as_os_str().to_owned();
        name.push(BESIDE_DATABASE);
        PathBuf::from(name)
    });
    // A user without a folder of their own here shares it with other installations.
    let name = format!("ringfence-{installation}.receipts");
    let state = std::env::var_os("STATE_DIRECTORY").map(|folders| {
        // Several are parted by colons. Source: systemd.exec(5).
        let first = folders.to_string_lossy().split(':').next().unwrap_or_default().to_owned();
        PathBuf::from(first).join(&name)
    });
    let temporary = std::env::temp_dir().join(&name);
    beside.into_iter().chain(state.filter(|path| path.is_absolute())).chain([temporary]).collect()
}

pub(crate) fn text(line: &Line) -> String {
    let mut text = serde_json::to_string(line).expect("receipts are always JSON");
    text.push('\n');
    text
}

/// Adds lines, all of them or none.
pub(crate) fn append(path: &Path, lines: &[&Line]) -> std::io::Result<()> {
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
pub(crate) fn strike(path: &Path, done: &[Line]) -> std::io::Result<()> {
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
pub(crate) fn read(path: &Path) -> std::io::Result<(Vec<Line>, usize)> {
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
        is_private(&file)?;
        file.lock()?;
        // The last holder of the lock may have put another file in its place, or removed it.
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
    options.mode(0o600).custom_flags(rustix::fs::OFlags::NOFOLLOW.bits().cast_signed());
    options
}

/// In a folder that others may write somebody may have put a file of this name: what it says of
/// calls is not believed.
fn is_private(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let found = file.metadata()?;
    let own = rustix::process::geteuid().as_raw();
    // Root reads what the service wrote; nobody else can make a file of root's.
    if found.is_file() && (found.uid() == own || found.uid() == 0 || (own == 0 && found.mode() & 0o022 == 0)) {
        return Ok(());
    }
    Err(std::io::Error::new(ErrorKind::PermissionDenied, "the file is another user's"))
}
