//! Beginning an import, or finding the one that the same file began before.

use ringfence_domain::event::EventKind;
use ringfence_domain::{ImportId, ImportState, Moment, RunId};

use super::rows::{ImportRow, import, import_columns};
use crate::StoreError;
use crate::erasure::refuse_erased;
use crate::events::{Subject, tell};
use crate::session::{Arg, Session, Sql, args, sql};

/// A file to be taken in.
#[derive(Debug, Clone)]
pub struct ImportOrder {
    /// The run that gets its contacts.
    pub run: RunId,
    /// Where it came from, for people.
    pub source: String,
    /// What its content and the way it is read hash to.
    pub digest: String,
    /// Its header.
    pub columns: Vec<String>,
    /// When the file was last written, where that is known.
    pub written_at: Option<Moment>,
    /// When.
    pub now: Moment,
}

/// What came of beginning an import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImportStart {
    /// Send the chunks, all of them, from the first.
    Begin(ImportId),
    /// The very same file is what came last: nothing is to be done, or it is held.
    Known(ImportRow),
}

/// Begins an import, or finds the one that the same file began before. A file that went and was
/// written again is new, though it says the same as before.
pub(crate) async fn begin(session: &mut Session, order: &ImportOrder) -> Result<ImportStart, StoreError> {
    const FIND: Sql = sql!(both import_columns!("WHERE run_id = $1 AND digest = $2"));
    const NEWER: Sql =
        sql!("SELECT count(*) AS n FROM imports WHERE run_id = $1 AND id > $2 AND completed_at IS NOT NULL");
    const RENAME: Sql = sql!("UPDATE imports SET digest = digest || '#' || id WHERE id = $1");
    const INSERT: Sql = sql!(
        "INSERT INTO imports (run_id, source, digest, columns, state, started_at) VALUES ($1, $2, $3, $4, 'loading', $5) \
         ON CONFLICT DO NOTHING"
    );
    refuse_erased(session, order.run).await?;
    let known = session.row(&FIND, args![order.run, order.digest.as_str()]).await?.as_ref().map(import).transpose()?;
    if let Some(known) = known {
        let newer: i64 = session.one(&NEWER, args![order.run, known.id]).await?.get("n")?;
        if known.state == ImportState::Loading {
            return Ok(ImportStart::Begin(known.id));
        }
        // A list that lies there as it was read does not take back what came by other files since.
        let lies_there = order.written_at.zip(known.completed_at).is_some_and(|(written, read)| written <= read);
        if (newer == 0 || lies_there) && known.state != ImportState::Undone {
            return Ok(ImportStart::Known(known));
        }
        session.run(&RENAME, args![known.id]).await?;
    }
    let columns = Arg::json(&order.columns);
    let arguments = args![order.run, order.source.as_str(), order.digest.as_str(), columns, order.now];
    session.run(&INSERT, arguments).await?;
    let row = import(&session.one(&FIND, args![order.run, order.digest.as_str()]).await?)?;
    tell(
        EventKind::ImportBegan,
        Subject::Import(row.id),
        Some(&format!("import {}, {}", row.id, row.source)),
        order.now,
    );
    Ok(ImportStart::Begin(row.id))
}
