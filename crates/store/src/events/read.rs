//! Reading what happened.

use ringfence_domain::event::{Event, EventKind};
use ringfence_domain::{AttemptId, ContactId, RunId};

use super::{EventFilter, EventScope, Subject};
use crate::StoreError;
use crate::session::{Row, Session, Sql, args, sql};

/// The columns of an event.
macro_rules! select_event {
    ($rest:literal) => {
        concat!(
            "SELECT id, at, kind, campaign, lane, run_id, contact_id, attempt_id, who, origin, cause, before, after FROM events ",
            $rest
        )
    };
}

/// The next events that were asked for, the oldest first.
pub(crate) async fn page(session: &mut Session, filter: &EventFilter, limit: i64) -> Result<Vec<Event>, StoreError> {
    const CHANGES: Sql = sql!(
        both select_event!("WHERE id > $1 AND NOT of_call AND at >= $2 \
         AND ($3 IS NULL OR campaign = $3) AND ($4 IS NULL OR lane = $4) ORDER BY id LIMIT $5")
    );
    const BY_PEOPLE: Sql = sql!(
        both select_event!("WHERE id > $1 AND NOT of_call AND origin IS NOT NULL AND at >= $2 \
         AND ($3 IS NULL OR campaign = $3) AND ($4 IS NULL OR lane = $4) ORDER BY id LIMIT $5")
    );
    const WITH_CALLS: Sql = sql!(both select_event!(
        "WHERE id > $1 AND at >= $2 AND ($3 IS NULL OR campaign = $3) AND ($4 IS NULL OR lane = $4) ORDER BY id LIMIT $5"
    ));
    let EventFilter { after, since, campaign, lane, scope } = filter;
    let statement = match scope {
        EventScope::Changes => &CHANGES,
        EventScope::ByPeople => &BY_PEOPLE,
        EventScope::WithCalls => &WITH_CALLS,
    };
    let arguments = args![*after, since.unwrap_or_default(), campaign.clone(), lane.clone(), limit];
    session.rows(statement, arguments).await?.iter().map(event).collect()
}

/// The last events before one that were asked for, the newest first; `after` is not heeded.
pub(crate) async fn latest(
    session: &mut Session,
    filter: &EventFilter,
    before: i64,
    limit: i64,
) -> Result<Vec<Event>, StoreError> {
    let EventFilter { since, campaign, lane, scope, .. } = filter;
    let statement = match scope {
        EventScope::Changes => &LATEST_CHANGES,
        EventScope::ByPeople => &LATEST_BY_PEOPLE,
        EventScope::WithCalls => &LATEST_WITH_CALLS,
    };
    let arguments = args![before, since.unwrap_or_default(), campaign.clone(), lane.clone(), limit];
    session.rows(statement, arguments).await?.iter().map(event).collect()
}

pub(crate) const LATEST_CHANGES: Sql = sql!(
    both select_event!("WHERE id < $1 AND NOT of_call AND at >= $2 \
     AND ($3 IS NULL OR campaign = $3) AND ($4 IS NULL OR lane = $4) ORDER BY id DESC LIMIT $5")
);
pub(crate) const LATEST_BY_PEOPLE: Sql = sql!(
    both select_event!("WHERE id < $1 AND NOT of_call AND origin IS NOT NULL AND at >= $2 \
     AND ($3 IS NULL OR campaign = $3) AND ($4 IS NULL OR lane = $4) ORDER BY id DESC LIMIT $5")
);
pub(crate) const LATEST_WITH_CALLS: Sql = sql!(both select_event!(
    "WHERE id < $1 AND at >= $2 AND ($3 IS NULL OR campaign = $3) AND ($4 IS NULL OR lane = $4) ORDER BY id DESC LIMIT $5"
));

/// The numbers of the oldest and of the newest event that are kept; zeros when there are none.
pub(crate) async fn horizon(session: &mut Session) -> Result<(i64, i64), StoreError> {
    const ENDS: Sql = sql!(
        "SELECT coalesce((SELECT min(id) FROM events), 0) AS oldest, coalesce((SELECT max(id) FROM events), 0) AS newest"
    );
    let row = session.one(&ENDS, args![]).await?;
    Ok((row.get("oldest")?, row.get("newest")?))
}

/// The last event of one kind that happened to a campaign or a lane.
pub(crate) async fn last(
    session: &mut Session,
    kind: EventKind,
    subject: Subject,
) -> Result<Option<Event>, StoreError> {
    const ALL: Sql = sql!(
        both select_event!("WHERE kind = $1 AND NOT of_call AND $2 = 0 ORDER BY id DESC LIMIT 1")
    );
    const OF_CAMPAIGN: Sql = sql!(
        both select_event!("WHERE kind = $1 AND NOT of_call \
         AND campaign = (SELECT c.name FROM campaigns c WHERE c.id = $2) ORDER BY id DESC LIMIT 1")
    );
    const OF_LANE: Sql = sql!(
        both select_event!("WHERE kind = $1 AND NOT of_call AND campaign IS NULL \
         AND lane = (SELECT l.name FROM lanes l WHERE l.id = $2) ORDER BY id DESC LIMIT 1")
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
        run: row.get::<Option<i64>>("run_id")?.map(RunId),
        contact: row.get::<Option<i64>>("contact_id")?.map(ContactId),
        attempt: row.get::<Option<i64>>("attempt_id")?.map(AttemptId),
        who: row.get("who")?,
        origin: row.get("origin")?,
        cause: row.get("cause")?,
        before: row.json_or_none("events", "before")?,
        after: row.json_or_none("events", "after")?,
    })
}
