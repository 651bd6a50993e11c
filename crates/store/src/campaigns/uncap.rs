//! Contacts that an old limit put off, once other limits hold: each is due at once, and the new
//! limits are asked.
//!
//! There may be a million of them, so this happens in portions after the new rules are stored. A
//! mark on the campaign, the revision that brought the limits, stands until the last portion is
//! done, so that a kill in between puts off nobody.

use ringfence_domain::{BucketId, Campaign, CampaignId, ContactId, LaneId, Moment};

use super::apply::{Applied, Begin, Expected};
use super::rows::CampaignRow;
use crate::contacts::set_back::{Late, put_due};
use crate::database::turns::Urgency;
use crate::session::{Session, Sql, args, sql};
use crate::{Database, StoreError, campaigns};

const WORK: &str = "uncap";

/// Stores the rules under the campaign's name, and makes due whom the old ones put off.
pub(crate) async fn apply(
    database: &Database,
    rules: Campaign,
    lane: LaneId,
    how: (Begin, Expected),
    now: Moment,
) -> Result<(Applied, CampaignRow), StoreError> {
    let applied = database
        .write("apply", Urgency::Normal, move |session| {
            Box::pin(async move { campaigns::apply::apply(session, &rules, lane, how, now).await })
        })
        .await?;
    let id = applied.1.id;
    let marked = database.read(move |session| Box::pin(marked(session, Marked::Campaign(id)))).await?;
    for mark in marked {
        work_off(database, mark, now).await?;
    }
    Ok(applied)
}

/// Works off the marks that a process left on a lane's campaigns when it ended. True when somebody
/// is due for it.
pub(crate) async fn finish(database: &Database, lane: LaneId, now: Moment) -> Result<bool, StoreError> {
    let marked = database.read(move |session| Box::pin(marked(session, Marked::Lane(lane)))).await?;
    let any = !marked.is_empty();
    for mark in marked {
        work_off(database, mark, now).await?;
    }
    Ok(any)
}

/// A campaign whose limits changed with this revision.
#[derive(Clone, Copy)]
struct Mark {
    campaign: CampaignId,
    revision: i64,
}

enum Marked {
    Campaign(CampaignId),
    Lane(LaneId),
}

async fn marked(session: &mut Session, which: Marked) -> Result<Vec<Mark>, StoreError> {
    const OF_CAMPAIGN: Sql = sql!("SELECT id, uncap FROM campaigns WHERE id = $1 AND uncap IS NOT NULL");
    const OF_LANE: Sql = sql!("SELECT id, uncap FROM campaigns WHERE lane_id = $1 AND uncap IS NOT NULL ORDER BY id");
    let rows = match which {
        Marked::Campaign(id) => session.rows(&OF_CAMPAIGN, args![id]).await?,
        Marked::Lane(id) => session.rows(&OF_LANE, args![id]).await?,
    };
    rows.iter().map(|row| Ok(Mark { campaign: CampaignId(row.get("id")?), revision: row.get("uncap")? })).collect()
}

/// Where a walk through the contacts of a bucket stands. A contact that is put off again meanwhile,
/// by the new limits, is met once more at most: the walk only goes towards later moments.
#[derive(Clone, Copy)]
struct Place {
    bucket: BucketId,
    due_at: Moment,
    contact: ContactId,
}

async fn work_off(database: &Database, mark: Mark, now: Moment) -> Result<(), StoreError> {
    let buckets = database.read(move |session| Box::pin(capped_buckets(session, mark.campaign))).await?;
    for bucket in buckets {
        let mut place = Place { bucket, due_at: now, contact: ContactId(i64::MAX) };
        loop {
            let rows = database.portion(WORK) as i64;
            let put_off = database.read(move |session| Box::pin(put_off(session, place, rows))).await?;
            let Some(last) = put_off.last() else { break };
            place = *last;
            let late = put_off.iter().map(|one| Late { contact: one.contact, due_at: now }).collect();
            put_due(database, WORK, late).await?;
        }
    }
    database.write(WORK, Urgency::Normal, move |session| Box::pin(unmark(session, mark))).await
}

async fn capped_buckets(session: &mut Session, campaign: CampaignId) -> Result<Vec<BucketId>, StoreError> {
    const CAPPED: Sql =
        sql!("SELECT id FROM buckets WHERE campaign_id = $1 AND class = 'capped' AND waiting > 0 ORDER BY id");
    session.rows(&CAPPED, args![campaign]).await?.iter().map(|row| row.get("id").map(BucketId)).collect()
}

async fn put_off(session: &mut Session, place: Place, limit: i64) -> Result<Vec<Place>, StoreError> {
    const PUT_OFF: Sql = sql!(
        "SELECT id, due_at FROM contacts WHERE bucket_id = $1 AND state = 'waiting' AND (due_at, id) > ($2, $3) \
         ORDER BY due_at, id LIMIT $4"
    );
    let rows = session.rows(&PUT_OFF, args![place.bucket, place.due_at, place.contact, limit]).await?;
    rows.iter()
        .map(|row| Ok(Place { due_at: row.moment("due_at")?, contact: ContactId(row.get("id")?), ..place }))
        .collect()
}

/// Takes the mark away, unless still other limits came meanwhile.
async fn unmark(session: &mut Session, mark: Mark) -> Result<(), StoreError> {
    const UNMARK: Sql = sql!("UPDATE campaigns SET uncap = NULL WHERE id = $1 AND uncap = $2");
    session.run(&UNMARK, args![mark.campaign, mark.revision]).await?;
    Ok(())
}
