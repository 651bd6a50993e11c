//! A clock that stands still.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use ringfence_domain::{Clock, ClockReading, Moment};

/// A clock that is moved by hand.
#[derive(Debug)]
pub struct HandClock {
    millis: AtomicI64,
}

impl HandClock {
    /// It is `start` now.
    pub fn at(start: Moment) -> Arc<Self> {
        Arc::new(Self { millis: AtomicI64::new(start.millis()) })
    }

    /// It is `moment` from now on.
    pub fn set(&self, moment: Moment) {
        self.millis.store(moment.millis(), Ordering::SeqCst);
    }
}

impl Clock for HandClock {
    fn read(&self) -> ClockReading {
        ClockReading::exact(Moment::from_millis(self.millis.load(Ordering::SeqCst)))
    }

    fn boot(&self) -> Duration {
        Duration::from_millis(self.millis.load(Ordering::SeqCst).unsigned_abs())
    }
}
