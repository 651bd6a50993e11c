//! Attempts as they stand before news of them is taken in, read and locked.

use std::collections::BTreeMap;

use ringfence_domain::{AttemptId, AttemptState, ContactId, DialClass, LaneId, Moment, NumberKey, PhoneNumber, RunId};

use crate::StoreError;
use crate::session::{Arg, Session, Sql, args, sql};

/// An attempt before the news.
pub(super) struct Known {
    pub(super) contact: ContactId,
    pub(super) run: RunId,
    pub(super) lane: LaneId,
    /// None when it cannot be read: what became of its call is taken in all the same.
    pub(super) number: Option<PhoneNumber>,
    pub(super) number_key: NumberKey,
    pub(super) state: AttemptState,
    pub(super) class: DialClass,
    pub(super) sending_at: Option<Moment>,
    /// The caller id that its call showed.
    pub(super) caller_id: Option<String>,
}

/// Loads these attempts, and locks them until the transaction ends.
pub(super) async fn load(
    session: &mut Session,
    ids: impl Iterator<Item = AttemptId>,
) -> Result<BTreeMap<AttemptId, Known>, StoreError> {
    const READ: Sql = sql!(
        "SELECT a.id, a.contact_id, a.run_id, a.lane_id, a.number_key, a.state, a.class, a.sending_at, a.caller_id, \
         coalesce(a.number, c.number) AS number FROM attempts a JOIN contacts c ON c.id = a.contact_id WHERE a.id" ids ""
        postgres "ORDER BY a.id FOR UPDATE OF a"
    );
    let ids: Vec<i64> = ids.map(|id| id.0).collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = session.rows(&READ, args![Arg::Ints(ids)]).await?;
    rows.iter()
        .map(|row| {
            let known = Known {
                contact: ContactId(row.get("contact_id")?),
                run: RunId(row.get("run_id")?),
                lane: LaneId(row.get("lane_id")?),
                number: row.number("attempts").ok(),
                number_key: NumberKey(row.get("number_key")?),
                state: row.word("attempts", "state")?,
                class: row.word("attempts", "class")?,
                sending_at: row.moment_or_none("sending_at")?,
                caller_id: row.get("caller_id")?,
            };
            Ok((AttemptId(row.get("id")?), known))
        })
        .collect()
}
