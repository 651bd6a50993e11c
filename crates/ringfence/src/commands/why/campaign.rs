//! For a whole campaign: how many contacts wait for which reason.

use std::collections::BTreeMap;

use ringfence_domain::campaign::{WindowPart, closed_longest};
use ringfence_domain::{CampaignState, DialClass, LaneState, Moment};
use ringfence_store::{BucketFigures, RunFigures};
use serde::Serialize;

use crate::summary::tomorrow;
use crate::{rests, screen, summary};

/// Why contacts of a campaign are not being dialled right now.
#[derive(Debug, Serialize)]
pub(super) struct Waiting {
    campaign: String,
    /// Whose clocks people read it on.
    #[serde(skip)]
    clock: ringfence_domain::Zone,
    waiting: i64,
    /// The reasons add up to `waiting`. Caps and cool-offs of a number are asked when its turn comes, and are a reason from then on.
    reasons: Vec<Reason>,
    /// How many of them are on the do-not-call list, and stopped when the turn comes.
    on_dnc: i64,
    active: i64,
    review: i64,
    done: i64,
    stopped_for: BTreeMap<&'static str, i64>,
}

/// One reason.
#[derive(Debug, Serialize)]
struct Reason {
    rule: String,
    says: String,
    contacts: i64,
    /// When the first of them may be dialled as far as this reason goes, if time alone can tell.
    from: Option<Moment>,
}

pub(super) fn of(numbers: &RunFigures, brake: Option<String>, on_dnc: i64, now: Moment) -> Waiting {
    let summary = summary::summarize(numbers, brake.clone(), now);
    let mut reasons: BTreeMap<(String, String), (i64, Option<Moment>)> = BTreeMap::new();
    let mut add = |rule: &str, says: String, contacts: i64, from: Option<Moment>| {
        if contacts > 0 {
            let known = reasons.entry((rule.to_owned(), says)).or_insert((0, from));
            known.0 += contacts;
            known.1 = known.1.min(from).or(known.1).or(from);
        }
    };
    let held = held(numbers, brake);
    for bucket in &numbers.buckets {
        if let Some((rule, says)) = held.clone().or_else(|| staged(bucket)) {
            add(rule, says, bucket.waiting, None);
            continue;
        }
        let (rule, says) = match bucket.class {
            DialClass::Capped => ("limits", "a cap, a cool-off or an hour to avoid holds the number"),
            DialClass::Callback => ("callback", "the callee asked for a later call"),
            DialClass::Retry | DialClass::First => ("retry", "the delay after an earlier call is not over"),
        };
        add(rule, says.to_owned(), bucket.not_due, Some(bucket.next_due_at));
        let due = bucket.waiting - bucket.not_due;
        let (rule, says, from) = due_reason(numbers, bucket, now);
        add(&rule, says, due, from);
    }
    let reasons = reasons.into_iter();
    let mut reasons: Vec<Reason> =
        reasons.map(|((rule, says), (contacts, from))| Reason { rule, says, contacts, from }).collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.contacts));
    Waiting {
        campaign: summary.campaign,
        clock: numbers.campaign.rules.own_zone(numbers.lane.settings.timezone),
        waiting: summary.contacts.waiting,
        reasons,
        on_dnc,
        active: summary.contacts.active,
        review: summary.contacts.review,
        done: summary.contacts.done,
        stopped_for: summary.stopped_for.into_iter().filter(|(_, n)| *n > 0).collect(),
    }
}

/// What holds everyone.
fn held(numbers: &RunFigures, brake: Option<String>) -> Option<(&'static str, String)> {
    let campaign = &numbers.campaign;
    if let Some(stop) = brake.or_else(|| numbers.stop.as_ref().map(|stop| stop.reason.clone())) {
        return Some(("stop", stop));
    }
    if campaign.state != CampaignState::Running {
        return Some(("campaign", campaign.reason.clone().unwrap_or_else(|| campaign.state.to_string())));
    }
    let lane = &numbers.lane;
    let paused = || lane.reason.clone().unwrap_or_else(|| format!("lane {} is paused", lane.settings.name));
    (lane.state == LaneState::Paused).then(|| ("lane", paused()))
}

fn staged(bucket: &BucketFigures) -> Option<(&'static str, String)> {
    bucket.staged.then(|| ("import", "their import is held, or waits for the outcomes of its first calls".to_owned()))
}

/// Why contacts that are due are not dialled.
fn due_reason(numbers: &RunFigures, bucket: &BucketFigures, now: Moment) -> (String, String, Option<Moment>) {
    let (rules, lane) = (&numbers.campaign.rules, &numbers.lane);
    let vendor = lane.settings.vendor_hours();
    let mut calendar = rules.calendar(&bucket.zones, vendor.as_ref());
    if !calendar.at(now).open {
        let from = calendar.next_opening(now);
        let parts = rules.window(&bucket.zones, vendor.as_ref());
        if from.is_none() {
            let never = rules.contradiction(&bucket.zones, vendor.as_ref(), now);
            return (never.join(" and "), "leave no time to call, ever".to_owned(), None);
        }
        let says = |part: &WindowPart| (part.rule.clone(), part.closed_day(now).unwrap_or_else(|| part.says()));
        let guard = || {
            let says = format!("the last {} before closing, or no day of the campaign", rules.calling.guard);
            ("window".to_owned(), says)
        };
        let (rule, says) = closed_longest(&parts, now).map_or_else(guard, says);
        return (rule, says, from);
    }
    if let Some(rest) = rests::of(lane, rules.limits.calls, rules.own_zone(lane.settings.timezone), now) {
        return ("pace".to_owned(), rest.says, Some(rest.until));
    }
    if numbers.left_today == Some(0) {
        let says = "the lane has made all of its calls for today".to_owned();
        return ("lane_day".to_owned(), says, Some(tomorrow(now, lane.settings.timezone)));
    }
    if let Some(stuck) = crate::slots::stuck(numbers) {
        return ("slots".to_owned(), stuck.says, stuck.first_free);
    }
    ("turn".to_owned(), "they may be dialled now, and wait for a free slot".to_owned(), Some(now))
}

pub(super) fn text(waiting: &Waiting) -> String {
    let mut table = screen::table(&["rule", "contacts", "says", "from"]);
    for reason in &waiting.reasons {
        let from = reason.from.map(|at| screen::moment(at, waiting.clock)).unwrap_or_default();
        table.add_row(vec![reason.rule.clone(), reason.contacts.to_string(), reason.says.clone(), from]);
    }
    let mut text = format!(
        "{}: {} waiting, {} active, {} done, {} in review\n",
        waiting.campaign, waiting.waiting, waiting.active, waiting.done, waiting.review
    );
    if !waiting.reasons.is_empty() {
        text.push_str(&format!("{table}\n"));
    }
    if waiting.on_dnc > 0 {
        let text_of = |n| if n == 1 { "1 of them is".to_owned() } else { format!("{n} of them are") };
        text.push_str(&format!(
            "{} on the do-not-call list, and stopped when the turn comes\n",
            text_of(waiting.on_dnc)
        ));
    }
    if !waiting.stopped_for.is_empty() {
        let parts: Vec<String> =
            waiting.stopped_for.iter().map(|(reason, n)| format!("{n} {}", reason.replace('_', " "))).collect();
        text.push_str(&format!("stopped: {}\n", parts.join(", ")));
    }
    text
}
