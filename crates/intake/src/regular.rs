//! The reader of files that end: only regular ones are read. A pipe may never answer, and a device
//! never end.

use std::fs::{File, FileType, OpenOptions};
use std::io::{Error, ErrorKind, Read, Result};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;

/// Bytes of the longest configuration or campaign file.
const LONGEST_TEXT: u64 = 4 << 20;

/// Opens a regular file. Anything else is refused by its name, and is never waited for.
pub fn open(path: &Path) -> Result<File> {
    // Looked at first: to open a device may already do something.
    must_be_regular(std::fs::metadata(path)?.file_type())?;
    let no_waiting = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(no_waiting).open(path)?;
    // Somebody may have put another one in its place.
    must_be_regular(file.metadata()?.file_type())?;
    Ok(file)
}

/// Returns the text of a regular file of 4 MiB at most.
pub fn text(path: &Path) -> Result<String> {
    let mut text = String::new();
    open(path)?.take(LONGEST_TEXT + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST_TEXT {
        return Err(Error::new(ErrorKind::FileTooLarge, "it is longer than 4 MiB"));
    }
    Ok(text)
}

fn must_be_regular(kind: FileType) -> Result<()> {
    if kind.is_file() {
        return Ok(());
    }
    let what = if kind.is_dir() {
        "a folder"
    } else if kind.is_fifo() {
        "a named pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    };
    Err(Error::new(ErrorKind::InvalidInput, format!("it is {what}, not a regular file")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_never_end_is_refused_by_its_name() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let pipe = folder.path().join("pipe");
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).expect("a pipe");
        let socket = folder.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).expect("a socket");
        for (path, what) in [
            (pipe.as_path(), "a named pipe"),
            (folder.path(), "a folder"),
            (socket.as_path(), "a socket"),
            (Path::new("/dev/zero"), "a device"),
        ] {
            for refused in [open(path).map(drop), text(path).map(drop)] {
                let told = refused.expect_err(what).to_string();
                assert!(told.contains(what), "{told}");
            }
        }
        let long = folder.path().join("long.toml");
        std::fs::File::create(&long).and_then(|file| file.set_len(LONGEST_TEXT + 1)).expect("a long file");
        assert!(text(&long).expect_err("too long").to_string().contains("4 MiB"));
        std::fs::write(&long, "name = 1").expect("written");
        assert_eq!(text(&long).expect("a short text"), "name = 1");
    }
}
