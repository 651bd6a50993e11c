//! What is written of an attempt that was settled.

use ringfence_domain::{AttemptId, CallDetails, Moment, Outcome};
use serde::Serialize;

use crate::StoreError;
use crate::session::{self, Session, Sql, args, sql};

#[derive(Serialize, Default)]
pub(super) struct AfterRow {
    attempt_id: i64,
    pub(super) state: &'static str,
    pub(super) live: i64,
    call_id: Option<String>,
    placed_at: Option<i64>,
    overdue_at: Option<i64>,
    ended_at: Option<i64>,
    outcome: Option<&'static str>,
    vendor_status: Option<String>,
    talk_seconds: Option<u32>,
    cost_micros: Option<i64>,
    currency: Option<String>,
    outputs: Option<serde_json::Value>,
    recording_url: Option<String>,
    recording_expires_at: Option<i64>,
    transcript_url: Option<String>,
    transcript_expires_at: Option<i64>,
    pub(super) refusal: i64,
}

impl AfterRow {
    /// A row that says nothing yet.
    pub(super) fn of(attempt: AttemptId) -> Self {
        Self { attempt_id: attempt.0, ..Self::default() }
    }

    /// The call was found at the vendor.
    pub(super) fn found(&mut self, call_id: &str, overdue_at: Moment, now: Moment) {
        self.call_id = Some(call_id.to_owned());
        self.placed_at = Some(now.millis());
        self.overdue_at = Some(overdue_at.millis());
    }

    /// The call is over.
    pub(super) fn end(&mut self, outcome: Outcome, details: CallDetails, now: Moment) {
        self.ended_at = Some(now.millis());
        self.outcome = Some(outcome.as_str());
        self.vendor_status = details.vendor_status;
        self.talk_seconds = details.talk_seconds;
        (self.cost_micros, self.currency) = details.cost.unzip();
        self.outputs = (!details.outputs.is_empty())
            .then(|| serde_json::to_value(&details.outputs).expect("values of JSON are always JSON"));
        if let Some((url, expires)) = details.recording {
            (self.recording_url, self.recording_expires_at) = (Some(url), expires.map(Moment::millis));
        }
        if let Some((url, expires)) = details.transcript {
            (self.transcript_url, self.transcript_expires_at) = (Some(url), expires.map(Moment::millis));
        }
    }
}

/// Writes the rows.
pub(super) async fn write(session: &mut Session, mut rows: Vec<AfterRow>) -> Result<(), StoreError> {
    const WRITE: Sql = sql!(
        "UPDATE attempts AS a SET live_change = (SELECT n FROM change_number), \
         change_number = CASE WHEN u.live = 1 THEN a.change_number ELSE (SELECT n FROM change_number) END, \
         state = u.state, live = (u.live = 1), call_id = coalesce(u.call_id, a.call_id), \
         placed_at = coalesce(a.placed_at, u.placed_at), overdue_at = coalesce(u.overdue_at, a.overdue_at), \
         ended_at = u.ended_at, outcome = u.outcome, vendor_status = u.vendor_status, talk_seconds = u.talk_seconds, \
         cost_micros = u.cost_micros, currency = u.currency, outputs = u.outputs, recording_url = u.recording_url, \
         recording_expires_at = u.recording_expires_at, transcript_url = u.transcript_url, \
         transcript_expires_at = u.transcript_expires_at, refusal = (u.refusal = 1) FROM"
        rows (attempt_id bigint, state text, live bigint, call_id text, placed_at bigint, overdue_at bigint,
            ended_at bigint, outcome text, vendor_status text, talk_seconds bigint, cost_micros bigint, currency text,
            outputs jsonb, recording_url text, recording_expires_at bigint, transcript_url text,
            transcript_expires_at bigint, refusal bigint)
        "WHERE a.id = u.attempt_id"
    );
    if rows.is_empty() {
        return Ok(());
    }
    rows.sort_unstable_by_key(|row| row.attempt_id);
    session.run(&WRITE, args![session::rows(&rows)]).await?;
    Ok(())
}
