//! The limit that a lane's calls wait for, written into its row: `status` and `lanes` name it.

use std::sync::Arc;
use std::time::Duration;

use ringfence_domain::Clock;
use ringfence_providers::Pacer;
use ringfence_store::{Database, LaneLease};
use tokio_util::sync::CancellationToken;

/// How often the owner of a lane looks. It writes only what has changed.
const LOOK: Duration = Duration::from_secs(2);

/// Writes the limit of our lane whenever it becomes another one, until `stop`.
pub(crate) async fn say_limits(
    store: Arc<Database>,
    clock: Arc<dyn Clock>,
    lease: Arc<LaneLease>,
    pacer: Arc<Pacer>,
    stop: CancellationToken,
) {
    let mut said = None;
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => return,
        }
        let limited = pacer.limited(clock.read().now);
        let by = limited.map(|limited| limited.by);
        if by != said && store.limit_lane(lease.lane, lease.epoch, limited).await.is_ok() {
            said = by;
        }
    }
}
