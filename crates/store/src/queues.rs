//! Who waits to be called, for people who look: by campaign, zone and class.

use ringfence_domain::{CampaignId, DialClass, Moment, ZoneSet};

use crate::StoreError;
use crate::session::{Row, Session, Sql, args, sql};

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
    /// Nobody of them is due earlier.
    pub due_at: Moment,
    /// Nobody of them may be called earlier.
    pub eligible_at: Moment,
}

pub(crate) const WAITING: Sql = sql!(
    "SELECT b.campaign_id, b.zones, b.class, CAST(sum(b.waiting) AS BIGINT) AS n, min(b.next_due_at) AS due_at, \
     min(b.eligible_at) AS eligible_at FROM campaigns c JOIN buckets b ON b.run_id = c.run_id \
     WHERE b.waiting > 0 AND NOT b.staged GROUP BY b.campaign_id, b.zones, b.class ORDER BY b.campaign_id, b.zones, b.class"
);

/// Who waits in the current runs of all campaigns, by zone and class; without held imports.
pub(crate) async fn waiting(session: &mut Session) -> Result<Vec<WaitingIn>, StoreError> {
    let waiting = |row: &Row| {
        Ok(WaitingIn {
            campaign: CampaignId(row.get("campaign_id")?),
            zones: row.word("buckets", "zones")?,
            class: row.word("buckets", "class")?,
            waiting: row.get("n")?,
            due_at: row.moment("due_at")?,
            eligible_at: row.moment("eligible_at")?,
        })
    };
    session.rows(&WAITING, args![]).await?.iter().map(waiting).collect()
}
