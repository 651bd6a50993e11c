//! Who waits to be called, for people who look: by campaign, zone and class.

use std::collections::BTreeMap;

use ringfence_domain::{CampaignId, DialClass, Moment, ZoneSet};

use crate::StoreError;
use crate::run_figures::{COUNTED, not_due};
use crate::session::{Session, Sql, args, sql};

/// People of one run who wait, by where they may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingIn {
    /// Their campaign.
    pub campaign: CampaignId,
    /// Where they may be.
    pub zones: ZoneSet,
    /// Why they are due.
    pub class: DialClass,
    /// How many they are.
    pub waiting: i64,
    /// How many of them are due while their window is open. The count is a lower bound where more
    /// than 10,000 are due and as many are not.
    pub due: i64,
    /// Nobody of them is due earlier.
    pub due_at: Moment,
    /// Nobody of them may be called earlier.
    pub eligible_at: Moment,
}

pub(crate) const WAITING: Sql = sql!(
    "SELECT b.campaign_id, b.zones, b.class, b.waiting, b.next_due_at, b.eligible_at, \
     CASE WHEN b.class = 'first' OR b.eligible_at > $1 THEN 0 ELSE (SELECT count(*) FROM (SELECT 1 FROM contacts c \
     WHERE c.bucket_id = b.id AND c.state = 'waiting' AND c.due_at <= $1 LIMIT $2) AS due) END AS due, \
     CASE WHEN b.class = 'first' OR b.eligible_at > $1 THEN 0 ELSE (SELECT count(*) FROM (SELECT 1 FROM contacts c \
     WHERE c.bucket_id = b.id AND c.state = 'waiting' AND c.due_at > $1 LIMIT $2) AS later) END AS later \
     FROM campaigns k JOIN buckets b ON b.run_id = k.run_id \
     WHERE b.waiting > 0 AND NOT b.staged ORDER BY b.campaign_id, b.zones, b.class"
);

/// Who waits in the current runs of all campaigns, by zone and class; without held imports.
pub(crate) async fn waiting(session: &mut Session, now: Moment) -> Result<Vec<WaitingIn>, StoreError> {
    let mut groups: BTreeMap<(CampaignId, String, DialClass), WaitingIn> = BTreeMap::new();
    for row in session.rows(&WAITING, args![now, COUNTED]).await? {
        let (campaign, zones): (_, ZoneSet) = (CampaignId(row.get("campaign_id")?), row.word("buckets", "zones")?);
        let (class, waiting): (DialClass, i64) = (row.word("buckets", "class")?, row.get("waiting")?);
        let (due_at, eligible_at) = (row.moment("next_due_at")?, row.moment("eligible_at")?);
        let due = match class {
            _ if eligible_at > now => 0,
            DialClass::First => waiting,
            _ => waiting - not_due(waiting, row.get("due")?, row.get("later")?),
        };
        let key = (campaign, zones.to_string(), class);
        let group =
            groups.entry(key).or_insert(WaitingIn { campaign, zones, class, waiting: 0, due: 0, due_at, eligible_at });
        group.waiting += waiting;
        group.due += due;
        group.due_at = group.due_at.min(due_at);
        group.eligible_at = group.eligible_at.min(eligible_at);
    }
    Ok(groups.into_values().collect())
}
