//! Contacts in review: a person says what nobody else can.

use ringfence_domain::event::EventKind;
use ringfence_domain::{AttemptId, AttemptState, CampaignId, ContactId, ContactState, Moment, PhoneNumber, RunId};
use serde_json::json;

use super::settle::{Settlement, settle};
use crate::StoreError;
use crate::contacts::snapshot::snapshots;
use crate::contacts::transitions::{Move, To, advance};
use crate::counters::Deltas;
use crate::events::{Subject, tell_change};
use crate::session::{Session, Sql, args, sql};

/// A contact in review, and the attempt that brought it there.
#[derive(Debug, Clone)]
pub struct ReviewRow {
    /// The contact.
    pub contact: ContactId,
    /// Its campaign.
    pub campaign: CampaignId,
    /// Its run.
    pub run: RunId,
    /// Who was, or was not, called.
    pub number: PhoneNumber,
    /// The last attempt.
    pub attempt: Option<AttemptId>,
    /// How that one stands.
    pub attempt_state: Option<AttemptState>,
    /// When it was sent.
    pub sending_at: Option<Moment>,
    /// Why nobody can say.
    pub cause: Option<String>,
}

/// What a person says of a contact in review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReviewAnswer {
    /// It was called: it is finished.
    Placed,
    /// It was not: it may be dialled again.
    NotPlaced,
}

// The sign before `c.id` keeps SQLite from going through everybody in the order of the ids: the
// index of who is in review is short.
pub(crate) const LIST: Sql = sql!(
    "SELECT c.id, c.number, c.run_id, r.campaign_id, a.id AS attempt_id, a.state AS attempt_state, a.sending_at, a.cause \
     FROM contacts c JOIN runs r ON r.id = c.run_id \
     LEFT JOIN attempts a ON a.id = (SELECT max(x.id) FROM attempts x WHERE x.contact_id = c.id AND x.number_key = c.number_key) \
     WHERE c.state = 'review' AND +c.id > $1 AND ($2 = 0 OR r.campaign_id = $2) ORDER BY +c.id LIMIT $3"
);

/// The next contacts in review after `after`, over all campaigns, or in one.
pub(crate) async fn list(
    session: &mut Session,
    campaign: Option<CampaignId>,
    after: ContactId,
    limit: u32,
) -> Result<Vec<ReviewRow>, StoreError> {
    let campaign = campaign.map_or(0, |campaign| campaign.0);
    let rows = session.rows(&LIST, args![after, campaign, i64::from(limit)]).await?;
    rows.iter()
        .map(|row| {
            let state: Option<String> = row.get("attempt_state")?;
            Ok(ReviewRow {
                contact: ContactId(row.get("id")?),
                campaign: CampaignId(row.get("campaign_id")?),
                run: RunId(row.get("run_id")?),
                number: row.number("contacts")?,
                attempt: row.get::<Option<i64>>("attempt_id")?.map(AttemptId),
                attempt_state: state.map(|_| row.word("attempts", "attempt_state")).transpose()?,
                sending_at: row.moment_or_none("sending_at")?,
                cause: row.get("cause")?,
            })
        })
        .collect()
}

/// Settles one contact by a person's word. False when it is not in review any more.
pub(crate) async fn decide(
    session: &mut Session,
    contact: ContactId,
    verdict: ReviewAnswer,
    now: Moment,
) -> Result<bool, StoreError> {
    const LIVE: Sql = sql!("SELECT id FROM attempts WHERE contact_id = $1 AND live AND state = 'unknown'");
    // A call that was never placed uses up none of those that the rules allow.
    const TAKE_BACK: Sql = sql!(
        "UPDATE contacts SET change_number = (SELECT n FROM change_number), calls = calls - 1 WHERE id = $1 \
         AND calls > 0 AND (SELECT a.outcome FROM attempts a WHERE a.contact_id = $1 ORDER BY a.id DESC LIMIT 1) = 'unknown'"
    );
    let unknown = session.row(&LIVE, args![contact]).await?;
    if let Some(row) = unknown {
        let settlement = match verdict {
            ReviewAnswer::Placed => Settlement::AssumePlaced,
            ReviewAnswer::NotPlaced => Settlement::NotPlaced,
        };
        let attempt = AttemptId(row.get("id")?);
        let settled = settle(session, now, &[(attempt, settlement)]).await?.settled == 1;
        if settled {
            note(session, contact, verdict, now).await?;
        }
        return Ok(settled);
    }
    let snapshots = snapshots(session, std::iter::once(contact)).await?;
    if snapshots.get(&contact).is_none_or(|snapshot| snapshot.state != ContactState::Review) {
        return Ok(false);
    }
    let to = match verdict {
        ReviewAnswer::Placed => To::Done,
        ReviewAnswer::NotPlaced => To::WaitingAgain,
    };
    let mut deltas = Deltas::default();
    advance(session, now, &snapshots, &[Move { contact, to, ended: None }], &mut deltas).await?;
    deltas.write(session).await?;
    if matches!(verdict, ReviewAnswer::NotPlaced) {
        session.run(&TAKE_BACK, args![contact]).await?;
    }
    note(session, contact, verdict, now).await?;
    Ok(true)
}

/// Notes a person's word on the call of a contact.
async fn note(session: &mut Session, contact: ContactId, verdict: ReviewAnswer, now: Moment) -> Result<(), StoreError> {
    const RUN: Sql = sql!("SELECT run_id FROM contacts WHERE id = $1");
    let run = RunId(session.one(&RUN, args![contact]).await?.get("run_id")?);
    let word = match verdict {
        ReviewAnswer::Placed => "placed",
        ReviewAnswer::NotPlaced => "not placed",
    };
    let change = (json!({ "contact": contact, "state": "review" }), json!({ "contact": contact, "call": word }));
    tell_change(EventKind::ReviewSettled, Subject::Run(run), Some(&format!("contact {contact}: {word}")), now, change);
    Ok(())
}
