//! The calls of a lane that are out, or may be.

use std::collections::BTreeSet;

use ringfence_domain::{AttemptId, AttemptState, CampaignId, ContactState, LaneId, Moment, PhoneNumber};

use crate::StoreError;
use crate::lanes::rows::{LaneRow, Lock, lock};
use crate::lanes::slots::placed_until;
use crate::session::{Arg, Row, Session, Sql, args, sql};

/// A call that is out, or may be.
#[derive(Debug, Clone)]
pub struct LiveCall {
    /// The attempt.
    pub attempt: AttemptId,
    /// What we call it towards the vendor.
    pub reference: String,
    /// Placed, or unknown.
    pub state: AttemptState,
    /// Its campaign.
    pub campaign: CampaignId,
    /// Who is called.
    pub number: PhoneNumber,
    /// The number that it is called from.
    pub caller_id: Option<String>,
    /// When it was claimed.
    pub sending_at: Moment,
    /// The vendor's name for it.
    pub call_id: Option<String>,
    /// Until when it holds its slot, whatever is heard until then.
    pub slot_until: Moment,
    /// Without news by then, its number is free again.
    pub overdue_at: Option<Moment>,
    /// When the number was called before through this lane, if it was: that call is at the vendor's
    /// too, and is not this one.
    pub called_before: Option<Moment>,
    /// Whether its contact is already in review.
    pub in_review: bool,
}

/// How many calls of all lanes are out, or may be.
pub(crate) async fn out(session: &mut Session) -> Result<i64, StoreError> {
    session.one(&OUT, args![]).await?.get("n")
}

// The indexes of live attempts are as short as the lanes have slots.
pub(crate) const OUT: Sql =
    sql!("SELECT count(*) AS n FROM attempts WHERE live AND state IN ('sending', 'placed', 'unknown')");

/// How old a call is that is out, or may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallAge {
    /// The attempt.
    pub attempt: AttemptId,
    /// Placed, or unknown.
    pub state: AttemptState,
    /// When it was claimed.
    pub sending_at: Moment,
}

/// How old the calls of a lane are that are out, or may be.
pub(crate) async fn ages(session: &mut Session, lane: LaneId) -> Result<Vec<CallAge>, StoreError> {
    const AGES: Sql = sql!(
        "SELECT id, state, sending_at FROM attempts WHERE lane_id = $1 AND live AND state IN ('placed', 'unknown')"
    );
    let rows = session.rows(&AGES, args![lane]).await?;
    rows.iter()
        .map(|row| {
            Ok(CallAge {
                attempt: AttemptId(row.get("id")?),
                state: row.word("attempts", "state")?,
                sending_at: row.moment("sending_at")?,
            })
        })
        .collect()
}

macro_rules! select_live {
    () => {
        "SELECT a.id, a.reference, a.state, coalesce(a.number, c.number) AS number, a.caller_id, a.sending_at, a.call_id, a.overdue_at, \
         a.slot_until, \
         c.state AS contact_state, b.campaign_id, (SELECT max(e.sending_at) FROM attempts e \
         WHERE e.number_key = a.number_key AND e.lane_id = a.lane_id AND e.state IN ('placed', 'ended', 'unknown') \
         AND e.id + 0 < a.id) AS called_before FROM attempts a JOIN contacts c ON c.id = a.contact_id \
         JOIN buckets b ON b.id = c.bucket_id WHERE a.state IN ('placed', 'unknown') AND "
    };
}

/// The calls of a lane that are out or may be, oldest first.
pub(crate) async fn live(session: &mut Session, lane: LaneId) -> Result<Vec<LiveCall>, StoreError> {
    const LIVE: Sql = sql!(both concat!(select_live!(), "a.live AND a.lane_id = $1 ORDER BY a.id"));
    let lane = lock(session, lane, Lock::Read).await?;
    session.rows(&LIVE, args![lane.id]).await?.iter().map(|row| live_call(&lane, row)).collect()
}

/// Those of these attempts whose calls are out or may be, oldest first.
pub(crate) async fn live_of(
    session: &mut Session,
    lane: LaneId,
    attempts: &[AttemptId],
) -> Result<Vec<LiveCall>, StoreError> {
    // By their ids, and not by the index of all that live.
    const LIVE_OF: Sql = sql!(
        sqlite concat!(
            select_live!(),
            "a.lane_id + 0 = $2 AND a.id IN (SELECT value FROM json_each($1)) ORDER BY a.id"
        ),
        postgres concat!(select_live!(), "a.lane_id + 0 = $2 AND a.id = ANY ($1) ORDER BY a.id")
    );
    let lane = lock(session, lane, Lock::Read).await?;
    let ids = Arg::ids(attempts.iter().map(|attempt| attempt.0));
    session.rows(&LIVE_OF, args![ids, lane.id]).await?.iter().map(|row| live_call(&lane, row)).collect()
}

fn live_call(lane: &LaneRow, row: &Row) -> Result<LiveCall, StoreError> {
    let contact_state: ContactState = row.word("contacts", "contact_state")?;
    let sending_at = row.moment("sending_at")?;
    Ok(LiveCall {
        attempt: AttemptId(row.get("id")?),
        reference: row.get("reference")?,
        state: row.word("attempts", "state")?,
        campaign: CampaignId(row.get("campaign_id")?),
        number: row.number("attempts")?,
        caller_id: row.get("caller_id")?,
        sending_at,
        call_id: row.get("call_id")?,
        slot_until: row.moment_or_none("slot_until")?.unwrap_or(placed_until(lane, sending_at)),
        overdue_at: row.moment_or_none("overdue_at")?,
        called_before: row.moment_or_none("called_before")?,
        in_review: contact_state == ContactState::Review,
    })
}

/// Call ids among these that attempts of the lane already have.
pub(crate) async fn bound_calls(
    session: &mut Session,
    lane: LaneId,
    call_ids: &[String],
) -> Result<BTreeSet<String>, StoreError> {
    const BOUND: Sql = sql!(
        "SELECT k.call_id FROM calls k WHERE k.lane_id = $2 AND k.call_id" ids ""
    );
    session
        .rows(&BOUND, args![Arg::texts(call_ids.iter().map(String::as_str)), lane])
        .await?
        .iter()
        .map(|row| row.get("call_id"))
        .collect()
}
