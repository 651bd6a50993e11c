//! The rules of campaigns by revision, and their calendars by zone.

use std::collections::HashMap;
use std::sync::Arc;

use ringfence_domain::window::{Calendar, Hours};
use ringfence_domain::{Campaign, CampaignId, ZoneSet};
use ringfence_store::{Database, StoreError};

/// What was read of one campaign.
#[derive(Debug)]
pub struct Rules {
    revision: i64,
    campaign: Arc<Campaign>,
    calendars: HashMap<ZoneSet, Calendar>,
}

/// Rules of campaigns, each as of one revision.
#[derive(Debug, Default)]
pub(crate) struct RuleBook {
    by_campaign: HashMap<CampaignId, Rules>,
}

impl RuleBook {
    /// The rules of a campaign at `revision`, read anew when that is not the one in hand. None when
    /// the campaign has moved on meanwhile: the next look finds the new revision.
    pub(crate) async fn at(
        &mut self,
        store: &Database,
        id: CampaignId,
        revision: i64,
    ) -> Result<Option<&mut Rules>, StoreError> {
        if self.by_campaign.get(&id).is_none_or(|rules| rules.revision != revision) {
            let row = store.campaign_by_id(id).await?;
            let rules = Rules { revision: row.revision, campaign: Arc::new(row.rules), calendars: HashMap::new() };
            self.by_campaign.insert(id, rules);
        }
        Ok(self.by_campaign.get_mut(&id).filter(|rules| rules.revision == revision))
    }
}

impl Rules {
    /// The campaign.
    pub fn campaign(&self) -> &Arc<Campaign> {
        &self.campaign
    }

    /// The window of contacts whose own zones these are.
    pub fn calendar(&mut self, own: &ZoneSet, vendor: Option<&Hours>) -> &mut Calendar {
        let campaign = &self.campaign;
        self.calendars.entry(own.clone()).or_insert_with(|| campaign.calendar(own, vendor))
    }
}
