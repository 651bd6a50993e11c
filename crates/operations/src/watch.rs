//! Watching over campaigns: that one is done with everybody, or dials nobody though people wait, is
//! an event, told once.

use std::sync::Arc;
use std::time::Duration;

use ringfence_domain::event::EventKind;
use ringfence_domain::summary::Summary;
use ringfence_domain::{CampaignState, Clock, LaneId, Moment, Span};
use ringfence_store::{Database, LaneRow};
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::summary::{Asker, summarize};
use crate::workspace::is_listed;

/// How often campaigns are looked at.
const LOOK: Duration = Duration::from_secs(15);
/// Nobody is dialled for this long before it is told.
const STALLED: Span = Span::from_minutes(5);

/// Watches the campaigns of `process`, until `stop`.
pub async fn watch(store: Arc<Database>, clock: Arc<dyn Clock>, process: String, stop: CancellationToken) {
    loop {
        if let Err(error) = look(&store, &*clock, &process).await {
            tracing::debug!(%error, "campaigns are looked at later: {error}");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Looks once at every campaign that may dial on a lane of this process.
pub async fn look(store: &Database, clock: &dyn Clock, process: &str) -> Result<(), Error> {
    let now = clock.read().now;
    let is_own = |lane: &LaneRow| lane.owner.as_deref() == Some(process) && lane.lease_until > now;
    let own: Vec<LaneId> = store.lanes().await?.iter().filter(|lane| is_own(lane)).map(|lane| lane.id).collect();
    let campaigns = store.campaigns().await?.into_iter();
    let running = campaigns.filter(|campaign| {
        campaign.state == CampaignState::Running && own.contains(&campaign.lane) && is_listed(&campaign.rules.name)
    });
    for campaign in running {
        let reading = clock.read();
        let Some(figures) = store.numbers(campaign.rules.name.clone(), reading.now).await? else { continue };
        let asker = Asker { stop_switch: None, is_dialling: false };
        let summary = summarize(&figures, &asker, reading);
        let finished = summary.state == "done" && summary.contacts.total > 0;
        store.note_run(campaign.run, EventKind::CampaignFinished, finished, None, reading.now).await?;
        let stalled = is_stalled(&summary, reading.now);
        let because = summary.because.filter(|_| stalled);
        store.note_run(campaign.run, EventKind::CampaignStalled, stalled, because, reading.now).await?;
    }
    Ok(())
}

/// Tells whether nobody is dialled though people wait who could be, were it not for something that
/// a person can mend.
fn is_stalled(summary: &Summary, now: Moment) -> bool {
    let waiting = &summary.waiting_for;
    let could_be = waiting.pace + waiting.lane_paused;
    let last = summary.last_dial_at.unwrap_or(summary.started_at);
    summary.state == "running" && could_be > 0 && summary.because.is_some() && now.since(last) >= STALLED
}
