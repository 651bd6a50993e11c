//! Recording what an earlier process of this configuration could not.

use std::io::ErrorKind;
use std::path::Path;

use ringfence_domain::Moment;

use crate::receipts::file::Line;
use crate::receipts::{file, strike_or_warn};
use crate::{Database, StoreError};

/// What came of reading the files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TakenBack {
    /// Receipts that the database has now.
    pub taken: usize,
    /// Lines that stay: of another database, of attempts that this one does not know, or
    /// unreadable.
    pub left: usize,
}

impl Database {
    /// Records what an earlier process of this configuration could not, and takes it out of its
    /// file. Every place is looked at.
    pub async fn take_back_receipts(&self, now: Moment) -> Result<TakenBack, StoreError> {
        let mut done = TakenBack::default();
        for place in &self.receipts().places {
            match file::read(place) {
                Ok((lines, unreadable)) => {
                    let back = self.take_back(place, &lines, now).await?;
                    done.taken += back;
                    done.left += lines.len() + unreadable - back;
                    if lines.len() + unreadable > back {
                        tracing::error!(
                            "{}: {} lines stay: they are of another database, or cannot be read; what they say of calls is not in \
                             this one",
                            place.display(),
                            lines.len() + unreadable - back
                        );
                    }
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => tracing::error!(%error, "receipts in {} cannot be read: {error}", place.display()),
            }
        }
        Ok(done)
    }

    /// Records the lines of one file that are of this database; how many.
    async fn take_back(&self, place: &Path, lines: &[Line], now: Moment) -> Result<usize, StoreError> {
        let own = lines.iter().filter(|line| line.installation == self.installation());
        let attempts = own.clone().map(|line| line.sent.attempt).collect();
        let references = self.references(attempts).await?;
        let mut taken = Vec::new();
        for line in own {
            if references.get(&line.sent.attempt) != Some(&line.reference) {
                continue;
            }
            match self.record(vec![line.sent.clone()], now).await {
                Ok(_) => taken.push(line.clone()),
                Err(error @ StoreError::Unavailable(_)) => return Err(error),
                Err(error) => tracing::error!(%error, "the receipt of {} is refused: {error}", line.sent.attempt),
            }
        }
        if !taken.is_empty() {
            tracing::warn!("{} receipts of an earlier process were read from {}", taken.len(), place.display());
            strike_or_warn(place, &taken);
        }
        Ok(taken.len())
    }
}
