//! From a file that was read to contacts that may be dialled, the canary first.

use ringfence_domain::event::EventKind;
use ringfence_domain::{ImportId, ImportState, Moment, RunId};

use super::canary;
use super::owners::enter_of;
use super::rows::{ImportCounts, lock, lock_loading};
use crate::buckets::lock_buckets_of;
use crate::database::turns::Urgency;
use crate::events::{Subject, tell};
use crate::session::{Session, Sql, args, sql};
use crate::{Database, StoreError};

/// A file that was read and passed the rails.
#[derive(Debug, Clone, Copy)]
pub struct CompleteOrder {
    /// The import.
    pub import: ImportId,
    /// What became of its rows.
    pub counts: ImportCounts,
    /// Contacts that were stopped because the file no longer has them.
    pub missing: i64,
    /// So many are dialled first.
    pub canary: Option<u32>,
    /// When.
    pub now: Moment,
}

/// All of the file is in: everyone may be dialled, or the canary first.
pub(crate) async fn complete(database: &Database, order: CompleteOrder) -> Result<(), StoreError> {
    enter_of(database, order.import).await?;
    let write = database.write("complete_import", Urgency::Normal, move |session| {
        Box::pin(async move { complete_read(session, &order).await })
    });
    write.await
}

async fn complete_read(session: &mut Session, order: &CompleteOrder) -> Result<(), StoreError> {
    const COMPLETE: Sql = sql!(
        "UPDATE imports SET state = 'canary', rows = $2, accepted = $3, updated = $4, unchanged = $5, duplicate = $6, \
         rejected = $7, missing = $8, completed_at = $9 WHERE id = $1"
    );
    const READY: Sql = sql!("UPDATE runs SET ready = TRUE WHERE id = $1");
    let row = lock_loading(session, order.import).await?;
    let ImportCounts { rows, accepted, updated, unchanged, duplicate, rejected } = order.counts;
    let arguments =
        args![order.import, rows, accepted, updated, unchanged, duplicate, rejected, order.missing, order.now];
    session.run(&COMPLETE, arguments).await?;
    session.run(&READY, args![row.run]).await?;
    let told = format!("import {}: {accepted} new, {updated} changed, {rejected} rejected", order.import);
    tell(EventKind::ImportReleased, Subject::Import(order.import), Some(&told), order.now);
    let canary = order.canary.filter(|canary| i64::from(*canary) < accepted);
    if let Some(canary) = canary
        && canary::send(session, row.run, order.import, canary, order.now).await? > 0
    {
        return Ok(());
    }
    unstage(session, row.run, order.import, order.now).await
}

/// Everyone of a complete import may be dialled, unless it was undone.
pub(crate) async fn release(
    session: &mut Session,
    run: RunId,
    import: ImportId,
    now: Moment,
) -> Result<(), StoreError> {
    match lock(session, import).await? {
        Some(row) if row.state == ImportState::Canary => unstage(session, run, import, now).await,
        _ => Ok(()),
    }
}

async fn unstage(session: &mut Session, run: RunId, import: ImportId, now: Moment) -> Result<(), StoreError> {
    const UNSTAGE: Sql = sql!("UPDATE buckets SET staged = FALSE WHERE run_id = $1 AND import_id = $2 AND staged");
    const RELEASED: Sql = sql!("UPDATE imports SET state = 'complete', released_at = $2 WHERE id = $1");
    const CANARIES: Sql = sql!("DELETE FROM canaries WHERE import_id = $1");
    lock_buckets_of(session, run, import).await?;
    session.run(&UNSTAGE, args![run, import]).await?;
    session.run(&RELEASED, args![import, now]).await?;
    session.run(&CANARIES, args![import]).await?;
    Ok(())
}

/// Forgets some of what was only kept until the import was complete, `limit` rows at most. False
/// when nothing is left.
pub(crate) async fn forget_matches(
    session: &mut Session,
    import: ImportId,
    limit: i64,
) -> Result<(bool, usize), StoreError> {
    const FORGET: Sql = sql!(
        "DELETE FROM import_matches WHERE import_id = $1 AND contact_id IN \
         (SELECT m.contact_id FROM import_matches m WHERE m.import_id = $1 LIMIT $2)"
    );
    let forgotten = session.run(&FORGET, args![import, limit]).await?;
    Ok((forgotten > 0, forgotten as usize))
}
