//! `ringfence backup`

use std::path::PathBuf;

use ringfence_operations::backup;

use crate::common::Common;
use crate::failure::{DONE, Failure};
use crate::home::Home;
use crate::screen;

/// `backup`
#[derive(Debug, clap::Args)]
pub struct BackupArgs {
    /// Where to write the copy; the file must not exist
    pub file: PathBuf,
}

/// Writes a consistent copy of a SQLite database in use, and says how it is restored.
pub async fn backup(common: &Common, args: &BackupArgs) -> Result<u8, Failure> {
    let home = Home::enter(common).await?;
    let done = backup::write(&home, &args.file).await;
    home.store.close().await;
    let done = done?;
    if common.json {
        screen::print_json(&done)?;
        return Ok(DONE);
    }
    let megabytes = done.bytes as f64 / 1e6;
    screen::print(&format!(
        "{}: {megabytes:.1} MB, {} contacts; keep ringfence.toml and the campaign files with it\n\
         to restore: stop every process, put it in place of the database, delete the database's -wal and -shm files,\n\
         then `ringfence run` (it dials nobody and asks the providers) and `ringfence quarantine lift --reason TEXT`\n",
        done.file, done.contacts
    ))?;
    Ok(DONE)
}
