//! Every campaign, a line each.

use askama::Template;
use ringfence_domain::Zone;
use ringfence_domain::summary::Summary;
use ringfence_operations::status;

use super::frame::{Frame, moment};
use super::visitor::Visitor;
use super::{Page, shown};

#[derive(Template)]
#[template(path = "pages/campaigns.html")]
struct CampaignsPage {
    frame: Frame,
    campaigns: Vec<CampaignLine>,
}

/// One campaign in one line.
pub(crate) struct CampaignLine {
    pub(crate) name: String,
    /// The name as a part of an address.
    pub(crate) path: String,
    pub(crate) state: &'static str,
    pub(crate) total: i64,
    pub(crate) done: i64,
    pub(crate) stopped: i64,
    pub(crate) review: i64,
    pub(crate) waiting: i64,
    pub(crate) active: i64,
    pub(crate) per_min: String,
    pub(crate) answered: String,
    pub(crate) end: String,
    pub(crate) because: String,
}

/// Shows them.
pub(crate) async fn campaigns(visitor: Visitor) -> Page {
    let frame = Frame::of(&visitor, "Campaigns", "/campaigns").await?.live();
    let summaries = status::summaries(&visitor.workspace, None).await?;
    let campaigns = summaries.iter().map(|(summary, zone)| CampaignLine::of(&visitor, summary, *zone)).collect();
    Ok(shown(&CampaignsPage { frame, campaigns }))
}

impl CampaignLine {
    pub(crate) fn of(visitor: &Visitor, summary: &Summary, zone: Zone) -> Self {
        let contacts = &summary.contacts;
        Self {
            name: summary.campaign.clone(),
            path: part(&summary.campaign),
            state: summary.state,
            total: contacts.total,
            done: contacts.done,
            stopped: contacts.stopped,
            review: contacts.review,
            waiting: contacts.waiting,
            active: contacts.active,
            per_min: format!("{:.0}", summary.rate.calls_per_min),
            answered: percent(summary.rate.answer_rate),
            end: summary.eta.map(|at| moment(at, zone)).unwrap_or_default(),
            because: visitor.seen(&summary.because.clone().or_else(|| summary.limited_by.clone()).unwrap_or_default()),
        }
    }
}

/// A share in percent; empty when it is not known.
pub(crate) fn percent(share: Option<f64>) -> String {
    share.map(|share| format!("{:.0}%", share * 100.0)).unwrap_or_default()
}

/// A name as a part of an address.
pub(crate) fn part(name: &str) -> String {
    form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20")
}
