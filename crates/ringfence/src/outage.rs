//! A process that cannot use its database for a minute ends, so that a supervisor starts it anew, and leaves nothing
//! behind that only it knew.

use std::sync::Arc;
use std::time::Duration;

use ringfence_domain::Clock;
use ringfence_intake::Config;
use ringfence_store::{Database, Outage, StoreError, WrittenDown};

use crate::failure::Failure;
use crate::home::eprint_line;

/// A database that cannot be used for so long is not waited for.
const PATIENCE: Duration = Duration::from_mins(1);
const LOOK: Duration = Duration::from_secs(1);

/// With the file beside this configuration as the first place for what the database does not take.
pub fn keeping_receipts(database: Database, config: &Config) -> Database {
    if !config.path.is_file() {
        return database;
    }
    let path = std::path::absolute(&config.path).unwrap_or_else(|_| config.path.clone());
    database.keeping_receipts_in(path.with_file_name("ringfence.receipts"))
}

/// Records what an earlier process of this configuration could not. That it cannot be done now is said, and holds up nobody.
pub async fn take_back(store: &Database, clock: &dyn Clock) {
    if let Err(error) = store.take_back_receipts(clock.read().now).await {
        eprint_line(&format!("what providers told an earlier process cannot be recorded yet: {error}"));
    }
}

/// Ends when the database, or its witness, has not been usable for a minute, with the last word of the process.
pub async fn lasts(store: &Arc<Database>) -> Failure {
    outlasts(store, PATIENCE).await
}

/// The same for another patience.
pub async fn outlasts(store: &Arc<Database>, patience: Duration) -> Failure {
    loop {
        tokio::time::sleep(LOOK).await;
        if let Some(outage) = store.outage().filter(|outage| outage.lasts >= patience) {
            return last_word(&outage);
        }
    }
}

fn last_word(outage: &Outage) -> Failure {
    let seconds = outage.lasts.as_secs();
    let error = StoreError::Unavailable(outage.trouble.clone());
    let hint = format!("{}; then start again", outage.trouble.hint());
    Failure::Work { message: format!("{error}, for {seconds} s now; this process ends"), hint: Some(hint) }
}

/// What the database has not taken goes into the file, or is told when there is no place for it.
pub fn leave(store: &Database) {
    let receipts = store.receipts();
    match receipts.write_down() {
        Ok(WrittenDown { kept: 0, .. }) => {}
        Ok(WrittenDown { kept, files }) => {
            let files: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
            eprint_line(&format!(
                "{kept} answers of providers could not be recorded; they stand in {}, and the next start records them",
                files.join(" and ")
            ));
        }
        Err(error) => {
            eprint_line(&format!(
                "these answers of providers could neither be recorded nor written to a file: {error}"
            ));
            receipts.told().iter().for_each(|line| eprint_line(line));
        }
    }
}
