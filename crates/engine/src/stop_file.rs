//! The file `STOP` beside `ringfence.toml`: a stop switch that needs no database.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use ringfence_domain::StopSwitch;

/// The file `STOP`, looked for each time that the stop switch is asked.
#[derive(Debug, Clone)]
pub struct StopFile {
    path: PathBuf,
}

impl StopFile {
    /// Returns the stop file beside this configuration.
    pub fn beside(config: &Path) -> Self {
        let folder = std::path::absolute(config).ok().and_then(|path| path.parent().map(Path::to_owned));
        Self { path: folder.unwrap_or_default().join("STOP") }
    }
}

impl StopSwitch for StopFile {
    fn active(&self) -> Option<String> {
        match std::fs::symlink_metadata(&self.path) {
            Ok(_) => Some(format!("the file {}", self.path.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => Some(format!("{} cannot be looked for: {error}", self.path.display())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_pulled_while_the_file_is_there_or_cannot_be_looked_for() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let stop_switch = StopFile::beside(&folder.path().join("ringfence.toml"));
        assert_eq!(stop_switch.active(), None);
        std::fs::write(folder.path().join("STOP"), "").expect("written");
        assert!(stop_switch.active().is_some_and(|why| why.ends_with("/STOP")));
        std::fs::remove_file(folder.path().join("STOP")).expect("removed");
        assert_eq!(stop_switch.active(), None);
        let odd = StopFile::beside(&folder.path().join("ringfence.toml/deeper/x"));
        std::fs::write(folder.path().join("ringfence.toml"), "").expect("written");
        assert!(odd.active().is_some(), "a folder that is a file");
    }
}
