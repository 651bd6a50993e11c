//! The clock of the database: Postgres' own time for all its processes, the machine's for a SQLite
//! file.
//!
//! It is measured every second and advances in between by boot time, which also runs while the
//! machine sleeps. Its error is half the round trip, plus drift since the last measurement. A
//! machine clock that is set by more than two seconds leaves the time in doubt for a minute, and in
//! doubt nothing is dialled.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ringfence_domain::{Clock, ClockReading, Moment, Span};
use sqlx::{PgPool, Row as _};

use crate::StoreError;

/// The shared clock of one database.
#[derive(Debug)]
pub struct DatabaseClock {
    state: Mutex<Measured>,
}

#[derive(Debug, Clone, Copy)]
struct Measured {
    /// Database time minus boot time, in milliseconds.
    offset: i64,
    /// Boot time of the measurement.
    at: Duration,
    /// Half the round trip, in milliseconds.
    error: i64,
    /// In doubt until this boot time.
    doubt_until: Duration,
}

const EVERY: Duration = Duration::from_secs(1);

/// Quartz drifts by less than this: parts per million.
const DRIFT_PPM: i64 = 500;

const JUMP: i64 = 2_000;

const DOUBT: Duration = Duration::from_mins(1);

impl DatabaseClock {
    /// Measures once, then every second for as long as the clock is held. Without a pool the
    /// machine's clock is read.
    pub async fn start(pool: Option<PgPool>) -> Result<Arc<Self>, StoreError> {
        let (offset, at, error) = measure(pool.as_ref()).await?;
        let first = Measured { offset, at, error, doubt_until: Duration::ZERO };
        let clock = Arc::new(Self { state: Mutex::new(first) });
        let weak = Arc::downgrade(&clock);
        tokio::spawn(async move {
            loop {
                tokio::time::sleep(EVERY).await;
                let Some(clock) = weak.upgrade() else { return };
                // A database that does not answer leaves the old measurement, whose error grows.
                if let Ok((offset, at, error)) = measure(pool.as_ref()).await {
                    clock.adopt(offset, at, error);
                }
            }
        });
        Ok(clock)
    }

    fn adopt(&self, offset: i64, at: Duration, error: i64) {
        let mut state = self.state.lock().expect("the clock's lock is never held over a panic");
        let jump = (offset - state.offset).abs();
        if jump > JUMP + error + state.error {
            tracing::error!(jump_ms = jump, "the clock was set: nothing is dialled for {} s", DOUBT.as_secs());
            state.doubt_until = at + DOUBT;
        }
        *state = Measured { offset, at, error, doubt_until: state.doubt_until };
    }
}

impl Clock for DatabaseClock {
    fn read(&self) -> ClockReading {
        let boot = self.boot();
        let state = *self.state.lock().expect("the clock's lock is never held over a panic");
        let age = boot.saturating_sub(state.at).as_millis() as i64;
        let drift = age * DRIFT_PPM / 1_000_000;
        // Without news for a minute the database is gone, whatever the drift.
        let lost = if age > 60_000 { ClockReading::MAX_ERROR.millis() + 1 } else { 0 };
        let doubt = if boot < state.doubt_until { ClockReading::MAX_ERROR.millis() + 1 } else { 0 };
        ClockReading {
            now: Moment::from_millis(boot.as_millis() as i64 + state.offset),
            error: Span::from_millis((state.error + drift).max(lost).max(doubt)),
        }
    }

    fn boot(&self) -> Duration {
        boot_time()
    }
}

pub(crate) fn boot_time() -> Duration {
    let at = rustix::time::clock_gettime(BOOT);
    Duration::new(at.tv_sec.unsigned_abs(), u32::try_from(at.tv_nsec).unwrap_or_default())
}

#[cfg(target_os = "linux")]
const BOOT: rustix::time::ClockId = rustix::time::ClockId::Boottime;

#[cfg(not(target_os = "linux"))]
const BOOT: rustix::time::ClockId = rustix::time::ClockId::Monotonic;

/// The machine's own idea of the time.
pub(crate) fn wall_clock() -> Moment {
    let at = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    Moment::from_millis(at.tv_sec * 1000 + at.tv_nsec / 1_000_000)
}

/// Offset of database time to boot time, when, and half the round trip; all in milliseconds.
async fn measure(pool: Option<&PgPool>) -> Result<(i64, Duration, i64), StoreError> {
    let before = boot_time();
    let now = match pool {
        None => wall_clock(),
        Some(pool) => {
            let row = sqlx::query("SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now")
                .fetch_one(pool)
                .await?;
            Moment::from_millis(row.try_get("now")?)
        }
    };
    let after = boot_time();
    let half = after.saturating_sub(before) / 2;
    let middle = before + half;
    Ok((now.millis() - middle.as_millis() as i64, after, half.as_millis() as i64 + i64::from(pool.is_some())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clock(error: i64) -> DatabaseClock {
        let first = Measured { offset: 0, at: boot_time(), error, doubt_until: Duration::ZERO };
        DatabaseClock { state: Mutex::new(first) }
    }

    #[test]
    fn a_clock_that_was_set_is_in_doubt() {
        let clock = clock(0);
        assert!(!clock.read().in_doubt());
        clock.adopt(1_500, boot_time(), 0);
        assert!(!clock.read().in_doubt(), "a small correction is fine");
        clock.adopt(3_600_000, boot_time(), 0);
        assert!(clock.read().in_doubt(), "an hour is not");
    }

    #[test]
    fn the_error_grows_while_the_database_is_silent() {
        let old = boot_time().saturating_sub(Duration::from_secs(61));
        let clock = clock(0);
        clock.state.lock().expect("free").at = old;
        assert!(clock.read().in_doubt());
    }
}
