//! A copy of the database.

use ringfence_operations::Error;
use ringfence_operations::backup::{self, Copied};

use super::call::{Answer, Call};
use crate::problem::{Problem, ProblemKind};

/// Writes a consistent copy of a SQLite database while it is in use.
///
/// It is written into a folder beside the database, on the machine that serves. Postgres has
/// backups of its own.
#[utoipa::path(post, path = "/backup", tag = "backup", security(("token" = ["admin"])),
    responses((status = 200, description = "It is written.", body = Copied)))]
pub(crate) async fn write_backup(call: Call) -> Answer {
    // A client that leaves does not leave half a copy.
    let one = call.server.backups.clone().try_acquire_owned();
    let one = one.map_err(|_| Problem::new(ProblemKind::Conflict, "another copy is being written"))?;
    let work = async move {
        let _one = one;
        let copied = backup::write_beside(&call.workspace).await?;
        call.answer(&copied)
    };
    tokio::spawn(tracing::Instrument::in_current_span(work)).await.map_err(|error| Error::work(error.to_string()))?
}
