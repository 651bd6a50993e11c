//! `ringfence backup`

use std::path::PathBuf;

use serde_json::json;

use crate::cli::Common;
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
pub(super) async fn backup(common: &Common, args: &BackupArgs) -> Result<u8, Failure> {
    if args.file.exists() {
        let message = format!("{} exists; a backup never writes over a file", args.file.display());
        return Err(Failure::input(message, "name another file, such as ringfence-2026-11-25.db"));
    }
    let home = Home::enter(common).await?;
    let done = home.store.backup(&args.file).await;
    home.store.close().await;
    let done = done.map_err(|error| {
        Failure::work(format!("{} could not be written: {error}", args.file.display()))
            .with_hint("look for room and permission there; the database itself was not touched")
    })?;
    let Some(done) = done else {
        return Err(Failure::input(
            "this database is on Postgres, which has backups of its own",
            "use pg_dump or pg_basebackup; a restored database dials nobody before `ringfence quarantine lift`",
        ));
    };
    let path = std::path::absolute(&args.file)?.display().to_string();
    if common.json {
        screen::print_json(&json!({ "file": path, "bytes": done.bytes, "contacts": done.contacts }))?;
        return Ok(DONE);
    }
    let megabytes = done.bytes as f64 / 1e6;
    screen::print(&format!(
        "{path}: {megabytes:.1} MB, {} contacts; keep ringfence.toml and the campaign files with it\n\
         to restore: stop every process, put it in place of the database, delete the database's -wal and -shm files,\n\
         then `ringfence run` (it dials nobody and asks the providers) and `ringfence quarantine lift --reason TEXT`\n",
        done.contacts
    ))?;
    Ok(DONE)
}
