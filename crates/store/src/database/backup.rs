//! A consistent copy of a SQLite database in use.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use ringfence_crash as crash;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{Connection, Row as _, SqliteConnection};
use tempfile::TempPath;

use super::{Database, clock};
use crate::StoreError;
use crate::quarantine::rows;

/// What a copy holds.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Backup {
    /// Its size.
    pub bytes: u64,
    /// Contacts in it, over all runs.
    pub contacts: i64,
}

impl Database {
    /// Writes a copy of a SQLite database, as it stands at one moment, to a file that must not
    /// exist. Nobody waits for it meanwhile. The copy is in quarantine: wherever it is put, it
    /// dials nobody before an operator says so. None on Postgres, which has tools of its own.
    pub async fn backup(&self, to: &Path) -> Result<Option<Backup>, StoreError> {
        let Some(from) = self.sqlite_path() else { return Ok(None) };
        // Until it is marked as a copy it could be taken for the database itself.
        let part = to.with_added_extension("part");
        drop(std::fs::remove_file(&part));
        let part = TempPath::try_from_path(part).map_err(sqlx::Error::Io)?;
        let copied = self.copy(from, &part).await?;
        crash::point("backup", "copied");
        part.persist_noclobber(to).map_err(|error| sqlx::Error::Io(error.error))?;
        if let Some(folder) = std::path::absolute(to).map_err(sqlx::Error::Io)?.parent() {
            std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(sqlx::Error::Io)?;
        }
        Ok(Some(copied))
    }

    async fn copy(&self, from: &Path, to: &Path) -> Result<Backup, StoreError> {
        let target = to.to_str().ok_or_else(|| StoreError::Address(to.display().to_string()))?.to_owned();
        let mut source = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(from)).await?;
        sqlx::query("VACUUM INTO $1").bind(target).execute(&mut source).await?;
        source.close().await?;
        std::fs::set_permissions(to, std::fs::Permissions::from_mode(0o600)).map_err(sqlx::Error::Io)?;
        let copied = self.finish_copy(to).await?;
        let file = std::fs::File::open(to).and_then(|file| file.sync_all().map(|()| file)).map_err(sqlx::Error::Io)?;
        let bytes = file.metadata().map_err(sqlx::Error::Io)?.len();
        Ok(Backup { bytes, contacts: copied })
    }

    /// Checks a copy page by page and marks it as one.
    async fn finish_copy(&self, to: &Path) -> Result<i64, StoreError> {
        let mut copy = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(to)).await?;
        let verdict: String = sqlx::query("PRAGMA quick_check").fetch_one(&mut copy).await?.try_get(0)?;
        if verdict != "ok" {
            return Err(StoreError::NotDurable(format!("the copy is damaged: {verdict}")));
        }
        let now = clock::wall_clock();
        let since: Option<i64> =
            sqlx::query("SELECT max(last_dial_at) FROM runs").fetch_one(&mut copy).await?.try_get(0)?;
        sqlx::query("INSERT INTO quarantines (noticed_at, cause, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING")
            .bind(now.millis())
            .bind(format!("it is a backup, made {}", now.shown(ringfence_domain::Zone::utc())))
            .bind(since.map(|at| at - rows::MARGIN.millis()))
            .execute(&mut copy)
            .await?;
        let contacts = sqlx::query("SELECT count(*) FROM contacts").fetch_one(&mut copy).await?.try_get(0)?;
        copy.close().await?;
        Ok(contacts)
    }
}
