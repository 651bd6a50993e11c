//! Moves SQLite's log into the file beside the writer.
//!
//! Left to itself SQLite does that within a commit, which then holds the writer for as long as the
//! disk takes. Source: <https://www.sqlite.org/wal.html>, checkpointing.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::{Row as _, SqlitePool};

use super::clock::boot_time;
use super::sqlite::SqlitePools;
use super::turns::Urgency;

/// What SQLite keeps of a log that it begins anew, in bytes. A longer one has something to move.
pub(crate) const KEPT: u64 = 4 * 1024 * 1024;

/// Pages of a log that is begun anew even if nobody pauses: 16 MB.
const LONG: i64 = 4_096;

/// Pages that a commit moves itself after all, where nothing else does: 128 MB.
pub(crate) const LAST_RESORT: &str = "32768";

/// A pass this short leaves so little that writers can wait for the next.
const SHORT: Duration = Duration::from_millis(10);

/// Passes beside writers before they are made to wait.
const PASSES: usize = 5;

/// Whether the log is being moved.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogMover {
    under_way: Arc<AtomicBool>,
}

/// Until it is dropped nobody else moves the log.
struct Moving(Arc<AtomicBool>);

impl Drop for Moving {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl LogMover {
    fn start(&self) -> Option<Moving> {
        let free = self.under_way.compare_exchange(false, true, Ordering::Acquire, Ordering::Relaxed).is_ok();
        free.then(|| Moving(self.under_way.clone()))
    }
}

impl SqlitePools {
    /// Moves the log in a task of its own when it has grown; a write has just committed.
    pub(crate) fn move_log_if_long(&self) {
        let mut log = self.path.as_os_str().to_owned();
        log.push("-wal");
        if !std::fs::metadata(log).is_ok_and(|log| log.len() > KEPT + KEPT / 4) {
            return;
        }
        let Some(moving) = self.log_mover.start() else { return };
        let pools = self.clone();
        tokio::spawn(async move {
            // What fails here is tried again after the next write; the log holds everything.
            if let Err(error) = pools.move_log().await {
                tracing::debug!(%error, "SQLite's log could not be moved into the file");
            }
            drop(moving);
        });
    }

    async fn move_log(&self) -> Result<(), sqlx::Error> {
        for _ in 0..PASSES {
            let began = boot_time();
            let pages = pass(&self.readers).await?;
            if pages < LONG {
                return Ok(());
            }
            if boot_time().saturating_sub(began) < SHORT {
                break;
            }
        }
        // SQLite begins the log anew only when all of it is in the file and nobody adds to it.
        let turn = self.turn(Urgency::Normal).await;
        let began = boot_time();
        pass(&self.readers).await?;
        tracing::debug!(held_ms = boot_time().saturating_sub(began).as_millis(), "the rest of the log was moved");
        drop(turn);
        Ok(())
    }
}

/// Moves what readers do not need any more and waits for nobody. Returns the pages of the log.
async fn pass(pool: &SqlitePool) -> Result<i64, sqlx::Error> {
    sqlx::query("PRAGMA wal_checkpoint(PASSIVE)").fetch_one(pool).await?.try_get(1)
}
