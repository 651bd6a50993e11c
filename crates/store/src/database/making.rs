//! Making a database and bringing its schema up to date: one process does, the others wait.

use std::fs::{File, TryLockError};
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use super::clock::boot_time;
use super::sqlite::lock_folder;
use super::turns::{Urgency, breathe};
use crate::error::trouble::Trouble;
use crate::session::{Session, Sql, args, sql};
use crate::{Database, StoreError};

/// Migrations of a large database take their time; who waits longer says so.
const PATIENCE: Duration = Duration::from_mins(5);

/// Waits until no other process makes or migrates this SQLite file, and keeps them from it until
/// what is returned is dropped; none where the folder cannot be written, so that nobody can.
pub(crate) async fn alone(database: &Path) -> Result<Option<File>, StoreError> {
    let folder = lock_folder(database);
    // A folder that is not there is a mistake in the address, and is not made.
    drop(std::fs::create_dir(&folder));
    let opened = File::options().create(true).truncate(false).write(true).open(folder.join("making"));
    let Ok(file) = opened else { return Ok(None) };
    let deadline = boot_time() + PATIENCE;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(Some(file)),
            Err(TryLockError::WouldBlock) if boot_time() < deadline => breathe(Duration::from_millis(10)).await,
            Err(TryLockError::WouldBlock) => {
                let by = "another process that makes or migrates it".to_owned();
                return Err(StoreError::Unavailable(Trouble::locked(Some(by))));
            }
            Err(TryLockError::Error(_)) => return Ok(None),
        }
    }
}

/// Whether a file is a SQLite database in WAL mode, so that opening it changes nothing of it.
/// Source: https://www.sqlite.org/fileformat.html, bytes 18 and 19 of the header.
pub(crate) fn is_made(database: &Path) -> bool {
    let mut header = [0_u8; 20];
    let read = File::open(database).and_then(|mut file| file.read_exact(&mut header));
    read.is_ok() && header[18..] == [2, 2]
}

/// What a database was made with.
pub(crate) struct Installation {
    pub(crate) name: String,
    pub(crate) number_key: String,
    pub(crate) report_key: String,
}

impl Installation {
    /// Reads it, and makes it where it is missing. A command that only looks need not write.
    pub(crate) async fn of(database: &Database) -> Result<Self, StoreError> {
        if let Some(known) = database.read(|session| Box::pin(read(session))).await? {
            return Ok(known);
        }
        database.write("install", Urgency::Normal, |session| Box::pin(make(session))).await
    }
}

async fn read(session: &mut Session) -> Result<Option<Installation>, StoreError> {
    const READ: Sql = sql!("SELECT id AS name, number_key, report_key FROM installation");
    let Some(row) = session.row(&READ, args![]).await? else { return Ok(None) };
    let (name, number_key, report_key) = (row.get("name")?, row.get("number_key")?, row.get("report_key")?);
    Ok(Some(Installation { name, number_key, report_key }))
}

async fn make(session: &mut Session) -> Result<Installation, StoreError> {
    const INSTALL: Sql = sql!(
        "INSERT INTO installation (only_row, id, number_key, report_key, created_at) VALUES (1, $1, $2, $3, $4) \
         ON CONFLICT DO NOTHING"
    );
    let [id, number_key, report_key] = [(); 3].map(|()| uuid::Uuid::new_v4());
    let now = crate::database::clock::wall_clock();
    let keys = [number_key, report_key].map(|key| key.simple().to_string());
    let [number_key, report_key] = keys;
    session.run(&INSTALL, args![id.to_string(), number_key, report_key, now]).await?;
    read(session).await?.ok_or(StoreError::Refused(sqlx::Error::RowNotFound))
}
