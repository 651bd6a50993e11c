//! Applying a campaign: its rules are stored, and hold from the next claim on.

use ringfence_domain::event::EventKind;
use ringfence_domain::{Campaign, CampaignId, CampaignState, LaneId, Moment, PausedBy};

use super::changed_keys::ChangedKeys;
use super::hold::go_on;
use super::rows::{CampaignRow, Locked, find};
use super::schedules;
use crate::campaigns::runs;
use crate::events::{Subject, tell_change};
use crate::session::{Arg, Session, Sql, args, claim_fence, sql};
use crate::{StoreError, lanes};

/// What applying a campaign changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It is new.
    Created,
    /// Its rules changed, or a draft was started.
    Changed,
    /// It is as it was.
    Unchanged,
}

/// Whether an applied campaign may dial at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// A new one may, and one that was a draft.
    Running,
    /// A new one may not; one that runs goes on.
    Draft,
}

/// What the campaign must be for its rules to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it is.
    Anything,
    /// New.
    New,
    /// Known, with this revision.
    Revision(i64),
}

impl Expected {
    fn check(self, name: &str, known: Option<&CampaignRow>) -> Result<(), StoreError> {
        let campaign = name.to_owned();
        match (self, known) {
            (Self::New, Some(_)) => Err(StoreError::Exists { campaign }),
            (Self::Revision(expected), known) if known.map(|known| known.revision) != Some(expected) => {
                Err(StoreError::Changed { campaign, revision: known.map_or(0, |known| known.revision) })
            }
            _ => Ok(()),
        }
    }
}

/// Stores the rules under the campaign's name. The current run goes on under them from the next
/// claim.
pub(crate) async fn apply(
    session: &mut Session,
    rules: &Campaign,
    lane: LaneId,
    (begin, expected): (Begin, Expected),
    now: Moment,
) -> Result<(Applied, CampaignRow), StoreError> {
    const INSERT: Sql = sql!(
        "INSERT INTO campaigns (name, lane_id, state, paused_by, reason, priority, revision, rules, created_at, changed_at) \
         VALUES ($1, $2, $6, $7, $8, $3, 0, $4, $5, $5) RETURNING id"
    );
    const MEND: Sql = sql!("UPDATE campaigns SET rules = $2, changed_at = $3 WHERE name = $1");
    claim_fence::close(session).await?;
    let json = Arg::json(rules);
    let priority = i64::from(rules.priority);
    let (known, mended) = match find(session, &rules.name, Locked::Yes).await {
        // Rules that cannot be read are mended by those that can.
        Err(StoreError::Corrupt { column: "rules", .. }) => {
            session.run(&MEND, args![rules.name.as_str(), json.clone(), now]).await?;
            (find(session, &rules.name, Locked::Yes).await?, true)
        }
        known => (known?, false),
    };
    expected.check(&rules.name, known.as_ref())?;
    let mut told = match begin {
        Begin::Running => "new".to_owned(),
        Begin::Draft => "new, a draft".to_owned(),
    };
    let mut keys = ChangedKeys::of_new(rules);
    let change = match known {
        None => {
            let (state, by, reason) = match begin {
                Begin::Running => (CampaignState::Running, None, None),
                Begin::Draft => (CampaignState::Paused, Some(PausedBy::Draft.to_string()), Some(DRAFT.to_owned())),
            };
            let arguments = args![rules.name.as_str(), lane, priority, json, now, state.as_str(), by, reason];
            let id = CampaignId(session.one(&INSERT, arguments).await?.get("id")?);
            runs::first(session, id, now).await?;
            Applied::Created
        }
        Some(known) if known.state == CampaignState::Cancelled => {
            return Err(StoreError::Cancelled { campaign: known.rules.name });
        }
        Some(known) => {
            if rules.schedule.over_at(rules.calling.timezone).is_none_or(|over| over > now) {
                runs::reopen(session, known.run).await?;
            }
            let changed = mended || known.rules != *rules || known.lane != lane;
            keys = ChangedKeys::between(&known.rules, rules);
            told = match (mended, changed) {
                (true, _) => "rules that could not be read".to_owned(),
                (false, true) => format!("changed: {}", keys.named()),
                (false, false) => "started".to_owned(),
            };
            if changed {
                let has_other_limits = mended || known.rules.number_limits() != rules.number_limits();
                change(session, &known, rules, lane, has_other_limits, now).await?;
            }
            let starts = begin == Begin::Running && known.paused_by == Some(PausedBy::Draft);
            if starts {
                go_on(session, known.id, now).await?;
            }
            if changed || starts { Applied::Changed } else { Applied::Unchanged }
        }
    };
    let row = find(session, &rules.name, Locked::No).await?.ok_or(StoreError::Refused(sqlx::Error::RowNotFound))?;
    if change != Applied::Unchanged {
        tell_change(EventKind::CampaignApplied, Subject::Campaign(row.id), Some(&told), now, keys.values());
        let zone = rules.own_zone(lanes::rows::lock(session, lane, lanes::rows::Lock::Read).await?.settings.timezone);
        schedules::plan(session, row.id, &rules.schedule, zone, now).await?;
    }
    Ok((change, row))
}

/// Puts other rules in place of those of a campaign that is known.
async fn change(
    session: &mut Session,
    known: &CampaignRow,
    rules: &Campaign,
    lane: LaneId,
    has_other_limits: bool,
    now: Moment,
) -> Result<(), StoreError> {
    const CHANGE: Sql = sql!(
        "UPDATE campaigns SET lane_id = $2, priority = $3, rules = $4, changed_at = $5, revision = revision + 1 WHERE id = $1"
    );
    // Windows may open earlier than under the old rules: every bucket is looked at again.
    const BUCKETS: Sql =
        sql!("UPDATE buckets SET lane_id = $2, priority = $3, eligible_at = next_due_at WHERE campaign_id = $1");
    // The new rules are asked about everyone whom the old ones put off; that may be many, and
    // happens in portions.
    const ASK_AGAIN: Sql = sql!("UPDATE campaigns SET uncap = revision WHERE id = $1");
    const LOCK_BUCKETS: Sql = sql!(
        sqlite "SELECT 1 WHERE $1 IS NOT NULL",
        postgres "SELECT id FROM buckets WHERE campaign_id = $1 ORDER BY id FOR UPDATE"
    );
    if known.lane != lane && has_live(session, known).await? {
        let (campaign, lane) = (known.rules.name.clone(), known.rules.provider.clone());
        return Err(StoreError::LaneBusy { campaign, lane });
    }
    let priority = i64::from(rules.priority);
    session.rows(&LOCK_BUCKETS, args![known.id]).await?;
    session.run(&CHANGE, args![known.id, lane, priority, Arg::json(rules), now]).await?;
    if has_other_limits {
        session.run(&ASK_AGAIN, args![known.id]).await?;
    }
    session.run(&BUCKETS, args![known.id, lane, priority]).await?;
    Ok(())
}

const DRAFT: &str = "a draft; nobody has started it";

/// Whether calls of the campaign are still out on its lane.
async fn has_live(session: &mut Session, campaign: &CampaignRow) -> Result<bool, StoreError> {
    const LIVE: Sql = sql!(
        "SELECT count(*) AS n FROM attempts a JOIN runs r ON r.id = a.run_id WHERE a.lane_id = $1 AND a.live AND r.campaign_id = $2"
    );
    Ok(session.one(&LIVE, args![campaign.lane, campaign.id]).await?.get::<i64>("n")? > 0)
}
