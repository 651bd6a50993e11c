//! One campaign: how it stands and what can be done with it. Each of its pages is a file here.

pub(super) mod actions;
pub(super) mod bulk;
pub(super) mod changes;
pub(super) mod contacts;
pub(super) mod imports;
pub(super) mod results;
pub(super) mod rules;
pub(super) mod runs;
pub(super) mod standing;
pub(super) mod why;

use ringfence_domain::summary::Summary;
use ringfence_domain::{CampaignState, ImportState, PausedBy, Zone};
use ringfence_operations::{Error, status};

use super::campaigns::part;
use super::frame::Frame;
use super::visitor::Visitor;

/// The pages of a campaign: the end of their address, and their name.
const PAGES: &[(&str, &str)] = &[
    ("", "Standing"),
    ("/contacts", "Contacts"),
    ("/why", "Why they wait"),
    ("/imports", "Imports"),
    ("/runs", "Runs"),
    ("/changes", "Changes"),
    ("/rules", "Rules"),
];

/// Those of them whose content is asked for again when something has changed.
const LIVE: [&str; 4] = ["", "/imports", "/runs", "/changes"];

/// What every page of a campaign has above itself.
pub(crate) struct Head {
    pub(crate) name: String,
    pub(crate) path: String,
    pub(crate) state: &'static str,
    pub(crate) run: i64,
    pub(crate) lane: String,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) may_pause: bool,
    pub(crate) may_resume: bool,
    /// Why a safety rail paused it. The button that lets it go on accepts that.
    pub(crate) held_for: Option<String>,
    /// The newest import, when a safety rail holds it.
    pub(crate) held_import: Option<i64>,
    pub(crate) is_draft: bool,
    pub(crate) is_over: bool,
}

/// A page of a campaign.
pub(crate) struct Tab {
    pub(crate) path: String,
    pub(crate) name: &'static str,
    pub(crate) is_here: bool,
}

/// A campaign that is looked at.
struct Looked {
    frame: Frame,
    head: Head,
    summary: Summary,
    zone: Zone,
}

/// Looks at a campaign for its page `here`, one of [`PAGES`].
async fn look(visitor: &Visitor, name: &str, here: &str) -> Result<Looked, Error> {
    let row = visitor.workspace.campaign(name).await?;
    let found = status::summaries(&visitor.workspace, Some(name)).await?.into_iter().next();
    let (summary, zone) = found.ok_or_else(|| Error::missing(format!("there is no campaign `{name}`"), "list them"))?;
    let title = PAGES.iter().find(|(path, _)| *path == here).map_or(String::new(), |(_, title)| (*title).to_owned());
    let title = if here.is_empty() { name.to_owned() } else { format!("{title} · {name}") };
    let frame = Frame::of(visitor, &title, "/campaigns").await?;
    let frame = if LIVE.contains(&here) { frame.live() } else { frame };
    let path = part(name);
    let tab = |(end, name): &(&str, &'static str)| Tab {
        path: format!("/campaigns/{path}{end}"),
        name,
        is_here: *end == here,
    };
    let state = summary.state;
    let head = Head {
        name: name.to_owned(),
        tabs: PAGES.iter().map(tab).collect(),
        state,
        run: summary.run.number,
        lane: summary.lane.name.clone(),
        may_pause: row.state == CampaignState::Running,
        may_resume: row.state == CampaignState::Paused && row.paused_by != Some(PausedBy::Draft),
        held_for: row.reason.filter(|_| row.paused_by == Some(PausedBy::Safety)).map(|why| visitor.seen(&why)),
        held_import: summary
            .last_import
            .as_ref()
            .filter(|one| one.state == ImportState::Held.as_str())
            .map(|one| one.import),
        is_draft: row.paused_by == Some(PausedBy::Draft),
        is_over: row.state == CampaignState::Cancelled,
        path,
    };
    Ok(Looked { frame, head, summary, zone })
}
