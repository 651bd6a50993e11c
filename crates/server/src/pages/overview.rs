//! The first page: what needs a person, the campaigns, the lanes, the windows, what happens.

use std::collections::BTreeMap;

use askama::Template;
use ringfence_domain::Rate;
use ringfence_domain::summary::Summary;
use ringfence_operations::amount::amount;
use ringfence_operations::attention::{self, Finding, Level, Place};
use ringfence_operations::lanes::{self, Lane};
use ringfence_store::{EventFilter, EventScope};

use super::campaigns::{CampaignLine, part};
use super::feed::{self, FeedLine};
use super::frame::Frame;
use super::visitor::Visitor;
use super::windows::{self, WindowLine};
use super::{Page, shown};

/// Lines of the feed.
const FEED: u32 = 20;

#[derive(Template)]
#[template(path = "pages/overview.html")]
struct OverviewPage {
    frame: Frame,
    needs: Vec<Need>,
    taken: u32,
    slots: u32,
    calls_per_min: i64,
    answered: String,
    reached: i64,
    cost: Vec<String>,
    campaigns: Vec<CampaignLine>,
    lanes: Vec<LaneLine>,
    windows: Vec<WindowLine>,
    span: (String, String),
    feed: Vec<FeedLine>,
}

/// Something that needs a person.
struct Need {
    is_critical: bool,
    about: String,
    what: String,
    since: String,
    mend: String,
    /// The page where it can be mended, if it is one.
    link: String,
    button: &'static str,
}

struct LaneLine {
    name: String,
    kind: String,
    state: String,
    taken: u32,
    slots: u32,
    calls: String,
    requests: String,
    left_today: String,
    owner: String,
    because: String,
}

/// Shows it.
pub(crate) async fn overview(visitor: Visitor) -> Page {
    let workspace = &visitor.workspace;
    let frame = Frame::of(&visitor, "Overview", "/").await?.live();
    let (health, summaries) = attention::look_with_summaries(workspace).await?;
    let lanes = lanes::list(workspace).await?;
    let (windows, span) = windows::bars(workspace, None, frame.zone).await?;
    let filter = EventFilter { scope: EventScope::WithCalls, ..EventFilter::default() };
    let feed = feed::latest(&visitor, filter, (None, FEED), (workspace.now(), frame.zone)).await?;
    let campaigns: Vec<CampaignLine> =
        summaries.iter().map(|(summary, zone)| CampaignLine::of(&visitor, summary, *zone)).collect();
    let page = OverviewPage {
        needs: health.findings.iter().map(|finding| need(&visitor, &frame, finding)).collect(),
        taken: lanes.iter().map(|lane| lane.slots.taken).sum(),
        slots: lanes.iter().map(|lane| lane.slots.of).sum(),
        calls_per_min: health.calls_per_min,
        answered: answered(&summaries.iter().map(|(summary, _)| summary).collect::<Vec<_>>()),
        reached: summaries.iter().map(|(summary, _)| summary.reached).sum(),
        cost: cost(summaries.iter().map(|(summary, _)| summary)),
        campaigns,
        lanes: lanes.into_iter().map(|lane| LaneLine::of(&visitor, lane)).collect(),
        windows,
        span,
        feed,
        frame,
    };
    Ok(shown(&page))
}

fn need(visitor: &Visitor, frame: &Frame, finding: &Finding) -> Need {
    let (link, button) = match &finding.place {
        Place::Import(import) => (format!("/imports/{import}"), "See the list"),
        Place::Review => ("/review".to_owned(), "Review them"),
        Place::Campaign(name) => (format!("/campaigns/{}", part(name)), "See the campaign"),
        Place::Lane(name) => (format!("/lanes#lane-{name}"), "See the lane"),
        Place::Elsewhere => (String::new(), ""),
    };
    Need {
        is_critical: finding.level == Level::Critical,
        // What is about everything says so itself.
        about: if finding.about == "everything" { String::new() } else { finding.about.clone() },
        what: visitor.seen(&finding.what),
        since: finding.since.map(|at| frame.moment(at)).unwrap_or_default(),
        mend: finding.mend.clone(),
        link,
        button,
    }
}

/// The share of all calls that were answered, over the campaigns that have a rate.
fn answered(summaries: &[&Summary]) -> String {
    let outcomes = |summary: &&Summary, name: &str| summary.outcomes.get(name).copied().unwrap_or_default();
    let calls: i64 = summaries.iter().map(|summary| summary.outcomes.values().sum::<i64>()).sum();
    let answered: i64 = summaries.iter().map(|summary| outcomes(summary, "answered")).sum();
    if calls == 0 { "–".to_owned() } else { format!("{}%", answered * 100 / calls) }
}

/// What calls cost, by currency.
fn cost<'s>(summaries: impl Iterator<Item = &'s Summary>) -> Vec<String> {
    let mut by_currency: BTreeMap<&str, i64> = BTreeMap::new();
    for cost in summaries.flat_map(|summary| &summary.cost) {
        *by_currency.entry(cost.currency.as_str()).or_default() += cost.micros;
    }
    by_currency.iter().map(|(currency, micros)| format!("{} {currency}", amount(*micros))).collect()
}

/// How much of a limit is used, as far as that is known.
fn used(n: Option<u32>, limit: Rate) -> String {
    n.map_or(limit.to_string(), |n| format!("{n} of {limit}"))
}

impl LaneLine {
    fn of(visitor: &Visitor, lane: Lane) -> Self {
        Self {
            calls: used(lane.used.map(|used| used.calls), lane.limits.calls),
            requests: used(lane.used.map(|used| used.requests), lane.limits.requests),
            name: lane.name,
            kind: lane.kind,
            state: lane.state.to_string(),
            taken: lane.slots.taken,
            slots: lane.slots.of,
            left_today: lane.left_today.map(|left| left.to_string()).unwrap_or_default(),
            owner: lane.owner.unwrap_or_else(|| "nobody".to_owned()),
            because: visitor.seen(&lane.because.or(lane.limited_by).unwrap_or_default()),
        }
    }
}
