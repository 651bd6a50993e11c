//! Which file a campaign's `contacts.file` means today.

use std::path::{Path, PathBuf};

use chrono::NaiveDate;

/// Why no contact file is found.
#[derive(Debug, thiserror::Error)]
pub enum NoFile {
    /// Nothing matches.
    #[error("no file matches {pattern}")]
    NoMatch {
        /// What was looked for, with its date filled in.
        pattern: String,
    },
    /// It is no pattern.
    #[error("{pattern} is not a file name: {source}")]
    Pattern {
        /// What was given.
        pattern: String,
        /// What is wrong with it.
        source: glob::PatternError,
    },
}

/// The file that `pattern` means on the local date `today`: `{date}` becomes the date, as in `2026-11-23`; of several files
/// that a glob matches it is the one written last.
pub fn resolve(pattern: &str, today: NaiveDate) -> Result<PathBuf, NoFile> {
    let dated = pattern.replace("{date}", &today.to_string());
    if Path::new(&dated).exists() || !dated.contains(['*', '?', '[']) {
        let path = PathBuf::from(&dated);
        return if path.exists() || dated == pattern { Ok(path) } else { Err(NoFile::NoMatch { pattern: dated }) };
    }
    let matches = glob::glob(&dated).map_err(|source| NoFile::Pattern { pattern: dated.clone(), source })?;
    let newest = matches
        .filter_map(Result::ok)
        .filter(|path| path.is_file())
        .max_by_key(|path| (path.metadata().and_then(|data| data.modified()).ok(), path.clone()));
    newest.ok_or(NoFile::NoMatch { pattern: dated })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_globs_name_one_file() {
        let folder = tempfile::TempDir::new().expect("a folder");
        let path = |name: &str| folder.path().join(name).display().to_string();
        let today = NaiveDate::from_ymd_opt(2026, 11, 23).expect("a date");
        std::fs::write(path("diwali-2026-11-23.csv"), "").expect("written");
        let found = resolve(&path("diwali-{date}.csv"), today).expect("a file");
        assert!(found.ends_with("diwali-2026-11-23.csv"));
        let tomorrow = today.succ_opt().expect("a date");
        let missing = resolve(&path("diwali-{date}.csv"), tomorrow).expect_err("no file");
        assert!(missing.to_string().contains("diwali-2026-11-24.csv"), "{missing}");

        std::fs::write(path("zeta-1.csv"), "").expect("written");
        std::fs::write(path("alpha-2.csv"), "").expect("written");
        let older = std::fs::File::open(path("zeta-1.csv")).expect("open");
        older.set_modified(std::time::UNIX_EPOCH).expect("made older");
        let newest = resolve(&path("*a-*.csv"), today).expect("a file");
        assert!(newest.ends_with("alpha-2.csv"), "{newest:?}");
        assert!(resolve(&path("nothing-*.csv"), today).is_err());
        assert!(resolve(&path("plain.csv"), today).is_ok(), "a plain name is told of when it is opened");
    }
}
