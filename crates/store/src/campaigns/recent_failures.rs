//! How the last calls of a run ended, and when that pauses its campaign.

use std::collections::BTreeMap;

use ringfence_domain::safety::OutcomeWindow;
use ringfence_domain::{Campaign, CampaignId, Moment, RunId};

use crate::StoreError;
use crate::session::{Row, Session, Sql, args, sql};

/// Remembers how calls ended, and tells of runs that must be paused for it.
pub(crate) async fn remember(
    session: &mut Session,
    ends: &BTreeMap<RunId, Vec<bool>>,
    now: Moment,
    rules: impl Fn(RunId) -> Option<Campaign>,
) -> Result<Vec<Failing>, StoreError> {
    const READ: Sql = sql!(
        sqlite "SELECT id, campaign_id, outcome_window FROM runs WHERE id = $1",
        postgres "SELECT id, campaign_id, outcome_window FROM runs WHERE id = $1 FOR UPDATE"
    );
    const WRITE: Sql = sql!("UPDATE runs SET outcome_window = $2 WHERE id = $1");
    let mut failing = Vec::new();
    for (run, ends) in ends {
        let row = session.one(&READ, args![*run]).await?;
        let mut recent: OutcomeWindow = recent(&row)?;
        for failed in ends {
            recent.push(*failed);
        }
        session.run(&WRITE, args![*run, recent.to_string()]).await?;
        let Some(rules) = rules(*run) else { continue };
        if let Some(reason) = rules.safety.judge_recent(&recent) {
            failing.push(Failing { campaign: CampaignId(row.get("campaign_id")?), reason, now });
        }
    }
    Ok(failing)
}

/// A campaign that must be paused because its last calls failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// Which.
    pub campaign: CampaignId,
    /// What the rail says.
    pub reason: String,
    /// When that was known.
    pub now: Moment,
}

/// What failed before is accepted and forgotten.
pub(crate) async fn forget_recent(session: &mut Session, id: RunId) -> Result<(), StoreError> {
    const FORGET: Sql = sql!("UPDATE runs SET outcome_window = '' WHERE id = $1");
    session.run(&FORGET, args![id]).await?;
    Ok(())
}

/// How a run's last calls ended.
pub(crate) fn recent(row: &Row) -> Result<OutcomeWindow, StoreError> {
    let text: String = row.get("outcome_window")?;
    text.parse().map_err(|message: String| StoreError::Corrupt {
        table: "runs",
        column: "outcome_window",
        id: row.get("id").unwrap_or_default(),
        source: message.into(),
    })
}
