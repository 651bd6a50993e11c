//! What a server does beside answering: it forgets what is not needed any more, and finishes
//! uploads that an earlier process kept.

use std::time::Duration;

use ringfence_domain::Span;

use crate::{Server, upload};

/// How often.
const EVERY: Duration = Duration::from_mins(1);
/// Answers are kept under their keys for this long.
const KEPT: Span = Span::from_hours(24);

/// Tends a server until it is told to stop.
pub(crate) async fn tend(server: Server) {
    tokio::join!(upload::finish_left_over(server.clone()), forget(&server));
}

async fn forget(server: &Server) {
    loop {
        server.limits.forget_the_quiet();
        let before = server.clock.read().now - KEPT;
        if let Err(error) = old_rows(server, before).await {
            tracing::debug!(%error, "old rows stay for now: {error}");
        }
        tokio::select! {
            () = server.stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

async fn old_rows(server: &Server, before: ringfence_domain::Moment) -> Result<(), ringfence_store::StoreError> {
    while server.store.forget_requests(before).await? {}
    Ok(())
}
