//! Contacts or attempts of a campaign as CSV or JSON lines.

mod attempts;
mod contacts;
mod relink;

use std::io::Write;

use ringfence_domain::ContactState;
use ringfence_store::ContactFilter;

use crate::error::Error;
use crate::workspace::Workspace;

/// The form of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values with a header.
    Csv,
    /// One JSON object a line.
    Json,
}

/// What an export has a line for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lines {
    /// Every contact.
    Contacts,
    /// The contacts reached as the campaign defines it.
    Reached,
    /// The contacts not reached, or not yet.
    Unreached,
    /// The contacts whose call is of unknown fate.
    Review,
    /// Every attempt.
    Attempts,
}

/// Asks the vendor again for the links to recordings and transcripts that have expired. Returns how
/// many calls have new links.
pub async fn refresh_links(workspace: &mut Workspace, campaign: &str) -> Result<u32, Error> {
    let campaign = workspace.campaign(campaign).await?;
    relink::relink(workspace, &campaign).await
}

/// Writes lines of the current run of a campaign, page by page.
pub async fn write(
    workspace: &Workspace,
    campaign: &str,
    lines: Lines,
    format: Format,
    out: impl Write,
) -> Result<(), Error> {
    let campaign = workspace.campaign(campaign).await?;
    let filter = match lines {
        Lines::Attempts => return attempts::write(&workspace.store, &campaign, format, out).await,
        Lines::Contacts => ContactFilter::default(),
        Lines::Reached => ContactFilter { reached: Some(true), ..ContactFilter::default() },
        Lines::Unreached => ContactFilter { reached: Some(false), ..ContactFilter::default() },
        Lines::Review => ContactFilter { state: Some(ContactState::Review), ..ContactFilter::default() },
    };
    contacts::write(&workspace.store, &campaign, filter, format, out).await
}
