//! Since when a database, or the witness without which nobody may be called, has not been usable:
//! nobody waits for ever.

use std::sync::Mutex;
use std::time::Duration;

use super::clock::boot_time;
use crate::StoreError;
use crate::error::trouble::{Trouble, TroubleKind};

/// A database that has not been usable for a while.
#[derive(Debug, Clone)]
pub struct Outage {
    /// For how long.
    pub lasts: Duration,
    /// Why, as of the last try.
    pub trouble: Trouble,
}

/// What the last writes have shown.
#[derive(Debug, Default)]
pub(crate) struct Health {
    since: Mutex<Option<(Duration, Trouble)>>,
}

impl Health {
    /// A write was done, or was not.
    pub(crate) fn note<T>(&self, result: &Result<T, StoreError>) {
        match result {
            Err(StoreError::Unavailable(trouble)) => self.ail(trouble),
            // A transition that was refused for its own sake shows nothing about the others.
            Err(_) => {}
            Ok(_) => *self.since.lock().expect("never held over a panic") = None,
        }
    }

    /// Something that calls need cannot be used. The first one to notice it says so.
    pub(crate) fn ail(&self, trouble: &Trouble) {
        let mut since = self.since.lock().expect("never held over a panic");
        if since.is_none() && trouble.kind == TroubleKind::Witness {
            tracing::error!("{trouble}; {}", trouble.hint());
        }
        let began = since.as_ref().map_or_else(boot_time, |(began, _)| *began);
        *since = Some((began, trouble.clone()));
    }

    /// The outage that lasts, if one does.
    pub(crate) fn outage(&self) -> Option<Outage> {
        let since = self.since.lock().expect("never held over a panic").clone()?;
        Some(Outage { lasts: boot_time().saturating_sub(since.0), trouble: since.1 })
    }
}
