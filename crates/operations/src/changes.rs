//! What changed since a client asked last.

use std::str::FromStr;

use ringfence_store::{AttemptRow, ChangePlace, ChangeQuery, Changed, ContactFilter, ContactRow};

use crate::error::{Error, ErrorKind};
use crate::workspace::Workspace;

/// How far a client has read, as it keeps it: `e0-4711`. `0` is the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadUntil {
    era: Option<i64>,
    change: i64,
}

impl FromStr for ReadUntil {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is none that this list gave as updated_until; 0 is the beginning");
        if text == "0" {
            return Ok(Self { era: None, change: 0 });
        }
        let (era, change) = text.strip_prefix('e').and_then(|rest| rest.split_once('-')).ok_or_else(wrong)?;
        let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number >= 0).ok_or_else(wrong);
        Ok(Self { era: Some(number(era)?), change: number(change)? })
    }
}

impl std::fmt::Display for ReadUntil {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "e{}-{}", self.era.unwrap_or_default(), self.change)
    }
}

/// Rows that changed, each with the place after it.
#[derive(Debug)]
pub struct Page<T> {
    /// The rows.
    pub rows: Vec<(ChangePlace, T)>,
    /// From where to ask the next time, once no more rows follow.
    pub until: ReadUntil,
}

/// Returns the contacts of a campaign that changed since, after a place: at the beginning those of
/// its current run, from then on those of every run.
pub async fn contacts(
    workspace: &Workspace,
    campaign: &str,
    filter: ContactFilter,
    (since, after): (ReadUntil, Option<ChangePlace>),
    limit: u32,
) -> Result<Page<ContactRow>, Error> {
    let query = query(workspace, campaign, since, after, limit).await?;
    page(since, after, workspace.store.changed_contacts(query, filter).await?)
}

/// Returns the attempts of a campaign that changed since, likewise.
pub async fn attempts(
    workspace: &Workspace,
    campaign: &str,
    (since, after): (ReadUntil, Option<ChangePlace>),
    limit: u32,
) -> Result<Page<AttemptRow>, Error> {
    let query = query(workspace, campaign, since, after, limit).await?;
    page(since, after, workspace.store.changed_attempts(query).await?)
}

async fn query(
    workspace: &Workspace,
    campaign: &str,
    since: ReadUntil,
    after: Option<ChangePlace>,
    limit: u32,
) -> Result<ChangeQuery, Error> {
    let row = workspace.campaign(campaign).await?;
    // The beginning stays with the run that it began with.
    let run = since.era.is_none().then(|| after.map_or(row.run, |after| after.run));
    Ok(ChangeQuery { campaign: row.id, run, since: since.change, after, limit: i64::from(limit) })
}

fn page<T>(since: ReadUntil, after: Option<ChangePlace>, changed: Changed<T>) -> Result<Page<T>, Error> {
    let Changed { rows, horizon, era } = changed;
    let eras = [since.era, after.map(|after| after.era)];
    if eras.into_iter().flatten().any(|read| read != era) || since.change > horizon {
        let message = "the database was put back since this was read";
        let stale = Error::input(message, "read everything anew, with updated_since=0");
        return Err(Error { kind: ErrorKind::Stale, ..stale });
    }
    Ok(Page { rows, until: ReadUntil { era: Some(era), change: horizon } })
}
