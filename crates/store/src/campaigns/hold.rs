//! Pausing, resuming and cancelling a campaign.

use ringfence_domain::event::EventKind;
use ringfence_domain::{CampaignId, CampaignState, ImportId, Moment, PausedBy, RunId, StopReason};
use serde_json::{Value, json};

use super::rows::{Locked, by_id};
use super::schedules;
use crate::StoreError;
use crate::campaigns::{recent_failures, runs};
use crate::events::{Subject, tell, tell_change};
use crate::session::{Session, Sql, args, claim_fence, sql};

/// What came of resuming a campaign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resumed {
    /// It may dial. These imports were held and are now accepted; they must be released.
    Running {
        /// The accepted imports.
        accepted: Vec<ImportId>,
    },
    /// A safety rail holds it, and nobody has accepted that.
    NeedsAccept {
        /// What the rail says.
        reason: String,
    },
}

/// Pauses. After it returns no claim of the campaign commits that had not seen it. A pause on a
/// stronger word takes the place of a weaker one: a draft that a person pauses is not started by a
/// run, and what a rail says is accepted, not only resumed.
pub(crate) async fn pause(
    session: &mut Session,
    id: CampaignId,
    by: PausedBy,
    reason: &str,
    now: Moment,
) -> Result<(), StoreError> {
    const PAUSE: Sql = sql!(
        "UPDATE campaigns SET state = 'paused', paused_by = $2, reason = $3, changed_at = $4, revision = revision + 1 \
         WHERE id = $1 AND (state = 'running' OR (state = 'paused' AND ((paused_by = 'draft' AND $2 <> 'draft') \
         OR (paused_by = 'person' AND $2 = 'safety'))))"
    );
    claim_fence::close(session).await?;
    let before = holding(session, id).await?;
    if session.run(&PAUSE, args![id, by.as_str(), reason, now]).await? == 0 {
        if before["state"] == CampaignState::Cancelled.as_str() {
            const NAME: Sql = sql!("SELECT name FROM campaigns WHERE id = $1");
            return Err(StoreError::Cancelled { campaign: session.one(&NAME, args![id]).await?.get("name")? });
        }
        return Ok(());
    }
    let change = (before, holding(session, id).await?);
    tell_change(EventKind::CampaignPaused, Subject::Campaign(id), Some(&format!("{by}: {reason}")), now, change);
    if by == PausedBy::Safety {
        tell(EventKind::CampaignHeld, Subject::Campaign(id), Some(reason), now);
    }
    Ok(())
}

/// Lets the campaign dial again. What a safety rail holds goes on only when a person accepts it.
pub(crate) async fn resume(
    session: &mut Session,
    id: CampaignId,
    accept: bool,
    now: Moment,
) -> Result<Resumed, StoreError> {
    // Only the newest file: an older one that is still held was overtaken, and may have been the
    // wrong list.
    const ACCEPT: Sql = sql!(
        "UPDATE imports SET accepted_at = $2 WHERE run_id = $1 AND state IN ('held', 'canary') \
         AND id = (SELECT max(n.id) FROM imports n WHERE n.run_id = $1 AND n.state <> 'undone') RETURNING id"
    );
    const HELD: Sql = sql!(
        "SELECT held_for FROM imports WHERE run_id = $1 AND state = 'held' \
         AND id = (SELECT max(n.id) FROM imports n WHERE n.run_id = $1 AND n.state <> 'undone')"
    );
    let known = by_id(session, id, Locked::Yes).await?;
    if known.state == CampaignState::Cancelled {
        return Err(StoreError::Cancelled { campaign: known.rules.name });
    }
    if !accept && known.paused_by == Some(PausedBy::Safety) {
        return Ok(Resumed::NeedsAccept { reason: known.reason.unwrap_or_default() });
    }
    if !accept && known.state == CampaignState::Running {
        let held = session.row(&HELD, args![known.run]).await?;
        if let Some(held) = held {
            return Ok(Resumed::NeedsAccept { reason: held.get("held_for")? });
        }
    }
    let mut accepted = Vec::new();
    if accept {
        recent_failures::forget_recent(session, known.run).await?;
        for row in session.rows(&ACCEPT, args![known.run, now]).await? {
            accepted.push(ImportId(row.get("id")?));
        }
        accepted.sort_unstable();
    }
    go_on(session, id, now).await?;
    Ok(Resumed::Running { accepted })
}

/// Accepts one import that a safety rail holds, and nothing else. False when it is not held, or when
/// a newer file of the campaign's current run has overtaken it.
pub(crate) async fn accept_import(
    session: &mut Session,
    id: CampaignId,
    import: ImportId,
    now: Moment,
) -> Result<bool, StoreError> {
    const ACCEPT: Sql = sql!(
        "UPDATE imports SET accepted_at = $3 WHERE id = $2 AND run_id = $1 AND state = 'held' \
         AND id = (SELECT max(n.id) FROM imports n WHERE n.run_id = $1 AND n.state <> 'undone')"
    );
    let known = by_id(session, id, Locked::Yes).await?;
    if known.state == CampaignState::Cancelled {
        return Err(StoreError::Cancelled { campaign: known.rules.name });
    }
    Ok(session.run(&ACCEPT, args![known.run, import, now]).await? > 0)
}

pub(super) async fn go_on(session: &mut Session, id: CampaignId, now: Moment) -> Result<(), StoreError> {
    const RESUME: Sql = sql!(
        "UPDATE campaigns SET state = 'running', paused_by = NULL, reason = NULL, changed_at = $2, revision = revision + 1 \
         WHERE id = $1 AND state = 'paused'"
    );
    let before = holding(session, id).await?;
    if session.run(&RESUME, args![id, now]).await? > 0 {
        let change = (before, holding(session, id).await?);
        tell_change(EventKind::CampaignResumed, Subject::Campaign(id), None, now, change);
    }
    Ok(())
}

/// Whether and why a campaign is held, for the record of its changes.
async fn holding(session: &mut Session, id: CampaignId) -> Result<Value, StoreError> {
    const STATE: Sql = sql!("SELECT state, paused_by, reason FROM campaigns WHERE id = $1");
    let row = session.one(&STATE, args![id]).await?;
    let text = |column| row.get::<Option<String>>(column);
    Ok(json!({ "state": text("state")?, "paused_by": text("paused_by")?, "reason": text("reason")? }))
}

/// Ends the campaign for good: nobody waits in it any more, and no schedule begins it.
pub(crate) async fn cancel(
    session: &mut Session,
    id: CampaignId,
    reason: &str,
    now: Moment,
) -> Result<RunId, StoreError> {
    const CANCEL: Sql = sql!(
        "UPDATE campaigns SET state = 'cancelled', paused_by = NULL, reason = $2, changed_at = $3, revision = revision + 1 \
         WHERE id = $1 AND state <> 'cancelled'"
    );
    claim_fence::close(session).await?;
    let known = by_id(session, id, Locked::Yes).await?;
    let before = holding(session, id).await?;
    if session.run(&CANCEL, args![id, reason, now]).await? > 0 {
        let change = (before, holding(session, id).await?);
        tell_change(EventKind::CampaignCancelled, Subject::Campaign(id), Some(reason), now, change);
    }
    runs::close(session, known.run, StopReason::Cancelled).await?;
    schedules::forget(session, id).await?;
    Ok(known.run)
}
