//! Links to recordings and transcripts expire: the vendor is asked again where they are now.

use ringfence_domain::{AttemptId, CallStatus, Moment};
use ringfence_providers::{OutCall, Pacer};
use ringfence_store::{AttemptRow, CampaignRow, ContactFilter};

use crate::error::Error;
use crate::workspace::{self, Workspace};

const PAGE: u32 = 2_000;
/// Calls that are asked about together.
const BATCH: usize = 100;

/// Asks for every expired link of the current run, within the lane's limit of requests. Returns how
/// many calls have new links.
pub(super) async fn relink(workspace: &mut Workspace, campaign: &CampaignRow) -> Result<u32, Error> {
    let config = workspace.with_secrets()?;
    let lane = workspace::lane(&config, &campaign.rules)?;
    let provider = workspace::provider(lane)?;
    let pacer = Pacer::new(&lane.setup.settings.limits, None);
    let workspace = &*workspace;
    let (mut after, mut refreshed) = (AttemptId(0), 0);
    loop {
        let page = workspace.store.attempts(campaign.run, ContactFilter::default(), after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(refreshed) };
        after = last.id;
        let expired: Vec<OutCall> = page
            .iter()
            .filter(|attempt| has_expired(attempt, workspace.now()))
            .filter_map(|attempt| {
                Some(OutCall {
                    attempt: attempt.id,
                    call_id: attempt.call_id.clone()?,
                    reference: attempt.reference.clone(),
                    number: attempt.number.clone()?,
                    agent: campaign.rules.agent.clone(),
                    sent_at: attempt.sending_at?,
                    // Nobody tells its row from those of other calls by time any more.
                    called_before: attempt.sending_at,
                })
            })
            .collect();
        for calls in expired.chunks(BATCH) {
            let news = provider
                .ask(calls, &pacer)
                .await
                .map_err(|error| Error::work(format!("the vendor does not say where the recordings are: {error}")))?;
            for (attempt, news) in news {
                if let CallStatus::Ended(_, details) = news
                    && (details.recording.is_some() || details.transcript.is_some())
                {
                    workspace.store.relink(attempt, *details).await?;
                    refreshed += 1;
                }
            }
        }
    }
}

fn has_expired(attempt: &AttemptRow, now: Moment) -> bool {
    [attempt.recording_expires_at, attempt.transcript_expires_at].into_iter().flatten().any(|until| until <= now)
}
