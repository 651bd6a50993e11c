//! Each rule about one contact, and what it says.

use ringfence_domain::campaign::WindowPart;
use ringfence_domain::{
    AttemptState, Campaign, CampaignState, ContactState, DialClass, ImportState, LaneState, Moment, NumberLimits,
    PastCall, ZoneSet,
};
use ringfence_store::{AttemptRow, ContactRow, RunFigures};
use serde::Serialize;

use super::Found;
use crate::summary::tomorrow;
use crate::{rests, slots};

/// One rule and its verdict.
#[derive(Debug, Serialize)]
pub(super) struct Rule {
    pub(super) rule: String,
    pub(super) allows: bool,
    pub(super) says: String,
    /// When it will allow, if it does not now and that is known.
    pub(super) from: Option<Moment>,
}

/// All rules, in the order in which people look for what holds a contact.
pub(super) fn of(numbers: &RunFigures, contact: &ContactRow, found: &Found) -> Vec<Rule> {
    let now = found.now;
    let campaign = &numbers.campaign.rules;
    let lane = &numbers.lane;
    let mut rules = Vec::new();
    let mut rule = |rule: &str, allows: bool, says: String, from: Option<Moment>| {
        rules.push(Rule { rule: rule.to_owned(), allows, says, from: from.filter(|_| !allows) });
    };
    let stop = found.brake.clone().or(numbers.stop.as_ref().map(|stop| stop.reason.clone()));
    rule("stop", stop.is_none(), stop.unwrap_or_else(|| "nothing is stopped".to_owned()), None);
    let listed = found.dnc_says(Some(numbers.campaign.id));
    rule("dnc", listed.is_none(), listed.unwrap_or_else(|| "not on the do-not-call list".to_owned()), None);
    let state = match contact.state {
        ContactState::Waiting => "it waits for its call".to_owned(),
        ContactState::Active => "a call is under way".to_owned(),
        ContactState::Done => "it is finished".to_owned(),
        ContactState::Stopped => {
            format!("it was stopped: {}", contact.stop_reason.map(|reason| reason.to_string()).unwrap_or_default())
        }
        ContactState::Review => match found.attempts.iter().rev().find(|attempt| attempt.contact == contact.id) {
            Some(last) if last.state == AttemptState::Refused => {
                "the provider refuses it: a person must look".to_owned()
            }
            _ => "nobody can say whether its last call was placed".to_owned(),
        },
    };
    rule("contact", contact.state == ContactState::Waiting, state, None);
    let elsewhere = found.attempts.iter().find(|attempt| attempt.state.is_live() && attempt.contact != contact.id);
    let says = match (elsewhere, found.in_review.contains(&contact.id)) {
        (Some(_), _) => "a call to it is under way for another campaign",
        (None, true) => "a call to it in an earlier run is in review",
        (None, false) => "no other call to it is under way",
    };
    rule("number", elsewhere.is_none() && !found.in_review.contains(&contact.id), says.to_owned(), None);
    let due = contact.due_at <= now;
    let own = found.attempts.iter().rev().filter(|attempt| attempt.contact == contact.id);
    let own = own.filter(|attempt| !matches!(attempt.state, AttemptState::Lapsed | AttemptState::NotSent));
    let refused: Vec<&AttemptRow> = own.take_while(|attempt| attempt.state == AttemptState::Refused).collect();
    let says = match (due, contact.class) {
        (true, _) => "it is due".to_owned(),
        (false, _) if !refused.is_empty() => {
            let times =
                if refused.len() == 1 { "once".to_owned() } else { format!("{} times in a row", refused.len()) };
            format!("the provider refused it {times}: {}", refused[0].cause.as_deref().unwrap_or_default())
        }
        (false, DialClass::Capped) => "a limit on its number holds it until then".to_owned(),
        (false, DialClass::First) => "its call is not due yet".to_owned(),
        (false, class) => format!("its {class} is not due yet"),
    };
    rule("due", due, says, Some(contact.due_at));
    for part in window(numbers, contact) {
        let mut calendar = part.calendar();
        let verdict = calendar.at(now);
        let says = part.closed_day(now).filter(|_| !verdict.open).unwrap_or_else(|| part.says());
        rule(&part.rule, verdict.open, says, verdict.next_change);
    }
    let mut calendar = calendar(numbers, contact);
    let whole = calendar.at(now);
    let mut says = "all of these at once".to_owned();
    if campaign.calling.guard.millis() != 0 {
        says.push_str(&format!(", but not in the last {} before closing", campaign.calling.guard));
    }
    for (word, date) in [("from", campaign.schedule.starts), ("up to", campaign.schedule.ends)] {
        if let Some(date) = date {
            says.push_str(&format!(", {word} {date}"));
        }
    }
    rule("window", whole.open, says, whole.next_change);
    let calls = past_calls(&found.attempts);
    let place = campaign.place_of(&contact.zones);
    for (source, limits) in number_limits(campaign) {
        for single in singly(&limits) {
            let verdict = single.allows(&calls, now, &place);
            let (name, says) = name_of(&single);
            let says = match &verdict {
                Err(hold) => format!("{source}{}", hold.says),
                Ok(()) => format!("{source}{says}"),
            };
            rule(name, verdict.is_ok(), says, verdict.err().map(|hold| hold.until));
        }
    }
    let running = numbers.campaign.state == CampaignState::Running;
    let says = numbers.campaign.reason.clone().unwrap_or_else(|| numbers.campaign.state.to_string());
    rule("campaign", running, says, None);
    let import = numbers.last_import.as_ref().filter(|import| import.id == contact.import);
    let says = match (contact.staged, import.map(|import| (import.state, import.held_for.clone()))) {
        (false, _) if numbers.run.ready => "its import is complete".to_owned(),
        (_, Some((ImportState::Held, reason))) => format!("its import is held: {}", reason.unwrap_or_default()),
        (_, Some((ImportState::Canary, _))) => "its import waits for the outcomes of the first calls".to_owned(),
        _ => "its import is not complete".to_owned(),
    };
    rule("import", numbers.run.ready && !contact.staged, says, None);
    let failing = campaign.safety.judge_recent(&numbers.run.recent);
    rule("safety", failing.is_none(), failing.unwrap_or_else(|| "few of the last calls failed".to_owned()), None);
    let says = lane.reason.clone().unwrap_or_else(|| format!("lane {} is {}", lane.settings.name, lane.state));
    rule("lane", lane.state == LaneState::Open, says, None);
    let rest = rests::of(lane, campaign.limits.calls, campaign.own_zone(lane.settings.timezone), now);
    let says = rest.as_ref().map_or_else(|| "the lane does not rest".to_owned(), |rest| rest.says.clone());
    rule("pace", rest.is_none(), says, rest.map(|rest| rest.until));
    let stuck = slots::stuck(numbers);
    let (limit, held) = (lane.settings.limits.concurrent, numbers.of_lane);
    let says = stuck.as_ref().map(|stuck| stuck.says.clone());
    let says = says.unwrap_or_else(|| match held.free(limit) {
        0 => format!("all {limit} slots are taken by calls that are under way: it waits for its turn"),
        free => format!("{free} of {limit} slots are free"),
    });
    rule("slots", stuck.is_none(), says, stuck.and_then(|stuck| stuck.first_free));
    if let Some(left) = numbers.left_today {
        let says = format!("{left} calls left today");
        rule("lane_day", left > 0, says, Some(tomorrow(now, lane.settings.timezone)));
    }
    rules
}

pub(super) fn window(numbers: &RunFigures, contact: &ContactRow) -> Vec<WindowPart> {
    numbers.campaign.rules.window(&contact.zones, numbers.lane.settings.vendor_hours().as_ref())
}

pub(super) fn calendar(numbers: &RunFigures, contact: &ContactRow) -> ringfence_domain::window::Calendar {
    numbers.campaign.rules.calendar(&contact.zones, numbers.lane.settings.vendor_hours().as_ref())
}

/// What limits calls to the number, and who says so.
pub(super) fn number_limits(campaign: &Campaign) -> Vec<(String, NumberLimits)> {
    let presets = campaign.calling.presets.iter();
    let presets = presets.map(|preset| (format!("the preset {}: ", preset.name), preset.number_limits()));
    std::iter::once((String::new(), campaign.own_number_limits())).chain(presets).collect()
}

/// Each single rule of these.
pub(super) fn singly(limits: &NumberLimits) -> Vec<NumberLimits> {
    let caps = limits.caps.iter().map(|cap| NumberLimits { caps: vec![*cap], ..NumberLimits::default() });
    let cool_off = NumberLimits { cool_off: limits.cool_off, ..NumberLimits::default() };
    let hour = NumberLimits { avoid_same_hour: true, ..NumberLimits::default() };
    let cool_off = (!limits.cool_off.is_none()).then_some(cool_off);
    caps.chain(cool_off).chain(limits.avoid_same_hour.then_some(hour)).collect()
}

fn name_of(single: &NumberLimits) -> (&'static str, String) {
    match (single.caps.first(), single.avoid_same_hour) {
        (Some(cap), _) => ("per_number", format!("{cap}, over all campaigns")),
        (None, true) => ("avoid_same_hour", "not in an hour of the day in which nobody picked up".to_owned()),
        (None, false) => {
            let part = |name: &str, span: Option<ringfence_domain::Span>| span.map(|span| format!("{name} = {span}"));
            let parts = [
                part("after_answered", single.cool_off.after_answered),
                part("after_refusal", single.cool_off.after_refusal),
            ];
            ("cool_off", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
        }
    }
}

/// The calls that count against limits.
pub(super) fn past_calls(attempts: &[AttemptRow]) -> Vec<PastCall> {
    let counted = |attempt: &&AttemptRow| {
        use AttemptState::{Ended, Placed, Sending, Unknown};
        matches!(attempt.state, Sending | Placed | Unknown | Ended)
            && attempt.outcome.is_none_or(ringfence_domain::Outcome::is_counted)
    };
    let call = |attempt: &AttemptRow| {
        let (ended_at, outcome, refused) = (attempt.ended_at, attempt.outcome, attempt.refusal);
        Some(PastCall { sent_at: attempt.sending_at?, ended_at, outcome, refused })
    };
    attempts.iter().filter(counted).filter_map(call).collect()
}

/// What decided where the contact is.
pub(super) fn zone_source(campaign: &Campaign, contact: &ContactRow) -> &'static str {
    let column = campaign.contacts.timezone.as_ref();
    let filled = column.is_some_and(|column| contact.fields.get(column).is_some_and(|zone| !zone.trim().is_empty()));
    match (campaign.needs_own_zone(), filled) {
        (false, _) => "the campaign's timezone",
        (true, true) => "the contact's column",
        (true, false) if several(&contact.zones) => "the number's prefix, which may be in any of these",
        (true, false) => "the number's prefix",
    }
}

fn several(zones: &ZoneSet) -> bool {
    zones.zones().len() > 1
}
