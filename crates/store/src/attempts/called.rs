//! Every attempt that was claimed, number by number: what a verification reads.

use ringfence_domain::{
    AttemptId, AttemptState, ContactId, ContactState, LaneId, Moment, NumberKey, Outcome, PhoneNumber, RunId, ZoneSet,
};

use crate::StoreError;
use crate::session::{Row, Session, Sql, args, sql};

/// An attempt that was claimed, whatever came of it, and its contact as it stands now.
#[derive(Debug, Clone)]
pub struct ClaimedAttempt {
    /// Its id.
    pub id: AttemptId,
    /// Its contact.
    pub contact: ContactId,
    /// Its run.
    pub run: RunId,
    /// Its lane.
    pub lane: LaneId,
    /// The number that it was for; none when it was claimed before numbers were kept.
    pub number: Option<PhoneNumber>,
    /// Where it stands.
    pub state: AttemptState,
    /// When it was claimed.
    pub sending_at: Moment,
    /// When its end was known.
    pub ended_at: Option<Moment>,
    /// The vendor's name for its call.
    pub call_id: Option<String>,
    /// How its call ended.
    pub outcome: Option<Outcome>,
    /// The callee declined it, or said no in it.
    pub refusal: bool,
    /// The contact's own zones.
    pub zones: ZoneSet,
    /// How the contact stands.
    pub contact_state: ContactState,
    /// When the contact was finished.
    pub finished_at: Option<Moment>,
    place: Place,
}

/// A place in the order of [`ClaimedAttempt`]s.
#[derive(Debug, Clone, Copy)]
pub struct Place(NumberKey, Moment, AttemptId);

impl Place {
    /// Before all of them.
    pub const START: Self = Self(NumberKey(i64::MIN), Moment::from_millis(i64::MIN), AttemptId(0));
}

impl ClaimedAttempt {
    /// Where it stands among the others: those of one number follow each other, oldest first.
    pub fn place(&self) -> Place {
        self.place
    }

    /// Tells whether two attempts are for the same number.
    pub fn has_number_of(&self, other: &Self) -> bool {
        self.place.0 == other.place.0
    }
}

pub(crate) const PAGE: Sql = sql!(
    "SELECT a.id, a.contact_id, a.run_id, a.lane_id, a.number, a.number_key, a.state, a.opened_at, a.sending_at, a.ended_at, \
     a.call_id, a.outcome, a.refusal, b.zones, c.state AS contact_state, c.finished_at \
     FROM attempts a JOIN contacts c ON c.id = a.contact_id JOIN buckets b ON b.id = c.bucket_id \
     WHERE (a.number_key, a.opened_at, a.id) > ($1, $2, $3) AND a.sending_at IS NOT NULL \
     ORDER BY a.number_key, a.opened_at, a.id LIMIT $4"
);

/// The next claimed attempts after a place.
pub(crate) async fn page(session: &mut Session, after: Place, limit: u32) -> Result<Vec<ClaimedAttempt>, StoreError> {
    let Place(number, opened_at, id) = after;
    let rows = session.rows(&PAGE, args![number.0, opened_at, id, i64::from(limit)]).await?;
    rows.iter().map(claimed).collect()
}

fn claimed(row: &Row) -> Result<ClaimedAttempt, StoreError> {
    let id = AttemptId(row.get("id")?);
    let outcome: Option<String> = row.get("outcome")?;
    Ok(ClaimedAttempt {
        id,
        contact: ContactId(row.get("contact_id")?),
        run: RunId(row.get("run_id")?),
        lane: LaneId(row.get("lane_id")?),
        number: row.number_or_none("attempts")?,
        state: row.word("attempts", "state")?,
        sending_at: row.moment("sending_at")?,
        ended_at: row.moment_or_none("ended_at")?,
        call_id: row.get("call_id")?,
        outcome: outcome.map(|_| row.word("attempts", "outcome")).transpose()?,
        refusal: row.get("refusal")?,
        zones: row.word("buckets", "zones")?,
        contact_state: row.word("contacts", "contact_state")?,
        finished_at: row.moment_or_none("finished_at")?,
        place: Place(NumberKey(row.get("number_key")?), row.moment("opened_at")?, id),
    })
}
