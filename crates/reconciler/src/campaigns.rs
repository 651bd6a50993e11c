//! The rules of campaigns that have calls out.

use ringfence_domain::{Campaign, CampaignId, Span};
use ringfence_store::{LiveCall, StoreError};

use crate::Reconciler;

/// How often the rules are read again.
const READ_EVERY: Span = Span::from_secs(10);

impl Reconciler {
    pub(crate) fn rules_of(&self, campaign: CampaignId) -> Option<&Campaign> {
        self.campaigns.get(&campaign)?.as_ref()
    }

    /// Reads the rules of the campaigns of these calls, as far as they can be read.
    pub(crate) async fn read_campaigns(&mut self, calls: &[LiveCall]) -> Result<(), StoreError> {
        let tick = self.tick();
        if tick.since(self.campaigns_at) > READ_EVERY {
            self.campaigns.clear();
            self.campaigns_at = tick;
        }
        for call in calls {
            if self.campaigns.contains_key(&call.campaign) {
                continue;
            }
            let rules = match self.store.campaign_by_id(call.campaign).await {
                Ok(row) => Some(row.rules),
                Err(error @ StoreError::Corrupt { .. }) => {
                    tracing::error!(%error, "calls of a campaign are not asked about: {error}");
                    None
                }
                Err(error) => return Err(error),
            };
            self.campaigns.insert(call.campaign, rules);
        }
        Ok(())
    }
}
