//! What a server does beside answering: it forgets what is not needed any more, and finishes
//! uploads that were kept.

use std::time::Duration;

use ringfence_domain::Span;
use ringfence_operations::erasure;

use crate::{Server, pages, upload};

/// How often.
const EVERY: Duration = Duration::from_mins(1);
/// How often people are erased who were kept for long enough.
const ERASED_EVERY: Duration = Duration::from_hours(1);
/// Answers are kept under their keys for this long.
const KEPT: Span = Span::from_hours(24);

/// Tends a server until it is told to stop.
pub(crate) async fn tend(server: Server) {
    let uploads = async {
        loop {
            upload::finish_left_over(&server).await;
            upload::forget_lists(&server).await;
            tokio::time::sleep(EVERY).await;
        }
    };
    let rows = async {
        loop {
            forget(&server).await;
            tokio::time::sleep(EVERY).await;
        }
    };
    let people = async {
        loop {
            erase(&server).await;
            tokio::time::sleep(ERASED_EVERY).await;
        }
    };
    tokio::select! {
        () = server.stop.cancelled() => {}
        () = async { tokio::join!(uploads, rows, people, pages::live::watch(&server)); } => {}
    }
}

/// Erases the people of runs that are over, if the configuration says how long they are kept.
async fn erase(server: &Server) {
    let Some(keep) = server.config.keep_people else { return };
    let erased = async {
        let due = erasure::due(&server.store, &*server.clock, keep).await?;
        erasure::erase(&server.store, &*server.clock, due).await
    };
    match erased.await {
        Ok(runs) => runs.iter().for_each(|run| {
            tracing::info!(campaign = run.campaign, "{} contacts of run {} are erased", run.contacts, run.run);
        }),
        Err(error) => tracing::warn!(%error, "nobody is erased for now: {error}"),
    }
}

async fn forget(server: &Server) {
    server.limits.forget_the_quiet();
    let before = server.clock.read().now - KEPT;
    if let Err(error) = old_rows(server, before).await {
        tracing::debug!(%error, "old rows stay for now: {error}");
    }
}

async fn old_rows(server: &Server, before: ringfence_domain::Moment) -> Result<(), ringfence_store::StoreError> {
    while server.store.forget_requests(before).await? {}
    server.store.forget_logins(server.clock.read().now).await?;
    Ok(())
}
