//! The end of an ownership, and when a lane goes to a process that has fewer.

use std::time::Duration;

use ringfence_domain::StopSwitch;
use ringfence_scheduler::LeaseHolder;
use tokio_util::sync::CancellationToken;

/// How long it may take to find out who shares lanes: the lease must be renewed in time.
const LOOK_AROUND: Duration = Duration::from_secs(1);

/// Why this process stopped to dial the lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Parting {
    /// The lane was lost, or a stop was asked for.
    Over,
    /// This process has fewer lanes.
    HandedTo(String),
}

/// Returns the process that the lane is to be handed to, unless it is `but`. A process under a stop
/// switch keeps its lanes.
pub(crate) async fn hand_to(
    holder: &LeaseHolder,
    stop_switch: &dyn StopSwitch,
    ending: &CancellationToken,
    but: Option<&str>,
) -> Option<String> {
    if stop_switch.active().is_some() {
        return None;
    }
    tokio::select! {
        to = tokio::time::timeout(LOOK_AROUND, holder.hand_to(but)) => match to {
            Ok(Ok(to)) => to,
            Ok(Err(error)) => {
                tracing::debug!(%error, "who else dials is not known: {error}");
                None
            }
            Err(_) => None,
        },
        () = ending.cancelled() => None,
    }
}
