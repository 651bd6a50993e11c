//! How a campaign stands.

use askama::Template;
use axum::extract::Path;
use ringfence_domain::summary::{Summary, WaitingFor};

use super::super::campaigns::percent;
use super::super::charts::{self, Pictures};
use super::super::frame::{Frame, moment};
use super::super::visitor::Visitor;
use super::super::windows::{self, WindowLine};
use super::super::{Page, shown};
use super::{Head, Looked, look};

#[derive(Template)]
#[template(path = "pages/campaign/standing.html")]
struct StandingPage {
    frame: Frame,
    head: Head,
    says: String,
    total: i64,
    parts: Vec<Part>,
    per_min: String,
    answered: String,
    reached: i64,
    talk: String,
    cost: Vec<String>,
    end: String,
    next: String,
    waiting_for: Vec<(&'static str, i64)>,
    outcomes: Vec<(String, i64)>,
    calls: i64,
    stopped_for: Vec<(String, i64)>,
    told: Vec<String>,
    pictures: Pictures,
    windows: Vec<WindowLine>,
    span: (String, String),
}

/// A part of the bar: contacts in one state.
struct Part {
    state: &'static str,
    says: &'static str,
    contacts: i64,
    /// Where it begins and how wide it is, in thousandths.
    x: i64,
    width: i64,
}

/// Shows it.
pub(crate) async fn standing(visitor: Visitor, Path(name): Path<String>) -> Page {
    let Looked { frame, head, summary, zone } = look(&visitor, &name, "").await?;
    let (windows, span) = windows::bars(&visitor.workspace, Some(&name), zone).await?;
    let says = visitor.seen(&sentence(&summary));
    let page = StandingPage {
        says,
        total: summary.contacts.total,
        parts: parts(&summary),
        per_min: format!("{:.0}", summary.rate.calls_per_min),
        answered: percent(summary.rate.answer_rate),
        reached: summary.reached,
        talk: talk(summary.talk_seconds),
        cost: summary.cost.iter().map(|cost| format!("{} {}", cost.amount, cost.currency)).collect(),
        end: summary.eta.map(|at| moment(at, zone)).unwrap_or_default(),
        next: summary.next_dial_at.map(|at| moment(at, zone)).unwrap_or_default(),
        waiting_for: waiting_for(&summary.waiting_for),
        calls: summary.outcomes.values().sum(),
        outcomes: words(&summary.outcomes),
        stopped_for: words(&summary.stopped_for),
        told: told(&summary).iter().map(|text| visitor.seen(text)).collect(),
        pictures: charts::draw(&visitor, &name, zone).await?,
        windows,
        span,
        head,
        frame,
    };
    Ok(shown(&page))
}

/// Why it dials, or does not, in one sentence.
fn sentence(summary: &Summary) -> String {
    if let Some(because) = &summary.because {
        return because.clone();
    }
    match (&summary.limited_by, summary.state) {
        (Some(limit), _) => format!("It dials as fast as it may: {limit}"),
        (None, "draft") => "It is a draft, and dials nobody.".to_owned(),
        (None, "done") => "Everybody was called, or is not called any more.".to_owned(),
        (None, "cancelled") => "It was cancelled, and dials nobody any more.".to_owned(),
        (None, _) if summary.contacts.waiting > 0 || summary.contacts.active > 0 => "It dials.".to_owned(),
        (None, _) => "Nobody waits to be called.".to_owned(),
    }
}

fn parts(summary: &Summary) -> Vec<Part> {
    let contacts = &summary.contacts;
    let mut x = 0;
    [
        ("done", "done", contacts.done),
        ("active", "being called", contacts.active),
        ("waiting", "wait", contacts.waiting),
        ("review", "in review", contacts.review),
        ("stopped", "stopped", contacts.stopped),
    ]
    .into_iter()
    .map(|(state, says, n)| {
        let width = if contacts.total == 0 { 0 } else { n * 1000 / contacts.total };
        // Few of many are seen, too.
        let width = if n > 0 { width.max(4) } else { 0 }.min(1000 - x);
        let part = Part { state, says, contacts: n, x, width };
        x += width;
        part
    })
    .collect()
}

fn waiting_for(waiting: &WaitingFor) -> Vec<(&'static str, i64)> {
    let all = [
        ("for their turn", waiting.pace),
        ("for the time after an earlier call", waiting.retry),
        ("for their window to open", waiting.window),
        ("because of a cap on their number", waiting.contact_cap),
        ("because the lane's day is used up", waiting.lane_budget),
        ("because the lane is paused", waiting.lane_paused),
        ("until a person or a safety rail lets them go", waiting.held),
    ];
    all.into_iter().filter(|(_, n)| *n > 0).collect()
}

/// Words and how often, the most frequent first.
fn words(counts: &std::collections::BTreeMap<&'static str, i64>) -> Vec<(String, i64)> {
    let mut words: Vec<_> = counts.iter().map(|(word, n)| (word.replace('_', " "), *n)).collect();
    words.retain(|(_, n)| *n > 0);
    words.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    words
}

fn talk(seconds: i64) -> String {
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

/// What somebody should know of the callees' wishes.
fn told(summary: &Summary) -> Vec<String> {
    let said = &summary.said;
    let mut told = Vec::new();
    if said.opted_out > 0 {
        told.push(format!("{} asked for no more calls, and are on the do-not-call list", said.opted_out));
    }
    told.extend(said.unclear.iter().map(|one| {
        format!(
            "in {} calls `{}` is `{}`: does that mean no more calls? A person must look",
            one.calls, one.output, one.value
        )
    }));
    told.extend(
        said.not_heeded
            .iter()
            .map(|one| format!("in {} calls the agent collected `{}`, and no rule reads it", one.calls, one.output)),
    );
    told.extend(
        summary.never_collected.iter().map(|name| format!("no answered call had the output `{name}`: is it misspelt?")),
    );
    told
}
