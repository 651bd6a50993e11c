//! Watching over campaigns: that one is done with everybody, or dials nobody though people wait, is
//! an event, told once.

use std::sync::Arc;
use std::time::Duration;

use ringfence_domain::event::EventKind;
use ringfence_domain::summary::Summary;
use ringfence_domain::{Clock, Moment, Span};
use ringfence_store::Database;
use tokio_util::sync::CancellationToken;

use crate::error::Error;
use crate::summary::{Asker, summarize};
use crate::workspace::is_listed;

/// How often campaigns are looked at.
const LOOK: Duration = Duration::from_secs(10);
/// Nobody is dialled for this long before it is told.
const STALLED: Span = Span::from_minutes(5);

/// Watches until told to stop.
pub async fn watch(store: Arc<Database>, clock: Arc<dyn Clock>, stop: CancellationToken) {
    loop {
        if let Err(error) = look(&store, &*clock).await {
            tracing::debug!(%error, "campaigns are looked at later: {error}");
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

/// Looks at every campaign once.
pub async fn look(store: &Database, clock: &dyn Clock) -> Result<(), Error> {
    for campaign in store.campaigns().await?.into_iter().filter(|campaign| is_listed(&campaign.rules.name)) {
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
