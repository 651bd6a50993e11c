//! The first page: what needs a person, the campaigns, the lanes.

use askama::Template;
use ringfence_domain::Zone;
use ringfence_domain::summary::Summary;
use ringfence_operations::attention::{self, Level};
use ringfence_operations::lanes::{self, Lane};
use ringfence_operations::status;

use super::frame::{Frame, moment};
use super::visitor::Visitor;
use super::{Page, shown};

#[derive(Template)]
#[template(path = "pages/overview.html")]
struct OverviewPage {
    frame: Frame,
    needs: Vec<Need>,
    calls_per_min: i64,
    in_flight: i64,
    campaigns: Vec<CampaignLine>,
    lanes: Vec<LaneLine>,
}

/// Something that needs a person.
struct Need {
    is_critical: bool,
    about: String,
    what: String,
    since: String,
    mend: String,
}

struct CampaignLine {
    name: String,
    state: &'static str,
    total: i64,
    done: i64,
    stopped: i64,
    review: i64,
    waiting: i64,
    active: i64,
    per_min: String,
    answered: String,
    end: String,
    because: String,
}

struct LaneLine {
    name: String,
    kind: String,
    state: String,
    taken: u32,
    slots: u32,
    left_today: String,
    owner: String,
    because: String,
}

/// Shows it.
pub(crate) async fn overview(visitor: Visitor) -> Page {
    let workspace = &visitor.workspace;
    let health = attention::look(workspace, None).await?;
    let zone = health.zone.unwrap_or(Zone::utc());
    let summaries = status::summaries(workspace, None).await?;
    let needs = health.findings.iter().map(|finding| Need {
        is_critical: finding.level == Level::Critical,
        about: finding.about.clone(),
        what: finding.what.clone(),
        since: finding.since.map(|at| moment(at, zone)).unwrap_or_default(),
        mend: finding.mend.clone(),
    });
    let page = OverviewPage {
        frame: Frame::of(&visitor, "Overview", zone).await?,
        needs: needs.collect(),
        calls_per_min: health.calls_per_min,
        in_flight: summaries.iter().map(|(summary, _)| summary.attempts.in_flight).sum(),
        campaigns: summaries.iter().map(|(summary, zone)| CampaignLine::of(summary, *zone)).collect(),
        lanes: lanes::list(workspace).await?.into_iter().map(LaneLine::of).collect(),
    };
    Ok(shown(&page))
}

impl CampaignLine {
    fn of(summary: &Summary, zone: Zone) -> Self {
        let contacts = &summary.contacts;
        Self {
            name: summary.campaign.clone(),
            state: summary.state,
            total: contacts.total,
            done: contacts.done,
            stopped: contacts.stopped,
            review: contacts.review,
            waiting: contacts.waiting,
            active: contacts.active,
            per_min: format!("{:.0}", summary.rate.calls_per_min),
            answered: summary.rate.answer_rate.map(|rate| format!("{:.0}%", rate * 100.0)).unwrap_or_default(),
            end: summary.eta.map(|at| moment(at, zone)).unwrap_or_default(),
            because: summary.because.clone().or_else(|| summary.limited_by.clone()).unwrap_or_default(),
        }
    }
}

impl LaneLine {
    fn of(lane: Lane) -> Self {
        Self {
            name: lane.name,
            kind: lane.kind,
            state: lane.state.to_string(),
            taken: lane.slots.taken,
            slots: lane.slots.of,
            left_today: lane.left_today.map(|left| left.to_string()).unwrap_or_default(),
            owner: lane.owner.unwrap_or_else(|| "nobody".to_owned()),
            because: lane.because.or(lane.limited_by).unwrap_or_default(),
        }
    }
}
