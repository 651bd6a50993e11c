//! What attempts are called towards their vendors.

use std::collections::BTreeMap;

use ringfence_domain::AttemptId;

use crate::StoreError;
use crate::session::{self, Session, Sql, args, sql};

/// What these attempts are called, as far as there are any.
pub(crate) async fn references(
    session: &mut Session,
    attempts: &[AttemptId],
) -> Result<BTreeMap<AttemptId, String>, StoreError> {
    #[derive(serde::Serialize)]
    struct KeyRow {
        attempt_id: AttemptId,
    }
    const READ: Sql = sql!(
        "SELECT a.id, a.reference FROM" rows (attempt_id bigint) "CROSS JOIN attempts a WHERE a.id = u.attempt_id"
    );
    let keys: Vec<KeyRow> = attempts.iter().map(|attempt_id| KeyRow { attempt_id: *attempt_id }).collect();
    let rows = session.rows(&READ, args![session::rows(&keys)]).await?;
    rows.iter().map(|row| Ok((AttemptId(row.get("id")?), row.get("reference")?))).collect()
}
