//! Writing what happened, at the end of the transaction that made it happen.

use std::sync::PoisonError;

use ringfence_domain::Moment;
use ringfence_domain::event::Event;

use super::{CallNews, Change, Subject, Teller};
use crate::StoreError;
use crate::session::{self, Arg, Session, Sql, args, sql};

impl Teller {
    /// Writes the events of a transition, under the names that their subjects have now. Nothing is
    /// locked after it: on Postgres events wait for one another, so that they become visible in the
    /// order of their numbers, and who reads the next ones misses none. Returns the changes.
    pub(crate) async fn write(&self, session: &mut Session) -> Result<Vec<Event>, StoreError> {
        const EFFECT: Sql = sql!("UPDATE idempotency_keys SET has_effect = TRUE WHERE id = $1");
        const IN_ORDER: Sql = sql!(
            sqlite "SELECT 1",
            postgres "SELECT pg_advisory_xact_lock(7295402, 1)"
        );
        let (changes, calls, is_no_effect) = {
            let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
            (std::mem::take(&mut told.changes), std::mem::take(&mut told.calls), told.is_no_effect)
        };
        if let Some(request) = self.actor.request.filter(|_| !is_no_effect) {
            session.run(&EFFECT, args![request]).await?;
        }
        if changes.is_empty() && calls.is_empty() {
            return Ok(Vec::new());
        }
        session.rows(&IN_ORDER, args![]).await?;
        self.write_calls(session, &calls).await?;
        let mut events = Vec::with_capacity(changes.len());
        for change in changes {
            events.extend(self.write_one(session, change).await?);
        }
        Ok(events)
    }

    /// All that happened in calls, with one statement: there may be many.
    async fn write_calls(&self, session: &mut Session, calls: &[CallNews]) -> Result<(), StoreError> {
        const WRITE: Sql = sql!(
            "INSERT INTO events (at, kind, who, cause, campaign, lane, run_id, contact_id, attempt_id, of_call) \
             SELECT u.at, u.kind, $2, u.cause, c.name, l.name, u.run_id, u.contact_id, u.attempt_id, TRUE FROM"
            rows (place bigint, at bigint, kind text, cause text, run_id bigint, contact_id bigint, attempt_id bigint)
            "JOIN runs r ON r.id = u.run_id JOIN campaigns c ON c.id = r.campaign_id JOIN lanes l ON l.id = c.lane_id \
             ORDER BY u.place"
        );
        if !calls.is_empty() {
            session.run(&WRITE, args![session::rows(calls), self.actor.who.to_string()]).await?;
        }
        Ok(())
    }

    /// None when its subject is gone.
    async fn write_one(&self, session: &mut Session, change: Change) -> Result<Option<Event>, StoreError> {
        const ALL: Sql = sql!(
            "INSERT INTO events (at, kind, who, cause, origin, before, after) SELECT $1, $2, $3, $4, $6, $7, $8 \
             WHERE $5 = 0 RETURNING id, campaign, lane, run_id"
        );
        const OF_CAMPAIGN: Sql = sql!(
            "INSERT INTO events (at, kind, who, cause, origin, before, after, campaign, lane, run_id) \
             SELECT $1, $2, $3, $4, $6, $7, $8, c.name, l.name, c.run_id \
             FROM campaigns c JOIN lanes l ON l.id = c.lane_id WHERE c.id = $5 RETURNING id, campaign, lane, run_id"
        );
        const OF_RUN: Sql = sql!(
            "INSERT INTO events (at, kind, who, cause, origin, before, after, campaign, lane, run_id) \
             SELECT $1, $2, $3, $4, $6, $7, $8, c.name, l.name, r.id \
             FROM runs r JOIN campaigns c ON c.id = r.campaign_id JOIN lanes l ON l.id = c.lane_id WHERE r.id = $5 \
             RETURNING id, campaign, lane, run_id"
        );
        const OF_IMPORT: Sql = sql!(
            "INSERT INTO events (at, kind, who, cause, origin, before, after, campaign, lane, run_id) \
             SELECT $1, $2, $3, $4, $6, $7, $8, c.name, l.name, r.id \
             FROM imports i JOIN runs r ON r.id = i.run_id JOIN campaigns c ON c.id = r.campaign_id \
             JOIN lanes l ON l.id = c.lane_id WHERE i.id = $5 RETURNING id, campaign, lane, run_id"
        );
        const OF_LANE: Sql = sql!(
            "INSERT INTO events (at, kind, who, cause, origin, before, after, lane) \
             SELECT $1, $2, $3, $4, $6, $7, $8, l.name FROM lanes l WHERE l.id = $5 RETURNING id, campaign, lane, run_id"
        );
        let Change { kind, subject, cause, at, before, after } = change;
        let (statement, id) = match subject {
            Subject::All => (&ALL, 0),
            Subject::Campaign(id) => (&OF_CAMPAIGN, id.0),
            Subject::Run(id) => (&OF_RUN, id.0),
            Subject::Import(id) => (&OF_IMPORT, id.0),
            Subject::Lane(id) => (&OF_LANE, id.0),
        };
        let (who, origin) = (self.actor.who.to_string(), self.actor.origin.as_deref().map(str::to_owned));
        let document = |value: &Option<serde_json::Value>| value.as_ref().map_or(Arg::Json(None), Arg::json);
        let arguments = args![
            at,
            kind.as_str(),
            who.clone(),
            cause.clone(),
            id,
            origin.clone(),
            document(&before),
            document(&after)
        ];
        let Some(row) = session.row(statement, arguments).await? else { return Ok(None) };
        let (campaign, lane) = (row.get("campaign")?, row.get("lane")?);
        let run = row.get::<Option<i64>>("run_id")?.map(ringfence_domain::RunId);
        let id = row.get("id")?;
        Ok(Some(Event {
            id,
            at,
            kind,
            campaign,
            lane,
            run,
            contact: None,
            attempt: None,
            who,
            origin,
            cause,
            before,
            after,
        }))
    }
}

/// Forgets what happened in calls before a moment, some at a time. Returns whether there may be
/// more.
pub(crate) async fn forget_calls(
    session: &mut Session,
    before: Moment,
    limit: i64,
) -> Result<(bool, usize), StoreError> {
    const FORGET: Sql =
        sql!("DELETE FROM events WHERE id IN (SELECT id FROM events WHERE of_call AND at < $1 ORDER BY at LIMIT $2)");
    let gone = session.run(&FORGET, args![before, limit]).await? as usize;
    Ok((gone as i64 == limit, gone))
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
