//! Calls of unknown fate: who waits for a person's word, and the word.

use ringfence_domain::{AttemptId, AttemptState, ContactId, Moment, Zone};
use ringfence_store::{CampaignRow, ReviewAnswer, ReviewRow};
use serde::Serialize;

use crate::error::Error;
use crate::workspace::Workspace;

const PAGE: u32 = 1_000;

/// A contact in review.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct InReview {
    /// The contact.
    pub contact: ContactId,
    /// Its campaign.
    pub campaign: Option<String>,
    /// The number that was, or was not, called.
    pub phone: String,
    /// The attempt whose fate is unknown.
    pub attempt: Option<AttemptId>,
    /// Its state.
    pub attempt_state: Option<AttemptState>,
    /// When its request left.
    pub sent_at: Option<Moment>,
    /// What is known of it.
    pub cause: String,
    /// Whose clocks people read its moments on.
    #[serde(skip)]
    pub zone: Zone,
}

/// The contacts that a person speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// Every one in review.
    All,
    /// These.
    These(Vec<ContactId>),
}

/// Contacts that were settled.
#[derive(Debug, Clone, Copy, Serialize, utoipa::ToSchema)]
pub struct Settled {
    /// How many; others were settled meanwhile.
    pub settled: u32,
    /// As what.
    #[serde(rename = "as")]
    pub verdict: &'static str,
}

/// Returns the contacts in review of a campaign, or of all, by id.
pub async fn list(workspace: &Workspace, campaign: Option<&str>) -> Result<Vec<InReview>, Error> {
    let rows = rows(workspace, campaign).await?;
    in_review(workspace, rows).await
}

async fn in_review(workspace: &Workspace, rows: Vec<ReviewRow>) -> Result<Vec<InReview>, Error> {
    let (campaigns, lanes) = (workspace.store.campaigns().await?, workspace.store.lanes().await?);
    let clock = |known: &CampaignRow| {
        let lane = lanes.iter().find(|lane| lane.id == known.lane);
        known.rules.own_zone(lane.map_or_else(Zone::utc, |lane| lane.settings.timezone))
    };
    let in_review = |row: ReviewRow| {
        let campaign = campaigns.iter().find(|campaign| campaign.id == row.campaign);
        InReview {
            contact: row.contact,
            campaign: campaign.map(|known| known.rules.name.clone()),
            phone: row.number.e164().to_owned(),
            attempt: row.attempt,
            attempt_state: row.attempt_state,
            sent_at: row.sending_at,
            cause: row.cause.unwrap_or_else(|| "no outcome was ever learned".to_owned()),
            zone: campaign.map_or_else(Zone::utc, clock),
        }
    };
    Ok(rows.into_iter().map(in_review).collect())
}

/// Returns the next contacts in review after `after`, by id.
pub async fn page(
    workspace: &Workspace,
    campaign: Option<&str>,
    after: ContactId,
    limit: u32,
) -> Result<Vec<InReview>, Error> {
    let id = match campaign {
        Some(name) => Some(workspace.campaign(name).await?.id),
        None => None,
    };
    in_review(workspace, workspace.store.reviews(id, after, limit).await?).await
}

async fn rows(workspace: &Workspace, campaign: Option<&str>) -> Result<Vec<ReviewRow>, Error> {
    let campaign = match campaign {
        Some(name) => Some(workspace.campaign(name).await?.id),
        None => None,
    };
    let mut rows: Vec<ReviewRow> = Vec::new();
    loop {
        let after = rows.last().map_or(ContactId(0), |row| row.contact);
        let page = workspace.store.reviews(campaign, after, PAGE).await?;
        if page.is_empty() {
            return Ok(rows);
        }
        rows.extend(page);
    }
}

/// Takes a person's word for what became of contacts in review. Contacts that are not in review are
/// an error, and then nobody is settled.
pub async fn settle(
    workspace: &Workspace,
    campaign: Option<&str>,
    chosen: Chosen,
    verdict: ReviewAnswer,
) -> Result<Settled, Error> {
    let rows = rows(workspace, campaign).await?;
    let wanted = match chosen {
        Chosen::All => rows.iter().map(|row| row.contact).collect(),
        Chosen::These(contacts) => contacts,
    };
    if let Some(unknown) = wanted.iter().find(|id| !rows.iter().any(|row| row.contact == **id)) {
        return Err(Error::conflict(
            format!("contact {unknown} is not in review"),
            "`ringfence review` lists those that are",
        ));
    }
    let mut settled = 0;
    for contact in wanted {
        settled += u32::from(workspace.store.decide_review(contact, verdict, workspace.now()).await?);
    }
    Ok(Settled { settled, verdict: if verdict == ReviewAnswer::Placed { "placed" } else { "not-placed" } })
}
