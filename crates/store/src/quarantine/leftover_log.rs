//! The log of a SQLite file that is not the one that it was written for.
//!
//! After a kill the log (`-wal`) holds what the file does not have yet. SQLite applies it to
//! whatever file stands there then: a copy that was put back beside it becomes a mixture of two
//! states, which nobody notices. So the witness remembers with which transaction the log begins,
//! and a file that lacks transactions before that one is suspicious.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use ringfence_domain::quarantine::{LogBegin, Testimony, Witnessed};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Row as _, SqliteConnection};

use super::witness_file::WitnessFile;

/// Where the salts stand in the header of a log, eight bytes. Source:
/// https://www.sqlite.org/fileformat2.html#walformat
const SALTS: u64 = 16;

/// What is known of the log after a transaction of this number: one that began anew begins behind
/// all that the witness had seen. None while nobody knows with which transaction it began.
pub(crate) fn begin(database: &Path, known: Option<&Witnessed>, position: i64) -> Option<LogBegin> {
    let salt = salt(database);
    let log = known.and_then(|known| known.log.map(|log| (log, known.position)));
    match (salt, log) {
        // The next transaction begins it.
        (None, _) => Some(LogBegin { salt: 0, from: 0 }),
        (Some(_), None) => None,
        (Some(salt), Some((log, _))) if log.salt == salt => Some(log),
        (Some(salt), Some((_, seen))) => Some(LogBegin { salt, from: position.min(seen + 1) }),
    }
}

/// Whether the file lacks transactions that the log beside it takes for granted. Must be asked
/// before the file is opened.
pub(crate) async fn is_of_another(database: &Path, witness: &WitnessFile) -> bool {
    let (Some(salt), Testimony::Says(seen)) = (salt(database), witness.testimony()) else { return false };
    let (Some(known), Some((installation, commits))) = (seen.log, alone(database).await) else { return false };
    let lacks = installation == seen.installation && commits < known.from - 1;
    let other = installation != seen.installation && known.salt == salt;
    lacks || other
}

fn log_of(database: &Path) -> PathBuf {
    let mut path = database.as_os_str().to_owned();
    path.push("-wal");
    PathBuf::from(path)
}

/// The salts of the log; none when there is no log, or nothing in it.
fn salt(database: &Path) -> Option<u64> {
    let mut salts = [0; 8];
    File::open(log_of(database)).ok()?.read_exact_at(&mut salts, SALTS).ok()?;
    Some(u64::from_be_bytes(salts))
}

/// The installation and the transactions that the file holds without its log; none when it cannot
/// be read by itself.
async fn alone(database: &Path) -> Option<(String, i64)> {
    let options = SqliteConnectOptions::new().filename(database).immutable(true).read_only(true);
    let mut file = SqliteConnection::connect_with(&options).await.ok()?;
    let row = sqlx::query("SELECT i.id, w.commits FROM installation i, witness w").fetch_one(&mut file).await;
    drop(file.close().await);
    let row = row.ok()?;
    Some((row.try_get(0).ok()?, row.try_get(1).ok()?))
}
