//! What follows for contacts, runs and counts once attempts have changed: the last step of a record
//! and of a settlement.

use std::collections::BTreeMap;

use ringfence_domain::{AttemptId, Campaign, ContactId, Moment, RunId};

use super::known::Known;
use crate::StoreError;
use crate::campaigns::recent_failures::{self, Failing};
use crate::contacts::next_number::turn;
use crate::contacts::snapshot::ContactSnapshot;
use crate::contacts::transitions::{Move, advance};
use crate::counters::Deltas;
use crate::session::Session;

/// What is to be written after the attempts themselves.
#[derive(Default)]
pub(super) struct Consequences {
    /// Where contacts go.
    pub(super) moves: Vec<Move>,
    /// How calls of each run ended: whether they failed.
    pub(super) ends: BTreeMap<RunId, Vec<bool>>,
    /// What changes of the counts.
    pub(super) deltas: Deltas,
}

impl Consequences {
    /// Notes how a call of a run ended.
    pub(super) fn end(&mut self, run: RunId, has_failed: bool) {
        self.ends.entry(run).or_default().push(has_failed);
    }

    /// Moves contacts, remembers how calls ended, and counts. Returns the campaigns that must be
    /// paused for it. `contacts`: those that move, locked.
    pub(super) async fn write(
        mut self,
        session: &mut Session,
        known: &BTreeMap<AttemptId, Known>,
        contacts: &BTreeMap<ContactId, ContactSnapshot>,
        rules: &BTreeMap<RunId, Campaign>,
        now: Moment,
    ) -> Result<Vec<Failing>, StoreError> {
        let called = known.values().map(|known| (known.contact, known.number_key)).collect();
        turn(session, contacts, &called, &mut self.moves, now).await?;
        advance(session, now, contacts, &self.moves, &mut self.deltas).await?;
        let failing = recent_failures::remember(session, &self.ends, now, |run| rules.get(&run).cloned()).await?;
        self.deltas.write(session).await?;
        Ok(failing)
    }
}
