//! Counts and buckets, changed in the transactions that change what they count.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};

use ringfence_domain::verdict::AttemptsMoved;
use ringfence_domain::{AttemptState, BucketId, ContactId, ContactState, LaneId, Moment, RunId};
use serde::Serialize;

use super::Counter;
use crate::StoreError;
use crate::buckets::lock_buckets;
use crate::events::Teller;
use crate::session::{self, Session, Sql, args, sql};

/// How many parts a count has.
const PARTS: i64 = 8;

/// An hour in milliseconds.
pub(crate) const HOUR: i64 = 3_600_000;

/// What one transaction changes in counts and buckets, written once at its end in the order of ids.
#[derive(Debug, Default)]
pub(crate) struct Deltas {
    counts: BTreeMap<(RunId, Counter), i64>,
    buckets: BTreeMap<BucketId, BucketDelta>,
    hours: BTreeMap<(RunId, i64), HourDelta>,
    /// The lane that attempts are opened on.
    opened_on: Option<LaneId>,
}

#[derive(Debug, Default)]
struct HourDelta {
    calls: i64,
    answered: i64,
}

/// Where a contact stands in its bucket: by the moment that it is due, and then by its id. Where the id is not known,
/// 0 stands for it: before all others who are due then.
pub(crate) type Place = (Moment, ContactId);

#[derive(Debug, Default)]
struct BucketDelta {
    waiting: i64,
    /// Where somebody waits by now; of several the first.
    place: Option<Place>,
}

#[derive(Serialize)]
struct CountRow {
    run_id: RunId,
    name: String,
    delta: i64,
}

#[derive(Serialize)]
struct BucketRow {
    bucket_id: BucketId,
    delta: i64,
    due: i64,
    contact: ContactId,
}

const COUNT: Sql = sql!(
    "INSERT INTO run_counts (run_id, name, part, n) SELECT u.run_id, u.name, $2, u.delta FROM"
    rows (run_id bigint, name text, delta bigint)
    "WHERE true ORDER BY 1, 2 ON CONFLICT (run_id, name, part) DO UPDATE SET n = run_counts.n + excluded.n"
);

#[derive(Serialize)]
struct HourRow {
    run_id: RunId,
    hour: i64,
    calls: i64,
    answered: i64,
}

const HOURS: Sql = sql!(
    "INSERT INTO run_hours (run_id, hour, calls, answered) SELECT u.run_id, u.hour, u.calls, u.answered FROM"
    rows (run_id bigint, hour bigint, calls bigint, answered bigint)
    "WHERE true ORDER BY 1, 2 ON CONFLICT (run_id, hour) DO UPDATE \
     SET calls = run_hours.calls + excluded.calls, answered = run_hours.answered + excluded.answered"
);

const BUCKETS: Sql = sql!(
    "UPDATE buckets AS b SET waiting = b.waiting + u.delta, \
     next_due_at = CASE WHEN u.due < b.next_due_at THEN u.due ELSE b.next_due_at END, \
     next_contact = CASE WHEN (u.due, u.contact) < (b.next_due_at, b.next_contact) THEN u.contact ELSE b.next_contact END, \
     eligible_at = CASE WHEN u.due < b.eligible_at THEN u.due ELSE b.eligible_at END FROM"
    rows (bucket_id bigint, delta bigint, due bigint, contact bigint)
    "WHERE b.id = u.bucket_id"
);

/// The part that the next transaction counts in: on Postgres one after the other, so that those under
/// way at the same time seldom meet. SQLite has one writer.
fn part(session: &Session) -> i64 {
    static NEXT: AtomicI64 = AtomicI64::new(0);
    match session {
        Session::PostgresRead(_) | Session::PostgresWrite(_) => NEXT.fetch_add(1, Ordering::Relaxed) % PARTS,
        Session::SqliteRead(_) | Session::SqliteWrite(_) => 0,
    }
}

impl Deltas {
    /// What a transaction changes that opens attempts on this lane.
    pub(crate) fn opening_on(lane: LaneId) -> Self {
        Self { opened_on: Some(lane), ..Self::default() }
    }

    pub(crate) fn count(&mut self, run: RunId, counter: Counter, delta: i64) {
        *self.counts.entry((run, counter)).or_default() += delta;
    }

    pub(crate) fn contact(&mut self, run: RunId, from: Option<ContactState>, to: ContactState) {
        if from == Some(to) {
            return;
        }
        if let Some(from) = from {
            self.count(run, Counter::Contact(from), -1);
        }
        self.count(run, Counter::Contact(to), 1);
    }

    pub(crate) fn attempt(&mut self, run: RunId, from: Option<AttemptState>, to: AttemptState) {
        if let Some(from) = from {
            self.count(run, Counter::Attempt(from), -1);
        }
        self.count(run, Counter::Attempt(to), 1);
    }

    /// A call that was sent at this moment is over.
    pub(crate) fn ended_call(&mut self, run: RunId, sent_at: Moment, was_answered: bool) {
        let hour = self.hours.entry((run, sent_at.millis() / HOUR)).or_default();
        hour.calls += 1;
        hour.answered += i64::from(was_answered);
    }

    /// A contact joined a bucket.
    pub(crate) fn joined(&mut self, bucket: BucketId, place: Place) {
        self.moved_to(bucket, place);
        self.buckets.entry(bucket).or_default().waiting += 1;
    }

    /// Somebody in a bucket stands at another place of it.
    pub(crate) fn moved_to(&mut self, bucket: BucketId, place: Place) {
        let delta = self.buckets.entry(bucket).or_default();
        delta.place = Some(delta.place.map_or(place, |earlier| earlier.min(place)));
    }

    /// A waiting contact left a bucket.
    pub(crate) fn left(&mut self, bucket: BucketId) {
        self.buckets.entry(bucket).or_default().waiting -= 1;
    }

    /// What changed of attempts, by run.
    fn attempts_moved(&self) -> Vec<AttemptsMoved> {
        let mut moved: BTreeMap<RunId, Vec<(AttemptState, i64)>> = BTreeMap::new();
        for ((run, counter), delta) in &self.counts {
            if let Counter::Attempt(state) = counter {
                moved.entry(*run).or_default().push((*state, *delta));
            }
        }
        let opened_on = self.opened_on;
        moved.into_iter().map(|(run, by_state)| AttemptsMoved { opened_on, run, by_state }).collect()
    }

    pub(crate) async fn write(self, session: &mut Session) -> Result<(), StoreError> {
        Teller::moved(self.attempts_moved());
        let buckets: Vec<BucketRow> = self
            .buckets
            .into_iter()
            .map(|(bucket_id, BucketDelta { waiting, place })| {
                let (due, contact) = place.unwrap_or((Moment::NEVER, ContactId(0)));
                BucketRow { bucket_id, delta: waiting, due: due.millis(), contact }
            })
            .filter(|row| row.delta != 0 || row.due != Moment::NEVER.millis())
            .collect();
        if !buckets.is_empty() {
            lock_buckets(session, buckets.iter().map(|row| row.bucket_id)).await?;
            session.run(&BUCKETS, args![session::rows(&buckets)]).await?;
        }
        let counts: Vec<CountRow> = self
            .counts
            .iter()
            .filter(|(_, delta)| **delta != 0)
            .map(|((run_id, counter), delta)| CountRow { run_id: *run_id, name: counter.to_string(), delta: *delta })
            .collect();
        if !counts.is_empty() {
            session.run(&COUNT, args![session::rows(&counts), part(session)]).await?;
        }
        let hours = self.hours.into_iter().map(|((run_id, hour), HourDelta { calls, answered })| HourRow {
            run_id,
            hour,
            calls,
            answered,
        });
        let hours: Vec<HourRow> = hours.collect();
        if !hours.is_empty() {
            session.run(&HOURS, args![session::rows(&hours)]).await?;
        }
        Ok(())
    }
}
