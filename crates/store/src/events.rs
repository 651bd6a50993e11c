//! The changes of state, each written in the transaction that makes it: `ringfence events` reads
//! them back, and the log of the process tells them once they are committed.

use std::sync::{Arc, Mutex, PoisonError};

use ringfence_domain::event::{Event, EventKind};
use ringfence_domain::{CampaignId, ImportId, LaneId, Moment, RunId};

use crate::StoreError;
use crate::session::{Row, Session, Sql, args, sql};

/// What an event happened to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// Everything.
    All,
    /// A campaign.
    Campaign(CampaignId),
    /// A run, which is its campaign's.
    Run(RunId),
    /// An import, which is its run's.
    Import(ImportId),
    /// A lane.
    Lane(LaneId),
}

/// Which events are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Events with a higher number.
    pub after: i64,
    /// Events from this moment on.
    pub since: Option<Moment>,
    /// Events of the campaign of this name.
    pub campaign: Option<String>,
    /// Events of the lane of this name, and of its campaigns.
    pub lane: Option<String>,
}

/// An event of a transition that has not committed.
#[derive(Debug)]
struct Change {
    kind: EventKind,
    subject: Subject,
    cause: Option<String>,
    at: Moment,
}

/// What a transition knows of itself: who makes it, and what happened in it.
#[derive(Debug, Clone)]
pub(crate) struct Teller {
    who: Arc<str>,
    changes: Arc<Mutex<Vec<Change>>>,
}

tokio::task_local! {
    /// The transition that runs in this task.
    pub(crate) static TELLER: Teller;
}

/// Notes what a transition did. It is written at the end of its transaction.
pub(crate) fn tell(kind: EventKind, subject: Subject, cause: Option<&str>, at: Moment) {
    let change = Change { kind, subject, cause: cause.map(str::to_owned), at };
    TELLER.with(|teller| teller.changes.lock().unwrap_or_else(PoisonError::into_inner).push(change));
}

impl Teller {
    pub(crate) fn new(who: Arc<str>) -> Self {
        Self { who, changes: Arc::default() }
    }

    /// Writes the events of a transition, under the names that their subjects have now. Nothing is
    /// locked after it: on Postgres events wait for one another, so that they become visible in the
    /// order of their numbers, and who reads the next ones misses none.
    pub(crate) async fn write(&self, session: &mut Session) -> Result<Vec<Event>, StoreError> {
        const IN_ORDER: Sql = sql!(
            sqlite "SELECT 1",
            postgres "SELECT pg_advisory_xact_lock(7295402, 1)"
        );
        let changes = std::mem::take(&mut *self.changes.lock().unwrap_or_else(PoisonError::into_inner));
        if changes.is_empty() {
            return Ok(Vec::new());
        }
        session.rows(&IN_ORDER, args![]).await?;
        let mut events = Vec::with_capacity(changes.len());
        for change in changes {
            events.extend(self.write_one(session, change).await?);
        }
        Ok(events)
    }

    /// None when its subject is gone.
    async fn write_one(&self, session: &mut Session, change: Change) -> Result<Option<Event>, StoreError> {
        const ALL: Sql = sql!(
            "INSERT INTO events (at, kind, who, cause) SELECT $1, $2, $3, $4 WHERE $5 = 0 RETURNING id, campaign, lane"
        );
        const OF_CAMPAIGN: Sql = sql!(
            "INSERT INTO events (at, kind, who, cause, campaign, lane) SELECT $1, $2, $3, $4, c.name, l.name \
             FROM campaigns c JOIN lanes l ON l.id = c.lane_id WHERE c.id = $5 RETURNING id, campaign, lane"
        );
        const OF_RUN: Sql = sql!(
            "INSERT INTO events (at, kind, who, cause, campaign, lane) SELECT $1, $2, $3, $4, c.name, l.name \
             FROM runs r JOIN campaigns c ON c.id = r.campaign_id JOIN lanes l ON l.id = c.lane_id WHERE r.id = $5 \
             RETURNING id, campaign, lane"
        );
        const OF_IMPORT: Sql = sql!(
            "INSERT INTO events (at, kind, who, cause, campaign, lane) SELECT $1, $2, $3, $4, c.name, l.name \
             FROM imports i JOIN runs r ON r.id = i.run_id JOIN campaigns c ON c.id = r.campaign_id \
             JOIN lanes l ON l.id = c.lane_id WHERE i.id = $5 RETURNING id, campaign, lane"
        );
        const OF_LANE: Sql = sql!(
            "INSERT INTO events (at, kind, who, cause, lane) SELECT $1, $2, $3, $4, l.name FROM lanes l WHERE l.id = $5 \
             RETURNING id, campaign, lane"
        );
        let Change { kind, subject, cause, at } = change;
        let (statement, id) = match subject {
            Subject::All => (&ALL, 0),
            Subject::Campaign(id) => (&OF_CAMPAIGN, id.0),
            Subject::Run(id) => (&OF_RUN, id.0),
            Subject::Import(id) => (&OF_IMPORT, id.0),
            Subject::Lane(id) => (&OF_LANE, id.0),
        };
        let arguments = args![at, kind.as_str(), self.who.to_string(), cause.clone(), id];
        let Some(row) = session.row(statement, arguments).await? else { return Ok(None) };
        let (campaign, lane, who) = (row.get("campaign")?, row.get("lane")?, self.who.to_string());
        Ok(Some(Event { id: row.get("id")?, at, kind, campaign, lane, who, cause }))
    }
}

/// Tells the log of the process what happened.
pub(crate) fn log(events: &[Event]) {
    for event in events {
        let Event { kind, campaign, lane, who, cause, .. } = event;
        let (campaign, lane, cause) = (campaign.as_deref(), lane.as_deref(), cause.as_deref());
        if kind.is_trouble() {
            tracing::warn!(event = kind.as_str(), campaign, lane, who, cause, "{event}");
        } else {
            tracing::info!(event = kind.as_str(), campaign, lane, who, cause, "{event}");
        }
    }
}

/// The next events that were asked for, the oldest first.
pub(crate) async fn page(session: &mut Session, filter: &EventFilter, limit: i64) -> Result<Vec<Event>, StoreError> {
    const PAGE: Sql = sql!(
        "SELECT id, at, kind, campaign, lane, who, cause FROM events WHERE id > $1 AND at >= $2 \
         AND ($3 IS NULL OR campaign = $3) AND ($4 IS NULL OR lane = $4) ORDER BY id LIMIT $5"
    );
    let EventFilter { after, since, campaign, lane } = filter;
    let arguments = args![*after, since.unwrap_or_default(), campaign.clone(), lane.clone(), limit];
    session.rows(&PAGE, arguments).await?.iter().map(event).collect()
}

/// The last event of one kind that happened to a campaign or a lane.
pub(crate) async fn last(
    session: &mut Session,
    kind: EventKind,
    subject: Subject,
) -> Result<Option<Event>, StoreError> {
    const ALL: Sql = sql!(
        "SELECT id, at, kind, campaign, lane, who, cause FROM events WHERE kind = $1 AND $2 = 0 ORDER BY id DESC LIMIT 1"
    );
    const OF_CAMPAIGN: Sql = sql!(
        "SELECT id, at, kind, campaign, lane, who, cause FROM events WHERE kind = $1 \
         AND campaign = (SELECT c.name FROM campaigns c WHERE c.id = $2) ORDER BY id DESC LIMIT 1"
    );
    const OF_LANE: Sql = sql!(
        "SELECT id, at, kind, campaign, lane, who, cause FROM events WHERE kind = $1 AND campaign IS NULL \
         AND lane = (SELECT l.name FROM lanes l WHERE l.id = $2) ORDER BY id DESC LIMIT 1"
    );
    let (statement, id) = match subject {
        Subject::Campaign(id) => (&OF_CAMPAIGN, id.0),
        Subject::Lane(id) => (&OF_LANE, id.0),
        Subject::All | Subject::Run(_) | Subject::Import(_) => (&ALL, 0),
    };
    session.row(statement, args![kind.as_str(), id]).await?.as_ref().map(event).transpose()
}

fn event(row: &Row) -> Result<Event, StoreError> {
    Ok(Event {
        id: row.get("id")?,
        at: row.moment("at")?,
        kind: row.word("events", "kind")?,
        campaign: row.get("campaign")?,
        lane: row.get("lane")?,
        who: row.get("who")?,
        cause: row.get("cause")?,
    })
}
