//! Which process dials a lane, as another process that wants to dial it says.

use ringfence_engine::Ownership;
use ringfence_store::KnownAs;
use tokio::sync::watch;

/// Tells each change of a lane's ownership after it was first known, until the engine ends. A
/// process that stands by says for which one.
pub async fn tell(lane: String, mut ownership: watch::Receiver<Ownership>, mut told: impl FnMut(&str)) {
    let mut stands_by = false;
    loop {
        let now = ownership.borrow_and_update().clone();
        match now {
            Ownership::Asking => {}
            Ownership::Ours => {
                if stands_by {
                    told(&format!("lane {lane}: this process dials it now"));
                }
                stands_by = false;
            }
            Ownership::Theirs { owner, other_settings } => {
                let who = process(&owner);
                let because = if other_settings { ", whose file has other settings for it" } else { "" };
                told(&format!("lane {lane}: {who} dials it{because}; this process stands by"));
                stands_by = true;
            }
        }
        if ownership.changed().await.is_err() {
            return;
        }
    }
}

/// A process as people know it.
pub fn process(name: &str) -> String {
    match KnownAs::of(name) {
        Some(KnownAs { host, process, .. }) => format!("process {process} on {host}"),
        None => format!("process {name}"),
    }
}
