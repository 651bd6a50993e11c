//! Counts the contacts of a run that the program would never come to again: none, if all is well.

use ringfence_domain::RunId;

use crate::StoreError;
use crate::session::{Session, Sql, args, sql};

/// Contacts that a run has forgotten, by how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forgotten {
    /// They are being called, and no attempt of theirs lives.
    pub active_without_attempt: i64,
    /// They are done, and no attempt of theirs was ever claimed.
    pub done_without_attempt: i64,
    /// Complete files brought them, and they are not there.
    pub missing: i64,
    /// Their number is not known as theirs: the next file would bring them a second time.
    pub without_number: i64,
}

/// Counts them. It reads every contact of the run.
pub(crate) async fn forgotten(session: &mut Session, run: RunId) -> Result<Forgotten, StoreError> {
    const COUNT: Sql = sql!(
        "SELECT (SELECT count(*) FROM contacts c WHERE c.run_id = $1 AND c.state = 'active' \
         AND NOT EXISTS (SELECT 1 FROM attempts a WHERE a.contact_id = c.id AND a.live)) AS active, \
         (SELECT count(*) FROM contacts c WHERE c.run_id = $1 AND c.state = 'done' AND NOT EXISTS \
         (SELECT 1 FROM attempts a WHERE a.number_key IN (SELECT c.number_key UNION ALL SELECT n.number_key FROM contact_numbers n \
         WHERE n.contact_id = c.id) AND a.contact_id = c.id AND a.sending_at IS NOT NULL)) AS done, \
         (SELECT CAST(coalesce(sum(i.accepted), 0) AS BIGINT) FROM imports i WHERE i.run_id = $1 AND i.completed_at IS NOT NULL) AS accepted, \
         (SELECT count(*) FROM contacts c WHERE c.run_id = $1) AS present, \
         (SELECT count(*) FROM contacts c JOIN imports i ON i.id = c.import_id WHERE c.run_id = $1 AND i.unowned = 0 \
         AND NOT EXISTS (SELECT 1 FROM number_owners o WHERE o.number_key = c.number_key AND o.run_id = c.run_id \
         AND o.contact_id = c.id)) AS without_number, \
         (SELECT r.erased_at FROM runs r WHERE r.id = $1) AS erased_at"
    );
    let row = session.one(&COUNT, args![run]).await?;
    let (accepted, present): (i64, i64) = (row.get("accepted")?, row.get("present")?);
    Ok(Forgotten {
        active_without_attempt: row.get("active")?,
        done_without_attempt: row.get("done")?,
        without_number: row.get("without_number")?,
        missing: if row.moment_or_none("erased_at")?.is_some() { 0 } else { (accepted - present).max(0) },
    })
}
