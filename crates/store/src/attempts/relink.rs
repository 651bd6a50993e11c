//! Where a call's recording and transcript are.

use ringfence_domain::{AttemptId, CallDetails};

use crate::StoreError;
use crate::session::{Session, Sql, args, sql};

/// Stores where a call's recording and transcript are now.
pub(crate) async fn relink(session: &mut Session, attempt: AttemptId, details: &CallDetails) -> Result<(), StoreError> {
    const RELINK: Sql = sql!(
        "UPDATE attempts SET change_number = (SELECT n FROM change_number), \
         recording_url = coalesce($2, recording_url), recording_expires_at = $3, \
         transcript_url = coalesce($4, transcript_url), transcript_expires_at = $5 WHERE id = $1"
    );
    let (recording, recording_until) = details.recording.clone().unzip();
    let (transcript, transcript_until) = details.transcript.clone().unzip();
    let arguments = args![attempt, recording, recording_until.flatten(), transcript, transcript_until.flatten()];
    session.run(&RELINK, arguments).await?;
    Ok(())
}
