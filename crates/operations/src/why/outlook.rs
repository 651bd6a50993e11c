//! When a contact may be dialled next, and which rules it waits for until then.

use ringfence_domain::verdict::Verdict;
use ringfence_domain::{ClockReading, DialClass, Moment, Span, Zone};
use ringfence_store::{ContactRow, RunConditions};
use serde::Serialize;

use super::Known;
use super::contact::{calendar, number_limits, past_calls, singly, window};

/// What lies between a contact and its next call.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub(super) struct Outlook {
    /// When every rule allows it that time alone can satisfy; none if that never comes.
    pub(super) at: Option<Moment>,
    /// Each rule that holds it, one after the other.
    pub(super) steps: Vec<Step>,
    /// Rules that never leave time together.
    pub(super) never: Vec<String>,
}

/// One rule that holds the contact for a while, when the ones before it do not any more.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Step {
    /// The rule.
    pub rule: String,
    /// Until when it holds the contact.
    pub until: Moment,
    /// Its words.
    pub says: String,
}

/// Windows and limits may take turns for so long.
const STEPS: usize = 200;

/// `verdicts`: all on the contact.
pub(super) fn of(run: &RunConditions, contact: &ContactRow, known: &Known, verdicts: &[Verdict]) -> Outlook {
    let (campaign, clock, now) = (&run.campaign.rules, run.clock(), known.reading.now);
    let guard = campaign.calling.guard;
    let parts = window(run, contact);
    let mut whole = calendar(run, contact);
    let vendor = run.lane.settings.vendor_hours();
    let never = campaign.contradiction(&contact.zones, vendor.as_ref(), now);
    if !never.is_empty() {
        return Outlook { never, ..Outlook::default() };
    }
    let (calls, place) = (past_calls(&known.attempts), campaign.place_of(&contact.zones));
    let fixed: Vec<Step> = verdicts.iter().filter_map(|verdict| fixed(verdict, contact, known, clock)).collect();
    let mut outlook = Outlook::default();
    let mut at = now;
    while outlook.steps.len() < STEPS {
        let mut holds: Vec<Step> = fixed.iter().filter(|step| step.until > at).cloned().collect();
        for part in &parts {
            let until = part.calendar().next_opening(at).unwrap_or(Moment::NEVER);
            if until > at {
                let says = part.closed_day(at).unwrap_or_else(|| part.says());
                holds.push(Step { rule: part.rule.clone(), until, says });
            }
        }
        // Limits are asked as the claim asks them: the clock's error is waited out.
        let then = ClockReading { now: at, error: known.reading.error };
        for (source, limits) in number_limits(campaign) {
            let asked = |single| Verdict::of_number_limits(single, &calls, then, &place, || ("", String::new()));
            for verdict in singly(&limits).iter().map(asked) {
                if let Verdict::NumberLimit { rule, says, until: Some(until) } = verdict {
                    holds.push(Step { rule: rule.to_owned(), until, says: format!("{source}{says}") });
                }
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

/// A verdict that holds until a moment which nothing else moves. Windows and limits are asked at
/// each moment anew, also when a limit put the contact off.
fn fixed(verdict: &Verdict, contact: &ContactRow, known: &Known, clock: Zone) -> Option<Step> {
    let until = match verdict {
        Verdict::Window { .. } | Verdict::NumberLimit { .. } => None,
        Verdict::Due { .. } if contact.class == DialClass::Capped => None,
        _ => verdict.from(known.reading),
    }?;
    let says = match verdict {
        Verdict::Due { refused: None, class, .. } => class.as_str().to_owned(),
        _ => verdict.says(known.reading, clock),
    };
    Some(Step { rule: verdict.rule().into_owned(), until, says })
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
