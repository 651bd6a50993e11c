//! The rules of campaigns by revision, with their windows by zones: one cache for all that plan and
//! dial a lane.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use ringfence_domain::window::{Calendar, Hours};
use ringfence_domain::{Campaign, CampaignId, Moment, ZoneSet};

use crate::{Database, StoreError};

/// The rules of one campaign at one revision.
#[derive(Debug)]
pub struct Rules {
    /// The revision.
    pub revision: i64,
    /// The rules.
    pub campaign: Campaign,
    calendars: Mutex<HashMap<ZoneSet, Calendar>>,
}

impl Rules {
    /// Makes the rules of this revision.
    pub fn new(revision: i64, campaign: Campaign) -> Self {
        Self { revision, campaign, calendars: Mutex::default() }
    }

    /// Asks the window of contacts in these zones. A lane has the same `vendor` hours each time.
    pub fn ask_window<T>(&self, own: &ZoneSet, vendor: Option<&Hours>, ask: impl FnOnce(&mut Calendar) -> T) -> T {
        let mut calendars = self.calendars.lock().expect("never held over a panic");
        ask(calendars.entry(own.clone()).or_insert_with(|| self.campaign.calendar(own, vendor)))
    }

    /// Returns the moment from which no phone of these zones may begin to ring; none when the
    /// window does not close. Dialling ends earlier, by the guard: a call may take that long until
    /// its phone rings.
    pub fn closing(&self, own: &ZoneSet, vendor: Option<&Hours>, at: Moment) -> Option<Moment> {
        let window = self.ask_window(own, vendor, |calendar| calendar.at(at));
        if window.open { window.next_change.map(|last| last + self.campaign.calling.guard) } else { Some(at) }
    }
}

/// The rules of campaigns, each at the newest revision that was asked for.
#[derive(Debug, Default)]
pub struct RulesCache {
    by_campaign: Mutex<HashMap<CampaignId, Arc<Rules>>>,
}

impl RulesCache {
    /// Returns the rules of a campaign at `revision`. When the cache has another revision, it reads
    /// the present rules, whose revision may be newer: a claim by them is refused.
    pub async fn at(&self, store: &Database, id: CampaignId, revision: i64) -> Result<Arc<Rules>, StoreError> {
        let known = self.by_campaign.lock().expect("never held over a panic").get(&id).cloned();
        if let Some(known) = known.filter(|known| known.revision == revision) {
            return Ok(known);
        }
        let row = store.campaign_by_id(id).await?;
        let rules = Arc::new(Rules::new(row.revision, row.rules));
        self.by_campaign.lock().expect("never held over a panic").insert(id, rules.clone());
        Ok(rules)
    }
}

#[cfg(test)]
mod tests {
    use ringfence_domain::Span;

    use super::*;

    #[test]
    fn phones_may_ring_until_the_window_closes_and_no_longer() {
        let rules = |hours: &str, guard: Span| {
            let mut campaign: Campaign = serde_json::from_str(CAMPAIGN).unwrap_or_else(|error| panic!("{error}"));
            campaign.calling.hours = hours.parse().expect("hours");
            campaign.calling.guard = guard;
            Rules::new(1, campaign)
        };
        let at = |text: &str| text.parse::<Moment>().expect("a moment");
        let own = ZoneSet::one("Asia/Kolkata".parse().expect("a zone"));
        let guarded = rules("09:00-21:00", Span::from_minutes(5));
        assert_eq!(guarded.closing(&own, None, at("2026-11-20T15:10:00Z")), Some(at("2026-11-20T15:30:00Z")));
        assert_eq!(guarded.closing(&own, None, at("2026-11-20T15:26:00Z")), Some(at("2026-11-20T15:26:00Z")));
        let vendor = Hours::new("09:00-18:00".parse().expect("hours"), "Asia/Kolkata".parse().expect("a zone"));
        let earlier = rules("09:00-21:00", Span::ZERO);
        assert_eq!(earlier.closing(&own, Some(&vendor), at("2026-11-20T10:00:00Z")), Some(at("2026-11-20T12:30:00Z")));
        assert_eq!(rules("24/7", Span::ZERO).closing(&own, None, at("2026-11-20T15:10:00Z")), None);
    }

    const CAMPAIGN: &str = r#"{
        "name": "spring", "provider": "main", "agent": "a", "caller_ids": [], "priority": 5,
        "contacts": { "file": null, "phone": "phone", "country": null, "timezone": null }, "variables": {}, "vendor": {},
        "calling": { "hours": "24/7", "timezone": { "fixed": "Asia/Kolkata" }, "guard": "0s" },
        "limits": { "calls": null, "concurrent": null, "per_number": [] },
        "retry": { "max_attempts": 3, "after": {} }, "reached": { "outcome": ["answered"], "min_seconds": 0 },
        "on_unknown": { "policy": "hold", "ask_for": "60s" }
    }"#;
}
