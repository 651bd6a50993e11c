//! What lanes had in hand when they were counted last.
//!
//! A lane may have tens of thousands of live attempts. The planner counts them some times a second;
//! people who look within the same second see its count instead of another one.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use ringfence_domain::verdict::InHand;
use ringfence_domain::{LaneId, Moment, RunId, Span};

use super::rows::LaneRow;
use super::slots::in_hand;
use crate::StoreError;
use crate::session::Session;

/// The live attempts of a lane, by run.
type ByRun = BTreeMap<RunId, InHand>;

/// A count is shown for this long.
const FRESH: Span = Span::from_secs(1);

/// The last count of each lane.
#[derive(Debug)]
pub(crate) struct Tallies {
    fresh: Span,
    by_lane: Mutex<HashMap<LaneId, (Moment, ByRun)>>,
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
        let counted = in_hand(session, lane, now).await?;
        let mut by_lane = self.by_lane.lock().unwrap_or_else(PoisonError::into_inner);
        by_lane.insert(lane.id, (now, counted.clone()));
        Ok(counted)
    }

    /// Returns the last count if it is fresh; else counts.
    pub(crate) async fn shown(&self, session: &mut Session, lane: &LaneRow, now: Moment) -> Result<ByRun, StoreError> {
        match self.fresh(lane.id, now) {
            Some(counted) => Ok(counted),
            None => self.count(session, lane, now).await,
        }
    }

    fn fresh(&self, lane: LaneId, now: Moment) -> Option<ByRun> {
        let by_lane = self.by_lane.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, counted) = by_lane.get(&lane)?;
        // A clock that was set back makes every count old.
        (*at <= now && now < *at + self.fresh).then(|| counted.clone())
    }
}
