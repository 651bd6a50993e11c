//! Queues and lanes: who may be dialled, by what is it limited, which process dials.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::Path;
use ringfence_domain::{CampaignState, DialClass, Moment, Span, Zone};
use ringfence_operations::lanes::{self, Lane};
use ringfence_operations::lateness::{self, Lateness};
use ringfence_operations::{Error, credentials, standby};
use ringfence_store::{ProcessRow, WaitingIn};

use super::frame::{Frame, moment};
use super::visitor::{Operator, Visitor};
use super::{Page, shown, to};

/// Buckets of a lane that are shown.
const BUCKETS: usize = 40;

#[derive(Template)]
#[template(path = "pages/lanes.html")]
struct LanesPage {
    frame: Frame,
    lanes: Vec<LaneCard>,
    processes: Vec<ProcessLine>,
    /// A lane whose credentials were tried, and what came of it.
    tried: Option<(String, bool, String)>,
}

struct LaneCard {
    name: String,
    path: String,
    kind: String,
    state: String,
    is_paused: bool,
    because: String,
    taken: u32,
    slots: u32,
    unknown: u32,
    calls: String,
    calls_used: String,
    requests: String,
    requests_used: String,
    late: String,
    credentials: String,
    left_today: String,
    per_day: String,
    usual_call: String,
    owner: String,
    queues: Vec<QueueLine>,
    buckets: Vec<BucketLine>,
    more: usize,
}

struct QueueLine {
    class: &'static str,
    waiting: i64,
    due: i64,
    oldest: String,
}

struct BucketLine {
    campaign: String,
    zones: String,
    class: &'static str,
    waiting: i64,
    says: String,
}

struct ProcessLine {
    name: String,
    command: String,
    version: String,
    began: String,
    says: String,
    lives: bool,
}

/// Shows them.
pub(crate) async fn lanes_page(visitor: Visitor) -> Page {
    page(&visitor, None).await
}

async fn page(visitor: &Visitor, tried: Option<(String, bool, String)>) -> Page {
    let workspace = &visitor.workspace;
    let frame = Frame::of(visitor, "Queues and lanes", "/lanes").await?.live();
    let now = workspace.now();
    let mut waiting = waiting_by_lane(visitor).await?;
    let mut late = lateness::by_lane(workspace).await?;
    let lanes = lanes::list(workspace).await?;
    let lanes = lanes.into_iter().map(|lane| {
        let queue = waiting.remove(&lane.name).unwrap_or_default();
        let late = late.remove(&lane.id);
        card(visitor, lane, (&queue, late), now)
    });
    let lanes = lanes.collect();
    let processes = workspace.store.processes().await?;
    let processes = processes.iter().map(|row| process(row, now, frame.zone)).collect();
    Ok(shown(&LanesPage { frame, lanes, processes, tried }))
}

/// Who waits in one campaign, and whether that may dial.
struct Waiting {
    campaign: String,
    is_running: bool,
    row: WaitingIn,
}

/// Who waits, by lane.
async fn waiting_by_lane(visitor: &Visitor) -> Result<BTreeMap<String, Vec<Waiting>>, Error> {
    let store = &visitor.workspace.store;
    let (lanes, campaigns) = (store.lanes().await?, store.campaigns().await?);
    let mut by_lane: BTreeMap<String, Vec<Waiting>> = BTreeMap::new();
    for row in store.waiting_by_zone(visitor.workspace.now()).await? {
        let Some(campaign) = campaigns.iter().find(|campaign| campaign.id == row.campaign) else { continue };
        let Some(lane) = lanes.iter().find(|lane| lane.id == campaign.lane) else { continue };
        let is_running = campaign.state == CampaignState::Running;
        let waiting = Waiting { campaign: campaign.rules.name.clone(), is_running, row };
        by_lane.entry(lane.settings.name.clone()).or_default().push(waiting);
    }
    Ok(by_lane)
}

fn card(visitor: &Visitor, lane: Lane, (waiting, late): (&[Waiting], Option<Lateness>), now: Moment) -> LaneCard {
    let zone = lane.zone;
    let used = |n: Option<u32>| n.map(|n| n.to_string()).unwrap_or_default();
    let queues = DialClass::ALL.iter().filter_map(|class| {
        let of: Vec<&WaitingIn> = waiting.iter().map(|one| &one.row).filter(|row| row.class == *class).collect();
        let all: i64 = of.iter().map(|row| row.waiting).sum();
        let running: Vec<&WaitingIn> =
            waiting.iter().filter(|one| one.is_running && one.row.class == *class).map(|one| &one.row).collect();
        let oldest = running.iter().filter(|row| row.due > 0).map(|row| row.eligible_at.max(row.due_at)).min();
        (all > 0).then(|| QueueLine {
            class: class.as_str(),
            waiting: all,
            due: running.iter().map(|row| row.due).sum(),
            oldest: oldest.map(|at| ago(now, at)).unwrap_or_default(),
        })
    });
    let mut buckets: Vec<&Waiting> = waiting.iter().collect();
    buckets.sort_by_key(|one| one.row.eligible_at);
    let bucket = |Waiting { campaign, is_running, row }: &&Waiting| BucketLine {
        campaign: campaign.clone(),
        zones: row.zones.short(),
        class: row.class.as_str(),
        waiting: row.waiting,
        says: match row.eligible_at {
            _ if !is_running => "the campaign does not dial".to_owned(),
            at if at <= now && row.due == row.waiting => "may be called now".to_owned(),
            at if at <= now => format!("{} may be called now", row.due),
            Moment::NEVER => "never".to_owned(),
            at => format!("from {}", at.shown_near(now, zone)),
        },
    };
    let credentials = credentials_line(zone, late.as_ref(), now);
    LaneCard {
        path: super::campaigns::part(&lane.name),
        is_paused: lane.state == ringfence_domain::LaneState::Paused,
        state: lane.state.to_string(),
        because: visitor.seen(&lane.because.or(lane.limited_by).unwrap_or_default()),
        taken: lane.slots.taken,
        slots: lane.slots.of,
        unknown: lane.slots.unknown,
        calls: lane.limits.calls.to_string(),
        calls_used: used(lane.used.map(|used| used.calls)),
        requests: lane.limits.requests.to_string(),
        requests_used: used(lane.used.map(|used| used.requests)),
        credentials,
        late: late.map(|late| late_line(&late)).unwrap_or_default(),
        left_today: lane.left_today.map(|left| left.to_string()).unwrap_or_default(),
        per_day: lane.limits.per_day.map(|day| day.to_string()).unwrap_or_default(),
        usual_call: lane.usual_call.unwrap_or_default(),
        owner: match (lane.owner, lane.last_owner, lane.last_dialled_until) {
            (Some(owner), ..) => owner,
            (None, Some(last), Some(until)) => format!("nobody; {last} did until {}", moment(until, zone)),
            _ => "nobody".to_owned(),
        },
        name: lane.name,
        kind: lane.kind,
        queues: queues.collect(),
        buckets: buckets.iter().take(BUCKETS).map(bucket).collect(),
        more: buckets.len().saturating_sub(BUCKETS),
    }
}

/// How late calls were.
fn late_line(late: &Lateness) -> String {
    format!(
        "of the last {} calls, half were sent within {} of their time, 99 of 100 within {}",
        late.calls,
        late.half.rounded(),
        late.most.rounded()
    )
}

/// What is known of the credentials without asking.
fn credentials_line(zone: Zone, late: Option<&Lateness>, now: Moment) -> String {
    match late.and_then(|late| late.taken_at) {
        Some(at) => format!("the vendor took the last call {}", at.shown_near(now, zone)),
        None => "the vendor has taken no call lately".to_owned(),
    }
}

fn process(row: &ProcessRow, now: Moment, zone: Zone) -> ProcessLine {
    let says = match row.ended_at {
        Some(at) => format!("ended {}", moment(at, zone)),
        None if row.lives(now) => format!("heard {} ago", ago(now, row.seen_at)),
        None => format!("silent since {}", moment(row.seen_at, zone)),
    };
    ProcessLine {
        name: standby::process(&row.name),
        command: row.command.clone(),
        version: row.version.clone(),
        began: moment(row.started_at, zone),
        says,
        lives: row.lives(now),
    }
}

/// How long ago it was, in whole seconds.
fn ago(now: Moment, at: Moment) -> String {
    Span::from_secs(now.since(at).millis() / 1000).to_string()
}

/// Lets no new call begin on a lane.
pub(crate) async fn pause(Operator(visitor): Operator, Path(name): Path<String>) -> Page {
    lanes::pause(&visitor.workspace, &name, &format!("by {}", visitor.name())).await?;
    Ok(to("/lanes"))
}

/// Tries the credentials of a lane, without calling anybody.
pub(crate) async fn try_credentials(Operator(visitor): Operator, Path(name): Path<String>) -> Page {
    let tried = credentials::of_lane_named(&visitor.workspace, &name).await?;
    page(&visitor, Some((name, tried.ok, tried.says()))).await
}

/// Lets a lane dial again.
pub(crate) async fn resume(Operator(visitor): Operator, Path(name): Path<String>) -> Page {
    lanes::resume(&visitor.workspace, &name).await?;
    Ok(to("/lanes"))
}
