//! When a contact may be dialled next, and which rules it waits for until then.

use ringfence_domain::{DialClass, Moment, Span};
use ringfence_store::{ContactRow, RunFigures};
use serde::Serialize;

use super::Found;
use super::rules::{calendar, number_limits, past_calls, singly, window};
use crate::summary::tomorrow;

/// What lies between a contact and its next call.
#[derive(Debug, Default, Serialize)]
pub(super) struct Outlook {
    /// When every rule allows it that time alone can satisfy; none if that never comes.
    pub(super) at: Option<Moment>,
    /// Each rule that holds it, one after the other.
    pub(super) steps: Vec<Step>,
    /// Rules that never leave time together.
    pub(super) never: Vec<String>,
}

/// One rule that holds the contact for a while, when the ones before it do not any more.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Step {
    pub(super) rule: String,
    pub(super) until: Moment,
    pub(super) says: String,
}

/// Windows and limits may take turns for so long.
const STEPS: usize = 200;

pub(super) fn of(numbers: &RunFigures, contact: &ContactRow, found: &Found) -> Outlook {
    let campaign = &numbers.campaign.rules;
    let guard = campaign.calling.guard;
    let parts = window(numbers, contact);
    let mut whole = calendar(numbers, contact);
    let vendor = numbers.lane.settings.vendor_hours();
    let never = campaign.contradiction(&contact.zones, vendor.as_ref(), found.now);
    if !never.is_empty() {
        return Outlook { never, ..Outlook::default() };
    }
    let (calls, place) = (past_calls(&found.attempts), campaign.place_of(&contact.zones));
    let lane = &numbers.lane;
    // Whoever a limit put off is due when that limit said so: the limit itself is asked.
    let due = if contact.class == DialClass::Capped { found.now } else { contact.due_at };
    let day = (numbers.left_today == Some(0)).then(|| tomorrow(found.now, lane.settings.timezone));
    let stuck = crate::slots::stuck(numbers);
    let slots = stuck.as_ref().and_then(|stuck| stuck.first_free).unwrap_or_default();
    let rest = crate::rests::of(lane, campaign.limits.calls, campaign.own_zone(lane.settings.timezone), found.now);
    let rests_until = rest.as_ref().map(|rest| rest.until).unwrap_or_default();
    let fixed = [
        (slots, "slots", stuck.map(|stuck| stuck.says).unwrap_or_default()),
        (due, "due", contact.class.as_str().to_owned()),
        (rests_until, "pace", rest.map(|rest| rest.says).unwrap_or_default()),
        (day.unwrap_or_default(), "lane_day", "the lane has made all of its calls for today".to_owned()),
    ];
    let mut outlook = Outlook::default();
    let mut at = found.now;
    while outlook.steps.len() < STEPS {
        let mut holds: Vec<Step> = Vec::new();
        for (until, rule, says) in fixed.iter().filter(|(until, ..)| *until > at) {
            holds.push(Step { rule: (*rule).to_owned(), until: *until, says: says.clone() });
        }
        for part in &parts {
            let until = part.calendar().next_opening(at).unwrap_or(Moment::NEVER);
            if until > at {
                let says = part.closed_day(at).unwrap_or_else(|| part.says());
                holds.push(Step { rule: part.rule.clone(), until, says });
            }
        }
        for (source, limits) in number_limits(campaign) {
            for hold in singly(&limits).iter().filter_map(|single| single.allows(&calls, at, &place).err()) {
                holds.push(Step {
                    rule: hold.rule.to_owned(),
                    until: hold.until,
                    says: format!("{source}{}", hold.says),
                });
            }
        }
        // The one that holds longest; of equals the first.
        let step = holds.into_iter().rev().max_by_key(|step| step.until).or_else(|| {
            let until = whole.next_opening(at).filter(|until| *until > at)?;
            let (rule, says) = if parts.iter().all(|part| part.calendar().at(at + guard).open) && guard > Span::ZERO {
                ("schedule", "the campaign's first day".to_owned())
            } else {
                ("guard", format!("the last {guard} before closing"))
            };
            Some(Step { rule: rule.to_owned(), until, says })
        });
        let Some(step) = step else {
            outlook.at = Some(at);
            break;
        };
        at = step.until;
        outlook.steps.push(step);
    }
    outlook
}

impl Outlook {
    /// The rule that holds the contact for longest.
    pub(super) fn set_by(&self, now: Moment) -> Option<String> {
        let mut held: Vec<(Span, &str)> = Vec::new();
        let mut from = now;
        for step in &self.steps {
            let span = step.until.since(from);
            match held.iter_mut().find(|(_, rule)| *rule == step.rule) {
                Some((all, _)) => *all = Span::from_millis(all.millis() + span.millis()),
                None => held.push((span, &step.rule)),
            }
            from = step.until;
        }
        held.into_iter().rev().max_by_key(|(span, _)| *span).map(|(_, rule)| rule.to_owned())
    }
}
