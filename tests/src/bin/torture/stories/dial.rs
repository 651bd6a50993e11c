//! Everybody gets a call, whatever happens to the first requests.

use crate::behaviours::{Happens, well};
use crate::stage::{Stage, last_words};

pub(super) async fn tell(stage: &mut Stage, happens: Happens) -> Result<(), String> {
    match happens {
        Happens::Way(how) => stage.way.break_by(how, b"POST "),
        Happens::Asking(how) => stage.way.break_by(how, b"GET "),
        Happens::Ends(_) | Happens::Vendor(_) | Happens::Listed(_) => {}
    }
    let ended = stage.run(&["run", "spring.toml", "--until", "done", "--max-time", "12s"]).await?;
    if ended.status.code().is_some_and(|code| !matches!(code, 0 | 3 | 4)) {
        return Err(format!("run ended with {:?}: {}", ended.status.code(), last_words(&ended)));
    }
    stage.way.heal();
    stage.vendor.simulator.change(|behaviour| *behaviour = well());
    // What the vendor said may have paused the lane, or the campaign.
    stage.insist(&["lanes", "resume", "main"], &[0, 1, 4]).await?;
    stage.insist(&["resume", "spring", "--accept"], &[0, 1, 4]).await?;
    stage.finish(3).await
}
