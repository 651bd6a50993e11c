//! Which process lives for a run.

use ringfence_domain::{Moment, RunId};

use crate::StoreError;
use crate::session::{Session, Sql, args, sql};

/// Makes this process the one that lives for the run. None, or the process that already does.
pub(crate) async fn follow(
    session: &mut Session,
    id: RunId,
    leader: &str,
    dead: Option<&str>,
    now: Moment,
    until: Moment,
) -> Result<Option<String>, StoreError> {
    const READ: Sql = sql!(
        sqlite "SELECT leader, leader_until FROM runs WHERE id = $1",
        postgres "SELECT leader, leader_until FROM runs WHERE id = $1 FOR UPDATE"
    );
    const WRITE: Sql = sql!("UPDATE runs SET leader = $2, leader_until = $3 WHERE id = $1");
    let row = session.one(&READ, args![id]).await?;
    let current: Option<String> = row.get("leader")?;
    if let Some(current) = current
        && current != leader
        && row.moment("leader_until")? > now
        && dead != Some(current.as_str())
    {
        return Ok(Some(current));
    }
    session.run(&WRITE, args![id, leader, until]).await?;
    Ok(None)
}

/// Stops living for the run.
pub(crate) async fn unfollow(session: &mut Session, id: RunId, leader: &str) -> Result<(), StoreError> {
    const WRITE: Sql = sql!("UPDATE runs SET leader = NULL, leader_until = 0 WHERE id = $1 AND leader = $2");
    session.run(&WRITE, args![id, leader]).await?;
    Ok(())
}
