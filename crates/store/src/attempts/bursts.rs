//! Open attempts of a lane that may be dialled now, put together for one claim each.

use ringfence_domain::template::Row as Fields;
use ringfence_domain::{AttemptId, CampaignId, LaneId, Moment, PhoneNumber, RunId, ZoneSet};

use crate::StoreError;
use crate::session::{Session, Sql, args, sql};

/// Open attempts of one lane and one campaign revision that may be dialled now.
#[derive(Debug, Clone)]
pub struct Burst {
    /// The lane.
    pub lane: LaneId,
    /// The ownership under which they were opened.
    pub epoch: i64,
    /// Their campaign.
    pub campaign: CampaignId,
    /// Their run.
    pub run: RunId,
    /// The revision that they were planned by.
    pub revision: i64,
    /// The attempts.
    pub calls: Vec<BurstCall>,
}

/// One open attempt and what its request needs.
#[derive(Debug, Clone)]
pub struct BurstCall {
    /// The attempt.
    pub attempt: AttemptId,
    /// What we call it towards the vendor.
    pub reference: String,
    /// Who is called.
    pub number: PhoneNumber,
    /// Their row.
    pub fields: Fields,
    /// Where they may be.
    pub zones: ZoneSet,
    /// When it was due.
    pub dial_after: Moment,
    /// The last moment to begin, exclusive.
    pub dial_before: Moment,
}

/// The open attempts of a lane under this epoch after `after`, in the order of their opening, as
/// bursts of at most `size`.
pub(crate) async fn bursts(
    session: &mut Session,
    lane: LaneId,
    epoch: i64,
    after: AttemptId,
    limit: u32,
    size: usize,
) -> Result<Vec<Burst>, StoreError> {
    const OPEN: Sql = sql!(
        sqlite "SELECT a.id, a.reference, a.run_id, a.revision, a.dial_after, a.dial_before, coalesce(a.number, c.number) AS number, c.fields, \
                b.zones, b.campaign_id \
                FROM attempts a JOIN contacts c ON c.id = a.contact_id JOIN buckets b ON b.id = c.bucket_id \
                WHERE a.lane_id = $1 AND a.live AND a.state = 'open' AND a.epoch = $2 AND a.id > $4 ORDER BY a.id LIMIT $3",
        postgres "SELECT a.id, a.reference, a.run_id, a.revision, a.dial_after, a.dial_before, coalesce(a.number, c.number) AS number, \
                  c.fields, b.zones, \
                  b.campaign_id FROM attempts a JOIN contacts c ON c.id = a.contact_id JOIN buckets b ON b.id = c.bucket_id \
                  WHERE a.lane_id = $1 AND a.live AND a.state = 'open' AND a.epoch = $2 AND a.id > $4 ORDER BY a.id LIMIT $3"
    );
    let mut bursts: Vec<Burst> = Vec::new();
    for row in session.rows(&OPEN, args![lane, epoch, i64::from(limit), after]).await? {
        let number = row.number("attempts")?;
        let call = BurstCall {
            attempt: AttemptId(row.get("id")?),
            reference: row.get("reference")?,
            number,
            fields: row.json("contacts", "fields")?,
            zones: row.word("buckets", "zones")?,
            dial_after: row.moment("dial_after")?,
            dial_before: row.moment("dial_before")?,
        };
        let (run, revision) = (RunId(row.get("run_id")?), row.get("revision")?);
        match bursts
            .iter_mut()
            .rfind(|burst| burst.run == run && burst.revision == revision && burst.calls.len() < size)
        {
            Some(burst) => burst.calls.push(call),
            None => bursts.push(Burst {
                lane,
                epoch,
                campaign: CampaignId(row.get("campaign_id")?),
                run,
                revision,
                calls: vec![call],
            }),
        }
    }
    Ok(bursts)
}
