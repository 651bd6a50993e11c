//! The file of a SQLite database, which may vanish under the process that has it open.
//!
//! An open file can be deleted or moved, and the process that writes it notices nothing: it would
//! dial on into the void, and the next process would make a new database and call everybody again.

use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ringfence_domain::StopSwitch;

/// The file as it was when it was opened. It is a stop switch: without it nothing may be dialled.
#[derive(Debug, Clone)]
pub struct DatabaseFile {
    path: Arc<PathBuf>,
    device: u64,
    number: u64,
}

impl DatabaseFile {
    /// The file that stands there now.
    pub(crate) fn open(path: &Path) -> std::io::Result<Self> {
        let file = std::fs::metadata(path)?;
        Ok(Self { path: Arc::new(path.to_owned()), device: file.dev(), number: file.ino() })
    }

    /// Its number in the file system. A copy has another one, and so has a file on another disk; a
    /// renamed folder, or another spelling of the path, keeps it. So this number tells that a
    /// database is the one that it was, and its path does not.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }
}

impl StopSwitch for DatabaseFile {
    fn active(&self) -> Option<String> {
        let path = self.path.display();
        match std::fs::metadata(&*self.path) {
            Ok(file) if (file.dev(), file.ino()) == (self.device, self.number) => None,
            Ok(_) => Some(format!("another file stands where the database {path} was")),
            Err(error) if error.kind() == ErrorKind::NotFound => Some(format!("the database {path} is gone")),
            Err(error) => Some(format!("the database {path} cannot be looked for: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_pulled_while_the_file_is_not_the_one_that_was_opened() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let (path, elsewhere) = (folder.path().join("calls.db"), folder.path().join("moved.db"));
        std::fs::write(&path, "x").expect("written");
        let file = DatabaseFile::open(&path).expect("there");
        assert_eq!(file.active(), None);
        std::fs::write(&path, "longer").expect("written");
        assert_eq!(file.active(), None, "its contents change all the time");
        std::fs::rename(&path, &elsewhere).expect("moved");
        assert!(file.active().is_some_and(|why| why.ends_with("calls.db is gone")));
        std::fs::write(&path, "x").expect("written");
        assert!(file.active().is_some_and(|why| why.starts_with("another file stands where")));
        std::fs::rename(&elsewhere, &path).expect("moved back");
        assert_eq!(file.active(), None);
    }
}
