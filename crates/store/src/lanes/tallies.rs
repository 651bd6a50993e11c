//! What lanes had in hand when they were counted last, and what this process did since.
//!
//! A lane may have tens of thousands of live attempts. They are counted now and then, because slots
//! are held until moments that pass by themselves, and other processes settle what is in review; in
//! between, each transaction of this process adds what it changed.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ringfence_domain::verdict::{AttemptsMoved, InHand};
use ringfence_domain::{LaneId, Moment, RunId, Span};

use super::rows::LaneRow;
use super::slots::in_hand;
use crate::StoreError;
use crate::database::clock::boot_time;
use crate::session::Session;

/// The live attempts of a lane, by run.
type ByRun = BTreeMap<RunId, InHand>;

/// A count is shown for this long.
const FRESH: Span = Span::from_secs(1);

/// The time for which a count is kept, in multiples of the time that counting takes.
const COUNTING: u32 = 20;

/// No count is kept for longer: slots come free by time alone.
const LONGEST: Duration = Duration::from_secs(1);

/// The last count of each lane.
#[derive(Debug)]
pub(crate) struct Tallies {
    fresh: Span,
    by_lane: Mutex<HashMap<LaneId, Tally>>,
}

#[derive(Debug)]
struct Tally {
    counted_at: Moment,
    /// It is kept until then.
    kept_until: Duration,
    by_run: ByRun,
}

impl Default for Tallies {
    fn default() -> Self {
        Self { fresh: FRESH, by_lane: Mutex::default() }
    }
}

impl Tallies {
    /// Tallies that are never shown again: much happens within a second of virtual time.
    pub(crate) fn of_the_moment() -> Self {
        Self { fresh: Span::ZERO, ..Self::default() }
    }

    /// Counts the live attempts now.
    pub(crate) async fn count(&self, session: &mut Session, lane: &LaneRow, now: Moment) -> Result<ByRun, StoreError> {
        let begun = boot_time();
        let by_run = in_hand(session, lane, now).await?;
        let ended = boot_time();
        let kept_until = ended + (ended.saturating_sub(begun) * COUNTING).min(LONGEST);
        self.lock().insert(lane.id, Tally { counted_at: now, kept_until, by_run: by_run.clone() });
        Ok(by_run)
    }

    /// Returns the last count with what changed since, while it is kept; else counts. Nothing that
    /// ended is left out of it before it is certain, so no limit is passed by it. Only the process
    /// that dials the lane may go by it.
    pub(crate) fn kept(&self, lane: LaneId) -> Option<ByRun> {
        let by_lane = self.lock();
        let tally = by_lane.get(&lane).filter(|_| self.fresh > Span::ZERO)?;
        (boot_time() < tally.kept_until).then(|| tally.by_run.clone())
    }

    /// Returns the last count if it is fresh; else counts.
    pub(crate) async fn shown(&self, session: &mut Session, lane: &LaneRow, now: Moment) -> Result<ByRun, StoreError> {
        match self.fresh(lane.id, now) {
            Some(counted) => Ok(counted),
            None => self.count(session, lane, now).await,
        }
    }

    fn fresh(&self, lane: LaneId, now: Moment) -> Option<ByRun> {
        let by_lane = self.lock();
        let Tally { counted_at: at, by_run, .. } = by_lane.get(&lane)?;
        // A clock that was set back makes every count old.
        (*at <= now && now < *at + self.fresh).then(|| by_run.clone())
    }

    /// Adds what a transaction changed, once it has committed.
    pub(crate) fn shift(&self, moved: &[AttemptsMoved]) {
        let mut by_lane = self.lock();
        for AttemptsMoved { opened_on, run, by_state } in moved {
            let own = match opened_on {
                Some(lane) => by_lane.get_mut(lane).map(|tally| tally.by_run.entry(*run).or_default()),
                None => by_lane.values_mut().find_map(|tally| tally.by_run.get_mut(run)),
            };
            if let Some(own) = own {
                *own = own.after(by_state);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<LaneId, Tally>> {
        self.by_lane.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use ringfence_domain::AttemptState::{Ended, Open, Placed};

    use super::*;

    #[test]
    fn a_count_is_kept_with_what_changed_since() {
        let tallies = Tallies::default();
        let kept_until = boot_time() + Duration::from_mins(1);
        let before = InHand { live: 5, taken: 5, ..InHand::default() };
        let tally = Tally { counted_at: Moment::default(), kept_until, by_run: [(RunId(1), before)].into() };
        tallies.lock().insert(LaneId(1), tally);
        let moved = |opened_on, run, by_state| AttemptsMoved { opened_on, run: RunId(run), by_state };
        tallies.shift(&[
            moved(None, 1, vec![(Placed, -2), (Ended, 2)]),
            moved(Some(LaneId(1)), 2, vec![(Open, 3)]),
            moved(Some(LaneId(7)), 3, vec![(Open, 9)]),
        ]);
        let kept = tallies.kept(LaneId(1)).expect("it is kept");
        assert_eq!(kept[&RunId(1)].taken, 3);
        assert_eq!((kept[&RunId(2)].open, kept[&RunId(2)].taken), (3, 3));
        assert_eq!((kept.len(), tallies.kept(LaneId(7))), (2, None), "nobody counted the other lane");
        tallies.lock().entry(LaneId(1)).and_modify(|tally| tally.kept_until = Duration::ZERO);
        assert_eq!(tallies.kept(LaneId(1)), None, "it is counted again");
        assert_eq!(Tallies::of_the_moment().kept(LaneId(1)), None);
    }
}
