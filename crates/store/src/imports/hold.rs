//! Holding an import for a safety rail, and undoing it.

use ringfence_domain::event::EventKind;
use ringfence_domain::{ImportId, Moment};

use super::owners::enter_of;
use super::rows::{ImportCounts, lock, lock_loading};
use crate::buckets::lock_buckets_of;
use crate::database::turns::Urgency;
use crate::events::{Subject, tell};
use crate::session::{Session, Sql, args, claim_fence, sql};
use crate::{Database, StoreError};

/// The whole file was read, and a safety rail holds it.
pub(crate) async fn hold(
    database: &Database,
    id: ImportId,
    counts: ImportCounts,
    reason: String,
    now: Moment,
) -> Result<(), StoreError> {
    enter_of(database, id).await?;
    let write = database.write("hold_import", Urgency::Normal, move |session| {
        Box::pin(async move { hold_read(session, id, &counts, &reason, now).await })
    });
    write.await
}

async fn hold_read(
    session: &mut Session,
    id: ImportId,
    counts: &ImportCounts,
    reason: &str,
    now: Moment,
) -> Result<(), StoreError> {
    const HOLD: Sql = sql!(
        "UPDATE imports SET state = 'held', rows = $2, accepted = $3, updated = $4, unchanged = $5, duplicate = $6, \
         rejected = $7, held_for = $8 WHERE id = $1"
    );
    lock_loading(session, id).await?;
    let ImportCounts { rows, accepted, updated, unchanged, duplicate, rejected } = *counts;
    session.run(&HOLD, args![id, rows, accepted, updated, unchanged, duplicate, rejected, reason]).await?;
    let told = format!("import {id}: {reason}");
    tell(EventKind::ImportHeld, Subject::Import(id), Some(&told), now);
    tell(EventKind::CampaignHeld, Subject::Import(id), Some(&told), now);
    Ok(())
}

/// Nothing more of it is dialled. Its contacts are stopped, and what it kept for later is
/// forgotten, some at a time.
pub(crate) async fn undo(session: &mut Session, id: ImportId, now: Moment) -> Result<(), StoreError> {
    const UNDO: Sql = sql!("UPDATE imports SET state = 'undone', undone_at = coalesce(undone_at, $2) WHERE id = $1");
    const STAGE: Sql = sql!("UPDATE buckets SET staged = TRUE WHERE run_id = $2 AND import_id = $1");
    const CANARIES: Sql = sql!("DELETE FROM canaries WHERE import_id = $1");
    claim_fence::close(session).await?;
    let Some(row) = lock(session, id).await? else { return Ok(()) };
    session.run(&UNDO, args![id, now]).await?;
    tell(EventKind::ImportUndone, Subject::Import(id), Some(&format!("import {id}, {}", row.source)), now);
    lock_buckets_of(session, row.run, id).await?;
    session.run(&STAGE, args![id, row.run]).await?;
    session.run(&CANARIES, args![id]).await?;
    Ok(())
}
