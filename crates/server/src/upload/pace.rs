//! How slowly a body may come: who sends nothing, or hardly anything, only holds a place.

use std::time::Duration;

use axum::body::BodyDataStream;
use bytes::Bytes;
use futures::StreamExt;
use tokio::time::Instant;

use crate::problem::{Problem, ProblemKind};

/// The longest silence.
const IDLE: Duration = Duration::from_secs(30);
/// The stretch of time over which the slowest rate is measured.
const STRETCH: Duration = Duration::from_mins(1);
/// Bytes that come in that time at the least: 8 kB a second.
const SLOWEST: u64 = 8 * 1024 * 60;

/// How fast a body comes.
pub(super) struct Pace {
    began: Instant,
    came: u64,
}

impl Pace {
    pub(super) fn begin() -> Self {
        Self { began: Instant::now(), came: 0 }
    }

    /// Waits for something that the client sends.
    pub(super) async fn within<T>(&self, next: impl Future<Output = T>) -> Result<T, Problem> {
        let slow = || Problem::new(ProblemKind::Slow, format!("nothing came for {} seconds", IDLE.as_secs()));
        tokio::time::timeout(IDLE, next).await.map_err(|_| slow())
    }

    /// The next part of a body.
    pub(super) async fn next(&mut self, body: &mut BodyDataStream) -> Result<Option<Bytes>, Problem> {
        let Some(chunk) = self.within(body.next()).await? else { return Ok(None) };
        let chunk =
            chunk.map_err(|error| Problem::new(ProblemKind::Malformed, format!("the body broke off: {error}")))?;
        self.count(chunk.len())?;
        Ok(Some(chunk))
    }

    /// Counts what came, and refuses who sends less than the slowest rate.
    pub(super) fn count(&mut self, bytes: usize) -> Result<(), Problem> {
        self.came += bytes as u64;
        if self.began.elapsed() >= STRETCH {
            if self.came < SLOWEST {
                return Err(Problem::new(ProblemKind::Slow, "less than 8 kB a second came for a minute"));
            }
            *self = Self::begin();
        }
        Ok(())
    }
}
