//! The rules of campaigns by revision, and their calendars by zone.

use std::collections::HashMap;
use std::sync::Arc;

use ringfence_domain::window::{Calendar, Hours};
use ringfence_domain::{Campaign, CampaignId, ZoneSet};
use ringfence_store::{Database, StoreError};

/// The rules of one campaign at one revision.
#[derive(Debug)]
pub struct Rules {
    revision: i64,
    campaign: Arc<Campaign>,
    calendars: HashMap<ZoneSet, Calendar>,
}

/// The rules of campaigns, each at one revision.
#[derive(Debug, Default)]
pub(crate) struct RulesCache {
    by_campaign: HashMap<CampaignId, Rules>,
}

impl RulesCache {
    /// Returns the rules of a campaign at `revision`, and reads them when another revision is in
    /// hand. None when the campaign has a newer revision by now: the next tick finds it.
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
    /// Returns the campaign.
    pub fn campaign(&self) -> &Arc<Campaign> {
        &self.campaign
    }

    /// Returns the window of contacts in these zones.
    pub fn calendar(&mut self, own: &ZoneSet, vendor: Option<&Hours>) -> &mut Calendar {
        let campaign = &self.campaign;
        self.calendars.entry(own.clone()).or_insert_with(|| campaign.calendar(own, vendor))
    }
}
