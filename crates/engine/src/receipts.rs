//! The vendors' answers that the database did not take: they outlive the process in a file, and
//! the next process records them.

use std::path::Path;

use ringfence_domain::Clock;
use ringfence_store::{Database, WrittenDown};

const FILE: &str = "ringfence.receipts";

/// Gives the database the file beside this configuration as the first place for receipts that it
/// does not take. Does nothing when there is no such configuration file.
pub fn keep_beside(config: &Path, database: Database) -> Database {
    if !config.is_file() {
        return database;
    }
    let path = std::path::absolute(config).unwrap_or_else(|_| config.to_owned());
    database.keeping_receipts_in(path.with_file_name(FILE))
}

/// Records the receipts of an earlier process of this configuration. Returns a sentence for people
/// when that cannot be done now; nobody is held up by it.
pub async fn take_back(store: &Database, clock: &dyn Clock) -> Option<String> {
    let error = store.take_back_receipts(clock.read().now).await.err()?;
    Some(format!("what providers told an earlier process cannot be recorded yet: {error}"))
}

/// Writes the receipts that the database has not taken into the file. Returns lines for people:
/// where the receipts stand, or all of them when no file takes them.
pub fn leave(store: &Database) -> Vec<String> {
    let receipts = store.receipts();
    match receipts.write_down() {
        Ok(WrittenDown { kept: 0, .. }) => Vec::new(),
        Ok(WrittenDown { kept, files }) => {
            let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
            let files = files.join(" and ");
            vec![format!(
                "{kept} answers of providers could not be recorded; they stand in {files}, and the next start records them"
            )]
        }
        Err(error) => {
            let first = format!("these answers of providers could neither be recorded nor written to a file: {error}");
            std::iter::once(first).chain(receipts.told()).collect()
        }
    }
}
