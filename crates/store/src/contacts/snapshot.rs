//! Contacts as they stand before a move, read and locked.

use std::collections::BTreeMap;

use ringfence_domain::{
    BucketId, ContactId, ContactState, DialClass, ImportId, Moment, NumberKey, Outcome, RunId, StopReason, ZoneSet,
};

use crate::StoreError;
use crate::session::{Arg, Session, Sql, args, sql};

/// What a move needs to know of a contact before it.
#[derive(Debug, Clone)]
pub(crate) struct ContactSnapshot {
    pub(crate) run: RunId,
    pub(crate) state: ContactState,
    pub(crate) due_at: Moment,
    pub(crate) calls: u32,
    pub(crate) outcome_counts: BTreeMap<Outcome, u32>,
    pub(crate) bucket: BucketId,
    pub(crate) zones: ZoneSet,
    pub(crate) class: DialClass,
    /// The import whose bucket it stands in; 0 once it was dialled.
    pub(crate) import: ImportId,
    pub(crate) number: NumberKey,
    /// The person has several numbers.
    pub(crate) has_multiple_numbers: bool,
    /// Why it was stopped, if it was.
    pub(crate) stop_reason: Option<StopReason>,
    /// Why it does not go back to waiting, though its run goes on: a newer file no longer has it,
    /// or its import was undone, while a call of it was planned or out. A newer file that has it
    /// clears this.
    pub(crate) pending_stop_reason: Option<StopReason>,
    /// Why nobody in its run waits any more, if so.
    pub(crate) closed_for: Option<StopReason>,
}

/// Reads and locks contacts. They are locked first, and read then: a join that waits for a lock
/// would drop those whose bucket changed meanwhile.
pub(crate) async fn snapshots(
    session: &mut Session,
    contacts: impl Iterator<Item = ContactId>,
) -> Result<BTreeMap<ContactId, ContactSnapshot>, StoreError> {
    const READ: Sql = sql!(
        "SELECT c.id, c.run_id, c.state, c.due_at, c.calls, c.outcome_counts, c.bucket_id, c.number_key, c.has_multiple_numbers, \
         c.stop_reason, c.pending_stop_reason, b.zones, b.class, b.import_id, r.closed_for \
         FROM contacts c JOIN buckets b ON b.id = c.bucket_id JOIN runs r ON r.id = c.run_id WHERE c.id" ids ""
    );
    let ids: Vec<ContactId> = contacts.collect();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    lock_contacts(session, &ids).await?;
    let rows = session.rows(&READ, args![Arg::ids(ids.iter().map(|id| id.0))]).await?;
    rows.iter()
        .map(|row| {
            let closed: Option<String> = row.get("closed_for")?;
            let stopped: Option<String> = row.get("stop_reason")?;
            let leaves: Option<String> = row.get("pending_stop_reason")?;
            let snapshot = ContactSnapshot {
                run: RunId(row.get("run_id")?),
                state: row.word("contacts", "state")?,
                due_at: row.moment("due_at")?,
                calls: row.get::<i64>("calls")? as u32,
                outcome_counts: row.json("contacts", "outcome_counts")?,
                bucket: BucketId(row.get("bucket_id")?),
                zones: row.word("buckets", "zones")?,
                class: row.word("buckets", "class")?,
                import: ImportId(row.get("import_id")?),
                number: NumberKey(row.get("number_key")?),
                has_multiple_numbers: row.get("has_multiple_numbers")?,
                stop_reason: stopped.map(|_| row.word("contacts", "stop_reason")).transpose()?,
                pending_stop_reason: leaves.map(|_| row.word("contacts", "pending_stop_reason")).transpose()?,
                closed_for: closed.map(|_| row.word("runs", "closed_for")).transpose()?,
            };
            Ok((ContactId(row.get("id")?), snapshot))
        })
        .collect()
}

/// Locks contacts in the order of their ids.
pub(crate) async fn lock_contacts(session: &mut Session, ids: &[ContactId]) -> Result<(), StoreError> {
    const LOCK: Sql = sql!(
        sqlite "SELECT 1 WHERE $1 IS NOT NULL",
        postgres "SELECT id FROM contacts WHERE id = ANY ($1) ORDER BY id FOR UPDATE"
    );
    if matches!(session, Session::PostgresWrite(_)) {
        session.rows(&LOCK, args![Arg::ids(ids.iter().map(|id| id.0))]).await?;
    }
    Ok(())
}
