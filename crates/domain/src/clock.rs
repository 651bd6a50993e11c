//! The clock that every decision goes by.
//!
//! A reading carries its own error, so that "may I begin" and "must I stop" can both take the
//! careful side. Implementations of [`Clock`] live outside this crate; nothing here reads the time
//! by itself.

use std::time::Duration;

use crate::{Moment, Span};

/// A reading of a clock: the time, and how far off it may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// The best estimate of the present.
    pub now: Moment,
    /// The most by which the true time differs from `now`.
    pub error: Span,
}

impl ClockReading {
    /// The error above which nothing may be dialled.
    pub const MAX_ERROR: Span = Span::from_secs(2);

    /// Makes a reading without error, as in virtual time.
    pub const fn exact(now: Moment) -> Self {
        Self { now, error: Span::ZERO }
    }

    /// Returns the earliest that it may be: the moment by which "may I begin" is asked.
    pub fn earliest(self) -> Moment {
        self.now - self.error
    }

    /// Returns the latest that it may be: the moment by which "must I stop" is asked.
    pub fn latest(self) -> Moment {
        self.now + self.error
    }

    /// Tells whether the clock is too uncertain to dial by.
    pub fn in_doubt(self) -> bool {
        self.error > Self::MAX_ERROR
    }
}

/// A source of time.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Returns the present, as the database that all processes share would say it.
    fn read(&self) -> ClockReading;

    /// Returns the time since some fixed point, also counting while the machine is suspended: the
    /// measure of "how long ago".
    fn boot(&self) -> Duration;
}
