//! The search for the file that a campaign's `contacts.file` means today.
//!
//! A file that is not there is a caution of `check` and not a mistake: it may come with its day.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use jiff::civil::Date;

/// Why no contact file is found.
#[derive(Debug, thiserror::Error)]
pub enum NoFile {
    /// Nothing matches.
    #[error("no file matches {pattern}")]
    NoMatch {
        /// The pattern, with its date filled in.
        pattern: String,
    },
    /// The search would go through too many files.
    #[error("{pattern} is held against more than {MOST_ENTRIES} files; name the folder")]
    TooMany {
        /// The pattern, with its date filled in.
        pattern: String,
    },
    /// It is no pattern.
    #[error("{pattern} is not a file name: {source}")]
    Pattern {
        /// The text that was given.
        pattern: String,
        /// What is wrong with it.
        source: glob::PatternError,
    },
}

/// The most files and folders that a pattern is held against: more would take minutes.
const MOST_ENTRIES: usize = 50_000;

/// Returns the file that `pattern` means on the local date `today`: `{date}` becomes the date, as
/// in `2026-11-23`. Of several files that a glob matches it is the one written last.
pub fn resolve(pattern: &str, today: Date) -> Result<PathBuf, NoFile> {
    let dated = pattern.replace("{date}", &today.to_string());
    if Path::new(&dated).exists() || !has_signs(&dated) {
        let path = PathBuf::from(&dated);
        return if path.exists() || dated == pattern { Ok(path) } else { Err(NoFile::NoMatch { pattern: dated }) };
    }
    let parts: Vec<&str> = dated.split('/').collect();
    let fixed = parts.iter().take_while(|part| !has_signs(part)).count();
    let folder = if fixed == 0 { ".".to_owned() } else { format!("{}/", parts[..fixed].join("/")) };
    let mut search = Search { left: MOST_ENTRIES, newest: None };
    search.walk(Path::new(&folder), &parts[fixed..]).map_err(|stop| match stop {
        Stop::Pattern(source) => NoFile::Pattern { pattern: dated.clone(), source },
        Stop::TooMany => NoFile::TooMany { pattern: dated.clone() },
    })?;
    search.newest.map(|(_, path)| path).ok_or(NoFile::NoMatch { pattern: dated })
}

fn has_signs(text: &str) -> bool {
    text.contains(['*', '?', '['])
}

/// A search for the file that was written last, over a bounded number of entries.
struct Search {
    left: usize,
    newest: Option<(SystemTime, PathBuf)>,
}

/// The reason that a search ends before its time.
enum Stop {
    Pattern(glob::PatternError),
    TooMany,
}

impl Search {
    /// Looks for files below `folder` whose path matches these parts. `**` stands for any folders,
    /// but for linked ones.
    fn walk(&mut self, folder: &Path, parts: &[&str]) -> Result<(), Stop> {
        let Some((part, rest)) = parts.split_first() else {
            self.take(folder);
            return Ok(());
        };
        if !has_signs(part) {
            let inner = folder.join(part);
            return if inner.exists() { self.walk(&inner, rest) } else { Ok(()) };
        }
        let deep = *part == "**";
        if deep {
            self.walk(folder, rest)?;
        }
        let pattern = glob::Pattern::new(part).map_err(Stop::Pattern)?;
        // A folder that cannot be read has nothing for us.
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            self.left = self.left.checked_sub(1).ok_or(Stop::TooMany)?;
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if deep && is_folder {
                self.walk(&entry.path(), parts)?;
            } else if !deep && pattern.matches(&entry.file_name().to_string_lossy()) {
                self.walk(&entry.path(), rest)?;
            }
        }
        Ok(())
    }

    fn take(&mut self, path: &Path) {
        let Ok(data) = path.metadata() else { return };
        let found = (data.modified().unwrap_or(SystemTime::UNIX_EPOCH), path.to_owned());
        if data.is_file() && self.newest.as_ref().is_none_or(|newest| *newest < found) {
            self.newest = Some(found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_globs_name_one_file() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let today = jiff::civil::date(2026, 11, 23);
        std::fs::write(path("diwali-2026-11-23.csv"), "").expect("written");
        let found = resolve(&path("diwali-{date}.csv"), today).expect("a file");
        assert!(found.ends_with("diwali-2026-11-23.csv"));
        let tomorrow = today.tomorrow().expect("a date");
        let missing = resolve(&path("diwali-{date}.csv"), tomorrow).expect_err("no file");
        assert!(missing.to_string().contains("diwali-2026-11-24.csv"), "{missing}");

        std::fs::write(path("zeta-1.csv"), "").expect("written");
        std::fs::write(path("alpha-2.csv"), "").expect("written");
        let older = std::fs::File::open(path("zeta-1.csv")).expect("open");
        older.set_modified(std::time::UNIX_EPOCH).expect("made older");
        let newest = resolve(&path("*a-*.csv"), today).expect("a file");
        assert!(newest.ends_with("alpha-2.csv"), "{newest:?}");
        assert!(resolve(&path("nothing-*.csv"), today).is_err());
        std::fs::create_dir_all(folder.path().join("a/b")).expect("folders");
        std::fs::write(path("a/b/deep.csv"), "").expect("written");
        for pattern in ["**/deep.csv", "a/*/deep.csv", "*/b/d*.csv", "a/**/b/**/deep.csv"] {
            let found = resolve(&path(pattern), today).unwrap_or_else(|error| panic!("{error}"));
            assert!(found.ends_with("a/b/deep.csv"), "{pattern}: {found:?}");
        }
        let mut everywhere = Search { left: 2, newest: None };
        assert!(matches!(everywhere.walk(folder.path(), &["**"]), Err(Stop::TooMany)), "a search has an end");
    }
}
